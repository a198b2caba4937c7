"""What all tests of the collectors share."""

import pytest

from scanner.collectors import politeness


@pytest.fixture(autouse=True)
def _strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause that one test's server asked for hold up the next test."""
    monkeypatch.setattr(politeness, "_gates", {})
