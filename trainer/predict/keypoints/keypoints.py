"""What every reader of keypoints and every detector returns: people with the joints that detectors see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.errors import DatasetError
from trainer.predict.keypoints.arrays import Array


@dataclass(frozen=True, eq=False)
class Person:
    """One person in a video, who is seen in N of its T frames.

    Parameters
    ----------
    seen : (N, 24, 2) float64, pixels
        Joints of ``schemas.detectors.DETECTOR_JOINTS``; 0 where a joint is missing.
    sure : (N, 24) float64
        Confidence, 0 to 1; 0 means that the joint is missing, in this frame or in the layout.
    rows : (N,) int64
        The frame of each, increasing.
    count : int
        T.
    id : str
        The detector's name for the person, if it has one.
    """

    seen: Array
    sure: Array
    rows: NDArray[np.int64]
    count: int
    id: str = ""

    @property
    def positions(self) -> Array:
        """Positions in all frames, (T, 24, 2) float64, pixels: row k is the time k / fps; 0 where a joint is missing."""
        return self._in_all(self.seen)

    @property
    def confidence(self) -> Array:
        """Confidence in all frames, (T, 24) float64."""
        return self._in_all(self.sure)

    def _in_all(self, values: Array) -> Array:
        out = np.zeros((self.count, *values.shape[1:]))
        out[self.rows] = values
        return out


@dataclass(frozen=True, eq=False)
class Keypoints:
    """The people in a video, each with as many rows as the video has frames.

    Parameters
    ----------
    people : tuple of Person
        In the order of their size in the image, summed over time, the largest first.
    fps : float
    width, height : int, pixels
    layout : str
        Of the detector.
    notes : tuple of str
        What a user should know, a line each.
    """

    people: tuple[Person, ...]
    fps: float
    width: int
    height: int
    layout: str = ""
    notes: tuple[str, ...] = ()

    def chosen(self, person: str, where: object) -> tuple[Person, ...]:
        """Return the people that the setting ``person`` asks for: ``largest``, ``all``, or a number in :attr:`people`, from 1.

        Raises
        ------
        DatasetError
            If there are not so many.
        """
        if person == "all":
            return self.people
        number = 1 if person == "largest" else int(person)
        if not 1 <= number <= len(self.people):
            raise DatasetError(f"{where}: expected person {number}, found {len(self.people)}; give person=1 to {len(self.people)}, largest or all")
        return (self.people[number - 1],)


def area_over_time(person: Person) -> float:
    """Return the size of a person in the image, summed over the frames: pixels squared."""
    seen = (person.sure > 0)[..., None]
    highest = np.where(seen, person.seen, -np.inf).max(axis=1)
    lowest = np.where(seen, person.seen, np.inf).min(axis=1)
    return float(np.prod(np.maximum(highest - lowest, 0.0), axis=1)[seen.any(axis=(1, 2))].sum())


def largest_first(people: Sequence[Person], order: Sequence[int]) -> list[Person]:
    """Return people in the order of their size in the image over time; those of the same size, within a hundredth, in a given order."""
    sizes = [area_over_time(person) for person in people]
    left = sorted(range(len(people)), key=lambda number: -sizes[number])
    out: list[Person] = []
    while left:
        alike = [number for number in left if sizes[number] >= 0.99 * sizes[left[0]]]
        out += [people[number] for number in sorted(alike, key=lambda number: order[number])]
        left = left[len(alike) :]
    return out
