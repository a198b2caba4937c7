"""Groups within groups."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from load_world import World, loaded, rows

from scanner.store.nesting import reach

EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40)


@given(EDGES)
def test_every_group_that_holds_another_through_others_is_found(edges: list[tuple[int, int]]) -> None:
    """The search finds what joining the pairs until nothing is added finds, cycles and all."""
    pairs = set(edges)
    while True:
        more = {(a, d) for a, b in pairs for c, d in edges if b == c} - pairs
        if not more:
            break
        pairs |= more
    above: dict[int, list[int]] = {}
    for parent, child in edges:
        above.setdefault(child, []).append(parent)
    found = {
        (group, holder)
        for one in reach(above, range(10), 10_000)
        if one
        for holder, groups in [one]
        for group in groups
    }

    assert found == {(a, b) for a, b in pairs if a != b}


def test_steps_are_bounded() -> None:
    """A nest that takes more steps than allowed is given up instead of followed for hours."""
    dense = {child: list(range(100)) for child in range(100)}
    found = list(reach(dense, range(100), max_steps=20_000))

    assert found[-1] is None
    assert 0 < len(found) < 100


def _chain(depth: int) -> list[Any]:
    groups: list[Any] = [
        {"id": f"g{i:05}", "members": [{"value": f"g{i + 1:05}", "type": "Group"}]} for i in range(depth)
    ]
    return [*groups, {"id": f"g{depth:05}", "members": [{"value": "1"}]}]


def test_a_chain_of_five_thousand_groups_is_followed_to_its_end(tmp_path: Path) -> None:
    """Whoever is in the innermost of 5,000 nested groups is in all of them, also where they close a circle."""
    groups = _chain(5000)
    groups[-1]["members"].append({"value": "g00000", "type": "Group"})
    with loaded(tmp_path, World(users={"crm": [{"id": "1"}]}, groups={"crm": groups})) as con:
        assert rows(con, "(select path, count(*) as n from n_grants group by path)", "path", "n") == [
            ("direct", 1),
            ("nested", 5000),
        ]
        assert rows(con, "n_rejects", "reason") == []


def test_a_member_in_each_of_thousands_of_nested_groups_fits_in_memory(tmp_path: Path) -> None:
    """A chain of 2,500 groups with a member each makes 3 million grants within a limit of 512 MB."""
    users = [{"id": f"u{i}"} for i in range(2500)]
    groups = _chain(2499)
    for number, group in enumerate(groups):
        group["members"].append({"value": f"u{number}"})
    world = World(
        users={"crm": users},
        groups={"crm": groups},
        database=str(tmp_path / "work.duckdb"),
        options={"memory_limit": "512MB", "temp_directory": str(tmp_path / "spill")},
    )
    with loaded(tmp_path, world) as con:
        counted = con.execute("select count(*) filter (path = 'direct'), count(*) from n_grants").fetchone()

    assert counted == (2500, 2500 * 2501 // 2)


def test_a_hundred_thousand_members_of_one_group_arrive(tmp_path: Path) -> None:
    """A very large group loses nobody, and members that nobody knows are counted."""
    users = [{"id": f"u{i}"} for i in range(100_000)]
    members = [{"value": f"u{i}"} for i in range(100_005)]
    with loaded(tmp_path, World(users={"crm": users}, groups={"crm": [{"id": "g", "members": members}]})) as con:
        assert con.execute("select count(*), count(distinct account_id) from n_grants").fetchall() == [
            (100_000, 100_000)
        ]
        assert rows(con, "n_notes", "note", "n") == [("members that name no known account or group", 5)]


def test_a_nest_too_dense_to_follow_makes_the_source_short(tmp_path: Path, monkeypatch: Any) -> None:
    """Nesting that is given up is told as rejected, so that no rule takes the grants for all."""
    monkeypatch.setattr("scanner.store.nesting.MAX_STEPS", 10)
    with loaded(tmp_path, World(users={"crm": [{"id": "1"}]}, groups={"crm": _chain(3)})) as con:
        assert rows(con, "n_rejects", "source_id", "reason") == [
            ("crm", "groups are nested too densely to be followed: memberships are missing")
        ]
        assert rows(con, "n_grants", "entitlement", "path") == [("group:g00003", "direct")]
