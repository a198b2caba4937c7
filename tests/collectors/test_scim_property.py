"""Whatever combination of quirks: every id exactly once and complete, or not complete."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from servers import Behaviour, HostileServer, group, hostile, user

from scanner.collectors.interface import no_progress
from scanner.collectors.scim import collect_scim
from scanner.collectors.verdict import KNOWN_CAPS
from scanner.config import Application, Limits
from scanner.model import Collected, Verdict

HARMLESS = [
    *("no_total", "total_is_page", "string_total", "negative_total", "lower_resources", "short_pages", "wrap_pages"),
    *("pretty", "gzip", "utf8", "odd_case", "count_1_refused", "beyond_is_400", "drift_insert", "drift_delete"),
    *("cursor", "cursor_ugly_chars", "expired_cursor", "cursor_promised", "groups_without_members"),
]
WITHOUT_TOTAL = {"no_total", "total_is_page", "negative_total"}
PATIENT = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each example replaces."""
    with hostile() as running:
        yield running


def collect(server: HostileServer, behaviour: Behaviour, page_size: int, into: Path) -> Collected:
    """Collect without a credential."""
    behaviour.token = None
    server.behaviour = behaviour
    limits = Limits(max_seconds=60, page_size=page_size)
    return collect_scim(Application("crm", "CRM", "scim", base_url=server.base_url, limits=limits), into, no_progress)


def staged(collected: Collected) -> list[str]:
    """Return the ids of the staged users, sorted."""
    return sorted(json.loads(line)["id"] for line in collected.files["users"].read_bytes().split(b"\n") if line)


@PATIENT
@given(
    size=st.integers(0, 300),
    cap=st.integers(7, 400),
    page_size=st.integers(7, 400),
    quirks=st.frozensets(st.sampled_from(HARMLESS), max_size=6),
)
def test_quirks_that_hide_nothing_cost_nothing(
    server: HostileServer, size: int, cap: int, page_size: int, quirks: frozenset[str]
) -> None:
    """The collector returns every id exactly once and says complete."""
    if quirks & WITHOUT_TOTAL:
        # Nobody can tell these from a list that is cut: such servers are not proven, on purpose.
        assume(size not in KNOWN_CAPS and not quirks & {"wrap_pages", "beyond_is_400"})
        # Without a total, a change of the list shows only as a difference of two readings.
        assume(not quirks & {"drift_insert", "drift_delete"})
    # Two rows of which one goes: the total asked last, 1 in a page of 1, may be the size of the page.
    assume(size != 2 or "drift_delete" not in quirks)
    behaviour = Behaviour([user(n) for n in range(size)], [group(1, ["u-1"])], quirks, cap=cap)
    with tempfile.TemporaryDirectory() as folder:
        collected = collect(server, behaviour, page_size, Path(folder))

        assert collected.source.verdict is Verdict.COMPLETE, (collected.source.detail, behaviour.seen)
        assert sorted(row["id"] for row in behaviour.users) == staged(collected)
        assert collected.source.collected == len(behaviour.users)


@PATIENT
@given(
    size=st.integers(20, 300),
    shown=st.integers(0, 299),
    cap=st.integers(7, 400),
    page_size=st.integers(7, 400),
    hiding=st.sampled_from(["cut", "ignore_startindex", "repeated_cursor", "always_expired"]),
    quirks=st.frozensets(st.sampled_from(HARMLESS), max_size=6),
)
def test_hidden_rows_are_never_called_complete(
    server: HostileServer, size: int, shown: int, cap: int, page_size: int, hiding: str, quirks: frozenset[str]
) -> None:
    """Where rows stay hidden from the walk, the verdict is anything but complete."""
    quirks -= {"drift_insert", "drift_delete"}
    if hiding == "cut":
        assume(shown < size)
        # A server that denies the rows altogether, in number too, cannot be caught by listing.
        quirks -= WITHOUT_TOTAL
    elif hiding == "ignore_startindex":
        quirks = (quirks | {hiding}) - {"cursor", "short_pages"}
        assume(min(cap, page_size) < size)
    else:
        quirks = (quirks | {hiding, "cursor"}) - {"short_pages"}
        assume(min(cap, page_size) < size - 1)
    visible = shown if hiding == "cut" else None
    behaviour = Behaviour([user(n) for n in range(size)], [], quirks, cap=cap, visible=visible)
    with tempfile.TemporaryDirectory() as folder:
        collected = collect(server, behaviour, page_size, Path(folder))

        assert collected.source.verdict is not Verdict.COMPLETE, behaviour.seen
        ids = staged(collected) if "users" in collected.files else []
        assert len(ids) == len(set(ids)) == collected.source.collected < size
