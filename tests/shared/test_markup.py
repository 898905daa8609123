"""Names of strangers in HTML, Markdown, CSV, JSON and on terminals."""

import csv
import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocapgen.shared.markup import content_policy, csv_cell, html_text, json_for_terminal, markdown_code, markdown_table, markdown_text
from mocapgen.shared.tables import print_columns, print_pairs, say
from mocapgen.shared.text import printable

ANY = st.text(st.characters(codec=None) | st.sampled_from("|<>&`*_[]()\\$~#-+=1.@:/\"'\x1b\r\n\u202e"))


def is_shown(text: str) -> bool:
    return printable(text) == text


@given(ANY)
def test_html_is_text_again_and_nothing_else(text):
    found = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_starttag = lambda tag, attributes: found.append((tag, attributes))
    parser.handle_endtag = found.append
    parser.handle_data = found.append
    parser.feed(f'<p title="{html_text(text)}">{html_text(text)}</p>')
    parser.close()
    shown = [printable(text)] if text else []
    assert found == [("p", [("title", printable(text))]), *shown, "p"]


@given(ANY)
def test_markdown_is_one_line_without_markup(text):
    shown = markdown_text(text)
    assert is_shown(shown)
    assert not set("<>") & set(shown)
    bare = shown.replace("\\\\", "")
    for sign in "|`*[]~$":
        assert bare.count(sign) == bare.count(f"\\{sign}")
    assert "://" not in shown
    assert not shown.startswith(("#", "- ", "+ ", "=", "1. "))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HDM_bd_hop1Reps_001_120", "HDM_bd_hop1Reps_001_120"),
        ("12.5", "12.5"),
        ("-3.1", "\\-3.1"),
        ("a|b", "a\\|b"),
        ("_x_", "\\_x\\_"),
        ("1. list", "1\\. list"),
        ("<script>", "&lt;script&gt;"),
        ("see http://e", "see http\\://e"),
        ("www.e.org", "www\\.e.org"),
        ("a\nb\x1b", "a\\\\nb\\\\x1b"),
    ],
)
def test_markdown_of_names(text, shown):
    assert markdown_text(text) == shown


@given(ANY)
def test_code_in_markdown_ends_where_it_should(text):
    shown = markdown_code(text)
    assert is_shown(shown)
    fence = shown[: len(shown) - len(shown.lstrip("`"))]
    assert fence not in shown[len(fence) : -len(fence)].replace("`" * (len(fence) + 1), "") or not text


def test_a_table_keeps_its_columns():
    rows = markdown_table([["name", "value"], [markdown_text("a|b\\|\nc"), "1"]]).splitlines()
    assert rows[1] == "| --- | ---: |"
    assert len(rows) == 3


@given(ANY)
def test_a_cell_of_csv_is_no_formula_and_one_cell(text):
    (row,) = csv.reader([f"{csv_cell(text)},x"])
    assert row[1:] == ["x"]
    assert not row[0].startswith(("=", "+", "-", "@"))
    assert row[0].removeprefix("'") == printable(text).removeprefix("'")


@given(st.dictionaries(st.text(), st.text()))
def test_json_for_a_terminal_means_the_same(values):
    text = json_for_terminal(json.dumps(values, ensure_ascii=False, indent=1))
    assert json.loads(text) == values
    assert is_shown(text.replace("\n", ""))


@given(ANY)
def test_printing_does_nothing_to_a_terminal(text):
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        say(text)
        print_pairs(text, {"name": text, "list": [text, text], "none": []})
        print_columns([[text, "x"], ["y", text]], [[text]])
    lines = out.getvalue().removesuffix("\n").split("\n")
    assert len(lines) == 1 + 5 + 3
    assert all(map(is_shown, lines))


def test_a_policy_allows_the_pages_own_script_only():
    assert content_policy() == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    known = "script-src 'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"  # of doSomething();, from the specification of CSP
    assert known in content_policy("doSomething();")
    assert "media-src file:" in content_policy("x", "file:")
