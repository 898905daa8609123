"""Recipes, files and options; unknown or impossible settings are one line each."""

import re

import pytest

from schemas.errors import ConfigError, DatasetError
from schemas.train import RENAMED, TrainConfig
from trainer.recipes.settings import default_folder, merge, parse_assignments, read_recipe, read_run, recipe_names, run_config, train_config


@pytest.mark.parametrize("name", recipe_names())
def test_recipes_are_valid(name):
    config = train_config(read_recipe(name))
    assert config.epochs > 0


def test_the_published_recipe_is_plain():
    config = train_config(read_recipe("paper"))
    assert (config.model, config.epochs, config.head, config.ema) == ("cvmnet", 50, "direct", 0.0)
    assert config.augment == type(config.augment)()
    assert config.losses == type(config.losses)()


def test_later_layers_override_earlier_ones(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("epochs: 7\nbatch-size: 9\naugment:\n  flip: 0.25\n")
    config = run_config("default", file, ["augment.noise=0.01", "learning-rate=1e-4"], {"batch_size": 11})
    recipe = train_config(read_recipe("default"))
    assert (config.epochs, config.batch_size, config.augment.flip, config.augment.noise, config.learning_rate) == (7, 11, 0.25, 0.01, 1e-4)
    assert config.augment.camera == recipe.augment.camera


def test_settings_of_another_model_are_dropped():
    assert merge({"model": "a", "model_settings": {"x": 1}}, {"model": "b"}) == {"model": "b"}
    assert merge({"model": "a", "model_settings": {"x": 1}}, {"model_settings": {"y": 2}})["model_settings"] == {"x": 1, "y": 2}


def test_settings_that_were_given_beside_a_model_are_its_own():
    config = run_config("default", None, ["model_settings.width=32"], {"model": "stmixer"})
    assert (config.model, config.model_settings) == ("stmixer", {"width": 32})
    with pytest.raises(ConfigError, match=r"unknown setting 'model_settings\.smoothing'"):
        run_config("default", None, ["model_settings.smoothing=2"], {"model": "videopose"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epoch": 3}, "unknown setting 'epoch'; did you mean 'epochs'?"),
        ({"augment": {"flipp": 1}}, "unknown setting 'augment.flipp'; did you mean 'flip'?"),
        ({"augment": {"camera": {"zzz": 1}}}, "unknown setting 'augment.camera.zzz'; there are probability"),
        ({"epochs": 0}, "epochs: input should be greater than or equal to 1, found 0"),
        ({"augment": {"missing": 0.1}}, "augment.missing: requires confidence"),
        ({"augment": {"speed": [2, 1]}}, "speed: expected two factors"),
        ({"augment": {"camera": {"distance": [0.5, 1]}}}, "distance: expected two numbers from 1 to 100, the smaller first, found 0.5 and 1.0"),
        ({"losses": {"mpjpe": -1}}, "losses.mpjpe"),
        ({"final_rate": 0.1}, "'final_rate' is the name of an earlier version; it is 'final_lr_factor' now"),
        (
            {"augment": {"camera": {"tumble": 0.1}}},
            "'augment.camera.tumble' is the name of an earlier version; it is 'augment.camera.random_rotation' now",
        ),
    ],
)
def test_wrong_setting_is_one_line(settings, words):
    with pytest.raises(ConfigError) as caught:
        train_config(settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


TWICE = [
    ("epochs: 3\nseed: 1\nepochs: 4\n", r"own\.yaml:3: expected YAML, found: the key 'epochs' twice, first in line 1"),
    ("augment:\n  flip: 0.1\n  flip: 0.2\n", r"own\.yaml:3: expected YAML, found: the key 'flip' twice, first in line 2"),
    ("batch-size: 3\nbatch_size: 4\n", r"own\.yaml: expected each setting once, found 'batch_size' twice, with dashes and without"),
]


STRICT = [
    ("augment: {pose_perturbation: yes}\n", r"own\.yaml: augment.pose_perturbation: input should be a valid number, found True"),
    ("epochs: 3.0\n", r"own\.yaml: epochs: input should be a valid integer, found 3.0"),
    ("epochs: 1e3\n", r"own\.yaml: epochs: input should be a valid integer, found 1000.0"),
    ("seed: '3'\n", r"own\.yaml: seed: input should be a valid integer, found '3'"),
    ("confidence: 1\n", r"own\.yaml: confidence: input should be a valid boolean, found 1"),
    ("learning_rate: .inf\n", r"own\.yaml: learning_rate: .*, found inf"),
    ("model: resnet\n", r"own\.yaml: model: expected one of cvmnet, stmixer, symmixer, videopose, found 'resnet'"),
    ("model_settings: {width: -1}\n", r"own\.yaml: model_settings.width: input should be greater than or equal to 1, found -1"),
    ("model_settings: {widht: 1}\n", r"own\.yaml: unknown setting 'model_settings.widht'; did you mean 'width'"),
    ("augment: 3\n", r"own\.yaml: augment: .*, found 3"),
]


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "YAML"), ("- 1\n", "a list"), ("epochs: many\n", r"own\.yaml: epochs: .* found 'many'"), *STRICT, *TWICE]
)
def test_wrong_file_is_one_line(tmp_path, text, words):
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        run_config("default", file, [], {})


