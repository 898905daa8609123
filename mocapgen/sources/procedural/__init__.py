"""Procedural human motion: exactly known, free of third-party rights, the same on every machine."""
