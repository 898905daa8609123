"""The dataset file: how it is written and read."""

from mocapgen.store.reader import Dataset, open_dataset
from mocapgen.store.writer import DatasetWriter

__all__ = ["Dataset", "DatasetWriter", "open_dataset"]
