"""Put lifted people into a world, one step after the other: y up, feet on the floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from schemas.predictions import PredictConfig
from trainer.predict.tracks import Array
from trainer.predict.world.banded import huber
from trainer.predict.world.body import Body
from trainer.predict.world.bones import bone_lengths, with_lengths
from trainer.predict.world.contacts import planted
from trainer.predict.world.feet import hold_feet
from trainer.predict.world.gravity import up_of
from trainer.predict.world.ground import Ground, feet_seen, find_level, find_pitch
from trainer.predict.world.path import follow
from trainer.predict.world.smooth import smooth
from trainer.predict.world.track import Piece, Track, track_of
from trainer.predict.world.turning import too_fast

_SURE = 0.5
"""Confidence from which on a joint counts as seen clearly."""
_GUESSED = 0.2
"""Weight of a joint that is not seen, in smoothing a pose."""
_UNSEEN = 1e-3
"""And in smoothing its pixels."""
_PULL, _FARTHEST = 0.3, 0.1
"""Share of its way to its pixel that a joint is moved, and the metres from which on it is an outlier."""
_NEAREST = 0.1
"""Metres."""
_RESCALED = 1.6
"""Largest factor by which people are scaled to stand on one floor."""
_ANOTHER_FLOOR = 0.2
"""Metres: somebody who mostly is so far below the floor does not stand on it."""
_LOWEST_CAMERA = 0.3
"""Metres: a camera that is lower above the floor says nothing about people's sizes."""


@dataclass(frozen=True, eq=False)
class World:
    """People in a world, and the camera that looks on.

    Parameters
    ----------
    positions : list of list of (T, J, 3) float64, metres, camera frame
        Of each person's pieces, as given.
    rotation : (3, 3) float64
        X_camera = R X_world + t; the world's y points up.
    translation : (3,) float64, metres
        The floor is at y = 0, the camera above the world's origin; where no floor is known the camera is at the origin.
    floor : bool
        Whether the floor is known.
    notes : tuple of str
        What was done, a line each.
    """

    positions: list[list[Array]]
    rotation: Array
    translation: Array
    floor: bool
    notes: tuple[str, ...]


def place_in_world(people: Sequence[Sequence[Piece]], body: Body, intrinsics: Array, fps: float, config: PredictConfig) -> World:
    """Put lifted people into a world.

    Parameters
    ----------
    people : sequence of sequence of Piece
        The pieces of each person.
    body : Body
        Their joint set.
    intrinsics : (4,), pixels
        fx, fy, cx, cy; fy is below 0 where the camera's y points up.
    fps : float
    config : PredictConfig
        Which steps are made: see ``docs/predictions.md``.

    Returns
    -------
    World
    """
    root = body.parents.index(-1)
    persons = [[track_of(piece, root, intrinsics) for piece in person] for person in people]
    tracks = [track for person in persons for track in person]
    notes = _pose(tracks, body, fps, config)
    for number, person in enumerate(persons, start=1):
        notes += _build(person, body, config, f"person {number}" if len(persons) > 1 else "person")
    if config.smooth:
        for track in tracks:
            track.root = follow(track, body, fps, config.smooth)
    ground, said = _find_ground(persons, body, fps, config)
    notes += said
    camera = _Camera.over(ground)
    if config.hold_feet:
        notes += _hold(tracks, body, ground, camera, fps)
    if odd := too_fast([track.relative for track in tracks], body, fps):
        notes.append(odd)
    flip = np.array([1.0, -np.sign(intrinsics[1]), 1.0])
    return World(
        [[track.positions * flip for track in person] for person in persons],
        flip[:, None] * camera.rotation,
        flip * camera.translation,
        ground.level is not None,
        tuple(notes),
    )


