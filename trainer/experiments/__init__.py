"""The published experiments, ablations, and their reports."""
