"""The list of benchmarks names all of them."""

import re


def test_every_benchmark_is_in_the_list(repository):
    folder = repository / "benchmarks"
    commands = {f"benchmarks.{path.stem}" for path in folder.glob("*.py") if "@click.command" in path.read_text(encoding="utf-8")}
    listed = set(re.findall(r"^\| `python -m ([\w.]+)", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    others = {"benchmarks.blender_import", "benchmarks.gltf_import"}  # read their command lines without click
    assert {name.removesuffix(".__main__") for name in commands} | others == listed
