"""From a dataset file to augmented batches."""
