"""The report of an inspection: one HTML page that needs nothing else, with charts, tables, findings, and a player that shows them."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import cast

import numpy as np

from mocapgen.core.motion import Array
from mocapgen.inspect.charts import bars, heat_map, histogram, polar, scatter
from mocapgen.inspect.lenient_reader import DAMAGED, InspectableData
from mocapgen.inspect.opening import open_contents, open_file
from mocapgen.inspect.policy import policy_names
from mocapgen.inspect.prediction_view import InspectedPredictions
from mocapgen.inspect.report_findings import Places, findings_section, groups
from mocapgen.inspect.report_html import counted, text
from mocapgen.inspect.report_tables import balance_tables, checks_table, skipped_section
from mocapgen.inspect.run import Survey
from mocapgen.inspect.summary import summary_pairs
from mocapgen.inspect.thumbnails import Moment, moment, thumbnails
from mocapgen.shared.files import write_file
from mocapgen.shared.markup import content_policy
from mocapgen.shared.outputs import writing
from mocapgen.shared.text import format_size, printable
from mocapgen.store.reader import Dataset, SequenceRow
from mocapgen.view import PlayerParts, PlayerSequence, Start, player_parts, player_sequences
from mocapgen.view.page import filled
from schemas.inspection import SEVERITIES, Finding, Inspection, Tally

MOST_BARS = 15
"""Names in a chart of bars; the others are counted together."""


def distribution_charts(survey: Survey, opened: InspectableData) -> str:
    """Return how long, fast, high, far and large sequences are."""
    fps = survey.inspection.summary.fps
    lengths = _lengths(opened)
    found = frozenset(finding.sequence for finding in survey.inspection.findings)
    rows = sorted(survey.measured.sequences)
    marked = np.array([row in found for row in rows], dtype=bool)
    travel, speed = _measured(survey, "travel"), _measured(survey, "speed")
    charts = [
        histogram("Length", lengths, "length", f"frames at {fps:g} frames/s" if fps else "frames"),
        histogram("Speed", speed, "95th percentile of the joints' speed in a sequence", "m/s"),
        histogram("Way of the root on the ground", travel, "way", "m"),
        scatter("Way and speed", travel, speed, ("way of the root (m)", "95 % speed (m/s)"), marked, "with findings"),
        histogram("Highest joint", _measured(survey, "highest"), "height above the floor", "m"),
        histogram("Lowest joint", _measured(survey, "lowest"), "height above the floor", "m"),
    ]
    return "".join(charts)


def coverage_charts(survey: Survey, opened: InspectableData) -> str:
    """Return what cameras see: from where, how far, how large, and where in the image."""
    data = opened.data
    cameras = [] if data is None else [data.cameras[camera] for camera in data.sequences["camera"][opened.rows].tolist()]
    focal = np.array([abs(camera.K[1, 1]) for camera in cameras], dtype=np.float64)
    sizes = Counter((camera.width, camera.height) for camera in cameras)
    width, height = sizes.most_common(1)[0][0] if sizes else (16, 9)
    aspect = min(max(width / height, 0.25), 4.0) if width > 0 and height > 0 else 16 / 9
    charts = [
        polar("Directions of the camera", _gathered(survey, "azimuth"), _gathered(survey, "elevation")),
        heat_map("Joints in the image", survey.measured.image, survey.measured.outside, aspect),
        histogram("Distance of the camera", _gathered(survey, "distance"), "from the root, mean of a sequence", "m"),
        histogram("Elevation of the camera", _gathered(survey, "elevation"), "above the root, mean of a sequence", "°"),
        histogram("Focal length", focal, "focal length", "px"),
        histogram("Vertical field of view", _gathered(survey, "fov"), "angle", "°"),
        histogram("Size of the person in the image", 100.0 * _measured(survey, "size"), "of the image's height, mean of a sequence", "%"),
        histogram("Joints that the image shows", 100.0 * _gathered(survey, "in_view"), "of the joints' frames of a sequence", "%"),
    ]
    return "".join(charts)


def balance_charts(survey: Survey) -> str:
    """Return how much there is of each action, actor and avatar, where there are several."""
    summary = survey.inspection.summary
    kinds = {"Actions": summary.actions, "Actors": summary.actors, "Avatars": summary.avatars, "Camera rigs": summary.rigs}
    return "".join(bars(title, *_amounts(tallies, summary.fps)) for title, tallies in kinds.items() if len(tallies) > 1)


def _amounts(tallies: tuple[Tally, ...], fps: float | None) -> tuple[list[tuple[str, float]], str, str]:
    """Return names with their minutes (frames, if it is not known how long one takes), most first; the unit; and how many are left out."""
    share, unit = (1.0 / (60.0 * fps), "minutes") if fps else (1.0, "frames")
    most_first = sorted(tallies, key=lambda tally: (-tally.frames, tally.name))
    left_out = most_first[MOST_BARS:]
    rest = share * sum(tally.frames for tally in left_out)
    note = f"the {MOST_BARS} largest of {len(tallies):,}; the others have {rest:,.1f} {unit}" if left_out else ""
    return [(tally.name, share * tally.frames) for tally in most_first[:MOST_BARS]], unit, note


def _lengths(opened: InspectableData) -> Array:
    return np.zeros(0) if opened.data is None else opened.data.sequences["length"][opened.rows].astype(np.float64)


def _measured(survey: Survey, name: str) -> Array:
    return np.array([getattr(measured, name) for _, measured in sorted(survey.measured.sequences.items())], dtype=np.float64)


def _gathered(survey: Survey, name: str) -> Array:
    return np.array([getattr(gathered, name) for _, gathered in sorted(survey.gathered.items())], dtype=np.float64)


PLAYER_BYTES = 4_500_000
"""What the player with its sequences may take of a page."""
CLEAN = 12
"""Sequences without findings that the player holds, for comparison."""


def report_page(survey: Survey, path: str | Path, player_bytes: int = PLAYER_BYTES) -> str:
    """Return the report of an inspection as one HTML page; the same bytes for the same file and version.

    Parameters
    ----------
    survey : Survey
        With what was measured.
    path : str or Path
        The file that was inspected: read again for the sequences that the player holds.
    player_bytes : int
        What the player may take of the page. Sequences with findings come first, the worst before the others; of those that do not fit
        the page says which command shows them.

    Raises
    ------
    DatasetError
        If the file is no longer there.
    """
    path = Path(path)
    with open_file(path) as file:
        opened = open_contents(path, file)
        wanted = _wanted(survey.inspection, opened)
        read = _Reading(opened, survey.inspection)
        title = "Sequences with findings, and some without" if survey.inspection.findings else "Some of the sequences"
        findings, start = survey.inspection.findings, _worst(survey.inspection, wanted)
        parts = player_parts(read.sequences(wanted), title, findings=findings, max_bytes=player_bytes, start=start)
        places = read.places(parts)
        return _page(survey, opened, parts, places)


def _page(survey: Survey, opened: InspectableData, parts: PlayerParts, places: Places) -> str:
    inspection = survey.inspection
    player = parts.html if parts.shown else "<p>There is no sequence that could be shown.</p>"
    script = f"\n{parts.script if parts.shown else ''}{_asset('report.js')}"
    return filled(
        _asset("report.html"),
        csp=content_policy(script),
        title=text(f"{inspection.file}: inspection"),
        css=parts.css + _asset("report.css"),
        file=text(inspection.file),
        policy=text(_policy(inspection)),
        verdict=_verdict(inspection),
        tiles=_tiles(inspection),
        facts="".join(
            f"<div><dt>{text(name)}</dt><dd>{text(said if isinstance(said, str) else ', '.join(said))}</dd></div>"
            for name, said in summary_pairs(inspection.summary).items()
        ),
        notes="".join(f"<li>{text(note)}</li>" for note in inspection.notes),
        findings=findings_section(inspection, places),
        player=player,
        shown=_shown(inspection, parts, places),
        distributions=distribution_charts(survey, opened),
        coverage=coverage_charts(survey, opened),
        balance=balance_charts(survey),
        tables=balance_tables(inspection, opened),
        skipped=skipped_section(inspection, opened),
        checks=checks_table(inspection),
        foot=f"Made by {text(inspection.generator)}: <code>{text(_command(inspection))}</code>",
        script=script,
    )


def _asset(name: str) -> str:
    return (resources.files("mocapgen.inspect") / "assets" / name).read_text(encoding="utf-8")


# Which sequences the player holds ------------------------------------------------------------------


class _Lenient(Dataset):
    """A dataset of which some may be damaged: its rows let nothing pass that is not what the layout says."""

    def __init__(self, opened: InspectableData) -> None:
        assert opened.data is not None
        super().__init__(opened.data.path, opened.data.file)
        self.skeletons = opened.skeletons
        self._opened = opened

    def __getitem__(self, number: int) -> SequenceRow:
        return self._opened.row(number)


def _wanted(inspection: Inspection, opened: InspectableData) -> list[int]:
    """Return the rows that the player should hold, the most important first: of each check and clip the worst, the others, some clean."""
    of_clip = _first_of_clips(opened)
    first: list[Finding] = []
    others: list[Finding] = []
    by_check: dict[str, list[Finding]] = {}
    for finding in inspection.findings:
        by_check.setdefault(finding.check, []).append(finding)
    for found in by_check.values():
        for group in groups(found):
            first.append(group[0])
            others += group[1:]
    numbers = [of_clip.get(finding.clip) if finding.sequence is None else finding.sequence for finding in (*first, *others)]
    playable = set(opened.rows.tolist())
    wanted = list(dict.fromkeys(number for number in numbers if number in playable))
    clean = [row for row in opened.rows.tolist() if row not in set(wanted)]
    picked = np.unique(np.linspace(0, len(clean) - 1, CLEAN).astype(int)) if clean else ()
    return cast("list[int]", wanted) + [clean[place] for place in picked]


def _worst(inspection: Inspection, wanted: Sequence[int]) -> Start | None:
    """Return the moment of the worst finding in the first sequence of the player."""
    found = next((finding for finding in inspection.findings if wanted and finding.sequence == wanted[0]), None)
    return None if found is None else Start(wanted[0], found.frame or 0, found.joint)


def _first_of_clips(opened: InspectableData) -> dict[str, int]:
    """Return the first row of ``/sequences`` of each clip."""
    found: dict[str, int] = {}
    if opened.data is not None:
        for row in opened.rows.tolist():
            found.setdefault(str(opened.data.clips["id"][opened.data.sequences["clip"][row]]), row)
    return found


class _Reading:
    """Reads the sequences that the player is given, and draws the moments of their findings on the way."""

    def __init__(self, opened: InspectableData, inspection: Inspection) -> None:
        self._opened, self._file, self._first = opened, inspection.file, _first_of_clips(opened)
        self._unreadable: set[int] = set()
        self._moments: dict[int, list[Moment]] = {}
        self._thumbnails: dict[Moment, str] = {}
        for finding in inspection.findings:
            sequence = self._first.get(finding.clip) if finding.sequence is None else finding.sequence
            if sequence is not None:
                self._moments.setdefault(sequence, []).append(moment(finding, sequence))

    def sequences(self, numbers: Sequence[int]) -> Iterator[PlayerSequence]:
        """Yield sequences; those that cannot be read are noted instead."""
        if self._opened.data is None:
            return
        data = self._opened.data if isinstance(self._opened.data, InspectedPredictions) else _Lenient(self._opened)
        for number in numbers:
            try:
                for sequence in player_sequences(data, [number]):
                    self._thumbnails |= thumbnails(sequence, self._moments.get(number, ()))
                    yield sequence
            except DAMAGED:
                self._unreadable.add(number)

    def places(self, parts: PlayerParts) -> Places:
        """Return where findings can be seen, once the player has what fits into it."""
        opened, cameras = self._opened, dict[int, str]()
        playable = frozenset(opened.rows.tolist()) - self._unreadable
        if opened.data is not None and len({camera.rig for camera in opened.data.cameras}) > 1:
            cameras = {row: opened.data.cameras[opened.data.sequences["camera"][row]].rig for row in opened.rows.tolist()}
        return Places(self._file, self._first, playable, frozenset(parts.shown), cameras, self._thumbnails)


def _shown(inspection: Inspection, parts: PlayerParts, places: Places) -> str:
    """Return what the player holds, and how to see what it does not."""
    of = f"The player of this page holds {len(parts.shown):,} of {counted(len(places.playable), 'sequence')}"
    missing = {places.sequence(finding) for finding in inspection.findings} - {None} - places.shown
    if missing:
        of += f"; {counted(len(missing), 'sequence')} with findings did not fit: the command that shows one is given with each of its findings"
    elif inspection.findings:
        of += ", all those with findings among them"
    return f"{text(of)}. All of them: <code>mocapgen view {text(inspection.file)}</code>"


# The top of the page --------------------------------------------------------------------------------


def _verdict(inspection: Inspection) -> str:
    counts = [counted(inspection.count(severity), severity) for severity in reversed(SEVERITIES) if inspection.count(severity)]
    worst = next((severity for severity in reversed(SEVERITIES) if inspection.count(severity)), "")
    said = ", ".join(counts) or "nothing found"
    return f'<p class="verdict mp-tag mp-{worst or "good"}">{said}</p>'


def _command(inspection: Inspection) -> str:
    """Return a command that inspects the file again, as far as the inspection says with which options."""
    policy = ["--policy", inspection.policy] if inspection.policy in policy_names() and inspection.policy != "default" else []
    threshold = ["--threshold", inspection.threshold] if inspection.threshold != "warning" else []
    return shlex.join(["mocapgen", "inspect", printable(inspection.file), *policy, *threshold, "--html", "report.html"])


def _policy(inspection: Inspection) -> str:
    ran = sum(not result.left_out for result in inspection.checks)
    split = f", split {inspection.split}" if inspection.split else ""
    worse = "" if inspection.threshold == "error" else " or worse"
    exit_status = f"exit status {inspection.exit_status}, 1 if there is any {inspection.threshold}{worse}"
    return f"{counted(ran, 'check')} of policy {inspection.policy}{split}; {exit_status}"


def _tiles(inspection: Inspection) -> str:
    """Return the numbers that say how much there is."""
    summary = inspection.summary
    minutes = f"{summary.frames / summary.fps / 60.0:,.1f}" if summary.fps else "?"
    counts = {"sequence": summary.sequences, "clip": summary.clips, "frame": summary.frames}
    kinds = {name: len(getattr(summary, f"{name}s")) for name in ("source", "actor", "action", "avatar")}
    tiles = {**_plural(counts), "minutes": minutes, "frames/s": f"{summary.fps:g}" if summary.fps else "?"}
    tiles |= {**_plural({kind: count for kind, count in kinds.items() if count} | {"camera": summary.cameras}), "size": format_size(summary.size)}
    return "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in tiles.items())


def _plural(counts: dict[str, int]) -> dict[str, str]:
    return {f"{name}{'s' * (count != 1)}": f"{count:,}" for name, count in counts.items()}


# Files --------------------------------------------------------------------------------------------


def write_json(inspection: Inspection, target: Path, overwrite: bool = False) -> None:
    """Write an inspection as JSON: all of the file or none of it.

    Raises
    ------
    ConfigError, DatasetError
        If it cannot be written, or exists and must not be replaced.
    """
    write_file(target, inspection.model_dump_json(indent=2) + "\n", overwrite)


def write_html(survey: Survey, path: str | Path, target: Path, overwrite: bool = False) -> None:
    """Write the report of an inspection of `path` as one HTML page: all of the file or none of it.

    Raises
    ------
    ConfigError, DatasetError
        As :func:`report_page` and :func:`write_json` do.
    """
    with writing(target, overwrite=overwrite, inputs=[path]):
        write_file(target, report_page(survey, path), overwrite)
