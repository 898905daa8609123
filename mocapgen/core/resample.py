"""Frame rates: those of file headers, and resampling."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from mocapgen.core.motion import Array, Motion
from mocapgen.core.rotation import make_continuous, normalise, slerp
from schemas.errors import FormatError

_TRANSITION = 0.2  # of the new Nyquist frequency: pass below 0.9, stop above 1.1 of it
_STOP_DB = 60.0
_BLOCK = 4096  # frames at a time
MOST_POSES = 5_000_000
"""Joints times frames that a motion may become: an hour of a body at 30 frames per second."""
_NTSC_RATES = (24, 30, 60, 120)
_USUAL_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 72.0, 90.0, 100.0, 120.0, 144.0, 200.0, 240.0)


def snap_frame_rate(frame_time: float) -> float:
    """Return the frame rate that a rounded frame time means.

    Parameters
    ----------
    frame_time : float
        Seconds, as printed in a file: ``.0083333``, ``0.016667``, ``0.033``.

    Returns
    -------
    float
        The integer rate if the time is its exact inverse; else the usual rate (or NTSC rate, a multiple of 1000/1001)
        that rounds to the digits given; else the NTSC rate that fits to 1e-5; else the integer rate within 1 %; else
        the plain inverse.

    Raises
    ------
    ValueError
        If the time is not a positive number.
    """
    if not (np.isfinite(frame_time) and frame_time > 0 and np.isfinite(rate := 1.0 / float(frame_time))):
        raise ValueError(f"frame time: expected a positive number of seconds, found {frame_time}")
    whole = float(round(rate))
    if whole > 0 and abs(rate / whole - 1.0) < 1e-9:
        return whole
    printed = Decimal(repr(float(frame_time))).as_tuple()
    half_digit = 0.5000001 * 10.0 ** int(printed.exponent)
    ntsc = tuple(usual * 1000.0 / 1001.0 for usual in _NTSC_RATES)
    if len(printed.digits) > 1:  # one digit is too few to tell .03 from a thirtieth
        for usual in (*_USUAL_RATES, *ntsc):
            if abs(1.0 / usual - frame_time) < half_digit:
                return usual
    for usual in ntsc:
        if abs(rate / usual - 1.0) < 1e-5:
            return usual
    return whole if whole > 0 and abs(rate / whole - 1.0) < 0.01 else rate


def frame_count(frames: int, source_fps: float, fps: float) -> int:
    """Return how many frames at `fps` lie within a motion of `frames` frames at `source_fps`, both ends included."""
    return int(np.floor((frames - 1) * (fps / source_fps) + 1e-6)) + 1


def resample(motion: Motion, fps: float, antialias: bool = False) -> Motion:
    """Return the motion at another frame rate.

    Parameters
    ----------
    motion : Motion
    fps : float
        Frames per second; up or down, any ratio.
    antialias : bool
        Low-pass filter without phase shift before the rate is reduced. Off by default: the published method takes
        frames as they are.

    Returns
    -------
    Motion
        Frame k shows the source at exactly k / fps seconds: positions interpolated linearly, rotations along the
        shorter arc (slerp). Where that is a source frame, it is that frame.

    Raises
    ------
    FormatError
        If there would be more than :data:`MOST_POSES`, and more than twice as many as there are: a small file that claims to be slow.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"fps: expected a positive number, found {fps}")
    rotations, positions = motion.rotations, motion.root_positions
    if fps == motion.fps:
        return motion
    poses = len(motion.skeleton.names) * ((len(motion) - 1) * (fps / motion.fps) + 1)
    if poses > max(MOST_POSES, 2 * motion.rotations.shape[0] * motion.rotations.shape[1]):
        raise FormatError(
            f"{motion.name}: expected at most {MOST_POSES:,} joints times frames at {fps:g} frames per second, found {poses:.3g} in {len(motion):,} "
            f"frames at {motion.fps:g} frames per second; check the frame rate"
        )
    if antialias and fps < motion.fps:
        kernel = low_pass_kernel(fps / motion.fps)
        rotations = normalise(_filter(make_continuous(rotations), kernel))
        positions = _filter(positions, kernel)
    at = np.arange(frame_count(len(motion), motion.fps, fps)) * (motion.fps / fps)
    at = np.where(np.abs(at - np.round(at)) < 1e-6, np.round(at), at)
    before = np.minimum(np.floor(at).astype(np.intp), len(motion) - 1)
    after = np.minimum(before + 1, len(motion) - 1)
    fraction = at - before
    if fraction.any():
        rotations = _between(rotations, before, after, fraction)
        positions = positions[before] + fraction[:, None] * (positions[after] - positions[before])
    else:
        rotations, positions = rotations[before], positions[before]
    return replace(motion, rotations=rotations, root_positions=positions, fps=float(fps))


def _between(rotations: Array, before: NDArray[np.intp], after: NDArray[np.intp], fraction: Array) -> Array:
    """Return rotations between frames, block by block: interpolating takes ten times the memory of its result."""
    out = np.empty((4, rotations.shape[1], len(before))).T
    for start in range(0, len(before), _BLOCK):
        block = slice(start, start + _BLOCK)
        out[block] = slerp(rotations[before[block]], rotations[after[block]], fraction[block, None])
    return out


def low_pass_kernel(ratio: float) -> Array:
    """Return a symmetric low-pass filter for a rate reduction.

    Parameters
    ----------
    ratio : float
        New rate / old rate, below 1.

    Returns
    -------
    (2 N + 1,) float64
        Windowed sinc (Kaiser, 60 dB), cut off at the new Nyquist frequency; sums to 1.
    """
    # Kaiser's design formulas: Oppenheim and Schafer, Discrete-Time Signal Processing, 3rd ed., section 7.5.3
    beta = 0.1102 * (_STOP_DB - 8.7)
    half = int(np.ceil((_STOP_DB - 7.95) / (2.285 * np.pi * ratio * _TRANSITION) / 2))
    taps = np.arange(-half, half + 1)
    kernel = np.sinc(ratio * taps) * np.kaiser(2 * half + 1, beta)
    return kernel / kernel.sum()


def _filter(values: Array, kernel: Array) -> Array:
    """Filter (T, ...) along time; beyond the ends the motion goes on point-symmetrically, so a constant stays one."""
    if len(values) == 1:
        return values
    half = len(kernel) // 2
    flat = values.reshape(len(values), -1)
    padded = np.pad(flat, ((half, half), (0, 0)), mode="reflect", reflect_type="odd")
    out = np.zeros_like(flat)
    for tap, weight in enumerate(kernel):
        out += weight * padded[tap : tap + len(values)]
    return out.reshape(values.shape)
