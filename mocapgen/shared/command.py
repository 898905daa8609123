"""Shared by the commands of both programs: common options, commands found by file name, errors as one line and an exit status.

The libraries raise errors in Python's words: ``min_frames: expected ...; or overwrite=True``. Here, at the edge of the command line, the
names of the running command's parameters become its options: ``--min-frames: expected ...; or --overwrite``.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from mocapgen.shared.distribution import ForeignPackageError, own_packages_first, require_own_packages
from mocapgen.shared.parts import part_names
from mocapgen.shared.signals import like_ctrl_c
from mocapgen.shared.streams import outlive_readers
from mocapgen.shared.tables import say
from mocapgen.shared.text import did_you_mean, listed, nearest, one_line, option_words, quoted

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

EXIT_USAGE = 2
EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 128  # to which the number of the signal is added, as shells do: 130 after Ctrl-C, 143 after SIGTERM

EXTRAS = {
    "torch": "train",
    "safetensors": "train",
    "filelock": "train",
    "matplotlib": "report",
    "tensorboard": "tensorboard",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "onnxruntime": "onnx",
    "pooch": "fetch",
    "av": "video",
    "mediapipe": "video",
    "rerun": "rerun",
    "pygltflib": "gltf",
    "distributed": "cluster",
    "pyarrow": "parquet",
}
"""Packages of optional dependencies, and the extra that installs each."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Stopped(KeyboardInterrupt):
    """A person has stopped a run; the message says what was saved and how to continue."""


@dataclass
class Session:
    """What the parts of one call of a program share."""

    level: int = 0
    """How much to print: -1 errors only, 0 progress and results, 1 every detail."""
    debug: bool = False
    """Whether an error shows its traceback."""
    command: click.Command | None = None
    """The command that runs."""


def session(context: click.Context) -> Session:
    """Return what the parts of this call share."""
    return context.ensure_object(Session)


def given(context: click.Context, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were typed, so that a default never overrides a configuration file."""
    return {name: value for name, value in options.items() if context.get_parameter_source(name) is not ParameterSource.DEFAULT}


def example(*lines: str) -> str:
    r"""Return an epilog that shows commands as they are typed (``\b`` keeps click from rewrapping them)."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def add_options(options: tuple[Callable[[Any], Any], ...]) -> Callable[[_Command], _Command]:
    """Return a decorator that adds options to a command, in their order."""

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def common_options(command: _Command) -> _Command:
    """Add ``-v``, ``-q`` and ``--debug``; they are accepted before and after the command's name."""

    def remember(name: str, value: Any) -> Callable[[click.Context, click.Parameter, bool], None]:
        def callback(context: click.Context, parameter: click.Parameter, given: bool) -> None:
            if given:
                setattr(session(context), name, value)

        return callback

    options = (
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=remember("level", 1), help="Print every detail."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=remember("level", -1), help="Print errors only."),
        click.option("--debug", is_flag=True, expose_value=False, callback=remember("debug", True), help="Show the traceback of an error."),
    )
    return add_options(options)(command)


