"""The lifted people of a video, put into one world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from schemas.predictions import FOUND, PredictConfig
from schemas.train import ModelCard
from trainer.predict.camera import level_camera
from trainer.predict.person import LiftedTrack
from trainer.predict.world.body import Body
from trainer.predict.world.place import place_in_world
from trainer.predict.world.track import Piece


class PlacedPeople(NamedTuple):
    """People in a world.

    Parameters
    ----------
    tracks : list of LiftedTrack
        As given, with positions of the world that the camera sees.
    cameras : dict
        Table of the one camera.
    camera : str
        What is known of it, in words.
    notes : tuple of str
        What was done, a line each.
    """

    tracks: list[LiftedTrack]
    cameras: dict[str, Any]
    camera: str
    notes: tuple[str, ...]


def place_people(tracks: Sequence[LiftedTrack], card: ModelCard, config: PredictConfig) -> PlacedPeople:
    """Put the lifted people of a video into one world, by the steps that the settings ask for.

    Parameters
    ----------
    tracks : sequence of LiftedTrack
        Of one video, at the model's frame rate.
    card : ModelCard
    config : PredictConfig
    """
    body = Body(tuple(card.joints), tuple(card.parents))
    intrinsics = tracks[0].intrinsics
    lens = "without distortion, the principal point in the middle"
    cameras = level_camera(intrinsics, tracks[0].image, card.camera_frame)
    if body.missing:
        note = f"not put into a world: the model has no {', '.join(body.missing[:3])}"
        return PlacedPeople(list(tracks), cameras, f"assumed: level, at the origin, {lens}", (note,))
    if config.causal:
        config = config.model_copy(update={"to_pixels": False, "smooth": 0.0, "bone_lengths": False, "hold_feet": False, "height": None})
    people = [[_piece(track, first, end, card) for first, end in track.segments] for track in tracks]
    world = place_in_world(people, body, intrinsics, card.fps, config)
    placed = []
    for track, pieces in zip(tracks, world.positions, strict=True):
        positions = np.full_like(track.positions_3d, np.nan)
        for (first, end), piece in zip(track.segments, pieces, strict=True):
            positions[first:end] = piece
        placed.append(replace(track, positions_3d=positions))
    if not world.floor:
        return PlacedPeople(
            placed, {**cameras, "R": world.rotation[None]}, f"assumed: {'level, ' if not config.pitch else ''}at the origin, {lens}", world.notes
        )
    cameras |= {"R": world.rotation[None], "t": world.translation[None], "rig": [FOUND]}
    return PlacedPeople(placed, cameras, f"found: above the origin of a world with its floor at y = 0, {lens}", world.notes)


def _piece(track: LiftedTrack, first: int, end: int, card: ModelCard) -> Piece:
    rows = slice(first, end)
    return Piece(track.positions_3d[rows], track.positions_2d[rows], track.confidence[rows], card.target == "absolute")