def test_wrong_names_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match="expected one of default, paper"):
        read_recipe("best")
    with pytest.raises(ConfigError, match="expected a YAML file of training settings, found nothing"):
        read_recipe(str(tmp_path / "none.yaml"))
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        parse_assignments(["epochs"])
    with pytest.raises(ConfigError, match=r"^assignments=augment: expected YAML, found: the key 'flip' twice, first in line 1$"):
        parse_assignments(["augment={flip: 1, flip: 2}"])
    with pytest.raises(ConfigError, match=r"^assignments=augment.flip: expected a group of settings, found augment=3 before$"):
        parse_assignments(["augment=3", "augment.flip=1"])
    with pytest.raises(DatasetError, match=r"run with config\.json"):
        read_run(tmp_path)


def test_numbers_of_the_command_line_are_numbers():
    given = ["learning_rate=1e-3", "weight_decay=2E-2", "ema=.5", "epochs=3", "compile=yes", "window=null"]
    config = run_config("default", None, given, {})
    assert (config.learning_rate, config.weight_decay, config.ema, config.epochs, config.compile) == (0.001, 0.02, 0.5, 3, True)


@pytest.mark.parametrize("name", ["a." * 1000 + "a", "augment." * 5 + "x", "x" * 1000, "\x1b[31m", "", "augment.", "__class__"])
def test_wrong_names_in_assignments_are_one_short_line(name):
    with pytest.raises(ConfigError) as caught:
        run_config("default", None, [f"{name}=1"], {})
    assert re.fullmatch(r"[ -~…]{1,300}", str(caught.value))


def test_a_run_of_an_earlier_version_is_one_line(tmp_path):
    (tmp_path / "config.json").write_text('{"epochs": 2, "augment": {"bend": 0.5}}')
    with pytest.raises(DatasetError, match=r"'augment.bend' is the name of an earlier version; it is 'augment.pose_perturbation' now") as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"epochs": 2,\n"epochs": 3}', r"config\.json: expected JSON, found: the key 'epochs' twice"),
        ('{"epochs": 0}', r"config\.json: expected the settings of a run of this version, found others: epochs: .*, found 0"),
        ('{"epochs": 2,', r"config\.json:1: expected JSON, found: "),
        ("[]", r"config\.json: expected the settings of a run as a JSON object, found \[\]"),
    ],
)
def test_a_damaged_run_is_one_line(tmp_path, text, words):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(DatasetError, match=words) as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_renamed_settings_exist_under_the_new_name_only(old, new):
    """Each is refused under its earlier name, and accepted under its present one."""

    def nested(name, value):
        for part in reversed(name.split(".")):
            value = {part: value}
        return value

    default = TrainConfig().model_dump()
    for part in new.split("."):
        default = default[part]
    assert train_config(nested(new, default)) == TrainConfig()
    with pytest.raises(ConfigError, match=f"it is '{new}' now"):
        train_config(nested(old, default))


def test_default_folder_has_nothing_that_a_shell_expands():
    config = train_config({"split": "action=hop*", "seed": 2})
    assert str(default_folder("x/data.h5", "paper", config)) == "runs/data-paper-action_hop-s2"
