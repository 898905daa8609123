"""Write the models as JSON Schema, for programs that do not speak Python: ``python -m tools.export_schemas [--check]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model

from mocapgen.export.base import exporter, exporter_names
from mocapgen.export.export_input import SequenceFilter
from schemas.base import Model
from schemas.config import BuildConfig
from schemas.dataset import LAYOUT, Layout, RootAttributes
from schemas.experiments import Results
from schemas.inspection import Inspection, Policy
from schemas.marker_set import MarkerSet
from schemas.predictions import PREDICTIONS_LAYOUT, PredictConfig, PredictionAttributes
from schemas.profile import Profile
from schemas.render import RenderConfig
from schemas.report import BuildReport, SubsetReport
from schemas.shipped import ShippedModel
from schemas.skeleton import Avatar
from schemas.subset import Derivation, SelectConfig
from schemas.train import Evaluation, ModelCard, TrainConfig

FOLDER = Path(__file__).parents[1] / "schemas" / "json"

MODELS: dict[str, type[Model]] = {
    "avatar": Avatar,
    "build-config": BuildConfig,
    "build-report": BuildReport,
    "dataset-attributes": RootAttributes,
    "dataset-derivation": Derivation,
    "dataset-layout": Layout,
    "evaluation": Evaluation,
    "experiments": Results,
    "inspection": Inspection,
    "inspection-policy": Policy,
    "model-card": ModelCard,
    "predict-config": PredictConfig,
    "predictions-attributes": PredictionAttributes,
    "render-config": RenderConfig,
    "shipped-model": ShippedModel,
    "select-config": SelectConfig,
    "subset-report": SubsetReport,
    "train-config": TrainConfig,
    "marker-set": MarkerSet,
    "source-profile": Profile,
}
"""File stem to model: everything that leaves or enters the project as JSON, YAML, HDF5 or options."""


def export_config() -> type[Model]:
    """Return the settings of ``mocapgen export`` as one model: format, selection, and the settings of every format, with their formats."""
    settings: dict[str, Any] = {"format": (Literal[exporter_names()], Field(description="Format to write."))}
    settings |= {name: (field.annotation, field) for name, field in SequenceFilter.model_fields.items()}
    formats: dict[str, list[str]] = {}
    for format in exporter_names():
        for name, field in exporter(format).options.model_fields.items():
            formats.setdefault(name, []).append(format)
            text = str(field.description).removesuffix(".") + f" ({', '.join(formats[name])})."
            settings[name] = (field.annotation, field.merge_field_infos(field, description=text))
    model: type[Model] = create_model("ExportConfig", __base__=Model, **settings)
    model.__doc__ = "The settings of ``mocapgen export``: which sequences, and the settings of every format."
    return model


def exported() -> dict[str, str]:
    """Return the text of every file, by file name: the schemas of :data:`MODELS`, and the layouts of our HDF5 files themselves."""
    layouts = {"dataset": LAYOUT, "predictions": PREDICTIONS_LAYOUT}
    texts = {f"{kind}-layout.json": layout.model_dump_json(indent=2) + "\n" for kind, layout in layouts.items()}
    for stem, model in {**MODELS, "export-config": export_config()}.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
        texts[f"{stem}.schema.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return texts


def drift(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the names of the files in which `folder` differs from the models, missing and surplus ones included."""
    wanted = exported()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return tuple(sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)))


def write(folder: Path = FOLDER) -> tuple[str, ...]:
    """Bring `folder` up to date and return the names of the files that changed."""
    changed = drift(folder)
    wanted = exported()
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            (folder / name).unlink()
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 1 if ``--check`` found differences."""
    parser = argparse.ArgumentParser(prog="python -m tools.export_schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a file is out of date")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    changed = drift(options.folder) if options.check else write(options.folder)
    for name in changed:
        sys.stdout.write(f"{name} {'is out of date: run python -m tools.export_schemas' if options.check else 'written'}\n")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
