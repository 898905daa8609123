"""Put results of `trainer experiments` and `trainer ablate` together: ``python docs/make_results.py [FOLDER ...]`` writes docs/results.md.

The `results.json` of each folder is kept in docs/results under the folder's name, and from all that are kept there the page is made: a part for each
name, in which what follows a point (``default.1``, ``default.2``) is put together, so that experiments may be trained bit by bit. Figures are theirs,
word for word; pictures of worst clips are those of the last folder that has them.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from schemas.experiments import Results, RunResult
from trainer.experiments.ablate import summarise_ablation
from trainer.experiments.report import Heading, Image, MadeBy, ReportBlock, as_markdown
from trainer.experiments.summary import summarise_results
from trainer.runs.folder import NOT_COMPARED

DOCS = Path(__file__).parent
KEPT = DOCS / "results"
FOLDERS = re.compile(r"(?<=\s)\S*/")
"""What stands before the names of files in a command: where they lay is of no use to others."""
PICTURE = re.compile(r"(clip|C|CMU)-(test|basketball|break_dance)-worst\.svg")
MAY_DIFFER = NOT_COMPARED - {"epochs"} | {"seed"}
"""Settings in which the runs of one row of a table may differ."""
TITLES = {"default": "The recipe default", "ablation": "What each ingredient contributes"}
HEADER = """# Results

What the recipes of `trainer fit` reach on the data of [The published experiments](experiments.md), beside the published figures. The commands
are at the end of each part; what they wrote is kept in `docs/results`, from which `python docs/make_results.py` makes this page.

The data is 260 clips of 11 classes of HDM05; the published figures are of 309 clips of all its 130 classes. So they show how large errors were,
and are no comparison on the same data.

Recipe `default` was chosen on the validation part of the clip split, never on its test side; [the recipes](experiments.md#the-recipes) says
where hops, which C holds out, had a part in it. [Metrics](metrics.md) are defined with formulas. What earlier versions of the recipe reached,
the published set-up (`paper`) and the peer (`videopose`) is in [Earlier results](results-earlier.md);
`paper` is still the same, [the peer](experiments.md#the-peer) has since been given a longer training.

Where fewer than three seeds were trained so far, the tables say so. Some runs were computed in fp32, most in bf16: the table of runs says which.
"""
WORST = """## The worst clips

The sequence with the largest error of each side: five moments, the worst of them among them, each with its error. Above the 2D input; below it the
prediction (left side blue, right side orange) over the truth (grey), roots on top of each other.
"""


def keep(folder: Path) -> None:
    """Keep the results of a folder, and its pictures of worst clips."""
    if not (folder / "results.json").is_file():
        sys.exit(f"{folder}: expected a folder of `trainer experiments` or `trainer ablate` with results.json, found none; run it with --finished")
    KEPT.mkdir(exist_ok=True)
    results = Results.model_validate_json((folder / "results.json").read_text(encoding="utf-8"))
    results = results.model_copy(update={"command": FOLDERS.sub("", results.command)})
    (KEPT / f"{folder.name}.json").write_text(results.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for picture in sorted((folder / "pictures").glob("*.svg")):
        if PICTURE.fullmatch(picture.name):
            shutil.copyfile(picture, DOCS / "images" / picture.name)


def merged(kept: list[Results]) -> Results:
    """Return the results of several series of runs as those of one; of runs of the same name the later ones, of the same settings and data."""
    runs: dict[str, RunResult] = {}
    alike: dict[tuple[str, str, str], dict[str, object]] = {}
    for run in (run for results in kept for run in results.runs):
        settings = {name: value for name, value in run.config.items() if name not in MAY_DIFFER}
        settings["frames"] = sum(run.sides[side].frames for side in ("train", "validation", "test") if side in run.sides)  # of whatever checksum
        if settings != alike.setdefault((run.experiment, run.variant, run.recipe), settings):
            sys.exit(f"{run.name}: expected settings and data of the other runs of its row, found others; give the series another name")
        runs[run.name] = run
    seeds = tuple(sorted({run.seed for run in runs.values()}))
    recipes = tuple(dict.fromkeys(run.recipe for run in runs.values()))
    command = "\n".join(dict.fromkeys(results.command for results in kept))
    protocol = {key: "; ".join(dict.fromkeys(one.protocol[key] for one in kept if key in one.protocol)) for one in kept for key in one.protocol}
    protocol |= {"seeds": ", ".join(map(str, seeds))}
    missing = tuple(dict.fromkeys(name for results in kept for name in results.unfinished if name not in runs))
    failed = tuple({failure.name: failure for results in kept for failure in results.failures if failure.name not in runs}.values())
    whole = {"runs": tuple(runs.values()), "seeds": seeds, "recipes": recipes, "command": command, "protocol": protocol}
    whole |= {"unfinished": missing, "failures": failed}
    return kept[0].model_copy(update=whole)


def page(blocks: list[ReportBlock], name: str) -> str:
    """Return a report without its title, its headings a level lower, the command last, and pictures beside the manual's other ones."""
    shown: list[ReportBlock] = []
    for block in blocks:
        if isinstance(block, Image):
            block = Image(f"{name}-{block.file}", block.svg, block.caption)
            (DOCS / "images" / block.file).write_bytes(block.svg)
        if isinstance(block, Heading):
            block = Heading(block.text, block.level + 1)
        if not (isinstance(block, Heading) and block.level == 2):
            shown.append(block)
    shown.sort(key=lambda block: isinstance(block, MadeBy))
    return as_markdown(shown).replace("](pictures/", "](images/").strip()


def make() -> None:
    """Write ``results.md``."""
    parts: dict[str, list[Results]] = {}
    for path in sorted(KEPT.glob("*.json"), key=lambda path: (len(path.stem), path.stem)):  # the tenth part after the second
        parts.setdefault(path.stem.partition(".")[0], []).append(Results.model_validate_json(path.read_text(encoding="utf-8")))
    text = [HEADER.strip()]
    for name, kept in sorted(parts.items(), key=lambda part: [*TITLES, part[0]].index(part[0])):
        results = merged(kept)
        ablation = all(run.experiment == "ablation" for run in results.runs)
        text += [f"## {TITLES.get(name, name)}", page(summarise_ablation(results) if ablation else summarise_results(results, None), name)]
    worst = [path.name for path in sorted((DOCS / "images").glob("*-worst.svg")) if PICTURE.fullmatch(path.name)]
    text += [WORST.strip()] if worst else []
    text += [f"![{name[:-4]}](images/{name})\n\n*{name[:-10].replace('-', ': ', 1).replace('_', ' ')}*" for name in worst]
    (DOCS / "results.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        keep(Path(argument))
    make()
