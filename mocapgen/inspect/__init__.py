"""Summarise and validate a dataset file."""
