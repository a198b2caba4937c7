"""Reports of the synthetic record, rendered once for all tests that only read them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import report_samples as samples

from scanner.report import RENDERERS
from scanner.report.content import Content, build


def content_of(record: object | None = None, framework: object | None = None, **changes: object) -> Content:
    """Compute a report of the sample."""
    arguments: dict[str, object] = {
        "privacy": "L1",
        "key": samples.KEY,
        "rows_per_rule": 20,
        "prepared_by": "Night scheduler",
        "manifest_sha256": samples.MANIFEST,
        "manifest": samples.SEALED,
        "generated_at": samples.GENERATED,
    }
    return build(record or samples.record(), framework or samples.framework(), **(arguments | changes))


@pytest.fixture(scope="session")
def content() -> Callable[..., Content]:
    """Compute a report with changed arguments."""
    return content_of


@pytest.fixture(scope="session")
def pdf() -> bytes:
    """Return the sample as pseudonymised PDF."""
    return RENDERERS["pdf"](content_of())


@pytest.fixture(scope="session")
def html() -> str:
    """Return the sample as pseudonymised HTML."""
    return RENDERERS["html"](content_of()).decode()


@pytest.fixture(scope="session")
def named_html() -> str:
    """Return the sample as identified HTML."""
    return RENDERERS["html"](content_of(privacy="L2")).decode()


@pytest.fixture
def page_file(tmp_path: Path) -> Callable[[str], str]:
    """Write a page and return its address."""

    def write(text: str) -> str:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        return path.as_uri()

    return write
