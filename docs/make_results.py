"""Put reports of `trainer experiments` and `trainer ablate` together as docs/results.md: ``python docs/make_results.py EXPERIMENTS PEER ABLATION``.

Figures come from the folders that those commands wrote, word for word; pictures of worst and best clips stay there.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

LEFT_OUT = ("Worst and best clips",)
HEADER = """# Results

What the models that come with the project reach, beside the published figures. Everything below was written by these commands on the data of
[The published experiments](experiments.md), and put together by the last one:

    trainer experiments data.h5 --cmu cmu.h5 --out experiments --seeds 0
    trainer experiments data.h5 --cmu cmu.h5 --out peer --recipes videopose --seeds 0 --only clip,CMU --epochs 10
    trainer ablate data.h5 --cmu cmu.h5 --out ablation --epochs 10
    python docs/make_results.py experiments peer ablation

Recipe `paper` is the published set-up; `default` was chosen on the validation part of the training side of the clip split, never on
a test side; `videopose` is the peer, the network idea of VideoPose3D. One seed: the spread between seeds is not in these tables.
[Metrics](metrics.md) are defined with formulas.
"""
PEER = """The network idea of VideoPose3D (1024 channels, 27 frames, flipped sequences) after ten epochs. The line 'complete' of the table after
this one is the default recipe, also after ten epochs, on the same split; {times}.
"""


def seconds(folder: Path, variant: str) -> float:
    """Return how long a run was trained, seconds."""
    runs = json.loads((folder / "results.json").read_text(encoding="utf-8"))["runs"]
    return float(next(run["seconds"] for run in runs if variant in (run["experiment"], run["variant"])))


def body(report: Path, level: int) -> str:
    """Return a report without its title and without what is left out, its headings moved down by a level."""
    sections = re.split(r"^(?=## )", report.read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [text for text in sections if not text.startswith(tuple(f"## {title}" for title in LEFT_OUT))]
    text = re.sub(r"^# .*\n+", "", "".join(kept), count=1)
    return re.sub(r"^(#+) ", lambda match: "#" * (len(match[1]) + level) + " ", text, flags=re.MULTILINE).strip()


def tables(report: Path, title: str) -> str:
    """Return one section of a report, without its heading."""
    text = report.read_text(encoding="utf-8").partition(f"## {title}\n")[2]
    return text.partition("\n## ")[0].strip()


def make(experiments: Path, peer: Path, ablation: Path, docs: Path) -> None:
    """Write ``results.md``, and the loss histories beside the other images."""
    text = body(experiments / "report.md", 0)
    for picture in re.findall(r"\]\(pictures/([^)]+)\)", text):
        shutil.copyfile(experiments / "pictures" / picture, docs / "images" / picture)
    text = text.replace("](pictures/", "](images/")
    times = f"that takes {seconds(ablation, 'complete'):.0f} s, the peer {seconds(peer, 'clip'):.0f} s"
    parts = [HEADER.strip(), text, "## The peer", PEER.format(times=times).strip(), tables(peer / "report.md", "At a glance")]
    parts += ["## What each ingredient contributes", body(ablation / "report.md", 1)]
    (docs / "results.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("expected three folders: python docs/make_results.py EXPERIMENTS PEER ABLATION")
    make(*(Path(argument) for argument in sys.argv[1:]), Path(__file__).parent)
