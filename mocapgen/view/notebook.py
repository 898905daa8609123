"""The player as an HTML fragment for a notebook: a dataset, predictions, or one motion."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mocapgen.cameras.camera import UP, Camera
from mocapgen.cameras.rigs import Scene
from mocapgen.core.kinematics import forward_kinematics
from mocapgen.core.motion import Array, Motion
from mocapgen.shared.markup import html_text
from mocapgen.store.joint_tree import JointTree
from mocapgen.store.predictions import Predictions, open_any
from mocapgen.store.reader import Dataset
from mocapgen.view.page import page_of, player_parts
from mocapgen.view.player_sequence import PlayerSequence, player_sequences

NOTEBOOK_BYTES = 2_000_000
"""Size of the largest page in a notebook: about 25,000 frames. The notebook's file stores it with every output."""
NOTEBOOK_FRAMES = 5_000
"""Frames of a sequence that are shown at most, the first ones, so that one long sequence still fits."""
_WIDTH, _HEIGHT = 1280, 720  # pixels: image of the camera that is placed in front of a motion
_FOV = math.radians(40.0)  # vertical
_FRAME = (
    '<iframe title="{title}" srcdoc="{page}" sandbox="allow-scripts" loading="lazy"'
    ' style="width: 100%; height: 680px; border: 1px solid #8888; border-radius: 8px"></iframe>'
)


def notebook_html(shown: Dataset | Predictions | Motion | str | Path, max_bytes: int = NOTEBOOK_BYTES) -> str:
    """Return the player as a self-contained HTML fragment: an ``iframe`` that holds the whole page and loads nothing.

    Parameters
    ----------
    shown : Dataset, Predictions, Motion, or path of a file of the first two
        Of a file, the first sequences are shown; a motion is shown from a camera in front of the person.
    max_bytes : int
        Size of the page: sequences that do not fit are left out.

    Returns
    -------
    str
        For ``_repr_html_``; a paragraph instead if the file was closed.

    Raises
    ------
    DatasetError
        If a file cannot be read.
    """
    if isinstance(shown, str | Path):
        with open_any(shown) as data:
            return notebook_html(data, max_bytes)
    if isinstance(shown, Motion):
        return _fragment([motion_sequence(shown)], shown.name, 1, max_bytes)
    if not shown.file:
        return f"<p>{html_text(shown.path.name)}: the file is closed; open it again to view it</p>"
    return _fragment(player_sequences(shown, range(len(shown))), shown.path.name, len(shown), max_bytes)


def motion_sequence(motion: Motion) -> PlayerSequence:
    """Return a motion as the player shows it: joint positions in the world, seen by a camera that is placed in front of the person."""
    motion = motion.slice(0, NOTEBOOK_FRAMES)
    positions = forward_kinematics(motion)
    skeleton = motion.skeleton
    camera = front_camera(positions, heading(positions[0], skeleton.names))
    seen = camera.to_camera(positions)
    tree = JointTree(skeleton.names, skeleton.parents)
    return PlayerSequence(0, {"id": motion.name}, "", camera, motion.fps, tree, seen, camera.project(seen), floor_known=False)


def heading(pose: Array, names: tuple[str, ...]) -> Array:
    """Return where a person faces in a pose: a level unit vector, by the sides in the joints' names; +z if these do not tell.

    Parameters
    ----------
    pose : (J, 3) float, metres, world frame
    names : tuple of J str
    """
    sides = np.array(list(JointTree(names, (-1,) * len(names)).sides))
    if not {"l", "r"} <= set(sides):
        return np.array([0.0, 0.0, 1.0])
    forward = np.cross(pose[sides == "l"].mean(axis=0) - pose[sides == "r"].mean(axis=0), UP)
    length = float(np.linalg.norm(forward))
    return forward / length if length > 1e-3 else np.array([0.0, 0.0, 1.0])


def front_camera(positions: Array, towards: Array) -> Camera:
    """Return a level camera that sees all positions, (T, J, 3) metres, from the direction `towards`, a level unit vector (3,)."""
    scene = Scene(positions.reshape(-1, 3), towards, _WIDTH / _HEIGHT, _FOV, np.random.default_rng(0))
    return Camera.of(scene.look_from(scene.facing(0.0), _FOV, "front"), _WIDTH, _HEIGHT, "opencv")


def _fragment(sequences: Iterator[PlayerSequence] | list[PlayerSequence], title: str, count: int, max_bytes: int) -> str:
    parts = player_parts(map(_shortened, sequences), title, max_bytes=max_bytes - 4096, whole_page=True, chosen=count)
    page = page_of(parts, title)
    note = f"<p>{len(parts.shown):,} of {count:,} sequences are shown</p>" if len(parts.shown) < count else ""
    return _FRAME.format(title=html_text(title), page=html.escape(page)) + note


def _shortened(sequence: PlayerSequence) -> PlayerSequence:
    """Return the first frames of a sequence, :data:`NOTEBOOK_FRAMES` at most."""
    return replace(sequence, positions=sequence.positions[:NOTEBOOK_FRAMES], pixels=sequence.pixels[:NOTEBOOK_FRAMES])
