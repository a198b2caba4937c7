"""Counts only (L0): small ones are hidden, and nothing that is shown leads back to them."""

import json
import re
from dataclasses import replace

import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import RuleOutcome
from scanner.model_record import Record
from scanner.report.counts import Counts, build_counts, counts_drawing, counts_html
from scanner.report.pseudonyms import account_pseudonym, worker_pseudonym
from scanner.report.suppression import THRESHOLD, Span, shown, summed

TABLES = st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=5)


def counts_of(record: Record | None = None) -> Counts:
    """Compute the report of a record."""
    return build_counts(
        record or samples.record(),
        samples.framework(),
        key=samples.KEY,
        prepared_by="Night scheduler",
        generated_at=samples.GENERATED,
        manifest=samples.SEALED,
    )


def published(table: list[list[int]]) -> list[list[Span]]:
    """Return all cells as shown, with the sums of rows and columns and of all."""
    cells = [[shown(count) for count in row] for row in table]
    rows = [[*row, summed(row)] for row in cells]
    return [*rows, [summed(column) for column in zip(*rows, strict=True)]]


@given(TABLES, st.data())
def test_no_hidden_count_can_be_told_from_another(table: list[list[int]], data: st.DataObject) -> None:
    """Every table whose small counts differ is published alike, so that cells, sums and differences say the same."""
    other = [
        [data.draw(st.integers(1, THRESHOLD - 1)) if 0 < count < THRESHOLD else count for count in row] for row in table
    ]

    assert published(table) == published(other)


@given(TABLES)
def test_sums_hold_the_true_sum_and_are_exact_where_nothing_is_hidden(table: list[list[int]]) -> None:
    """Hidden, not wrong."""
    for row, spans in zip(table, published(table), strict=False):
        assert spans[-1].low <= sum(row) <= spans[-1].high
        assert spans[-1].is_exact == (not any(0 < count < THRESHOLD for count in row))


def test_a_report_with_one_exception_and_one_with_four_are_the_same_bytes() -> None:
    """Whoever reads it cannot learn how many there are."""
    record = samples.record()
    one = next(result for result in record.results if sum(finding.counts for finding in result.findings[:1]) == 1)
    same_app = tuple(replace(one.findings[0], fingerprint=f"{n:064x}") for n in range(4))
    few = replace(record, results=tuple(replace(r, findings=same_app[:1]) if r is one else r for r in record.results))
    more = replace(record, results=tuple(replace(r, findings=same_app) if r is one else r for r in record.results))

    assert counts_html(counts_of(few)) == counts_html(counts_of(more))
    assert counts_drawing(counts_of(few)) == counts_drawing(counts_of(more))


def test_nobody_stands_in_it_neither_by_name_nor_by_pseudonym() -> None:
    """On the page and in the attachments, which hold no row about a person."""
    record, counts = samples.record(), counts_of()
    text = counts_html(counts).decode() + "".join(one.data.decode("utf-8-sig") for one in counts.attachments)

    assert not re.search(r"\b[PAF]-[A-Z2-7]{8}", text)
    for worker_id, name in record.workers.items():
        assert name not in text
        assert worker_pseudonym(samples.KEY, worker_id) not in text
    for (app, account_id), name in record.names.items():
        assert account_pseudonym(samples.KEY, app, account_id) not in text
        # One application of the sample is called as an account is: the name of an application is no person.
        assert name in {fact.name for fact in record.applications} or name not in text
    assert "@" not in re.sub(r"@(media|font-face|page|import|supports|top|bottom)", "", text.split("</style>")[1])


def test_the_page_says_how_counts_are_shown_and_the_attachment_shows_them_alike() -> None:
    """The threshold is stated; small counts are marked in both."""
    counts = counts_of()
    page = counts_html(counts).decode()
    document = json.loads(next(one.data for one in counts.attachments if one.name == "counts.json"))

    assert "A count from 1 to 4 is shown as &lt;5." in page
    assert document["threshold"] == THRESHOLD
    assert "<5" in {row["exceptions"] for row in document["counts"]}
    assert {one.name for one in counts.attachments} == {"counts.csv", "counts.json", "manifest.json"}
    assert not {"1", "2", "3", "4"} & {row["exceptions"] for row in document["counts"]}
    assert {row["tested"] for row in document["counts"]} <= {"in full", "in part", "unable to test", "nothing to test"}
    assert not re.search(r'<td class="n( strong)?">[1-4]</td>', page)


def test_a_zero_where_nothing_could_be_tested_is_not_shown_as_one() -> None:
    """It would read as clean; what an incomplete list did show is counted all the same."""
    counts = counts_of()
    silent = [line for rule in counts.rules for line in (*rule.lines, rule.total) if line.tested == "unable to test"]

    assert silent
    assert all(line.exceptions != "0" for line in silent)
    zeros = [line.tested for rule in counts.rules for line in rule.lines if line.exceptions == "0"]
    assert zeros
    assert set(zeros) <= {"in full", "in part"}


def test_a_rule_that_could_not_be_run_is_unable_and_not_without_anything_to_test() -> None:
    """A missing input is no empty population."""
    record = samples.record()
    results = tuple(
        replace(one, result=RuleOutcome.UNABLE_TO_TEST, findings=(), apps=(), detail="needs an input")
        for one in record.results
    )

    rules = counts_of(replace(record, results=results)).rules

    assert rules
    assert {rule.total.tested for rule in rules} == {"unable to test"}
    assert {rule.total.exceptions for rule in rules} == {"–"}  # noqa: RUF001 - as it is printed
