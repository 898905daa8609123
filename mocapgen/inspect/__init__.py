"""What is in a dataset file."""
