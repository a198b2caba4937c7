"""Finds the findings that texts and patterns name, without holding every waiver against every finding."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from fnmatch import translate

from scanner.waivers.entry import is_glob

_PREFIX = re.compile(r"[^*?\[]*")


class Index:
    """The findings by the values of one field. A literal is looked up; a pattern tries the values with its beginning.

    Ids keep their letter case, which some systems tell apart; names do not. Patterns run in time that grows with the
    product of both lengths at most, however many stars they hold.
    """

    def __init__(self, rows: Iterable[tuple[int, Iterable[str | None], Iterable[str | None]]]) -> None:
        """Take (number of the finding, its ids, its names)."""
        self._ids: dict[str, set[int]] = {}
        self._names: dict[str, set[int]] = {}
        for number, ids, names in rows:
            for one in ids:
                if one:
                    self._ids.setdefault(one, set()).add(number)
            for one in names:
                if one:
                    self._names.setdefault(one.casefold(), set()).add(number)
        self._sorted = {id(places): sorted(places) for places in (self._ids, self._names)}
        self._known: dict[tuple[str, bool], frozenset[int]] = {}

    def find(self, wanted: str, *, exact: bool) -> frozenset[int]:
        """Return the findings that have a value which the text is or matches."""
        key = (wanted, exact)
        if key not in self._known:
            if exact or not is_glob(wanted):
                found = self._ids.get(wanted, set()) | self._names.get(wanted.casefold(), set())
            else:
                found = self._matching(self._ids, wanted) | self._matching(self._names, wanted.casefold())
            self._known[key] = frozenset(found)
        return self._known[key]

    def _matching(self, places: dict[str, set[int]], pattern: str) -> set[int]:
        beginning = _PREFIX.match(pattern)
        prefix = beginning[0] if beginning else ""
        values = self._sorted[id(places)]
        first = bisect_left(values, prefix)
        last = bisect_left(values, prefix + "\U0010ffff") if prefix else len(values)
        matches = re.compile(translate(pattern)).match
        found: set[int] = set()
        for value in filter(matches, values[first:last]):
            found |= places[value]
        return found
