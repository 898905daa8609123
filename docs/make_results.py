"""Put reports of `trainer experiments` and `trainer ablate` together as docs/results.md: ``python docs/make_results.py EXPERIMENTS ABLATION UNSEEN``.

Figures come from the folders that those commands wrote, word for word; pictures of worst and best clips stay there.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

LEFT_OUT = ("Worst and best clips",)
HEADER = """# Results

What the models that come with the project reach, beside the published figures. Everything below was written by these commands on the data of
[The published experiments](experiments.md), and put together by the last one:

    trainer experiments data.h5 --cmu cmu.h5 --out experiments
    trainer experiments data.h5 --out experiments --resume --recipes videopose --seeds 0 --only clip
    trainer experiments data.h5 --cmu cmu.h5 --out experiments --recipes paper,default,videopose --finished
    trainer ablate data.h5 --cmu cmu.h5 --out ablation --epochs 10
    mocapgen select data.h5 --actions 'hop*' --invert --out nohop.h5
    trainer ablate nohop.h5 --cmu cmu.h5 --out unseen --split 'action=squat*,kick*' --epochs 60 --only 'bent bodies'
    python docs/make_results.py experiments ablation unseen

Recipe `paper` is the published set-up; `default` was chosen on parts of training sides, never on a test side; `videopose` is
the peer, the network idea of VideoPose3D (1024 channels, 27 frames, flipped sequences). {seeds} [Metrics](metrics.md) are defined with formulas.
"""
PEER = """On the clip split, on the same computer with one thread each, seed 0: recipe videopose {videopose_mm} mm after
{videopose_minutes} minutes of training, the default recipe {default_mm} mm after {default_minutes} minutes.
"""
TEN_EPOCHS = """After ten of the 150 epochs: what makes the task harder (flips, tumbling cameras, bent bodies) has not paid for itself by then, and
on CMU a simpler network is ahead. The section after this one has longer runs.
"""
UNSEEN = """How a model does on actions that it has never seen can be asked of the training side of experiment C: without the hops, with squats and
kicks held out. By this test side, and by the validation part, it was chosen that bodies are bent, and by how much.
"""


def run(folder: Path, name: str) -> dict[str, Any]:
    """Return the result of a run."""
    found: dict[str, Any] = json.loads((folder / "runs" / name / "result.json").read_text(encoding="utf-8"))
    return found


def peer(folder: Path) -> str:
    """Return what the peer and the default recipe reach in which time."""
    shown = {}
    for recipe in ("videopose", "default"):
        result = run(folder, f"{recipe}-clip-s0")
        shown[f"{recipe}_mm"] = f"{result['sides']['test']['overall']['mpjpe_mm']:.1f}"
        shown[f"{recipe}_minutes"] = f"{result['seconds'] / 60:.1f}"
    return PEER.format(**shown).strip()


def seeds(folder: Path) -> str:
    """Return which seeds there are, and where there are fewer."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    most = len(results["seeds"])
    counts: dict[tuple[str, str, str], list[int]] = {}
    for result in results["runs"]:
        counts.setdefault((result["recipe"], result["experiment"], result["variant"]), []).append(result["seed"])
    fewer = sorted({f"{experiment} of `{recipe}`" for (recipe, experiment, _), found in counts.items() if len(found) < most})
    return f"Means over {most} seeds" + (f", but for {', '.join(fewer)}: the tables say how many." if fewer else ".")


def body(report: Path, level: int) -> str:
    """Return a report without its title and without what is left out, its headings moved down by a level."""
    sections = re.split(r"^(?=## )", report.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [text for text in sections if not text.startswith(tuple(f"## {title}" for title in LEFT_OUT))]
    text = re.sub(r"^# .*\n+", "", "".join(kept), count=1)
    return re.sub(r"^(#+) ", lambda match: "#" * (len(match[1]) + level) + " ", text, flags=re.MULTILINE).strip()


def make(experiments: Path, ablation: Path, unseen: Path, docs: Path) -> None:
    """Write ``results.md``, and the loss histories beside the other images."""
    text = body(experiments / "report.md", 0)
    for picture in re.findall(r"\]\(pictures/([^)]+)\)", text):
        shutil.copyfile(experiments / "pictures" / picture, docs / "images" / picture)
    text = text.replace("](pictures/", "](images/")
    parts = [HEADER.format(seeds=seeds(experiments)).strip(), text, "## The peer", peer(experiments)]
    parts += ["## What each ingredient contributes", TEN_EPOCHS.strip(), body(ablation / "report.md", 1)]
    parts += ["## Actions that were never seen", UNSEEN.strip(), body(unseen / "report.md", 1)]
    (docs / "results.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("expected three folders: python docs/make_results.py EXPERIMENTS ABLATION UNSEEN")
    make(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), Path(__file__).parent)
