"""What all tests of notices share: they find their helpers, pauses are short, and certificates are made once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

sys.path += [str(Path(__file__).parent)]

from listeners import Http, http  # found by the line above

from scanner.notices import delivery


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def listener() -> Iterator[Http]:
    """Run an HTTP server that keeps what it is sent."""
    with http() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that only these tests know."""
    return trustme.CA()
