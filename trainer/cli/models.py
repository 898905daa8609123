"""``trainer models``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mocapgen.shared.command import common_options, example, session
from mocapgen.shared.tables import print_columns, print_pairs, say
from trainer.cli._complete import SHIPPED

if TYPE_CHECKING:
    from trainer.model.shipped import Shipped

_HEADER = ("name", "joints", "fps", "causal", "size", "date", "licence")


@click.command(epilog=example("trainer models", "trainer models default"))
@click.argument("name", metavar="[NAME]", required=False, shell_complete=SHIPPED)
@common_options
@click.pass_context
def models(context: click.Context, /, name: str | None) -> None:
    """List the models that ship with the package.

    With NAME print everything that is known of one: licence, credits, data, figures, and how it was made.
    """
    from trainer.model.shipped import read_shipped, shipped_names

    if name is not None:
        shown = read_shipped(name)
        print_pairs(shown.name, _details(shown))
        return
    found = [read_shipped(each) for each in shipped_names()]
    if not found:
        say("no model ships with this version; `trainer fit` makes one")
        return
    notes = [(), *((model.about.purpose, *_figures(model)) for model in found)]
    print_columns([_HEADER, *map(_row, found)], notes)
    if session(context).level >= 0:
        say("credits, data and how it was made: trainer models NAME")


def _row(model: Shipped) -> tuple[str, ...]:
    from mocapgen.shared.text import format_size

    card, about = model.card, model.about
    causal = "yes" if model.causal else "no"
    return model.name, f"{len(card.joints)} ({card.joint_set})", f"{card.fps:g}", causal, format_size(model.size), str(about.date), about.licence


def _figures(model: Shipped) -> tuple[str, ...]:
    return tuple(f"{name}: {figure}" for name, figure in model.about.figures.items())


def _details(model: Shipped) -> dict[str, str | Sequence[str]]:
    from mocapgen.shared.text import format_size

    card, about = model.card, model.about
    root = "the root's path is predicted" if card.target == "absolute" else "the root is placed over the keypoints"
    confidence = "takes a confidence for each joint" if card.confidence else "takes no confidence"
    live = "causal: no frame depends on a later one" if model.causal else "looks ahead"
    return {
        "purpose": about.purpose,
        "licence": about.licence,
        "credits": about.credits,
        "data": about.data,
        "figures": _figures(model) or "none",
        "date": str(about.date),
        "network": f"{card.model}, {card.parameters:,} parameters; {live}; {card.receptive_field} frames for one",
        "joints": f"{', '.join(card.joints)} ({card.joint_set})",
        "output": f"{card.fps:g} frames per second, camera frame {card.camera_frame}; {root}; {confidence}",
        "made by": about.commands,
        "file": f"{model.path}, {format_size(model.size)}",
    }
