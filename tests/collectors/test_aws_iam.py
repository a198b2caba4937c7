"""Credential reports of AWS IAM: who is open, when used last, and reports that are not whole."""

import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import HOSTILE
from rig_aws_iam import collect, line, look, names, report

from scanner.collectors.table_csv import MAX_FIELD, CsvTable, Row
from scanner.errors import SourceError
from scanner.model import Collected, Verdict

ROOT = line("<root_account>", "arn:aws:iam::1:root", password_enabled="not_supported", mfa_active="true")
ROWS = [
    ROOT,
    line("ada", "arn:ada", password_enabled="true", password_last_used="2026-01-02T03:04:05+00:00", mfa_active="true"),
    line("bo", "arn:bo"),
    line("ci", "arn:ci", access_key_1_active="true", access_key_1_last_used_date="2026-02-01T00:00:00+00:00"),
    line("di", "arn:di", password_enabled="true", password_last_used="no_information"),
]


def users(collected: Collected) -> dict[str, dict[str, Any]]:
    """Return the staged users by name."""
    return {one["userName"]: one for one in map(json.loads, collected.files["users"].read_text().splitlines())}


def test_who_has_a_way_in_is_open(tmp_path: Path) -> None:
    """A password, a key or a certificate; keys alone are a service; what was never used has no date."""
    collected = collect(tmp_path, report(ROWS))

    found = users(collected)
    assert (collected.source.verdict, collected.source.detail) == (Verdict.COMPLETE, "")
    assert {name: one["active"] for name, one in found.items()} == {
        "<root_account>": True, "ada": True, "bo": False, "ci": True, "di": True,
    }  # fmt: skip
    assert (found["ci"]["kind"], found["ada"]["kind"]) == ("service", None)
    assert found["ada"]["last_sign_in_at"] == "2026-01-02T03:04:05Z"
    assert (found["ci"]["last_sign_in_at"], found["ci"]["last_activity_at"]) == (None, "2026-02-01T00:00:00Z")
    assert (found["di"]["last_sign_in_at"], found["di"]["mfa"]) == (None, "false")
    assert found["<root_account>"]["entitlements"] == [{"value": "root", "display": "Root user"}]
    assert found["ada"]["id"] == "arn:ada"


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        (report(ROWS)[:-60], Verdict.SHORT, "was the file cut off?"),
        (report(ROWS)[:-1] + ',"x', Verdict.FAILED, "report.csv is cut off or damaged"),
        ("name,mail\nx,y\n", Verdict.FAILED, "is no credential report of AWS: it has no column user"),
        ("", Verdict.FAILED, "report.csv is empty"),
        (report(ROWS).replace('"bo"', '"b\udcff"'), Verdict.FAILED, "report.csv is not utf-8: line 4 holds bytes"),
        (None, Verdict.FAILED, "report.csv does not exist"),
        (report([]), Verdict.FAILED, ""),
    ],
)
def test_a_report_that_is_not_whole_is_never_complete(
    text: str | None, verdict: Verdict, words: str, tmp_path: Path
) -> None:
    """The sentence says why, without a path of the machine."""
    source = collect(tmp_path, text).source

    assert source.verdict is verdict, source.detail
    assert words in source.detail
    assert str(tmp_path) not in source.detail + source.query


def test_an_old_report_and_a_wrong_number_are_told(tmp_path: Path) -> None:
    """What somebody states by hand has to come true."""
    assert collect(tmp_path, report(ROWS), expected_rows=6).source.verdict is Verdict.SHORT


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x81", b"user,arn\n", b"", b"\x00" * 9])
def test_doctor_refuses_what_is_no_report(data: bytes, tmp_path: Path) -> None:
    """In a sentence, whatever the bytes."""
    (tmp_path / "report.csv").write_bytes(data)

    with pytest.raises(SourceError, match=r"report\.csv|header"):
        look(tmp_path, None)


def test_a_report_that_goes_away_fails_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks at it; the scan of the others goes on."""
    rows = CsvTable.rows

    def vanishing(table: CsvTable, columns: object = None) -> Iterator[Row]:
        yield from rows(table, columns)
        (tmp_path / "report.csv").unlink()

    monkeypatch.setattr(CsvTable, "rows", vanishing)
    source = collect(tmp_path, report(ROWS)).source

    assert source.verdict is Verdict.FAILED
    assert "changed while it was read" in source.detail


def test_the_limit_of_a_field_is_left_to_other_tables(tmp_path: Path) -> None:
    """It is one for all threads: a roster that is read meanwhile has its own long fields."""
    csv.field_size_limit(MAX_FIELD)

    collect(tmp_path, report(ROWS))

    assert csv.field_size_limit() == MAX_FIELD


def test_the_evidence_is_of_the_bytes_of_the_report(tmp_path: Path) -> None:
    """Its hash, and how it was read."""
    source = collect(tmp_path, report(ROWS)).source

    assert source.sha256 == hashlib.sha256((tmp_path / "report.csv").read_bytes()).hexdigest()
    assert source.query == "report.csv delimiter=',' encoding=utf-8"


def test_names_are_text(tmp_path: Path) -> None:
    """Whatever they look like."""
    assert set(users(collect(tmp_path, names()))) == set(HOSTILE)


def test_doctor_reads_the_header(tmp_path: Path) -> None:
    """It counts the columns and names the file."""
    seen = look(tmp_path, report(ROWS))

    assert seen.detail == "a credential report of 22 columns"
    assert seen.file == tmp_path / "report.csv"
