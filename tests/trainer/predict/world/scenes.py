"""People of the built-in source before a camera that is tilted, with what a lifting model gets wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mocapgen.sources.sample import clips, make
from schemas.conventions import H36M17
from schemas.detectors import DETECTOR_PARENTS
from trainer.predict.world.body import Body
from trainer.predict.world.track import Piece

FPS = 30.0
NAMES = tuple(DETECTOR_PARENTS)
K = np.array([1400.0, -1400.0, 960.0, 540.0])


def body_of(parents):
    """Return the body of a joint set, given as joints with their parents."""
    names = tuple(parents)
    return Body(names, tuple(-1 if parent is None else names.index(parent) for parent in parents.values()))


def joints_of(clip):
    """Return the world positions of the joint set `detector`, (T, 24, 3) at 30 frames per second."""
    found = next(one for one in clips() if f"{one.action}_{one.take}" == clip)
    motion, _ = make(found)
    positions = dict(zip(motion.skeleton.names, motion.positions()[::4].transpose(1, 0, 2), strict=True))
    out = {name: positions[joint] for name, joint in H36M17.items()}
    for side in ("left", "right"):
        ankle, toe = out[f"{side}_ankle"], positions[f"{side.title()}ToesEnd"]
        out |= {f"{side}_toe": toe, f"{side}_heel": ankle - 0.22 * (toe - ankle) - [0.0, 0.05, 0.0], f"{side}_ear": out["neck"] + [0.0, 0.06, 0.0]}
    return np.stack([out.get(name, out["neck"] + [0.0, 0.03, 0.1]) for name in NAMES], axis=1)


@dataclass
class Scene:
    """What a model makes of a person before a camera, and the truth; camera frame `unity`."""

    piece: Piece
    truth: np.ndarray
    world: np.ndarray
    rotation: np.ndarray


def correlated(random, shape, size, memory=0.9):
    """Return noise with a memory from frame to frame."""
    noise = random.standard_normal(shape)
    for frame in range(1, shape[0]):
        noise[frame] = memory * noise[frame - 1] + np.sqrt(1.0 - memory**2) * noise[frame]
    return size * noise


def seen(world, pitch=0.0, azimuth=30.0, distance=4.5, noise=1.0, seed=0):
    """Return a scene: a camera that looks down by `pitch` degrees at the middle of a motion."""
    random = np.random.default_rng(seed)
    down, around = np.radians([pitch, azimuth])
    forward = np.array([-np.cos(down) * np.sin(around), -np.sin(down), -np.cos(down) * np.cos(around)])
    right = np.cross(forward, [0.0, 1.0, 0.0]) / np.cos(down)
    rotation = np.stack([right, np.cross(right, forward), forward])
    truth = (world - world[:, 0].mean(axis=0)) @ rotation.T + [0.0, 0.0, distance]
    pixels = truth[..., :2] / truth[..., 2:] * K[:2] + K[2:] + correlated(random, (*truth.shape[:2], 2), 6.0 * noise, 0.5)
    depth = np.array([0.4, 0.4, 1.0]) * (correlated(random, truth.shape, 0.02 * noise) + 0.004 * noise * random.standard_normal(truth.shape))
    jitter = (1.0 + 0.02 * noise * random.standard_normal((len(truth), 1, 1))) * truth[:, :1]
    lifted = truth - truth[:, :1] + depth + jitter
    return Scene(Piece(lifted, pixels, np.ones(truth.shape[:2])), truth, world, rotation)
