"""Fetching ahead changes when requests are made, never what is read."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servers import Behaviour, HostileServer, group, hostile, user

from scanner.collectors.http import Answer
from scanner.collectors.interface import no_progress
from scanner.collectors.prefetch import Prefetch
from scanner.collectors.scim import collect_scim
from scanner.config import Application, Limits
from scanner.errors import SourceError
from scanner.model import Collected, Verdict


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


def collect(server: HostileServer, behaviour: Behaviour, into: Path, parallel: int) -> Collected:
    """Collect ten rows a page without a credential."""
    behaviour.token = None
    server.behaviour = behaviour
    limits = Limits(max_seconds=60, page_size=10, parallel=parallel)
    return collect_scim(Application("crm", "CRM", "scim", base_url=server.base_url, limits=limits), into, no_progress)


def test_requests_are_under_way_together_and_answers_come_in_order() -> None:
    """Four requests are made before the first is answered, and each answer belongs to its request."""
    together = threading.Barrier(4, timeout=10)

    def fetch(target: str) -> Answer:
        together.wait()
        return Answer(200, target.encode())

    ahead = Prefetch(fetch, 4)
    targets = [f"/Users?startIndex={n}" for n in range(8)]
    ahead.foresee(iter(targets))
    assert [ahead.get(target).body.decode() for target in targets] == targets


def test_what_was_not_foreseen_is_asked_for_itself_and_ends_the_plan() -> None:
    """A walk that turns aside gets its own answer, and no plan goes on behind its back."""
    ahead = Prefetch(lambda target: Answer(200, target.encode()), 4)
    ahead.foresee(iter(["/a", "/b", "/c"]))
    assert ahead.get("/b").body == b"/b"
    assert not ahead.is_ahead


@pytest.mark.parametrize("error", [SourceError("the server is busy"), RuntimeError("the client has been closed")])
def test_an_answer_that_failed_ahead_is_asked_for_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk meets an error only where it would have met it without prefetching, and no thread dies aloud."""
    monkeypatch.setattr(threading, "excepthook", lambda died: asked.append(f"traceback of {died.exc_value}"))
    asked: list[str] = []

    def fetch(target: str) -> Answer:
        asked.append(target)
        if asked.count(target) == 1:
            raise error
        return Answer(200, b"sound")

    ahead = Prefetch(fetch, 2)
    ahead.foresee(iter(["/a"]))
    assert ahead.get("/a").body == b"sound"
    assert asked == ["/a", "/a"]


def test_a_regular_list_is_asked_for_each_page_once(server: HostileServer, tmp_path: Path) -> None:
    """Prefetching costs a sound server no request more than reading page after page."""
    users = [user(n) for n in range(200)]
    one = collect(server, first := Behaviour(list(users), [group(1, ["u-1"])]), tmp_path / "one", 1)
    many = collect(server, second := Behaviour(list(users), [group(1, ["u-1"])]), tmp_path / "many", 8)

    assert one.source.verdict is many.source.verdict is Verdict.COMPLETE
    assert sorted(first.seen) == sorted(second.seen)
    assert one.source.sha256 == many.source.sha256
    assert one.files["users"].read_bytes() == many.files["users"].read_bytes()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(0, 120),
    cap=st.integers(3, 12),
    quirks=st.frozensets(
        st.sampled_from(
            [
                *("no_total", "total_is_page", "string_total", "short_pages", "wrap_pages", "beyond_is_400"),
                *("ignore_startindex", "ignore_count", "cursor", "lower_resources", "groups_without_members"),
            ]
        ),
        max_size=4,
    ),
    visible=st.none() | st.integers(0, 120),
)
def test_prefetching_never_changes_the_result(
    server: HostileServer, size: int, cap: int, quirks: frozenset[str], visible: int | None
) -> None:
    """Whatever a server does, eight requests at a time read what one at a time reads, byte for byte."""
    results = []
    for parallel in (1, 8):
        behaviour = Behaviour([user(n) for n in range(size)], [group(n, ["u-1"]) for n in range(30)], quirks, cap=cap)
        behaviour.visible = visible
        with tempfile.TemporaryDirectory() as folder:
            collected = collect(server, behaviour, Path(folder), parallel)
            source = collected.source
            staged = {name: path.read_bytes() for name, path in collected.files.items()}
            results.append((source.verdict, source.detail, source.collected, source.sha256, source.pages, staged))
    assert results[0] == results[1]
