"""Models that lift 2D motion to 3D, trained on any valid dataset file."""
