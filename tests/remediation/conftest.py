"""What all tests of remediation share."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "collectors")]

from company import Company, found, people
from live import Recorder, Start, live  # found by the line above

from scanner.collectors import politeness


@pytest.fixture(autouse=True)
def _strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no pause that one test's server asked for hold up the next test."""
    monkeypatch.setattr(politeness, "_gates", {})


@pytest.fixture(scope="module")
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Return a function that starts a real SCIM server and returns its recorder; all end with the module."""
    assert request.config.cache is not None
    installed = request.config.cache.mkdir("scimmy")
    with ExitStack() as stack:

        def started(
            name: str = "scim2",
            count: int = 40,
            groups: dict[str, list[int]] | None = None,
            inactive: Sequence[int] = (),
        ) -> Recorder:
            folder = tmp_path_factory.mktemp("servers")
            return stack.enter_context(live(name, folder, installed, count, groups or {}, inactive))

        yield started


@pytest.fixture(scope="module")
def scanned(start: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorder, Company]:
    """Scan a scim2-server once: 2, 3 and 4 have left."""
    server = start(groups={"Admins": [7, 8]})
    company = found(tmp_path_factory.mktemp("company") / "co", {"crm": server.base_url})
    company.hr(people(40, [2, 3, 4]))
    company.scan()
    return server, company


@pytest.fixture
def fresh(scanned: tuple[Recorder, Company], tmp_path: Path) -> tuple[Recorder, Company]:
    """Return a copy of the company after its scan, with the server as it was then."""
    server, company = scanned
    for number in (2, 3, 4):
        server.set_active(number, True)
        server.set(number, "externalId", f"X{number}")
    server.sent.clear()
    server.on_write = server.after_write = lambda: None
    return server, company.copy(tmp_path / "co")
