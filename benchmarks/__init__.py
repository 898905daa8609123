"""Speed and memory of every step of a build: ``python -m benchmarks``."""
