"""Text for terminals: never a broken word, colour only where a person sees it, one plain line where nobody watches."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mocapgen.shared import terminal
from mocapgen.shared.tables import print_pairs


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(codec="ascii")), columns=st.sampled_from([40, 60, 80]), indent=st.integers(0, 30))
def test_words_stay_whole_and_lines_fit(text: str, columns: int, indent: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "width", lambda: columns)
        lines = terminal.wrapped(text, indent)
    assert " ".join(lines).split() == terminal.printable(text).split()
    longest = max(map(len, terminal.printable(text).split()), default=0)
    assert all(len(line) <= max(columns - 1, indent + max(terminal.NARROWEST, longest)) for line in lines)


def test_a_label_has_its_colour_and_what_follows_is_indented(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(terminal, "width", lambda: 60)
    monkeypatch.setattr(terminal, "has_colours", lambda: True)
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    terminal.say_marked("error", f"{'x' * 30} {'y' * 30}", 9, "red")
    assert capsys.readouterr().out == f"\x1b[31m\x1b[1merror\x1b[0m    {'x' * 30}\n         {'y' * 30}\n"


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colour_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.has_colours()
    monkeypatch.setenv(variable, value)
    assert not terminal.has_colours()


def test_a_file_gets_one_plain_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    terminal.say_marked("error", "word " * 30, 9, "red")
    print_pairs("title", {"name": "word " * 30})
    assert capsys.readouterr().out == f"error    {('word ' * 30).rstrip()}\ntitle\n  name  {('word ' * 30).rstrip()}\n"
