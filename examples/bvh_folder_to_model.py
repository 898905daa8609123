"""From a folder of BVH files to a trained model: build a dataset from it, train, judge the model on clips that it has not seen."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import mocapgen
from mocapgen.sources.sample import write_sample
from trainer.evaluate import evaluate
from trainer.fit import fit
from trainer.recipes.settings import read_recipe, train_config


def train(root: Path, pattern: str | None, actions: tuple[str, ...], out: Path, changes: dict[str, object]) -> None:
    """Build `out`/data.h5 from the BVH files in `root`, and train `out`/run on it.

    Parameters
    ----------
    root : Path
        Folder or zip.
    pattern : str or None
        How files are named, such as ``{actor}_{action}_{take}``; None takes actor and action from the folders.
    actions : tuple of str
        Only these; empty means all.
    out : Path
        Folder for the results.
    changes : dict
        Settings of the training that differ from the default recipe's.
    """
    data = out / "data.h5"
    config = mocapgen.BuildConfig(
        source="folder", root=root, format="bvh", pattern=pattern, actions=actions, avatars=("average_woman", "average_man"), long="split", out=data
    )
    report = mocapgen.build(config)
    print(f"{report.clips_used} of {report.clips_found} clips, {report.sequences} sequences, {report.frames} frames")
    for skip in [skip for skip in report.skipped if skip.reason != "not selected"][:5]:
        print(f"  left out {skip.file}: {skip.reason}, {skip.detail}")

    run = fit(data, train_config(read_recipe("default"), changes), out / "run").folder
    figures = evaluate(run, data).overall
    print(f"on clips that the model has not seen: MPJPE {figures['mpjpe_mm']:.0f} mm, P-MPJPE {figures['p_mpjpe_mm']:.0f} mm")


def main() -> None:
    """Take the folder that is given, or write one with built-in motions first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, help="folder or zip with BVH files  [default: some built-in motions]")
    parser.add_argument("--pattern", help="how they are named, such as '{actor}_{action}_{take}'  [default: folders say]")
    parser.add_argument("--out", type=Path, help="where the dataset and the run go  [default: nowhere]")
    parser.add_argument("--epochs", type=int, help="[default: the recipe's; 2 for the built-in motions]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out = options.out or Path(name)
        out.mkdir(parents=True, exist_ok=True)
        if options.root:
            train(options.root, options.pattern, (), out, {"epochs": options.epochs} if options.epochs else {})
        else:
            root = Path(name) / "my_mocap"
            write_sample(root, "bvh")
            quick = {"epochs": options.epochs or 2, "batch_size": 8, "threads": 1, "model_settings": {"width": 64}}
            train(root, None, ("hop", "kick"), out, quick)


if __name__ == "__main__":
    main()
