"""Limits of what is believed to be motion capture, the same for all formats."""

MAX_BYTES = 256 * 2**20
"""Largest file that is read: ten times the longest motion-capture take, and well before a forged size fills the memory."""
LARGEST = 1e9
"""No length, angle or count of a motion-capture file comes near it."""
