"""Put lifted people into a world, one step after the other: y up, feet on the floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from schemas.predictions import PredictConfig
from trainer.predict.tracks import Array
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
_ROUNDS = 2


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
    notes : tuple of str
        What was done, a line each.
    """

    positions: list[list[Array]]
    rotation: Array
    translation: Array
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
    notes = []
    if config.smooth:
        for track in tracks:
            track.relative = smooth(track.relative, np.clip(track.confidence / _SURE, _GUESSED, 1.0), fps, config.smooth)
        notes.append("smoothed: poses and paths, without lag")
    for number, person in enumerate(persons, start=1):
        notes += _build(person, body, config, f"person {number}" if len(persons) > 1 else "person")
    if config.smooth:
        for track in tracks:
            track.root = follow(track, body, fps, config.smooth)
    ground, said = _find_ground(tracks, body, fps, config)
    notes += said
    camera = _Camera.over(ground)
    if config.hold_feet:
        notes.append(_hold(tracks, body, ground, camera, fps, config))
    if odd := too_fast([track.relative for track in tracks], body.joints, body.parents, fps):
        notes.append(odd)
    flip = np.array([1.0, -np.sign(intrinsics[1]), 1.0])
    return World(
        [[track.positions * flip for track in person] for person in persons], flip[:, None] * camera.rotation, flip * camera.translation, tuple(notes)
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


def _build(person: Sequence[Track], body: Body, config: PredictConfig, who: str) -> list[str]:
    """Give a person bones of constant length, and the height that is asked for, in place; return notes."""
    if not (config.bone_lengths or config.height):
        return []
    lengths = bone_lengths([track.relative for track in person], body.parents, body.pairs)
    stature = body.stature(lengths)
    factor = config.height / stature if config.height and stature > 0 else 1.0
    for track in person:
        if config.bone_lengths:
            track.relative = with_lengths(track.relative, body.parents, lengths)
        track.scale(factor)
    if config.height:
        return [f"{who}: scaled by {factor:.2f} to a height of {config.height:.2f} m"]
    return [f"{who}: bones of constant length, {stature:.2f} m tall (--height METRES sets it)"]


def _find_ground(tracks: Sequence[Track], body: Body, fps: float, config: PredictConfig) -> tuple[Ground, list[str]]:
    """Find contacts, the camera's pitch and the floor; return the ground, and notes."""
    for track in tracks:
        track.seen = _soles_seen(track, body, fps)
        _find_contacts(track, body, fps, None)
    pitch, notes = 0.0, []
    if config.pitch is not None:
        pitch = math.radians(config.pitch)
    elif config.floor:
        pitch, note = find_pitch(tracks, body, fps)
        notes.append(note)
    up = up_of(pitch)
    if not config.floor:
        return Ground(up, None), notes
    for _ in range(_ROUNDS):
        ground = Ground(up, find_level(tracks, body, up, fps))
        for track in tracks:
            _find_contacts(track, body, fps, ground)
            if config.smooth:
                track.root = follow(track, body, fps, config.smooth, ground)
    ground = Ground(up, find_level(tracks, body, up, fps))
    level = "floor: unknown, no foot is seen" if ground.level is None else f"floor: {-ground.level:.2f} m below the camera, by the feet"
    return ground, [*notes, level]


def _find_contacts(track: Track, body: Body, fps: float, ground: Ground | None) -> None:
    """Find where the soles of a track are planted, in place."""
    points = track.points(body.soles)
    heights = None if ground is None or ground.level is None else ground.height(points) - body.sole_heights
    track.contacts = planted(points, track.seen * track.root[:, None, 2:], heights, fps) & feet_seen(track, body)[:, None]


def _soles_seen(track: Track, body: Body, fps: float) -> Array:
    """Return the rays of the soles, smoothed, (T, P, 2); NaN where they are not seen."""
    confidence = track.confidence[:, body.soles]
    depth = np.mean(track.root[:, 2])
    rays = smooth(track.rays[:, body.soles] * depth, np.where(confidence > 0.0, np.clip(confidence / _SURE, _GUESSED, 1.0), _UNSEEN), fps) / depth
    return np.where(confidence[..., None] > 0.0, rays, np.nan)


def _hold(tracks: Sequence[Track], body: Body, ground: Ground, camera: _Camera, fps: float, config: PredictConfig) -> str:
    """Hold planted feet in place, and return a note."""
    for track in tracks:
        world = hold_feet(camera.to_world(track.positions), track.contacts, body, fps, ground.level is not None)
        track.relative = camera.from_world(world) - track.root[:, None]
    frames = sum(len(track) for track in tracks)
    on = sum(int(track.contacts.any(axis=1).sum()) for track in tracks)
    return f"feet: held in place while planted, in {100 * on / max(frames, 1):.0f} % of the frames"
