"""A change of the wording of a report is seen in review: `make golden` writes the golden texts anew."""

from pathlib import Path

import golden
import pytest


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Scan the starter once."""
    return golden.reports(tmp_path_factory.mktemp("golden") / "starter")


@pytest.mark.parametrize("name", golden.FRAMEWORKS)
def test_a_report_reads_as_its_golden_text(reports: dict[str, str], name: str) -> None:
    """Line by line; what differs from scan to scan is left out of both."""
    path: Path = golden.FOLDER / f"{name}.txt"

    assert reports[name].splitlines() == path.read_text(encoding="utf-8").splitlines(), (
        "`make golden`, and read the diff"
    )
