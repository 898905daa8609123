"""Procedural human motion: exactly known, free of anybody's rights, the same on every machine."""