class _Camera(NamedTuple):
    """The camera in the axes of a track: X_camera = R X_world + t."""

    rotation: Array
    translation: Array

    @classmethod
    def over(cls, ground: Ground) -> _Camera:
        """Return the camera above the world's origin that looks along its -z."""
        _, cosine, sine = ground.up * [1.0, 1.0, -1.0]
        rotation = np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, -sine, -cosine]])
        return cls(rotation, rotation[:, 1] * (ground.level or 0.0))

    def to_world(self, positions: Array) -> Array:
        return np.asarray((positions - self.translation) @ self.rotation)

    def from_world(self, positions: Array) -> Array:
        return np.asarray(positions @ self.rotation.T + self.translation)


def _pose(tracks: Sequence[Track], body: Body, fps: float, config: PredictConfig) -> list[str]:
    """Move poses towards their pixels, and smooth them, in place; return notes."""
    notes = []
    if config.to_pixels:
        for track in tracks:
            track.root = follow(track, body, fps, config.smooth) if config.smooth else track.root
            track.relative = _pulled(track)
        notes.append("joints that are seen clearly: moved a third of the way to their pixels")
    if config.smooth:
        for track in tracks:
            track.relative = _smoothed(track, fps, config.smooth)
        notes.append("smoothed: poses and paths, without lag")
    return notes


def _pulled(track: Track) -> Array:
    """Return the pose of a track whose joints are moved across the line of sight, towards their pixels: the surer they are seen the more."""
    positions = track.positions
    off = track.rays * positions[..., 2:] - positions[..., :2]
    share = _PULL * np.clip(track.confidence / _SURE, 0.0, 1.0) * huber(np.linalg.norm(off, axis=2), _FARTHEST) ** 2
    relative = track.relative.copy()
    relative[..., :2] += share[..., None] * off
    return relative


def _smoothed(track: Track, fps: float, amount: float) -> Array:
    """Return the pose of a track, smoothed; joints that are not seen count less."""
    return smooth(track.relative, np.clip(track.confidence / _SURE, _GUESSED, 1.0), fps, amount)


def _calm(track: Track, body: Body, fps: float) -> Track:
    """Return a smoothed copy of a track that itself stays as it is: contacts cannot be found in noise."""
    calm = replace(track, relative=_smoothed(track, fps, 1.0))
    calm.root = follow(calm, body, fps, 1.0)
    return calm


def _build(person: Sequence[Track], body: Body, config: PredictConfig, who: str) -> list[str]:
    """Give a person bones of constant length, and the height that is asked for, in place; return notes."""
    if not (config.bone_lengths or config.height):
        return []
    lengths = bone_lengths([track.relative for track in person], body)
    stature = body.stature(lengths)
    factor = config.height / stature if config.height and stature > 0 else 1.0
    for track in person:
        if config.bone_lengths:
            track.relative = with_lengths(track.relative, body, lengths)
        track.scale(factor)
    if config.height:
        return [f"{who}: scaled by {factor:.2f} to a height of {config.height:.2f} m"]
    return [f"{who}: bones of constant length, {stature:.2f} m tall (--height METRES sets it)"]


def _find_ground(persons: Sequence[Sequence[Track]], body: Body, fps: float, config: PredictConfig) -> tuple[Ground, list[str]]:
    """Find contacts, the camera's pitch and the floor; put everybody onto one floor, in place; return the ground, and notes."""
    if not (config.floor or config.hold_feet):
        return Ground(up_of(math.radians(config.pitch or 0.0)), None), []
    calm = [[track if config.smooth else _calm(track, body, fps) for track in person] for person in persons]
    tracks = [track for person in calm for track in person]
    for track in tracks:
        track.seen = _soles_seen(track, body, fps)
        _find_contacts(track, body, fps, None)
    pitch, notes = math.radians(config.pitch or 0.0), []
    if config.pitch is None and config.floor:
        pitch, note = find_pitch(tracks, body, fps)
        notes.append(note)
    ground = Ground(up_of(pitch), None)
    if config.floor:
        if len(calm) > 1 and config.height is None:
            notes += _one_floor(calm, persons, body, ground.up, fps)
        ground, note = _settle(tracks, body, ground.up, fps, config.smooth)
        notes.append(note)
    for track, other in zip((track for person in persons for track in person), tracks, strict=True):
        track.contacts = other.contacts
    return ground, notes


