"""What derives the tables, schemas and pictures of the repository; not installed."""
