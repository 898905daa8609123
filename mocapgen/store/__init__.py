"""The dataset file and the predictions file: how they are written and read."""

from mocapgen.store.predictions import Predictions, open_any, open_predictions
from mocapgen.store.reader import Dataset, open_dataset
from mocapgen.store.writer import DatasetWriter

__all__ = ["Dataset", "DatasetWriter", "Predictions", "open_any", "open_dataset", "open_predictions"]
