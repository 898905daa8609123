"""What all commands share: the common options, and how an error becomes one line and an exit status.

``mocapgen`` has its own: the two packages never import each other, and ``schemas``, which both may import, knows no click.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import click

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

EXIT_USAGE = 2
EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

_EXTRAS = {
    "torch": "train",
    "safetensors": "train",
    "matplotlib": "report",
    "tensorboard": "tensorboard",
    "onnx": "onnx",
    "onnxscript": "onnx",
    "onnxruntime": "onnx",
}
"""Packages that not everybody has, and the extra that installs each."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Stopped(KeyboardInterrupt):
    """A person has stopped a run; the message says what was saved and how to go on."""


@dataclass
class Verbosity:
    """How much to say: level -1 only errors, 0 progress and results, 1 every detail; debug adds tracebacks."""

    level: int = 0
    debug: bool = False


def example(*lines: str) -> str:
    r"""Return an epilog that shows commands as they are typed (``\b`` keeps click from rewrapping them)."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def common_options(command: _Command) -> _Command:
    """Add ``-v``, ``-q`` and ``--debug``; they are accepted before and after the command's name."""

    def remember(name: str, value: Any) -> Callable[[click.Context, click.Parameter, bool], None]:
        def callback(context: click.Context, parameter: click.Parameter, given: bool) -> None:
            if given:
                setattr(context.ensure_object(Verbosity), name, value)

        return callback

    options = (
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=remember("level", 1), help="Print every detail."),
        click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=remember("level", -1), help="Print errors only."),
        click.option("--debug", is_flag=True, expose_value=False, callback=remember("debug", True), help="Show the traceback of an error."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def missing_package(error: ImportError) -> str | None:
    """Return in one line which extra brings a package that is not installed; None if it is none of those."""
    package = (error.name or "").split(".")[0]
    if package not in _EXTRAS:
        return None
    return f"expected the package {package}, which is not installed: pip install 'mocapgen[{_EXTRAS[package]}]'"


def _fail(name: str, message: str, status: int) -> NoReturn:
    for line in message.splitlines() or [""]:
        click.echo(f"{name}: error: {line}", err=True)
    sys.exit(status)


def _explain(error: Exception) -> tuple[str, int]:
    """Return the line and the exit status of an exception."""
    from schemas.errors import MocapError

    if isinstance(error, MocapError):
        return str(error), EXIT_USAGE
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        hint = f" (see '{context.command_path} --help')" if context else ""
        return error.format_message().replace("\n", " ") + hint, EXIT_USAGE
    if isinstance(error, ImportError) and (line := missing_package(error)):
        return line, EXIT_USAGE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", EXIT_USAGE
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"unexpected {what}; this is a bug: please report it with what --debug and `mocapgen info` print", EXIT_BUG


def run(cli: click.Command, arguments: list[str] | None, name: str) -> NoReturn:
    """Run a command line and end the process.

    Exit status 0: done. 2: wrong usage or bad input. 70: a bug. 130: interrupted.
    """
    verbosity = Verbosity()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = cli.main(arguments or ["--help"], prog_name=name, standalone_mode=False, obj=verbosity)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt) as interruption:
        stopped = interruption.__cause__  # click makes its own exception of every KeyboardInterrupt
        if not isinstance(stopped, Stopped):
            _fail(name, "interrupted", EXIT_INTERRUPTED)
        click.echo(f"{name}: {stopped}", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone; keep Python's own flush at exit quiet too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if verbosity.debug:
            traceback.print_exc()
        _fail(name, *_explain(error))
    sys.exit(status if isinstance(status, int) else 0)