def _one_floor(calm: Sequence[Sequence[Track]], persons: Sequence[Sequence[Track]], body: Body, up: Array, fps: float) -> list[str]:
    """Make people larger or smaller, in place, until all stand on one floor: from one picture nobody's size is certain. Return notes."""
    levels = np.array([find_level(person, body, up, fps) or 0.0 for person in calm])
    below = levels < -_LOWEST_CAMERA
    if below.sum() < 2:
        return []
    frames = np.array([sum(len(track) for track in person) for person in calm])
    common = float(np.average(levels[below], weights=frames[below]))
    notes = []
    for number, (level, sure) in enumerate(zip(levels, below, strict=True), start=1):
        factor = common / level if sure else 1.0
        if factor == 1.0 or not 1.0 / _RESCALED < factor < _RESCALED:
            continue
        for track in {id(track): track for track in (*calm[number - 1], *persons[number - 1])}.values():
            track.scale(factor)
        notes.append(f"person {number}: scaled by {factor:.2f} to stand on one floor with the others")
    return notes


def _settle(tracks: Sequence[Track], body: Body, up: Array, fps: float, amount: float) -> tuple[Ground, str]:
    """Find the floor, contacts and paths of people who stand on it, in place; return the ground and a note."""
    ground = Ground(up, find_level(tracks, body, up, fps))
    for track in tracks:
        _find_contacts(track, body, fps, ground)
        if amount:
            track.root = follow(track, body, fps, amount, ground)
    ground = Ground(up, find_level(tracks, body, up, fps))
    if ground.level is None:
        return ground, "floor: unknown, no foot is seen"
    if ground.level > 0.0:
        above = f"floor: {ground.level:.2f} m above the camera"
        return (
            ground,
            f"{above}; unless it was, the image's size or the focal length is wrong, or the video was cropped (--pitch DEGREES)",
        )
    return ground, f"floor: {-ground.level:.2f} m below the camera, by the feet"


def _find_contacts(track: Track, body: Body, fps: float, ground: Ground | None) -> None:
    """Find where the soles of a track are planted, in place."""
    points = track.points(body.soles)
    heights = None if ground is None or ground.level is None else ground.height(points) - body.sole_heights
    track.contacts = planted(points, track.seen * track.root[:, None, 2:], heights, fps) & feet_seen(track, body)[:, None]


def _soles_seen(track: Track, body: Body, fps: float) -> Array:
    """Return the rays of the soles, smoothed, (T, P, 2); NaN where they are not seen."""
    confidence = track.confidence[:, body.soles]
    depth = max(float(np.mean(track.root[:, 2])), _NEAREST)
    rays = smooth(track.rays[:, body.soles] * depth, np.where(confidence > 0.0, np.clip(confidence / _SURE, _GUESSED, 1.0), _UNSEEN), fps) / depth
    return np.where(confidence[..., None] > 0.0, rays, np.nan)


def _hold(tracks: Sequence[Track], body: Body, ground: Ground, camera: _Camera, fps: float) -> list[str]:
    """Hold planted feet in place, and return notes."""
    below = 0
    for track in tracks:
        world = camera.to_world(track.positions)
        lowest = (world[:, body.soles, 1] - body.sole_heights).min(axis=1)
        elsewhere = ground.level is not None and float(np.median(lowest)) < -_ANOTHER_FLOOR
        below += len(track) if elsewhere else 0
        world = hold_feet(world, track.contacts, body, fps, ground.level is not None and not elsewhere)
        track.relative = camera.from_world(world) - track.root[:, None]
    frames = sum(len(track) for track in tracks)
    on = sum(int(track.contacts.any(axis=1).sum()) for track in tracks)
    notes = [f"feet: held in place while planted, in {100 * on / max(frames, 1):.0f} % of the frames"]
    if below:
        notes.append(f"floor: a person is below it in {below} frames, which were left so; another shot, or another floor?")
    return notes
