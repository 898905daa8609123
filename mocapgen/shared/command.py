"""What all commands share: the common options, and how an error becomes one line and an exit status."""

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

_Command = TypeVar("_Command", bound=Callable[..., Any])


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


def _fail(name: str, message: str, status: int) -> NoReturn:
    """Print a message, each of its lines marked as an error of the program, and end the process."""
    for line in message.splitlines() or [""]:
        click.echo(f"{name}: error: {line}", err=True)
    sys.exit(status)


def _leave_broken_pipe() -> NoReturn:
    """End quietly after the reader of our output has gone, and keep Python's own flush at exit quiet too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    hint = f" (see '{context.command_path} --help')" if context else ""
    return error.format_message().replace("\n", " ") + hint


def _explain(error: Exception) -> tuple[str, int]:
    """Return the line and the exit status of an exception."""
    from schemas.errors import MocapError

    if isinstance(error, MocapError):
        return str(error), EXIT_USAGE
    if isinstance(error, click.ClickException):
        return _usage(error), EXIT_USAGE
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}", EXIT_USAGE
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"unexpected {what}; this is a bug: please report it with what --debug and `mocapgen info` print", EXIT_BUG


def run(cli: click.Command, arguments: list[str] | None, name: str) -> NoReturn:
    """Run a command line and end the process.

    Exit status 0: done. 1: done, with findings. 2: wrong usage or bad input. 70: a bug. 130: interrupted.
    """
    from mocapgen.shared.distribution import require_own_packages

    try:
        require_own_packages()
    except ImportError as error:
        _fail(name, str(error), EXIT_USAGE)
    verbosity = Verbosity()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = cli.main(arguments or ["--help"], prog_name=name, standalone_mode=False, obj=verbosity)
        sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        _fail(name, "interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        _leave_broken_pipe()
    except Exception as error:
        if verbosity.debug:
            traceback.print_exc()
        _fail(name, *_explain(error))
    sys.exit(status if isinstance(status, int) else 0)
