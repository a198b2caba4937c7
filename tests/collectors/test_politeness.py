"""Keeping to what servers ask of their clients."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from servers import Behaviour, HostileServer, hostile, user

from scanner.collectors.http import Session
from scanner.collectors.interface import no_progress
from scanner.collectors.politeness import Gate, reset_in, rest_after, retry_after
from scanner.collectors.profiles import Rates
from scanner.collectors.scim import collect_scim
from scanner.config import Application, Limits
from scanner.errors import SourceError
from scanner.model import Verdict


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


def application(server: HostileServer, **limits: float) -> Application:
    """Return an application without a credential."""
    bounds = Limits(**{"max_seconds": 20, **limits})  # type: ignore[arg-type]
    return Application("crm", "CRM", "scim", base_url=server.base_url, limits=bounds)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("-5", 0),
        ("99999999999999999999999", 7 * 24 * 3600),
        ("soon", None),
        ("", None),
        (None, None),
        ("7 s", None),
        ("\u0667", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 99:99:99 GMT", None),
    ],
)
def test_retry_after_in_every_form(value: str | None, expected: float | None) -> None:
    """Seconds and dates count, never below nothing and never beyond a week; what cannot be read says nothing."""
    assert retry_after(value) == expected


def test_retry_after_as_a_date_is_counted_from_now() -> None:
    """A date ten seconds ahead is a pause of about ten seconds."""
    ahead = retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=10)))
    assert ahead is not None
    assert 7 < ahead <= 10


@pytest.mark.parametrize("name", ["X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset"])
@pytest.mark.parametrize("form", ["delta", "epoch", "milliseconds"])
def test_a_reset_in_every_form(name: str, form: str) -> None:
    """A reset may be a duration, a moment in seconds or one in milliseconds."""
    moment = time.time() + 30
    value = {"delta": "30", "epoch": str(int(moment)), "milliseconds": str(int(moment * 1000))}[form]
    found = reset_in({name.lower(): value})

    assert found is not None
    assert 27 < found <= 30


def test_an_absurd_reset_says_nothing() -> None:
    """A moment further away than any window is no reset."""
    assert reset_in({"x-ratelimit-reset": "99999999999999"}) is None
    assert reset_in({}) is None


@pytest.mark.parametrize(
    ("limit", "remaining", "rests"),
    [("100", "51", False), ("100", "50", True), ("100", "0", True), ("100, 100;w=60", "10", True), ("x", "0", False)],
)
def test_half_of_a_stated_limit_is_left_for_others(limit: str, remaining: str, rests: bool) -> None:
    """Once only half of the limit remains, the scan rests until it begins anew."""
    headers = {"x-ratelimit-limit": limit, "x-ratelimit-remaining": remaining, "x-ratelimit-reset": "9"}
    assert (rest_after(headers, 0.5) is not None) is rests


def test_no_more_requests_are_under_way_than_agreed() -> None:
    """However many threads press, three are let through at a time."""
    gate, most, inside = Gate(), 0, 0
    lock = threading.Lock()

    def press(_: int) -> None:
        nonlocal most, inside
        with gate.passing(3, {}, time.monotonic() + 10):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.005)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(press, range(60)))
    assert most == 3


def test_a_rate_spaces_requests() -> None:
    """At 1,200 a minute, eleven requests take half a second at least."""
    gate, before = Gate(), time.monotonic()
    for _ in range(11):
        with gate.passing(8, {"all": 1200}, time.monotonic() + 10):
            pass
    assert time.monotonic() - before >= 0.49


def test_a_wait_beyond_the_deadline_fails_at_once() -> None:
    """Nobody waits for a place that comes too late; the sentence says how long it would have been."""
    gate, before = Gate(), time.monotonic()
    gate.pause(50)
    with pytest.raises(SourceError, match="would have to wait 50 s"), gate.passing(8, {}, time.monotonic() + 5):
        pass
    assert time.monotonic() - before < 2


def test_a_server_that_is_busy_holds_up_all_its_applications(server: HostileServer) -> None:
    """What one application was told with a 429 holds for the next one on the same origin."""
    server.behaviour = Behaviour([user(1)], faults=deque(["429"]), token=None, retry_after="2")
    with Session(application(server, retries=0)) as session, pytest.raises(SourceError):
        session.get("/Users?startIndex=1&count=1")
    before = time.monotonic()
    with Session(application(server)) as session:
        session.get("/Users?startIndex=1&count=1")
    assert 1 < time.monotonic() - before < 6


def test_a_documented_rate_of_groups_does_not_slow_users(server: HostileServer) -> None:
    """Limits by kind are kept apart: the pages of users go on while groups must wait."""
    server.behaviour = Behaviour([user(1)], token=None)
    with Session(application(server, max_seconds=3), Rates(groups=1)) as session:
        session.get("/Groups?startIndex=1&count=1")
        for _ in range(5):
            session.get("/Users?startIndex=1&count=1")
        with pytest.raises(SourceError, match="limits of the server"):
            session.get("/Groups?startIndex=1&count=1")


def test_a_stated_limit_is_kept_to_and_the_list_is_complete(server: HostileServer, tmp_path: Path) -> None:
    """A server that states how many requests it allows is read within half of it, to the end."""
    server.behaviour = Behaviour([user(n) for n in range(30)], token=None, rate_limit=(10, 0.3))
    app = application(server, page_size=5)

    assert collect_scim(app, tmp_path, no_progress).source.verdict is Verdict.COMPLETE
    assert max(server.behaviour.windows.values()) <= 10
