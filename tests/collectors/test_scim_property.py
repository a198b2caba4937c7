"""Whatever combination of quirks: every id exactly once and complete, or not complete."""

import json
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from servers import Behaviour, HostileServer, group, hostile, user

from scanner.collectors import http
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
MOMENTARY = [
    *("", "no_total", "total_is_page", "high_total", "low_total", "string_total", "negative_total", "bool_total"),
    *("short_pages", "shuffled", "overlap", "gaps", "wrap_pages", "ignore_startindex", "empty_in_the_middle"),
    *(
        "ignore_count",
        "more_than_count",
        "zero_based",
        "count_refused",
        "start_refused",
        "beyond_is_400",
        "start_capped",
    ),
    *("filter_refused", "lower_resources", "odd_case", "odd_envelope", "trailing_garbage", "utf16", "cursor_promised"),
    *("drift_insert", "drift_delete", "drift_swap", "drift_always", "429|", "500|", "reset|", "cut|", "404|"),
]
"""What a server may do for the length of one page."""
WITHOUT_TOTAL = {"no_total", "total_is_page", "negative_total"}
PATIENT = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each example replaces; nobody waits before trying again."""
    with pytest.MonkeyPatch.context() as patch, hostile() as running:
        patch.setattr(http, "BACKOFF_SECONDS", 0.001)
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
    # A list that changes and is no longer than a page: its total may be the size of the page, and prove nothing.
    is_open = bool(quirks & {"drift_insert", "drift_delete"}) and size <= min(cap, page_size) + 1
    behaviour = Behaviour([user(n) for n in range(size)], [group(1, ["u-1"])], quirks, cap=cap)
    with tempfile.TemporaryDirectory() as folder:
        collected = collect(server, behaviour, page_size, Path(folder))

        allowed = {Verdict.COMPLETE, Verdict.DRIFT} if is_open else {Verdict.COMPLETE}
        assert collected.source.verdict in allowed, (collected.source.detail, behaviour.seen)
        assert sorted(row["id"] for row in behaviour.users) == staged(collected)
        assert collected.source.collected == len(behaviour.users)


def test_a_list_of_one_that_grows_is_kept_whole_and_called_drift_where_its_total_may_be_a_page(
    server: HostileServer, tmp_path: Path
) -> None:
    """The server refuses to be asked for one row, so that the last total, 2 in a page of 2, proves nothing."""
    behaviour = Behaviour([user(1)], [group(1, ["u-1"])], frozenset({"drift_insert", "count_1_refused"}), cap=7)

    collected = collect(server, behaviour, 7, tmp_path)

    assert (collected.source.verdict, collected.source.collected) == (Verdict.DRIFT, 2)
    assert sorted(row["id"] for row in behaviour.users) == staged(collected)


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


@pytest.mark.parametrize("last", ["zero_based", "count_refused"])
def test_a_refusal_for_the_length_of_a_page_is_not_the_end_of_the_list(
    server: HostileServer, tmp_path: Path, last: str
) -> None:
    """No total, a cursor ignored, the index refused once in each reading or once answered with nothing."""
    script = deque(["", "count_refused", "", last])
    quirks = frozenset({"cursor_promised", "no_total"})
    behaviour = Behaviour([user(n) for n in range(4)], [], quirks, cap=3, script=script)

    collected = collect(server, behaviour, 100, tmp_path)

    assert collected.source.verdict is not Verdict.COMPLETE


@settings(PATIENT, max_examples=200)
@given(
    size=st.integers(0, 60),
    cap=st.integers(3, 70),
    script=st.lists(st.sampled_from(MOMENTARY), max_size=12),
    quirks=st.frozensets(st.sampled_from(HARMLESS), max_size=3),
)
def test_no_sequence_of_pages_makes_a_part_the_whole(
    server: HostileServer, size: int, cap: int, script: list[str], quirks: frozenset[str]
) -> None:
    """Each page may misbehave in its own way: what is called complete holds whoever was there from first to last."""
    before = {f"u-{n}" for n in range(size)}
    behaviour = Behaviour([user(n) for n in range(size)], [], quirks, cap=cap, script=deque(script))
    with tempfile.TemporaryDirectory() as folder:
        collected = collect(server, behaviour, 100, Path(folder))

        ids = staged(collected) if "users" in collected.files else []
        assert len(ids) == len(set(ids)) == collected.source.collected
        if collected.source.verdict is Verdict.COMPLETE:
            assert before & {row["id"] for row in behaviour.users} <= set(ids), behaviour.seen
