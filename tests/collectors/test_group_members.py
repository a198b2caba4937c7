"""Groups whose members a server may have cut."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Behaviour, HostileServer, group, hostile, user

from scanner.collectors.interface import no_progress
from scanner.collectors.scim import collect_scim
from scanner.config import Application
from scanner.model import Collected, Verdict

MEMBERS = [f"u-{n}" for n in range(250)]


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run a server whose behaviour each test replaces."""
    with hostile() as running:
        yield running


def collect(server: HostileServer, behaviour: Behaviour, into: Path) -> Collected:
    """Collect without a credential."""
    behaviour.token = None
    server.behaviour = behaviour
    return collect_scim(Application("crm", "CRM", "scim", base_url=server.base_url), into, no_progress)


def sizes(collected: Collected) -> list[int]:
    """Return how many members each staged group has."""
    return [len(json.loads(line)["members"]) for line in collected.files["groups"].read_bytes().splitlines()]


def test_members_that_only_the_list_cuts_are_fetched(server: HostileServer, tmp_path: Path) -> None:
    """A group that lists 100 members and has 250 is read by itself, and the source is complete."""
    users = [user(n) for n in range(250)]
    behaviour = Behaviour(users, [group(1, MEMBERS), group(2, ["u-1"])], frozenset({"members_cut_in_list"}))
    collected = collect(server, behaviour, tmp_path)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert sizes(collected) == [250, 1]


def test_members_that_are_cut_everywhere_are_suspected(server: HostileServer, tmp_path: Path) -> None:
    """Exactly 100 members, in the list and alone, may be a limit: the source is capped and says why."""
    users = [user(n) for n in range(250)]
    collected = collect(server, Behaviour(users, [group(1, MEMBERS[:100]), group(2, ["u-1"])]), tmp_path)

    assert collected.source.verdict is Verdict.CAPPED
    assert "1 groups list exactly 100 members and none lists more" in collected.source.detail


def test_users_can_vouch_for_a_round_number_of_members(server: HostileServer, tmp_path: Path) -> None:
    """Where exactly 100 users name the group as theirs, 100 members are all of them."""
    users = [user(n, groups=[{"value": "g-1"}] if n < 100 else []) for n in range(250)]
    collected = collect(server, Behaviour(users, [group(1, MEMBERS[:100])]), tmp_path)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail


def test_users_that_name_more_members_show_the_cut(server: HostileServer, tmp_path: Path) -> None:
    """Where 250 users name a group that lists 100 members, no round number is needed to doubt it."""
    users = [user(n, groups=[{"value": "g-1"}]) for n in range(250)]
    collected = collect(server, Behaviour(users, [group(1, MEMBERS[:100])]), tmp_path)

    assert collected.source.verdict is Verdict.CAPPED


def test_a_larger_group_clears_a_round_number(server: HostileServer, tmp_path: Path) -> None:
    """A server that lists 101 members in one group does not stop at 100 in another."""
    users = [user(n) for n in range(250)]
    behaviour = Behaviour(users, [group(1, MEMBERS[:100]), group(2, MEMBERS[:101])])

    assert collect(server, behaviour, tmp_path).source.verdict is Verdict.COMPLETE
    assert not [request for request in behaviour.seen if request.startswith("GET /scim/v2/Groups/")]


def test_members_that_are_left_out_of_large_groups_alone_are_fetched(server: HostileServer, tmp_path: Path) -> None:
    """Some groups come with members and a large one without: it is read by itself, and then all are."""
    users = [user(n) for n in range(250)]
    behaviour = Behaviour(
        users, [group(1, ["u-1"]), group(2, MEMBERS), group(3, [])], frozenset({"large_groups_without_members"})
    )
    collected = collect(server, behaviour, tmp_path)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert sizes(collected) == [1, 250, 0]


def test_groups_that_are_empty_cost_a_few_requests_at_most(server: HostileServer, tmp_path: Path) -> None:
    """A server that leaves out what is empty is believed after ten looks."""
    groups = [group(0, ["u-1"]), *(group(n) for n in range(1, 300))]
    behaviour = Behaviour([user(1)], groups)

    assert collect(server, behaviour, tmp_path).source.verdict is Verdict.COMPLETE
    assert len([request for request in behaviour.seen if request.startswith("GET /scim/v2/Groups/")]) == 10
