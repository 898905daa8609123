"""What the manual takes from the program itself when it is built: hooks of MkDocs, see mkdocs.yml.

A line ``<!-- commands of PROGRAM -->`` in a page becomes the reference of that program: each command with its options, arguments and
examples, read from the command line's own definitions.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import click

from mocapgen.shared.version import __version__

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

_MARK = re.compile(r"^<!-- commands of (mocapgen|trainer) -->$", flags=re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Say below every page which version it describes."""
    config.copyright = f"mocapgen {__version__}"
    return config


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the commands' reference where a page asks for it."""
    return _MARK.sub(lambda match: "\n".join(reference(match[1])), markdown)


def on_post_page(output: str, **_: object) -> str:
    """Load from the site what lets the search work without a server: Material's plugin ``offline`` would load it from another one."""
    return output.replace("https://unpkg.com/iframe-worker/shim", "assets/iframe-worker.js")


def on_post_template(output_content: str, **_: object) -> str:
    """Do the same for 404.html."""
    return on_post_page(output_content)


def reference(program: str) -> Iterator[str]:
    """Yield the Markdown lines that describe all commands of ``mocapgen`` or ``trainer``."""
    group: click.Group = importlib.import_module(f"{program}.cli.main").cli
    context = click.Context(group, info_name=program, **group.context_settings)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None and not command.hidden:
            yield from _describe(command, click.Context(command, info_name=name, parent=context, **command.context_settings))


def _describe(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path} {{ #{context.info_name} }}"
    yield from ("", *_prose(command.help or ""), "")
    yield from ("```text", " ".join([context.command_path, *command.collect_usage_pieces(context)]), "```", "")
    yield from _examples(command.epilog or "")
    yield "<table><thead><tr><th>option</th><th>meaning</th></tr></thead><tbody>"
    for option in command.get_params(context):  # arguments stand in the line above
        if isinstance(option, click.Option) and (record := option.get_help_record(context)):
            meaning = re.sub("`([^`]+)`", r"<code>\1</code>", escape(record[1], quote=False))
            yield f'<tr id="{context.info_name}-{option.name}"><td><code>{escape(record[0])}</code></td><td>{meaning}</td></tr>'
    yield from ("</tbody></table>", "")
    if isinstance(command, click.Group):
        yield from (f"Below it: {', '.join(f'`{name}`' for name in command.list_commands(context))}, as [trainer](commands-trainer.md) has them.", "")


def _prose(text: str) -> list[str]:
    r"""Return a help text as Markdown, without what is for click only: ``\b``, and all after ``\f``."""
    return [line for line in inspect.cleandoc(text.split("\f")[0]).splitlines() if line != "\b"]


def _examples(epilog: str) -> Iterator[str]:
    """Yield the commands of an epilog as a block that can be copied."""
    lines = [line.strip() for line in _prose(epilog) if line.startswith("  ")]
    if lines:
        yield from ("```bash", *lines, "```", "")
