"""Credential reports of AWS IAM: who is open, when used last, and reports that are not whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from contract import HOSTILE
from rig_aws_iam import collect, line, look, names, report

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
        (report(ROWS)[:-1] + ',"x', Verdict.FAILED, "is no credential report from here on"),
        ("name,mail\nx,y\n", Verdict.FAILED, "is no credential report of AWS: it has no column user"),
        ("", Verdict.FAILED, "it has no column user"),
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


def test_names_are_text(tmp_path: Path) -> None:
    """Whatever they look like."""
    assert set(users(collect(tmp_path, names()))) == set(HOSTILE)


def test_doctor_reads_the_header(tmp_path: Path) -> None:
    """It counts the columns and names the file."""
    seen = look(tmp_path, report(ROWS))

    assert seen.detail == "a credential report of 22 columns"
    assert seen.file == tmp_path / "report.csv"
