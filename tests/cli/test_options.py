"""Options that come from a schema agree with the pydantic model: names, defaults, choices and types, of every command that has them."""

import inspect
import types
from pathlib import Path
from typing import Literal, NamedTuple, Union, get_args, get_origin

import click
import pytest

from mocapgen.cli.main import cli as mocapgen
from mocapgen.shared.config import from_text
from schemas.base import Model
from schemas.camera import ImageSize
from schemas.config import BuildConfig
from schemas.predictions import PredictConfig
from schemas.render import RenderConfig
from schemas.subset import SelectConfig
from schemas.train import TrainConfig
from tests.conftest import commands_of
from tools.export_schemas import export_config
from trainer.cli.fit import _FIELDS as FIT_FIELDS
from trainer.cli.main import cli as trainer

PROGRAMS = {"mocapgen": commands_of(mocapgen), "trainer": commands_of(trainer)}
ExportConfig = export_config()
COMMON = {"verbose", "quiet", "debug"}


class Case(NamedTuple):
    """A command, the model that options of it come from, and which."""

    program: str
    name: str
    model: type[Model]
    fields: tuple[str, ...] = ()
    """By default all."""
    defaults: bool = True

    @property
    def options(self) -> dict[str, click.Option]:
        parameters = PROGRAMS[self.program][self.name].params
        return {str(option.name): option for option in parameters if isinstance(option, click.Option)}

    @property
    def settings(self) -> tuple[str, ...]:
        return self.fields or tuple(self.model.model_fields)


CASES = (
    Case("mocapgen", "build", BuildConfig),
    Case("mocapgen", "select", SelectConfig),
    Case("mocapgen", "view", SelectConfig, ("clips", "actors", "actions", "avatars", "cameras", "limit")),
    Case("mocapgen", "render", RenderConfig),
    Case("mocapgen", "export", ExportConfig),
    Case("trainer", "predict", PredictConfig),
    Case("trainer", "predict", TrainConfig, ("device", "threads")),
    Case("trainer", "evaluate", TrainConfig, ("device", "threads")),
    Case("trainer", "ablate", TrainConfig, ("split", "epochs", "device", "precision", "threads", "compile"), defaults=False),
    Case("trainer", "experiments", TrainConfig, ("epochs", "device", "precision", "threads", "compile"), defaults=False),
    Case("trainer", "fit", TrainConfig, FIT_FIELDS, defaults=False),
)
SETTINGS = [pytest.param(case, name, id=f"{case.program}-{case.name}-{name}") for case in CASES for name in case.settings]


def plain(annotation: object) -> object:
    """Return the type of a setting, without the None of an optional one."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def default_of(option: click.Option) -> object:
    """Return what an option gives when it is not typed, None for nothing."""
    value = option.get_default(click.Context(click.Command("any")))
    return None if value in ((), []) or type(value).__name__ == "Sentinel" else value


def test_every_command_with_options_from_a_schema_is_held_against_its_model():
    found = set()
    for program, commands in PROGRAMS.items():
        for name, command in commands.items():
            module = inspect.getmodule(command.callback)
            texts = inspect.getsource(module)
            if "schema_options(" in texts or "trainer.cli._series import OPTIONS" in texts:
                found.add((program, name))
    assert found == {(case.program, case.name) for case in CASES}


@pytest.mark.parametrize(("case", "name"), SETTINGS)
def test_a_setting_is_an_option_with_the_name_and_the_default_of_the_model(case: Case, name: str):
    field, option = case.model.model_fields[name], case.options[name]
    spelled = "--category" if name == "categories" else "--" + name.replace("_", "-")
    assert spelled in option.opts
    if not case.defaults or field.is_required():
        assert default_of(option) is None
        return
    wanted = field.get_default(call_default_factory=True)
    given = default_of(option)
    given = from_text(case.model, {name: given})[name] if given is not None else None
    given = ImageSize(**given) if isinstance(wanted, ImageSize) else given
    assert given == (None if wanted in ((), []) else wanted)
    assert type(given) is type(wanted) or wanted in ((), []) or {type(given), type(wanted)} == {int, float}


@pytest.mark.parametrize(("case", "name"), SETTINGS)
def test_an_option_has_the_choices_and_the_type_of_the_model(case: Case, name: str):
    annotation, option = plain(case.model.model_fields[name].annotation), case.options[name]
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    assert tuple(getattr(option.type, "choices", ())) == choices
    assert option.is_flag is (annotation is bool)
    assert option.multiple is (annotation == tuple[str, ...])
    if annotation in (int, float):
        assert isinstance(option.type, (click.types.IntParamType, click.types.FloatParamType)[annotation is float])
    assert isinstance(option.type, click.Path) is (annotation is Path)
    assert option.help.rstrip(".")


OTHERS = {
    ("mocapgen", "build"): {"config", "json"},
    ("mocapgen", "select"): {"json", "out", "overwrite", "dry_run"},
    ("mocapgen", "view"): {"predictions", "video", "clip", "frame", "out", "overwrite"},
    ("mocapgen", "render"): set(),
    ("mocapgen", "export"): {"out", "overwrite"},
    ("trainer", "predict"): {"out", "overwrite"},
    ("trainer", "evaluate"): {"side", "json_file", "markdown_file", "overwrite"},
    ("trainer", "ablate"): {"recipe", "only", "seeds", "out", "cmu", "assignments", "resume", "finished"},
    ("trainer", "experiments"): {"recipes", "only", "seeds", "out", "cmu", "assignments", "resume", "finished"},
    ("trainer", "fit"): {"out", "recipe", "config", "assignments", "resume", "stop_after", "overwrite"},
}
"""Options that are no settings of a model, by command."""


@pytest.mark.parametrize(("program", "name"), OTHERS)
def test_no_option_lacks_a_setting(program: str, name: str):
    cases = [case for case in CASES if (case.program, case.name) == (program, name)]
    settings = {setting for case in cases for setting in case.settings}
    assert cases[0].options.keys() - COMMON == settings | OTHERS[program, name]
