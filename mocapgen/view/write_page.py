"""Write the player's page of a file, or open it in the browser."""

from __future__ import annotations

import contextlib
import tempfile
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.files import disk_errors, write_file
from mocapgen.shared.outputs import writing
from mocapgen.shared.progress import Progress
from mocapgen.shared.text import format_size, no_match
from mocapgen.store.matching import PredictionMatches
from mocapgen.store.predictions import Predictions, open_any, open_predictions
from mocapgen.store.reader import Dataset
from mocapgen.store.select import selected
from mocapgen.view.backdrop import backdrop
from mocapgen.view.page import Start, page_of, player_parts
from mocapgen.view.player_sequence import PlayerSequence, player_sequences
from schemas.errors import ConfigError, DatasetError
from schemas.subset import SelectConfig

MOST_BYTES = 64_000_000
"""Size of the largest page: about a million frames, which a browser still opens in seconds."""
MOST_ASKED = 200_000_000
"""Size of a page with all that was asked for; of what is larger, hardly a part would be shown, and a person wants to say which."""
_FRAME_BYTES, _SEQUENCE_BYTES = 53, 270
"""What a frame of a motion takes of a page, whatever the number of cameras, and what each sequence does."""


TEXT_BROWSERS = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})
"""Browsers of the terminal: they do not run the player, and would block until they are closed."""


