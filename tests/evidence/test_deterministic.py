"""The same bundle, profile and version give the same bytes, whenever and wherever a report is drawn."""

import os
import time
from pathlib import Path

import pytest
from sealed_company import Company

from scanner.report import FILES
from scanner.settings import PRINTED


@pytest.mark.parametrize("kind", sorted(FILES))
def test_every_format_gives_the_same_bytes_again(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """At another time, in another folder, time zone and language, with frameworks that changed since."""
    name = FILES[kind].format(framework="sox")
    copied = company.copy(tmp_path / "elsewhere")
    assert copied.run("report", "--framework", "sox", "--format", kind)[0] == 0
    first = (copied.scan / "reports" / name).read_bytes()
    again = company.copy(tmp_path / "again")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    time.tzset()
    os.umask(os.umask(0o077))
    assert again.run("report", "--framework", "sox", "--format", kind)[0] == 0

    assert (again.scan / "reports" / name).read_bytes() == first
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("kind", PRINTED)
def test_counts_only_give_the_same_page_again_and_hold_what_verify_expects(
    company: Company, tmp_path: Path, kind: str
) -> None:
    """Without a pseudonym; the manifest of the reports names the profile."""
    copied = company.copy(tmp_path / "elsewhere")
    words = ("report", "--framework", "sox", "--privacy", "L0", "--format", kind)
    path = copied.scan / "reports" / f"sox.{kind}"
    assert copied.run(*words)[0] == 0
    first = path.read_bytes()
    assert kind == "pdf" or copied.run(*words)[0] == 0

    assert path.read_bytes() == first
    assert copied.run("verify", "latest")[0] == 0
    code, told = copied.run("verify", path) if kind == "pdf" else (0, "")
    assert code == 0, told


def test_counts_only_are_refused_as_a_list_of_findings(company: Company) -> None:
    """A workbook of findings has a row for each account."""
    code, told = company.run("report", "--privacy", "L0", "--format", "xlsx")

    assert code == 2
    assert "counts only (L0) are written as pdf and html" in " ".join(told.split())
