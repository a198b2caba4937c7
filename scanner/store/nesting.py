"""Groups within groups: which group reaches which, through any depth and any cycle.

A recursive query would hold all pairs at once and run out of memory on a chain of a few thousand groups. Groups are
few beside accounts, so they are walked here, one search a group, and only accounts are joined in SQL.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import duckdb

MAX_STEPS = 50_000_000
"""Edges that are followed, all applications together. Beyond, nesting is left out, and the sources are told short."""
_BATCH = 1_000_000

Edges = Mapping[int, Sequence[int]]
"""The groups that hold a group directly, by its number."""


def expand(con: duckdb.DuckDBPyConnection) -> None:
    """Fill nested_groups (group_no, below_no) from group_edges and group_members.

    Only groups with members of their own are looked for below others: nothing else becomes a grant.
    """
    con.execute("create temp table nested_groups (group_no integer, below_no integer)")
    above: defaultdict[int, list[int]] = defaultdict(list)
    counted = con.execute("select count(*) from group_edges").fetchone()
    if counted is None or not counted[0]:
        return
    if counted[0] <= MAX_STEPS // 10:
        for parent, child in con.execute("select parent_no, child_no from group_edges").fetchall():
            above[child].append(parent)
        holders = con.execute("select distinct group_no from group_members").fetchall()
        if _fill(con, above, [number for (number,) in holders if number in above]):
            return
    con.execute("delete from nested_groups")
    con.execute(
        """
        insert into n_rejects (source_id, kind, line, reason)
        select distinct g.app, 'groups', 0, 'groups are nested too densely to be followed: memberships are missing'
        from group_edges e
        join known_groups g on g.group_no = e.parent_no
        """
    )


def reach(above: Edges, holders: Sequence[int], max_steps: int) -> Iterator[tuple[int, list[int]] | None]:
    """Yield each holder with all groups that hold it at any depth, itself left out; None where the steps are spent."""
    steps = 0
    for holder in holders:
        found = {holder}
        open_ends = [holder]
        while open_ends:
            for parent in above.get(open_ends.pop(), ()):
                steps += 1
                if parent not in found:
                    found.add(parent)
                    open_ends.append(parent)
            if steps > max_steps:
                yield None
                return
        found.discard(holder)
        yield holder, list(found)


def _fill(con: duckdb.DuckDBPyConnection, above: Edges, holders: Sequence[int]) -> bool:
    """Store what is reached, in batches; return False where it is too much."""
    upper, lower = array("i"), array("i")
    for found in reach(above, holders, MAX_STEPS):
        if found is None:
            return False
        below, groups = found
        upper.extend(groups)
        lower.extend([below] * len(groups))
        if len(upper) >= _BATCH:
            _insert(con, upper, lower)
            upper, lower = array("i"), array("i")
    _insert(con, upper, lower)
    return True


def _insert(con: duckdb.DuckDBPyConnection, upper: "array[int]", lower: "array[int]") -> None:
    import numpy as np  # a quarter of a second, spent only where groups are nested

    con.register(
        "nested_batch", {"group_no": np.frombuffer(upper, dtype=np.int32), "below_no": np.frombuffer(lower, np.int32)}
    )
    con.execute("insert into nested_groups select group_no, below_no from nested_batch")
    con.unregister("nested_batch")
