"""Every command line that the README, the manual pages and the help texts show is one that the programs accept."""

import contextlib
import re
import shlex

import click
import pytest

import mocapgen.cli.main
import trainer.cli.main
from tests.conftest import REPOSITORY, commands_of

PROGRAMS = {"mocapgen": mocapgen.cli.main.cli, "trainer": trainer.cli.main.cli}
COMMANDS = {name: commands_of(program) for name, program in PROGRAMS.items()}
_LINE = re.compile(r"^(?: {4,}|  )((?:mocapgen|trainer) .*)$", flags=re.MULTILINE)
_INLINE = re.compile(r"`(mocapgen [a-z][^`]*)`")
_FENCED = re.compile(r"^```bash\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
_FENCED_LINE = re.compile(r"^((?:mocapgen|trainer) [^|\n]*)", flags=re.MULTILINE)


def shown_commands() -> list[str]:
    # docs/adding.md adds the very parts that its commands name; tests/e2e/test_docs_code.py runs them.
    pages = [REPOSITORY / "README.md", *sorted(path for path in (REPOSITORY / "docs").rglob("*.md") if path.name != "adding.md")]
    texts = [path.read_text(encoding="utf-8") for path in pages]
    texts += [command.epilog or "" for name, program in PROGRAMS.items() for command in [program, *COMMANDS[name].values()]]
    fenced = [line.strip() for text in texts for block in _FENCED.findall(text) for line in _FENCED_LINE.findall(block)]
    return sorted({found for text in texts for found in (*_LINE.findall(text), *_INLINE.findall(text))} | set(fenced))


def accept(line: str) -> None:
    """Parse a command line without running it; raises click.UsageError."""
    name, *words = shlex.split(line, comments=True)
    command: click.Command = PROGRAMS[name]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = commands_of(command).get(words[0])
        if found is None:
            raise click.UsageError(f"no command {words[0]}")
        command, words = found, words[1:]
    with contextlib.suppress(click.exceptions.Exit):  # --help and --version end here
        command.make_context(name, words)


def test_there_are_commands_to_check():
    assert len(shown_commands()) > 8


@pytest.mark.parametrize("line", shown_commands())
def test_shown_command_is_accepted(line):
    accept(line)


@pytest.mark.parametrize(
    "line", ["mocapgen fly data.h5", "mocapgen train fly data.h5", "mocapgen build --fsp 3", "mocapgen inspect", "trainer predict"]
)
def test_the_check_notices(line):
    with pytest.raises(click.UsageError):
        accept(line)
