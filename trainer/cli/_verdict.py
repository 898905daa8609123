"""What an evaluation comes to, in sentences: how large the error is, on what, beside what it was elsewhere, and how it differs between sequences."""

from __future__ import annotations

import statistics

from mocapgen.shared.documents import MOST_RESULT_BYTES, read_json
from mocapgen.shared.text import count_of
from schemas.errors import MocapError
from schemas.train import Evaluation, ModelCard
from trainer.experiments.published import published
from trainer.model.metadata import card_of, read_metadata
from trainer.model.shipped import is_shipped, locate
from trainer.runs.history import read_history

SEEN = {
    "all": "of the file that was trained on, a part of them seen in training",
    "train": "that were trained on: how well it has learned them, not how well it does on others",
    "validation": "by which the best epoch was chosen",
    "test": "that were held out",
}
"""What is said of the sequences of each side of the file that was trained on."""


def verdict(evaluation: Evaluation, model: str, side: str) -> list[str]:
    """Return the sentences.

    Parameters
    ----------
    evaluation : Evaluation
    model : str
        As it was given.
    side : str
        Which side was asked for.
    """
    path = locate(model)
    card = card_of(read_metadata(path), path)
    own = evaluation.protocol["data"].endswith(f"sha256 {card.data.get('sha256')}")
    judged = side if side != "auto" else "test" if own else "all"
    error = evaluation.overall["mpjpe_mm"]
    seen = SEEN[judged] if own else "of another file than was trained on"
    root = evaluation.protocol["root"].partition(" ")[0]
    first = f"On average a joint is {error:.1f} mm off, seen from the {root}, in {count_of(len(evaluation.by_sequence), 'sequence')} {seen}"
    others = {} if is_shipped(path) else _elsewhere(model, own, judged)
    first += "".join(f"; {where}: {value:.1f} mm" for where, value in others.items())
    lines = [f"{first}{_published(card, own and judged == 'test')}."]
    errors = [row.mpjpe_mm for row in evaluation.by_sequence.values()]
    if len(errors) >= 10:
        half, tenth = statistics.median(errors), statistics.quantiles(errors, n=10)[-1]
        lines.append(f"Half of the sequences are below {half:.1f} mm, one in ten is above {tenth:.1f} mm.")
    return lines


def _elsewhere(model: str, own: bool, judged: str) -> dict[str, float]:
    """Return the errors of a run on other sequences, as its folder has them."""
    folder = locate(model).parent
    found: dict[str, float] = {}
    try:
        if own and judged == "test" and (folder / "log.jsonl").exists():
            best = [row.validation_mpjpe_mm for row in read_history(folder) if row.best]
            found |= {"on the validation side": best[-1]} if best and best[-1] is not None else {}
        elif (folder / "metrics.json").exists() and not (own and judged == "test"):
            figures = read_json(folder / "metrics.json", "the figures of a run", most=MOST_RESULT_BYTES)["test"]
            found |= {"on the held-out side of its own file": float(figures["mpjpe_mm"])}
    except (MocapError, KeyError, TypeError, ValueError):  # there is nothing to compare with; the evaluation itself stands
        return {}
    return found


def _published(card: ModelCard, held_out: bool) -> str:
    """Return the published figure for a split of HDM05 such as this one."""
    names = {"random": "A", "actor": "B"}
    name = names.get(card.split.partition(":")[0].partition("=")[0])
    figure = published().experiments[name].mpjpe_mm if name else None
    if figure is None or not held_out or card.data.get("config", {}).get("source") != "hdm05":
        return ""
    return f"; published for such a split of HDM05: about {figure:g} mm"
