"""The README of a run's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mocapgen.shared.files import write_file
from mocapgen.shared.markup import markdown_code, markdown_text
from schemas.train import ModelCard, TrainConfig
from trainer.model.metrics import PLAIN_NAMES


def write_readme(folder: Path, card: ModelCard, config: TrainConfig, command: str, note: str, figures: Mapping[str, float]) -> None:
    """Write the page that explains the folder."""
    settings = "\n".join(f"    {line}" for line in json.dumps(config.model_dump(mode="json"), indent=2).splitlines())
    rows = "\n".join(f"| {PLAIN_NAMES.get(name, name)} | {value:.3f} |" for name, value in figures.items())
    results = f"\n## Test side, best weights\n\n| metric | value |\n|---|---:|\n{rows}\n" if figures else ""
    packages = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    data = markdown_text(f"{card.data['file']}, sha256 {card.data['sha256']}, written by {card.data['generator']}")
    evaluate = markdown_code(f"trainer evaluate {folder} DATA.H5")
    text = f"""# {markdown_text(folder.name)}

A `{card.model}` network ({card.parameters:,} parameters, {card.receptive_field} frames seen) that lifts 2D sequences of `{card.joint_set}`
at {card.fps:g} frames per second to 3D in the `{card.camera_frame}` camera frame; {card.epoch} of {config.epochs} epochs.

- data: {data}
- split: {markdown_text(card.split)}
- versions: {packages}
- command: {markdown_code(command or "trainer.fit.fit, with the settings below")}{f"{chr(10)}- note: {markdown_text(note)}" if note else ""}
{results}
## Files

`best.safetensors` are the weights to use ({evaluate}), `last.safetensors` is where `--resume` goes on; each has its card
beside it. `log.csv`, `log.jsonl` and `history.png` are the history of the training, `split.json` lists the sequences of each side.

## Settings

{settings}
"""
    write_file(folder / "README.md", text.encode())
