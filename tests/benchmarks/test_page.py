"""The benchmark of the HTML list: both pages open, and each answers a search."""

from benchmarks.page.__main__ import measure


def test_both_pages_open_and_answer_and_only_the_table_grows_with_its_rows() -> None:
    """A few findings are enough to see that what is measured happens; speed is no matter of tests."""
    told = measure(150, 1)

    assert told["list"]["elements"] < 400 < 150 * 10 < told["table"]["elements"]
    assert all(told[page][name] > 0 for page in ("list", "table") for name in ("ready", "search", "memory_mb"))
