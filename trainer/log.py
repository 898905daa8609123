"""What a run writes down for people and programs: one row per epoch, a picture of the losses, and what the folder is."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from mocapgen.shared.files import write_file
from schemas.errors import ConfigError
from schemas.train import ModelCard, TrainConfig

Row = Mapping[str, Any]


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for name in ("mocapgen", "torch", "numpy", "h5py", "safetensors"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, whole or not at all."""
    write_file(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def write_history(folder: Path, history: Sequence[Row]) -> None:
    """Write ``log.csv`` and ``log.jsonl``: whole files, so that a resumed run leaves no row of epochs that it repeats."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(history[0]) if history else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in history)
    write_file(folder / "log.csv", text.getvalue().encode())
    write_file(folder / "log.jsonl", "".join(json.dumps(dict(row)) + "\n" for row in history).encode())


def plot_history(path: Path, history: Sequence[Row], title: str) -> bool:
    """Draw the losses over the epochs as a PNG; False if matplotlib is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ImportError:
        return False
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    epochs = [row["epoch"] for row in history]
    for key, label in (("train_mpjpe_mm", "train"), ("validation_mpjpe_mm", "validation"), ("test_mpjpe_mm", "test")):
        points = [(epoch, row[key]) for epoch, row in zip(epochs, history, strict=True) if row.get(key) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=f"{label} ({points[-1][1]:.1f} mm at the end)", marker="." if len(points) < 60 else "")
    axes.set_xlabel("epoch")
    axes.set_ylabel("MPJPE, mm")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.grid(which="both", alpha=0.3)
    axes.set_title(title)
    axes.legend()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    write_file(path, stream.getvalue())
    return True


def tensorboard_writer(folder: Path) -> Any:
    """Return a TensorBoard writer.

    Raises
    ------
    ConfigError
        With the extra to install.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ConfigError("tensorboard: expected the package tensorboard, which is not installed: pip install 'mocapgen[tensorboard]'") from None
    return SummaryWriter(log_dir=str(folder / "tensorboard"))


def write_readme(folder: Path, card: ModelCard, config: TrainConfig, command: str, note: str, figures: Mapping[str, float]) -> None:
    """Write the page that explains the folder."""
    settings = "\n".join(f"    {line}" for line in json.dumps(config.model_dump(mode="json"), indent=2).splitlines())
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in figures.items())
    results = f"\n## Test side, best weights\n\n| metric | value |\n|---|---:|\n{rows}\n" if figures else ""
    packages = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    text = f"""# {folder.name}

A `{card.model}` network ({card.parameters:,} parameters, {card.receptive_field} frames in view) that lifts 2D sequences of `{card.joint_set}`
at {card.fps:g} frames per second to 3D in the `{card.camera_frame}` camera frame; {card.epoch} of {config.epochs} epochs.

- data: {card.data["file"]}, sha256 {card.data["sha256"]}, written by {card.data["generator"]}
- split: {card.split}
- versions: {packages}
- again: `{command or "trainer.fit.fit, with the settings below"}`{f"{chr(10)}- note: {note}" if note else ""}
{results}
## Files

`best.safetensors` are the weights to use (`trainer evaluate {folder} DATA.H5`), `last.safetensors` is where `--resume` goes on; each has its card
beside it. `log.csv`, `log.jsonl` and `history.png` tell how the training went, `split.json` which sequences were on which side.

## Settings

{settings}
"""
    write_file(folder / "README.md", text.encode())
