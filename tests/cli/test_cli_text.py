"""Text for terminals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.cli.text import age, cut, printable, size, table, width_of


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[2Jb\x07\x9b31m", "a[2Jb31m"),
        ("two\nlines\tand\r\nmore", "two lines and more"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("م\u200cن", "م\u200cن"),
        ("Łukasz 山田", "Łukasz 山田"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        (None, "None"),
    ],
)
def test_control_characters_never_reach_a_terminal(raw, shown):
    """Escape sequences, line breaks and turns of direction are taken out; letters of every script stay."""
    assert printable(raw) == shown


@given(st.text())
def test_printable_text_is_one_line_that_encodes(text):
    """Whatever a server sends can be printed on one line."""
    shown = printable(text)

    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    assert "\x1b" not in shown


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(min_value=1, max_value=30))
def test_cut_text_fits(text, width):
    """A cell is never wider than its column."""
    assert width_of(cut(printable(text), width)) <= width


def test_tables_align_wide_letters():
    """Wide letters count as two columns, and what is unknown is a dash."""
    assert table(["name", "reason"], [["山田太郎", "left"], [None, "short"]], width=80) == (
        "name      reason\n"
        "山田太郎  left\n"
        "-         short"
    )  # fmt: skip


def test_tables_that_do_not_fit_put_their_sentences_below():
    """A reason is never cut; other columns are, the widest first."""
    rows = [["critical", "leaver-still-active", "Work ended 416 days ago."], ["low", "x", "hr:0004"]]

    assert table(["severity", "rule", "reason"], rows, width=24) == (
        "severity  rule\n"
        "    reason\n"
        "critical  leaver-still-…\n"
        "    Work ended 416 days\n"
        "    ago.\n"
        "low       x\n"
        "    hr:0004"
    )


def test_tables_for_programs_are_never_cut():
    """Without a terminal the whole text is there."""
    assert "x" * 500 in table(["a"], [["x" * 500]])


def test_sizes_and_ages_are_words():
    """Bytes and hours are told in the unit that fits."""
    assert [size(n) for n in (0, 999, 1500, 2_500_000, 3_000_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "2.5 MB",
        "3.0 GB",
    ]
    assert [age(hours) for hours in (0.5, 3, 72, -1)] == ["30 minutes", "3 hours", "3 days", "0 minutes"]
