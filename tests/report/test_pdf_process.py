"""PDFs are drawn in a process of their own, with limits."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import report_samples as samples

from scanner.errors import ReportError
from scanner.report import RENDERERS
from scanner.report.content import Content
from scanner.report.pdf_process import PdfProcess

Make = Callable[..., Content]


@pytest.fixture(scope="module")
def brief(content: Make) -> Content:
    """Return a report that is drawn fast."""
    framework = samples.framework()
    return content(samples.record(1, hostile=False), replace(framework, controls=framework.controls[:1]))


def test_the_process_draws_what_the_renderer_draws_and_draws_again(brief: Content) -> None:
    """Byte for byte, any number of times, and the first result changes nothing in the second."""
    expected = RENDERERS["pdf"](brief)

    with PdfProcess(memory_mb=3072, max_seconds=300) as process:
        assert [process.render(brief) for _ in range(2)] == [(expected, ()), (expected, ())]


def test_too_little_memory_is_told_with_the_key_to_raise(brief: Content) -> None:
    """Neither the process that asks nor the next request suffers."""
    with PdfProcess(memory_mb=64, max_seconds=300) as process:
        for _ in range(2):
            with pytest.raises(ReportError, match=r"ran out of its 64 MB; raise memory_mb in \[report\]"):
                process.render(brief)


def test_too_little_time_is_told_with_the_key_to_raise(brief: Content) -> None:
    """Drawing that does not end is ended."""
    with (
        PdfProcess(memory_mb=3072, max_seconds=0.05) as process,
        pytest.raises(ReportError, match=r"not drawn within 0.05 seconds; raise max_seconds in \[report\]"),
    ):
        process.render(brief)


def test_a_failure_of_the_renderer_is_told_in_its_words(
    brief: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For instance a library of the system that is missing."""
    (tmp_path / "weasyprint.py").write_text("raise OSError(\"cannot load library 'libpango-1.0-0'\")\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with (
        PdfProcess(memory_mb=3072, max_seconds=300) as process,
        pytest.raises(ReportError, match=r"the renderer failed: OSError: cannot load library 'libpango-1\.0-0'"),
    ):
        process.render(brief)


def test_no_secret_is_in_the_process(brief: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names in the data are hostile: what draws them has nothing to give away, and is gone afterwards."""
    monkeypatch.setenv("CRM_TOKEN", "s3cret-token")

    with PdfProcess(memory_mb=3072, max_seconds=300) as process:
        process.render(brief)
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        (pid,) = [one for one in children if b"pdf_child" in Path(f"/proc/{one}/cmdline").read_bytes()]
        assert b"s3cret-token" not in Path(f"/proc/{pid}/environ").read_bytes()

    assert not Path(f"/proc/{pid}").exists()
