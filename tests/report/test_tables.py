"""The findings as CSV."""

import csv
import io
import json
from dataclasses import replace

import pytest
import report_samples as samples

from scanner.report.pseudonyms import account_pseudonym, finding_reference
from scanner.report.tables import COLUMNS, findings_csv, neutral


def rows(data: bytes) -> list[dict[str, str]]:
    """Read a CSV as a spreadsheet would."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", " =", "\x07=", "\r=", "\n=", "\ufeff=", "\uff1d", "\u200b="]
)
def test_no_cell_starts_a_formula(start: str) -> None:
    """Whatever a name begins with, the cell is text."""
    assert neutral(f"{start}cmd()").startswith("'")


def test_harmless_cells_stay_as_they_are() -> None:
    """Names, lines and JSON are kept."""
    assert [neutral(one) for one in ["a=b", '{"x": -1}', "two\nlines", ""]] == ["a=b", '{"x": -1}', "two\nlines", ""]


def test_every_finding_has_a_row() -> None:
    """Nothing is capped, leads and undecided ones included, and each row has every column."""
    record = samples.record(200)
    table = rows(findings_csv(record, samples.KEY))

    assert sum(len(result.findings) for result in record.results) == len(table)
    assert all(list(COLUMNS) == list(row) and None not in row.values() for row in table)
    assert {"fail", "unknown"} == {row["verdict"] for row in table}


def test_row_traces_a_pseudonym_to_an_account() -> None:
    """The pseudonym of the report stands beside id, name, filled reason and evidence."""
    row = rows(findings_csv(samples.record(), samples.KEY))[0]

    assert account_pseudonym(samples.KEY, "ledger", "acc-00000") == row["account_pseudonym"]
    assert (row["account_id"], row["username"], row["worker_id"]) == ("acc-00000", "user0@acme.example", "p001")
    assert "Ben Castle 1 (p001) left on" in row["reason"]
    assert json.loads(row["evidence"])["days"] == 30
    assert row["reference"] == finding_reference(samples.KEY, row["fingerprint"])


def test_hostile_names_are_text() -> None:
    """A name that is a formula arrives with an apostrophe, one with control characters without them."""
    table = {row["account_id"]: row for row in rows(findings_csv(samples.record(), samples.KEY))}

    assert table["h2"]["username"] == "'=cmd()"
    assert table["h4"]["username"] == "田中 花子"
    assert not set(table["h5"]["username"]) & set(map(chr, range(32)))


def test_equal_records_give_equal_bytes() -> None:
    """The file depends on the record alone; sources of the row order are fixed."""
    record = samples.record()

    assert findings_csv(record, samples.KEY) == findings_csv(replace(record), samples.KEY)
