"""Evaluate a trained model on any dataset file: all metrics, by action, actor, avatar, joint and group, with the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mocapgen.shared.markup import markdown_table, markdown_text
from mocapgen.shared.text import count_of, listed, one_line
from schemas.errors import DatasetError
from schemas.train import Evaluation, GroupErrors, ModelCard
from trainer.data.batches import Loader
from trainer.data.dataset import PoseData, load, require_match
from trainer.data.parts import BATCH, parts
from trainer.data.splits import read_split_record, split_from_record
from trainer.model.checkpoint import load_lifter
from trainer.model.device import choose
from trainer.model.lift import lift_sequences
from trainer.model.metrics import PLAIN_NAMES, ErrorTotals, by_group
from trainer.model.shipped import is_shipped, locate

Side = Literal["auto", "all", "train", "validation", "test"]


def evaluate(model: str | Path, data_file: str | Path, side: Side = "auto", device: str = "auto", threads: int = 0) -> Evaluation:
    """Evaluate a model on a file.

    Parameters
    ----------
    model : str or Path
        The name of a model that ships (``default``), a run's folder (its best weights), or a checkpoint.
    data_file : str or Path
    side : {"auto", "all", "train", "validation", "test"}
        Which side of the run's split; ``auto`` is the test side of the file that the run was trained on, and all of any other file.
    device : str
    threads : int

    Returns
    -------
    Evaluation

    Raises
    ------
    DatasetError
        If the checkpoint or the file cannot be used, or do not fit each other (with the differences, by name).
    """
    compute = choose(device, "fp32", threads)
    lifter, card = load_lifter(model, compute.device)
    data = load(data_file, card.joint_set, frames=False)
    require_match(data, card)
    sequences, split, note = _side(model, card, data, side)
    totals, reported = _totals(data, card), data.joints.reported
    for part in parts(data, sequences):
        predicted = lift_sequences(lifter, Loader(part, compute.device), np.arange(len(part)), BATCH)
        totals.add(predicted[:, reported], part.positions_3d[:, reported], part.length)
    return _evaluation(totals, data, sequences, card, split, note)


def evaluate_predictions(
    predicted: NDArray[Any], data: PoseData, sequences: NDArray[np.int64], card: ModelCard, split: str, note: str = ""
) -> Evaluation:
    """Return all metrics of predictions.

    Parameters
    ----------
    predicted : (F, J, 3) float, metres
        In the order of ``data.rows(sequences)``.
    data : PoseData
    sequences : (n,) int64
    card : ModelCard
    split : str
        The split in one line, for the protocol.
    note : str
    """
    totals, reported = _totals(data, card), data.joints.reported
    totals.add(predicted[:, reported], data.positions_3d[data.rows(sequences), reported], data.length[sequences])
    return _evaluation(totals, data, sequences, card, split, note)


def _totals(data: PoseData, card: ModelCard) -> ErrorTotals:
    return ErrorTotals(data.fps, data.joints.compared.parents, card.target == "absolute")


def _evaluation(totals: ErrorTotals, data: PoseData, sequences: NDArray[np.int64], card: ModelCard, split: str, note: str) -> Evaluation:
    joints = data.joints.compared
    count, root, per_joint = len(joints.joints), joints.root, totals.by_joint(joints.joints)

    columns = set(GroupErrors.model_fields)  # one for all rows, of which there may be 100,000

    def table(labels: NDArray[Any]) -> dict[str, GroupErrors]:
        return {label: GroupErrors.model_construct(columns, **row) for label, row in totals.by_label(labels)}

    by_sequence = table(np.array(data.names, dtype=object)[sequences])
    return Evaluation(
        protocol={
            "split": split,
            "root": f"{joints.joints[root]} subtracted, and counted with error 0 (figures named no_root leave it out)",
            "joints": f"{joints.name}, {count}",
            "fps": f"{data.fps:g}",
            "2D source": f"projections {'stored in' if joints is data.joints else 'of the 24 detector joints of'} {data.path.name}",
            "data": f"{data.path.name}, sha256 {data.sha256}",
            "model": f"{card.model}, {card.epoch} epochs on {card.data.get('file')}",
        },
        note=note,
        overall=totals.overall(),
        by_action=table(data.action[sequences]),
        by_actor=table(data.actor[sequences]),
        by_avatar=table(data.avatar[sequences]),
        by_joint_mm=per_joint,
        by_group_mm=by_group(per_joint, joints.groups),
        by_sequence=dict(sorted(by_sequence.items(), key=lambda row: -row[1].mpjpe_mm)),
    )


def _side(model: str | Path, card: ModelCard, data: PoseData, side: Side) -> tuple[NDArray[np.int64], str, str]:
    """Return the sequences to evaluate, their description, and a warning or nothing."""
    everything = np.arange(len(data), dtype=np.int64)
    own = card.data.get("sha256") == data.sha256
    if side == "all" or (side == "auto" and not own):
        note = "the model was trained on a part of these sequences" if own else _seen_before(locate(model), card, data)
        return everything, f"all {len(data)} sequences of {'the file that' if own else 'another file than'} was trained on", note
    if not own:
        raise DatasetError(f"{data.path}: expected the file that the model was trained on, to know its {side} side, found another; use side='all'")
    path = locate(model)
    if is_shipped(path):
        raise DatasetError(f"{model}: expected a run with its split, found a model that ships without; use side='all'")
    folder = path.parent
    if not (folder / "split.json").exists():
        raise DatasetError(one_line(str(folder / "split.json"), "expected the split of the run, found none; use side='all'"))
    split = split_from_record(data, read_split_record(folder))
    chosen: NDArray[np.int64] = getattr(split, "test" if side == "auto" else side)
    if not len(chosen):
        raise DatasetError(f"{folder}: expected sequences on the {side} side of the run's split, found none")
    return chosen, f"{split.describe()}; evaluated on {'test' if side == 'auto' else side}", split.note


def _seen_before(path: Path, card: ModelCard, data: PoseData) -> str:
    """Return a warning if clips of another file than was trained on may have been trained on all the same, or nothing."""
    record = path.parent / "split.json"
    if not is_shipped(path) and record.exists():
        split = read_split_record(path.parent)
        clips = {name.rsplit(" / ", 2)[0] for name in (*split.train, *split.validation)}
        count = sum(clip in clips for clip in data.clip)
        return f"{count} of {count_of(len(data), 'sequence')} show clips by the names of those that the model was trained on" if count else ""
    both = sorted(_sources(card.data.get("config")) & {recording.partition(":")[0] for recording in data.recording})
    return f"the model was trained on recordings of {listed(both)}; these may be among them" if both else ""


def _sources(config: Any) -> set[str]:
    """Return the sources that a file was built from, through any number of merges and selections."""
    if isinstance(config, Mapping):
        own = {config["source"]} if isinstance(config.get("source"), str) else set()
        return own.union(*map(_sources, config.values()))
    return set().union(*map(_sources, config)) if isinstance(config, list | tuple) else set()


def protocol_line(evaluation: Evaluation) -> str:
    """Return the protocol of an evaluation in one line."""
    return "; ".join(f"{key}: {value}" for key, value in evaluation.protocol.items())


def as_markdown(evaluation: Evaluation) -> str:
    """Return the evaluation as Markdown tables."""
    parts = [f"{markdown_text(protocol_line(evaluation))}\n"]
    if evaluation.note:
        parts.append(f"**Note:** {markdown_text(evaluation.note)}\n")
    for title, header, rows in tables(evaluation):
        cells = [[markdown_text(cell) for cell in row] for row in [header, *rows]]
        parts.append(f"## {title}\n\n{markdown_table(cells)}\n")
    return "\n".join(parts)


def tables(evaluation: Evaluation, worst: int = 10) -> list[tuple[str, list[str], list[list[str]]]]:
    """Return title, header and rows of each table, as text; the figures over everything come last."""
    found = []
    for title, figures in (("By group of joints", evaluation.by_group_mm), ("By joint", evaluation.by_joint_mm)):
        found.append((title, [title.rpartition(" ")[2], "MPJPE, mm"], [[name, f"{value:.1f}"] for name, value in figures.items()]))
    for title, rows in (("By action", evaluation.by_action), ("By actor", evaluation.by_actor), ("By avatar", evaluation.by_avatar)):
        cells = [[name, f"{row.sequences:,}", f"{row.frames:,}", f"{row.mpjpe_mm:.1f}", f"{row.pck_200:.1f}"] for name, row in rows.items()]
        found.append((title, [title.rpartition(" ")[2], "sequences", "frames", "MPJPE, mm", "3DPCK at 200 mm, %"], cells))
    sequences = list(evaluation.by_sequence.items())[:worst]
    cells = [[name, f"{row.frames:,}", f"{row.mpjpe_mm:.1f}", f"{row.pck_200:.1f}"] for name, row in sequences]
    title = f"Largest errors, {count_of(len(sequences), 'sequence')} of {len(evaluation.by_sequence):,}"
    found.append((title, ["sequence", "frames", "MPJPE, mm", "3DPCK at 200 mm, %"], cells))
    return [*found, ("Overall", ["", "all joints", "without the root"], _overall_rows(evaluation.overall))]


def _overall_rows(overall: Mapping[str, float]) -> list[list[str]]:
    """Return a row for each metric: what it is called, and its figures with and without the root, whose error is always 0."""
    rows = []
    for name, value in overall.items():
        if "no_root" not in name:
            other = overall.get(name.replace("_mm", "") + "_no_root" + ("_mm" if "_mm" in name else ""))
            rows.append([PLAIN_NAMES.get(name, name), f"{value:.1f}", "" if other is None else f"{other:.1f}"])
    return rows
