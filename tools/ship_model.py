"""Turn a run into a model that ships with the package: ``python -m tools.ship_model RUN NAME --about ABOUT.yaml``.

ABOUT.yaml says what the card does not: purpose, licence, credits, data, figures, date, commands (``schemas.shipped.ShippedModel``). Only the weights
to use are kept, the averaged ones if the run averaged, in half precision; how far that moves the joints is measured and printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from mocapgen.shared.config import checked, read_settings
from mocapgen.shared.files import write_file
from mocapgen.shared.outputs import check_target
from mocapgen.shared.text import format_size
from schemas.errors import ConfigError, DatasetError, MocapError
from schemas.shipped import ShippedModel
from schemas.train import ModelCard
from trainer.model.checkpoint import AVERAGE, MODEL, load_lifter, read, save
from trainer.model.lifter import Lifter
from trainer.model.shipped import FOLDER, SUFFIX
from trainer.predict.onnx import SequenceLifter, example_inputs

MOST_BYTES = 10_000_000
"""Most that the models that ship may take together."""
_FRAMES = 120


def ship(run: str | Path, name: str, about: ShippedModel, folder: Path = FOLDER, overwrite: bool = False) -> Path:
    """Write a model that ships, with its card and its page beside it.

    Parameters
    ----------
    run : str or Path
        A run's folder, or a checkpoint.
    name : str
        By which it will be asked for: letters, digits, dashes.
    about : ShippedModel
    folder : Path
    overwrite : bool

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        If the name is none.
    DatasetError
        If the run cannot be used, a weight does not fit half precision, the models get too large together, or a file cannot be written.
    """
    if not name.replace("-", "").isalnum():
        raise ConfigError(f"name: expected letters, digits and dashes, found {name!r}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{SUFFIX}"
    check_target(path, overwrite)
    checkpoint = read(run)
    weights = {f"{MODEL}{key}": _half(key, tensor) for key, tensor in (checkpoint.part(AVERAGE) or checkpoint.part(MODEL)).items()}
    together = sum(tensor.nbytes for tensor in weights.values()) + sum(each.stat().st_size for each in folder.glob(f"*{SUFFIX}") if each != path)
    if together > MOST_BYTES:
        raise DatasetError(
            f"{path}: expected at most {format_size(MOST_BYTES)} for all models that ship, found {format_size(together)} with this one"
        )
    save(path, checkpoint.card, weights, about=about)
    write_file(path.with_suffix(".md"), page(name, checkpoint.card, about))
    return path


def _half(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor in half precision, if it holds fractions."""
    if not tensor.is_floating_point():
        return tensor
    half = tensor.to(torch.float16)
    if not torch.isfinite(half).all():
        raise DatasetError(f"{name}: expected weights of at most 65504, found {float(tensor.abs().max()):g}; it does not fit half precision")
    return half


def page(name: str, card: ModelCard, about: ShippedModel) -> str:
    """Return what is known of a model as Markdown."""
    figures = "\n".join(f"| {what} | {figure} |" for what, figure in about.figures.items())
    results = f"\n| figure | value |\n|---|---:|\n{figures}\n" if figures else ""
    data, credits = ("\n".join(f"- {line}" for line in lines) for lines in (about.data, about.credits))
    commands = "\n".join(f"    {line}" for line in about.commands)
    joints = f"{len(card.joints)} joints of `{card.joint_set}` at {card.fps:g} frames per second, camera frame `{card.camera_frame}`"
    return f"""# {name}

{about.purpose}

`{card.model}`, {card.parameters:,} parameters; {joints}; {about.date}.
{results}
## Licence and credits

The weights: {about.licence}.

{credits}

## Data

{data}

## Made by

{commands}
"""


def difference(run: str | Path, shipped: Path) -> float:
    """Return by how much half precision moves a joint at most, metres, over people who move in an image."""
    (exact, card), (rounded, _) = load_lifter(run), load_lifter(shipped)
    inputs = example_inputs(card, 8, _FRAMES)

    def lifted(lifter: Lifter) -> Tensor:
        positions: Tensor = SequenceLifter(lifter).eval()(**inputs)
        return positions

    with torch.inference_mode():
        return float((lifted(exact) - lifted(rounded)).norm(dim=-1).max())


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 2 if the model cannot be shipped."""
    parser = argparse.ArgumentParser(prog="python -m tools.ship_model", description=__doc__)
    parser.add_argument("run", help="folder of a run, or a checkpoint")
    parser.add_argument("name", help="name by which it will be asked for, such as default")
    parser.add_argument("--about", required=True, type=Path, help="YAML file: purpose, licence, credits, data, figures, date, commands")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the models that ship are (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace the model of that name")
    options = parser.parse_args(arguments)
    try:
        about = checked(ShippedModel, read_settings(options.about, "what is known of the model"), str(options.about))
        path = ship(options.run, options.name, about, options.folder, options.overwrite)
        moved = difference(options.run, path)
    except MocapError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{path}: {format_size(path.stat().st_size)}; half precision moves a joint by {1000 * moved:.2g} mm at most\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
