"""``import mocapgen``: every public name is there, loaded at first use, and typed."""

import importlib
import inspect
import pickle
import subprocess
import sys
import typing
from pathlib import Path
from types import ModuleType

import pytest
from mypy import api as mypy

import mocapgen
import trainer
from schemas import keywords
from schemas.camera import ImageSize
from schemas.config import BuildConfig
from schemas.errors import ConfigError
from schemas.subset import SelectConfig

NAMES = (
    "BuildConfig",
    "Camera",
    "Dataset",
    "MocapError",
    "Motion",
    "Predictions",
    "SelectConfig",
    "Skeleton",
    "avatar_names",
    "build",
    "convert",
    "forward_kinematics",
    "inspect",
    "merge",
    "open_dataset",
    "open_predictions",
    "read",
    "resample",
    "retarget",
    "select",
    "view",
    "write",
)


def test_every_public_name_is_there_and_listed():
    assert set(mocapgen.__all__) == {"__version__", *NAMES}
    assert all(getattr(mocapgen, name) is not None for name in mocapgen.__all__)
    assert set(mocapgen.__all__) <= set(dir(mocapgen))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mocapgen' has no attribute 'nothing'"):
        mocapgen.nothing  # noqa: B018


PACKAGES = ("inspect", "retarget", "view")
"""Public functions that share their name with a package."""


def test_functions_that_share_their_name_with_a_package_are_these():
    found = {name for name in NAMES if isinstance(getattr(mocapgen, name), ModuleType)}
    assert found == set(PACKAGES)


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import mocapgen.inspect, mocapgen.view, mocapgen.retarget",
        "import mocapgen.inspect.registry, mocapgen.view.page, mocapgen.retarget.transfer",
        "from mocapgen import inspect, view, retarget",
        "import mocapgen.library",
    ],
)
def test_such_a_name_is_function_and_package_in_any_order_of_imports(first):
    script = (
        f"{first}\nimport mocapgen\nbefore = [mocapgen.inspect, mocapgen.view, mocapgen.retarget]\n"
        "import mocapgen.inspect.registry, mocapgen.view.page, mocapgen.retarget.transfer\nfrom mocapgen import inspect, view, retarget\n"
        "assert before == [inspect, view, retarget] == [mocapgen.inspect, mocapgen.view, mocapgen.retarget]\n"
        "mocapgen.inspect.registry.checks, mocapgen.view.page.page_of, mocapgen.retarget.transfer\n"
        "for function in mocapgen.inspect, mocapgen.view:\n"
        "    try:\n        function('missing.h5')\n"
        "    except mocapgen.MocapError as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("missing.h5: ") == 2


def test_such_a_function_has_a_signature_and_travels_to_workers():
    run = importlib.import_module("mocapgen.inspect.run")
    assert inspect.signature(mocapgen.inspect) == inspect.signature(run.inspect)
    assert pickle.loads(pickle.dumps(mocapgen.inspect)) is mocapgen.inspect


def test_every_public_name_of_the_trainer_is_there_and_listed():
    assert set(trainer.__all__) <= set(dir(trainer))
    assert all(getattr(trainer, name) is not None for name in trainer.__all__)
    assert {"PoseDataset", "collate_sequences", "evaluate", "fit", "load", "predict"} < set(trainer.__all__)
    with pytest.raises(AttributeError, match="module 'trainer' has no attribute 'nothing'"):
        trainer.nothing  # noqa: B018


@pytest.mark.parametrize("first", ["", "import trainer.fit, trainer.predict.predict, trainer.evaluate", "from trainer import fit, predict, evaluate"])
def test_functions_of_the_trainer_are_modules_in_any_order_of_imports(first):
    script = (
        f"{first}\nimport trainer\nbefore = [trainer.fit, trainer.predict, trainer.evaluate]\n"
        "import trainer.fit, trainer.predict.predict, trainer.evaluate\nfrom trainer.fit import fit\n"
        "assert before == [trainer.fit, trainer.predict, trainer.evaluate] and trainer.fit.fit is fit and trainer.predict.predict.predict\n"
        "try:\n    trainer.fit('missing.h5', trainer.TrainConfig(), 'run')\nexcept trainer.MocapError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("missing.h5: ")


@pytest.mark.parametrize(("settings", "model"), [(keywords.BuildSettings, BuildConfig), (keywords.SelectSettings, SelectConfig)])
def test_keywords_are_the_fields_of_the_model(settings, model):
    hints = typing.get_type_hints(settings)
    assert set(hints) == set(model.model_fields)
    texts = {tuple[str, ...]: keywords.Names, Path | None: str | Path | None, ImageSize: str | tuple[int, int] | ImageSize}
    for name, field in model.model_fields.items():
        assert hints[name] == texts.get(field.annotation, field.annotation), name


def test_settings_are_keywords_and_text_as_on_the_command_line():
    settings = {"source": "sample", "dry_run": True, "workers": 1, "avatars": "average_man,tall_man"}
    by_text = mocapgen.build(actions="walk,hop", image="640x480", **settings)
    by_values = mocapgen.build(actions=["walk", "hop"], image=(640, 480), **settings)
    by_model = mocapgen.build(
        BuildConfig.model_validate(
            {**settings, "actions": ("walk", "hop"), "image": {"width": 640, "height": 480}, "avatars": ("average_man", "tall_man")}
        )
    )
    assert by_text.sequences == 20
    assert (
        by_text.model_copy(update={"seconds": 0.0}) == by_values.model_copy(update={"seconds": 0.0}) == by_model.model_copy(update={"seconds": 0.0})
    )


def test_a_config_and_keywords_at_once_are_refused():
    with pytest.raises(ConfigError, match=r"expected a BuildConfig or settings as keywords, found both \(fps\)"):
        mocapgen.build(BuildConfig(dry_run=True), fps=25.0)


def test_a_type_checker_sees_what_the_functions_take_and_return(tmp_path, repository):
    script = tmp_path / "user.py"
    script.write_text(
        "import mocapgen\nimport mocapgen.inspect.registry\nimport trainer\nimport trainer.fit\n"
        "reveal_type(mocapgen.read('a.bvh')[:100].positions())\nreveal_type(mocapgen.inspect('a.h5'))\nreveal_type(mocapgen.view)\n"
        "mocapgen.build(sauce='sample')\nmocapgen.build(fps='slow')\nmocapgen.retarget('walk', 'average_man')\nmocapgen.nothing\n"
        "reveal_type(trainer.fit)\n"
    )
    config = ["--config-file", str(repository / "pyproject.toml"), "--cache-dir", str(repository / ".mypy_cache")]
    out, _, status = mypy.run([*config, "--no-error-summary", str(script)])
    lines = [line.split("user.py:", 1)[1] for line in out.splitlines() if "user.py:" in line]
    assert status == 1
    assert [line.partition(" ")[0] for line in lines if ": error: " in line] == ["8:", "9:", "10:", "11:"], out
    revealed = {line.partition(":")[0]: line for line in lines if "Revealed type" in line}
    assert "float64" in revealed["5"]
    assert "Inspection" in revealed["6"]
    assert "Any" not in revealed["7"]
    assert "trainer.fit.Result" in revealed["12"]
