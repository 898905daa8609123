"""People made of sticks: every joint of every layout, walking, lying, sitting or upside down, seen from any side."""

from __future__ import annotations

import numpy as np

from trainer.predict.keypoints import LAYOUTS, to_detector

FPS = 30.0
IMAGE = (1920, 1080)


def _leg(side: float, thigh: np.ndarray, knee: np.ndarray) -> dict[str, np.ndarray]:
    """Joints of a leg by the angles of thigh and shank from straight down, radians; axes: left, up, forward, metres."""
    hip = np.stack([np.full_like(thigh, 0.1 * side), np.zeros_like(thigh), np.zeros_like(thigh)], axis=1)
    knee_at = hip + 0.43 * np.stack([0 * thigh, -np.cos(thigh), np.sin(thigh)], axis=1)
    shank = thigh - knee
    ankle = knee_at + 0.42 * np.stack([0 * thigh, -np.cos(shank), np.sin(shank)], axis=1)
    foot = {"toe": (0.03 * side, -0.06, 0.17), "small_toe": (0.07 * side, -0.07, 0.14), "heel": (0.0, -0.07, -0.06)}
    return {"hip": hip, "knee": knee_at, "ankle": ankle} | {name: ankle + np.array(offset) for name, offset in foot.items()}


def _arm(side: float, upper: np.ndarray, elbow: np.ndarray) -> dict[str, np.ndarray]:
    shoulder = np.stack([np.full_like(upper, 0.18 * side), np.full_like(upper, 0.5), np.zeros_like(upper)], axis=1)
    elbow_at = shoulder + 0.29 * np.stack([np.full_like(upper, 0.1 * side), -np.cos(upper), np.sin(upper)], axis=1)
    lower = upper + elbow
    wrist = elbow_at + 0.26 * np.stack([0 * upper, -np.cos(lower), np.sin(lower)], axis=1)
    hand = {name: wrist + np.array([place * side, -0.08, 0.02]) for name, place in (("pinky", 0.02), ("index", -0.02), ("thumb", -0.05))}
    return {"shoulder": shoulder, "elbow": elbow_at, "wrist": wrist, **hand}


def joints(frames: int, pose: str = "walk", phase: float = 0.0) -> dict[str, np.ndarray]:
    """Return joints, (T, 3) metres, by the names of all layouts; the pelvis at the origin, axes left, up, forward."""
    beat = 2 * np.pi * np.arange(frames) / FPS + phase
    swing, sit = np.sin(beat), pose == "sit"
    legs = {
        "left": _leg(1.0, 0.4 * swing + 1.3 * sit, 0.3 + 0.3 * np.cos(beat) + 0.9 * sit),
        "right": _leg(-1.0, -0.4 * swing + 1.3 * sit, 0.3 - 0.3 * np.cos(beat) + 0.9 * sit),
    }
    raised = 2.6 if pose == "handstand" else 0.0
    arms = {"left": _arm(1.0, -0.4 * swing + raised, 0.4 + 0 * beat), "right": _arm(-1.0, 0.4 * swing + raised, 0.4 + 0 * beat)}
    out = {f"{side}_{part}": at for limbs in (legs, arms) for side, limb in limbs.items() for part, at in limb.items()}
    middle: dict[str, tuple[float, float, float]] = {
        "pelvis": (0, 0.03, 0),
        "mid_hip": (0, 0, 0),
        "spine": (0, 0.25, 0),
        "chest": (0, 0.28, 0),
        "thorax": (0, 0.5, 0),
        "neck_base": (0, 0.5, 0),
        "neck": (0, 0.62, 0.02),
        "head_top": (0, 0.8, 0.0),
        "nose": (0, 0.65, 0.11),
        "mouth_left": (0.02, 0.61, 0.1),
        "mouth_right": (-0.02, 0.61, 0.1),
    }
    for side, sign in (("left", 1.0), ("right", -1.0)):
        middle |= {f"{side}_eye": (0.03 * sign, 0.69, 0.09), f"{side}_ear": (0.07 * sign, 0.67, 0.01)}
        middle |= {f"{side}_eye_inner": (0.015 * sign, 0.69, 0.095), f"{side}_eye_outer": (0.045 * sign, 0.69, 0.08)}
    return out | {name: np.tile(np.array(at, dtype=float), (frames, 1)) for name, at in middle.items()}


def person(
    frames: int, pose: str = "walk", turn: float = 0.5, size: float = 300.0, at: tuple[float, float] = (900.0, 500.0), speed: float = 0.0
) -> dict[str, np.ndarray]:
    """Return joints in the image, (T, 2) pixels: turned about the vertical (radians), `size` pixels a metre, `speed` pixels a frame."""
    roll = {"lie": np.pi / 2, "handstand": np.pi}.get(pose, 0.0)
    out = {}
    for name, where in joints(frames, pose).items():
        across = where[:, 0] * np.cos(turn) + where[:, 2] * np.sin(turn)
        x, y = across * size, -where[:, 1] * size
        x, y = np.cos(roll) * x - np.sin(roll) * y, np.sin(roll) * x + np.cos(roll) * y
        out[name] = np.stack([x + at[0] + speed * np.arange(frames), y + at[1]], axis=1)
    return out


def keypoints(layout: str, frames: int = 20, noise: float = 0.0, score: float = 0.9, **how: object) -> np.ndarray:
    """Return (T, K, 3) keypoints of a layout: pixels and confidence; points without a name lie about the wrists and the nose."""
    found = person(frames, **how)  # type: ignore[arg-type]
    random = np.random.default_rng(3)
    columns = []
    for number, name in enumerate(LAYOUTS[layout]):
        base = found.get(name)
        if base is None:
            base = found[("nose", "left_wrist", "right_wrist")[number % 3]] + random.uniform(-12, 12, 2)
        columns.append(np.concatenate([base, np.full((frames, 1), score)], axis=1))
    out = np.stack(columns, axis=1)
    out[..., :2] += noise * random.standard_normal(out[..., :2].shape)
    return out


def expected(values: np.ndarray, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what a reader should make of keypoints: positions (T, 24, 2) and confidence (T, 24)."""
    return to_detector(values, LAYOUTS[layout])
