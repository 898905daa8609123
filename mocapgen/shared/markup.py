"""Names of strangers in HTML, Markdown, CSV and JSON: a function for each, which every output uses. For terminals: :mod:`mocapgen.shared.tables`."""

from __future__ import annotations

import base64
import hashlib
import html
import re

from mocapgen.shared.text import printable

_MARKDOWN = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|^(?:[-+#=]|\d+(?=[.)](?:\s|$)))|(?<=www)\.|:(?=//)", re.ASCII)
"""What means something in Markdown (GitHub's): not the underscores within a word, but the beginnings of lists, headings and addresses."""
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def html_text(text: object) -> str:
    """Return a text for HTML, attributes included; what cannot be shown is escaped."""
    return html.escape(printable(text))


def content_policy(script: str = "", media: str = "") -> str:
    """Return the Content-Security-Policy of a page that asks for nothing from anywhere and runs no script but its own.

    Parameters
    ----------
    script : str
        What stands between ``<script>`` and ``</script>``, line ends included; empty if the page has none.
    media : str
        Where sounds and videos may come from; empty for nowhere.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    sources = {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'" if script else "",
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "media-src": media,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{kind} {source}" for kind, source in sources.items() if source)


def markdown_text(text: object) -> str:
    r"""Return a text for a paragraph, list or table of Markdown: one line, and nothing but text.

    Examples
    --------
    >>> markdown_text("a|b *c* HDM_bd_hop")
    'a\\|b \\*c\\* HDM_bd_hop'
    """
    plain = _MARKDOWN.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", printable(text).strip())
    return re.sub("[&<>]", lambda found: _HTML[found[0]], plain)


def markdown_code(text: object) -> str:
    """Return a text as code within a line of Markdown."""
    shown = printable(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown}`"


def markdown_table(rows: list[list[str]], labels: int = 1) -> str:
    """Return a table of Markdown from cells that are Markdown already, the header first; all columns but the first `labels` hold numbers."""
    header, *others = rows
    lines = [header, ["---" if place < labels else "---:" for place in range(len(header))], *others]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def csv_cell(text: object) -> str:
    """Return a name for a CSV file: quoted where it has to be, and nothing that a spreadsheet takes for a formula."""
    shown = printable(text)
    shown = f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
    return '"' + shown.replace('"', '""') + '"' if set(shown) & set(',";') else shown


def json_for_terminal(text: str) -> str:
    """Return an indented JSON text that means the same, without characters that do something to a terminal."""
    return "".join(letter if letter == "\n" or printable(letter) == letter else f"\\u{ord(letter):04x}" for letter in text)
