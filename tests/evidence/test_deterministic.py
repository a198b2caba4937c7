"""The same bundle, profile and version give the same bytes, whenever and wherever a report is drawn."""

import os
import time
from pathlib import Path

import pytest
from sealed_company import Company

from scanner.report import RENDERERS


@pytest.mark.parametrize("kind", sorted(RENDERERS))
def test_every_format_gives_the_same_bytes_again(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """At another time, in another folder, time zone and language, with frameworks that changed since."""
    copied = company.copy(tmp_path / "elsewhere")
    assert copied.run("report", "--framework", "sox", "--format", kind)[0] == 0
    first = (copied.scan / "reports" / f"sox.{kind}").read_bytes()
    again = company.copy(tmp_path / "again")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    time.tzset()
    os.umask(os.umask(0o077))
    assert again.run("report", "--framework", "sox", "--format", kind)[0] == 0

    assert (again.scan / "reports" / f"sox.{kind}").read_bytes() == first
    monkeypatch.undo()
    time.tzset()
