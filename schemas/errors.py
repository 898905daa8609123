"""The one exception tree of the project: every failure that a user can cause or fix is one of these.

Each message is one line that says what was expected, what was found, where, and what to do.
"""

from __future__ import annotations


class MocapError(Exception):
    """Base class: catch this to catch everything that the project raises on purpose.

    Several problems are several arguments, a line each.
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class ConfigError(MocapError):
    """A setting or an option is wrong, or two of them contradict each other."""


class SourceError(MocapError):
    """The motion-capture data was not found, or holds nothing that can be used."""


class FormatError(MocapError):
    """A motion-capture file is damaged or says something that its format does not allow."""


class RetargetError(MocapError):
    """A motion cannot be carried over to an avatar."""


class DatasetError(MocapError):
    """A dataset file cannot be read, written or trusted."""