class CommandFolder(click.Group):
    """A group whose commands are the modules of a folder: ``build.py`` defines the command ``build``. Each is imported when it is needed."""

    package: str = ""
    """The folder as a package, such as ``mocapgen.cli``."""
    elsewhere: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """Commands of other programs, by program: what people look for here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the modules, without ``main`` and those that begin with an underscore."""
        return [name for name in part_names(self.package) if name != "main"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(importlib.import_module(f"{self.package}.{cmd_name}"), cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for and its arguments; remember it for error messages."""
        if args[0] not in self.list_commands(ctx):
            other = next((program for program, commands in self.elsewhere.items() if args[0] in commands), None)
            advice = f"`{other} {args[0]}` is one" if other else did_you_mean(args[0], self.list_commands(ctx))
            ctx.fail(f"No such command {quoted(args[0])}; {advice}")
        name, command, rest = super().resolve_command(ctx, args)
        session(ctx).command = command
        return name, command, rest


def option_names(command: click.Command | None) -> dict[str, str]:
    """Return the option of each parameter: ``{"min_frames": "--min-frames", "categories": "--category"}``."""
    parameters = [] if command is None else command.params
    return {str(parameter.name): parameter.opts[-1] for parameter in parameters if isinstance(parameter, click.Option)}


def missing_package(error: ImportError) -> str | None:
    """Return in one line which extra installs a package that is missing; None if it belongs to no extra."""
    package = (error.name or "").split(".")[0]
    if package not in EXTRAS:
        return None
    return f"expected the package {package}, which is not installed: pip install 'mocapgen[{EXTRAS[package]}]'"


def require_packages(*packages: str) -> None:
    """Refuse to begin work that will need packages of several extras, with one line that installs them all.

    Parameters
    ----------
    *packages : str
        Of :data:`EXTRAS`. They are looked for, and not imported.

    Raises
    ------
    ConfigError
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        from schemas.errors import ConfigError

        extras = ",".join(dict.fromkeys(EXTRAS[package] for package in missing))
        are = "packages {}, which are" if len(missing) > 1 else "package {}, which is"
        raise ConfigError(f"expected the {are.format(listed(missing))} not installed: pip install 'mocapgen[{extras}]'")


def fail(name: str, messages: Sequence[str], status: int) -> NoReturn:
    """Print messages, each as one line that is marked as an error of the program, and end the process with an exit status."""
    for message in messages:
        click.echo(one_line(f"{name}: error", message), err=True)
    sys.exit(status)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context else ""
    if (wrong := re.match("'(.*)' is not one of", error.message)) and isinstance(getattr(getattr(error, "param", None), "type", None), click.Choice):
        hint = nearest(wrong[1], error.param.type.choices) + hint  # type: ignore[attr-defined]
    if context and (
        "unexpected extra argument" in error.message or (isinstance(error, click.MissingParameter) and isinstance(error.param, click.Argument))
    ):
        hint = f". Expected: {' '.join((context.command_path, *context.command.collect_usage_pieces(context)))}{hint}"
    return error.format_message().rstrip(".") + hint


def _explain(error: Exception, command: click.Command | None) -> tuple[list[str], int]:
    """Return the lines and the exit status of an exception."""
    if isinstance(error, ForeignPackageError):
        return [str(error)], EXIT_USAGE
    from schemas.errors import MocapError

    if isinstance(error, MocapError):
        options = option_names(command)
        return [option_words(str(line), options) for line in error.args], EXIT_USAGE
    if isinstance(error, click.ClickException):
        return [_usage(error)], EXIT_USAGE
    if isinstance(error, ImportError) and (line := missing_package(error)):
        return [line], EXIT_USAGE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return [f"{where}{error.strerror or str(error) or type(error).__name__}"], EXIT_USAGE
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # the latter is PyTorch's
        return ["not enough memory for what was asked; ask for less at once, or use a machine with more"], EXIT_USAGE
    what = next(iter(f"{type(error).__name__}: {error}".splitlines()))
    return [f"unexpected {what}; this is a bug: please report it with what --debug and `mocapgen info` print"], EXIT_BUG


def _end_interrupted(name: str, interruption: BaseException, number: int) -> NoReturn:
    stopped = interruption.__cause__  # click makes its own exception of every KeyboardInterrupt
    if not isinstance(stopped, Stopped):
        fail(name, ["interrupted"], EXIT_INTERRUPTED + number)
    say(f"{name}: {stopped}", error=True)
    sys.exit(EXIT_INTERRUPTED + number)


@contextlib.contextmanager
def _warnings_with_debug_only(state: Session) -> Iterator[None]:
    """Show what Python and its packages warn developers of with ``--debug`` only: beside an error of one line it says nothing to a user."""
    show = warnings.showwarning
    warnings.showwarning = lambda *told, **more: show(*told, **more) if state.debug else None
    try:
        yield
    finally:
        warnings.showwarning = show


def run(cli: click.Command, arguments: list[str] | None, name: str) -> NoReturn:
    """Run a command line and end the process.

    Exit status 0: done. 1: done, with findings. 2: wrong usage or bad input. 70: a bug. 129, 130 or 143: interrupted by SIGHUP, Ctrl-C or SIGTERM.
    """
    outlive_readers()
    with own_packages_first():
        _run(cli, sys.argv[1:] if arguments is None else arguments, name)


def _run(cli: click.Command, arguments: list[str], name: str) -> NoReturn:
    state = Session()
    try:
        with like_ctrl_c() as received, _warnings_with_debug_only(state):
            require_own_packages()
            status = cli.main(arguments or ["--help"], prog_name=name, standalone_mode=False, obj=state)
            sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt) as interruption:
        _end_interrupted(name, interruption, received.number)
    except Exception as error:
        if state.debug:
            traceback.print_exc()
        fail(name, *_explain(error, state.command))
    sys.exit(status if isinstance(status, int) else 0)