def open_in_browser(address: str) -> bool:
    """Open an address in a graphical browser; return False if there is none."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if Path(getattr(browser, "name", "")).name in TEXT_BROWSERS:
        return False
    return browser.open(address)


@dataclass(frozen=True)
class ViewReport:
    """What :func:`view` made.

    Parameters
    ----------
    path : Path
        The page.
    size : int
        Its bytes.
    sequences, chosen, frames : int
        Sequences on the page, sequences that were asked for, and frames on the page.
    predicted : int or None
        Sequences with a prediction; None if none were given.
    opened : bool or None
        Whether a browser took the page; None if it was only written.
    video : str
        Where the video is that the page shows; empty if it shows none.
    """

    path: Path
    size: int
    sequences: int
    chosen: int
    frames: int
    predicted: int | None
    opened: bool | None
    video: str = ""


def view(
    path: str | Path,
    selection: SelectConfig | None = None,
    out: str | Path | None = None,
    *,
    predictions: str | Path | None = None,
    clip: str | None = None,
    frame: int | None = None,
    video: str | Path | None = None,
    overwrite: bool = False,
    max_bytes: int = MOST_BYTES,
    progress: Progress | None = None,
    browse: Callable[[str], bool] | None = None,
) -> ViewReport:
    """Make the player's page of a file, and open it in the browser if it is not to be kept.

    Parameters
    ----------
    path : str or Path
        A dataset or predictions file.
    selection : SelectConfig, optional
        Which sequences to show; by default all.
    out : str or Path, optional
        The page to write; by default a new temporary file, which is opened in the browser and left to the system to clear away.
    predictions : str or Path, optional
        A predictions file whose sequences are drawn over those of the dataset.
    clip : str, optional
        Id of the clip to show first.
    frame : int, optional
        Frame to show first, from 0.
    video : str or Path, optional
        The video that a predictions file was made from, to show behind the 2D pane.
    overwrite : bool
        Whether to replace `out`.
    max_bytes : int
        What the page may take: sequences that do not fit are left out.
    progress : callable, optional
        Called with (sequences done, sequences in all, clip).
    browse : callable
        Opens an address in the browser; returns whether it could. By default :func:`open_in_browser`.

    Returns
    -------
    ViewReport

    Raises
    ------
    ConfigError
        If an option matches nothing, there is no such clip or frame, predictions are to be drawn over predictions, or what was asked for would
        take more than :data:`MOST_ASKED`.
    DatasetError
        If a file cannot be read or written, predictions do not belong to the dataset, or not even one sequence fits.
    """
    with writing(out, overwrite=overwrite, inputs=[path, predictions, video]), open_any(path) as data, contextlib.ExitStack() as others:
        matches = None if predictions is None else PredictionMatches(others.enter_context(open_predictions(predictions)), _truth(data, predictions))
        numbers = _chosen(data, selection or SelectConfig())
        _require_size(data, numbers)
        start = _start(data, numbers, clip, frame)
        if start is not None:  # the first of all, should not everything fit
            numbers = [start.sequence, *(number for number in numbers if number != start.sequence)]
        behind = None if video is None else backdrop(data, Path(video), None if out is None else Path(out))
        predicted: set[int] = set()
        parts = player_parts(
            _with_progress(player_sequences(data, numbers, matches, motions=True), len(numbers), predicted, progress),
            Path(path).name,
            max_bytes=max_bytes - 4096,  # the page around it
            video="" if behind is None else behind.markup,
            start=start,
            notes=_notes(data, matches),
            whole_page=True,
            chosen=len(numbers),
        )
        if not parts.shown:
            raise DatasetError(
                f"{path}: expected sequences that fit on a page of {max_bytes:,} bytes, found a longer one; `mocapgen select` or --clips"
            )
        page = page_of(parts, Path(path).name).encode()
        target = _written(page, out, Path(path).stem, overwrite)
        opened = None if out is not None else bool((browse or open_in_browser)(target.resolve().as_uri()))
        seen = None if matches is None else len(predicted & set(parts.shown))
        return ViewReport(target, len(page), len(parts.shown), len(numbers), parts.frames, seen, opened, "" if behind is None else behind.said)


def _truth(data: Dataset | Predictions, predictions: str | Path) -> Dataset:
    if isinstance(data, Predictions):
        raise ConfigError(f"predictions: expected to draw {predictions} over a dataset file, found the predictions file {data.path}")
    return data


def _chosen(data: Dataset | Predictions, selection: SelectConfig) -> list[int]:
    """Return the rows of the sequences to show."""
    if not len(data):
        raise DatasetError(f"{data.path}: expected at least one sequence to show, found none")
    table = data if isinstance(data, Dataset) else cast(Dataset, _Tables(data))
    return [int(number) for number in np.flatnonzero(selected(table, selection))]


def _require_size(data: Dataset | Predictions, numbers: Sequence[int]) -> None:
    """Refuse what would fill several pages, before it is read."""
    table = data.sequences
    motions = {(str(table["clip"][number]), str(table["avatar"][number])): int(table["length"][number]) for number in numbers}
    size = _FRAME_BYTES * sum(motions.values()) + _SEQUENCE_BYTES * len(numbers)
    if size > MOST_ASKED:
        wanted = f"expected sequences for a page of at most {format_size(MOST_ASKED)}"
        options = "--clips, --actors, --actions, --avatars, --cameras or --limit"
        raise ConfigError(f"{data.path}: {wanted}, found {len(numbers):,} that would take about {format_size(size)}; choose with {options}")


class _Tables:
    """The tables of a predictions file, arranged like those of a dataset, as far as a selection needs them."""

    def __init__(self, data: Predictions) -> None:
        names, first, clip = np.unique(data.sequences["clip"].astype(str), return_index=True, return_inverse=True)
        self.path = data.path
        self.sequences = {**data.sequences, "clip": clip}
        self.clips: dict[str, NDArray[Any]] = {"id": names, "source": np.full(len(names), "")}
        self.clips |= {name: data.sequences[name][first] for name in ("actor", "action")}
        self._rigs = np.array([camera.rig for camera in data.cameras], dtype=object)

    def __len__(self) -> int:
        return len(self.sequences["clip"])

    def table(self, name: str) -> dict[str, NDArray[Any]]:
        return {"rig": self._rigs}


def _start(data: Dataset | Predictions, numbers: Sequence[int], clip: str | None, frame: int | None) -> Start | None:
    """Return what to show first, None if that is not asked for."""
    if clip is None and frame is None:
        return None
    ids = {number: str(data[number].clip["id"]) for number in numbers} if clip is not None else {}
    number = next((number for number, name in ids.items() if name == clip), None if clip is not None else numbers[0])
    if number is None:
        raise no_match("clip", "the id of a clip that is shown", str(clip), sorted(set(ids.values())))
    length = data[number].length
    if frame is not None and not 0 <= frame < length:
        raise ConfigError(f"frame: expected a frame of sequence {number}, 0 to {length - 1}, found {frame}")
    return Start(number, frame or 0)


def _with_progress(sequences: Iterator[PlayerSequence], total: int, predicted: set[int], progress: Progress | None) -> Iterator[PlayerSequence]:
    """Pass sequences on, noting those with predictions, and report progress."""
    for done, sequence in enumerate(sequences):
        if sequence.prediction is not None:
            predicted.add(sequence.number)
        if progress is not None:
            progress(done, total, str(sequence.clip.get("id", "")))
        yield sequence


def _notes(data: Dataset | Predictions, matches: PredictionMatches | None) -> list[str]:
    where = {"predicted": "where the model puts it", "placed": "where it best covers the keypoints"}
    notes = [f"written by {data.generator}; camera frame {data.camera_frame}"]
    if isinstance(data, Predictions):
        notes.append(f"predictions; the root is {where[data.root]}")
    if matches is not None:
        made = matches.predictions
        notes.append(f"predictions: {made.path.name}, written by {made.generator}; the root is {where[made.root]}")
    return notes


def _written(page: bytes, out: str | Path | None, stem: str, overwrite: bool) -> Path:
    """Write the page, whole or not at all, and return where it is."""
    if out is None:
        path = Path(tempfile.mkdtemp(prefix="mocapgen-view-")) / f"{stem}.html"
        with disk_errors(path):
            path.write_bytes(page)
        return path
    write_file(Path(out), page, overwrite)
    return Path(out)
