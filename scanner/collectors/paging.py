"""Walks one list to its end, by index (RFC 7644) or by cursor (RFC 9865), and remembers what it saw.

Servers stop early, wrap around, ignore the start index, repeat cursors and change while they are read. So a walk
advances by what came back, never by what was asked, and ends when a page brings nothing new.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from scanner.collectors.asking import Asking
from scanner.collectors.envelope import Page, id_of
from scanner.collectors.refusal import HttpError
from scanner.collectors.walk import End, Walk
from scanner.errors import SourceError

MAX_RESTARTS = 2
"""How often a list is begun again after its cursor expired."""
MAX_BARREN_PAGES = 50
"""How many pages in a row may bring nothing new before a chain of cursors counts as endless."""
_LEADS_NO_FURTHER = (400, 403, 404, 422)


@dataclass(frozen=True, slots=True)
class Lister:
    """Walks one list."""

    asking: Asking
    index: bool
    """Whether the server may page by index too; False if it says that it does not."""
    on_page: Callable[[Walk], None]
    max_start: int | None = None
    """The greatest start index that the server takes; what lies behind is asked for by id."""

    @property
    def path(self) -> str:
        """/Users or /Groups."""
        return self.asking.path

    def walk(self, walk: Walk) -> None:
        """Read on to the end of the list, or as far as it goes; what went wrong is in the walk."""
        try:
            if self.asking.takes_cursor and not walk.pages:
                self._by_cursor(walk, None)
            else:
                self._by_index(walk)
        except HttpError as error:
            self._refused(walk, error)
        except SourceError as error:
            walk.end, walk.error = End.FAILED, str(error)
        finally:
            self.asking.ahead.drop()

    def total(self) -> tuple[Page, int | None]:
        """Return the smallest first page that the server gives, for its total, and how many rows were asked for."""
        for count in (1, 2) if self.asking.count is not None else ():
            # Some servers refuse so small a page.
            with contextlib.suppress(HttpError):
                return self.asking.page(self.asking.first(count)), count
        return self.asking.page(self.asking.first()), self.asking.count

    def behind(self, walk: Walk) -> Page | None:
        """Return what stands behind the last row that was read; None if the server cannot be asked."""
        is_out_of_reach = self.max_start is not None and walk.received >= self.max_start
        if walk.by_cursor or not self.asking.takes_start or is_out_of_reach:
            return None
        with contextlib.suppress(SourceError):
            return self.asking.page(self.asking.at(walk.received + 1, 1))
        return None

    def _refused(self, walk: Walk, error: HttpError) -> None:
        walk.error, walk.refusal = str(error), error
        if not walk.pages or error.status not in _LEADS_NO_FURTHER:
            walk.end = End.FAILED
        elif walk.stated is not None and walk.received >= walk.stated and not walk.by_cursor:
            walk.end = End.EMPTY  # some servers refuse a start index behind the end
        else:
            walk.end = End.REFUSED
            if not walk.by_cursor:
                self._resume(walk)

    def _resume(self, walk: Walk) -> None:
        """Try to go on by id behind a refused start index."""
        known, refused = len(walk.ids), walk.refusal
        try:
            self._by_id(walk)
        except HttpError as error:
            if len(walk.ids) > known:
                walk.end, walk.error, walk.refusal = End.REFUSED, str(error), error
        except SourceError as error:
            walk.end, walk.error = End.FAILED, str(error)
        else:
            walk.refusal = None
            if len(walk.ids) == known:
                # It took no notice of the filter.
                walk.end, walk.refusal = End.REFUSED, refused

    def _by_index(self, walk: Walk) -> None:
        barren, step = 0, 0
        while walk.may_go_on(self.asking.session.limits.max_pages):
            if self.max_start is not None and walk.received >= self.max_start:
                self._by_id(walk)
                return
            page = self.asking.page(self.asking.at(walk.received + 1)) if walk.pages else self.asking.first_at()
            fresh = walk.take(page)
            self.on_page(walk)
            if page.next_cursor:
                self._by_cursor(walk, page.next_cursor)
                return
            # A page of nothing but unreadable rows says nothing about what follows it.
            barren = 0 if fresh else barren + 1
            if page.size == 0:
                walk.end = End.EMPTY
            elif not fresh and (page.keys or barren > MAX_BARREN_PAGES):
                walk.end = End.NOTHING_NEW
            elif walk.has_all:
                walk.end = End.TOTAL
            elif not self.asking.takes_start:
                walk.end = End.NOTHING_NEW
            else:
                step = self._look_ahead(walk, page, fresh, step)
                continue
            self._look_before(walk)
            return

    def _look_ahead(self, walk: Walk, page: Page, fresh: int, step: int) -> int:
        """Fetch further pages at once where two in a row were alike; return the size of this page if it was sound."""
        if fresh != page.size or walk.changed or walk.stated is None:
            return 0
        if step == page.size and not self.asking.ahead.is_ahead:
            last = min(walk.stated, self.max_start or walk.stated)
            self.asking.foresee(walk.received + 1, step, last)
        return page.size

    def _look_before(self, walk: Walk) -> None:
        """Ask for what stands before position 1 where a row may be missing: some servers count from 0."""
        missing = None if walk.stated is None else walk.stated - len(walk.ids) - walk.rejected
        is_suspect = missing in (None, 1) or not walk.ids
        if not is_suspect or not self.asking.takes_start or walk.end is End.NOTHING_NEW:
            return
        duplicates = walk.duplicates
        with contextlib.suppress(SourceError):
            page = self.asking.page(self.asking.at(0))
            if (page.total == walk.total or not walk.ids) and walk.take(page):
                walk.duplicates = duplicates
                walk.notes.add("it counts positions from 0")

    def _by_id(self, walk: Walk) -> None:
        """Go on behind the last id (Salesforce takes no start index beyond about 2,000)."""
        walk.by_id = True
        while walk.may_go_on(self.asking.session.limits.max_pages):
            page = self.asking.page(self.asking.after(id_of(walk.last_line)))
            fresh = walk.take(page, is_part=True)
            self.on_page(walk)
            if page.size == 0:
                walk.end = End.EMPTY
            elif not fresh:
                walk.end = End.NOTHING_NEW
            elif walk.has_all:
                walk.end = End.TOTAL
            else:
                continue
            return

    def _by_cursor(self, walk: Walk, cursor: str | None) -> None:
        walk.by_cursor = True
        barren = 0
        used: set[str] = set()
        while walk.may_go_on(self.asking.session.limits.max_pages):
            try:
                page = self._at_cursor(cursor)
            except HttpError as error:
                if cursor is None and error.status in (400, 404, 405, 422, 501):
                    # The configuration promised cursors, the server does not keep the promise.
                    walk.by_cursor = self.asking.takes_cursor = False
                    self._by_index(walk)
                    return
                raise
            barren = 0 if walk.take(page) else barren + 1
            self.on_page(walk)
            following = page.next_cursor
            if following is None:
                walk.end = End.LAST_CURSOR
                if cursor is None and page.size:
                    # No cursor was ever seen: the server may have ignored ours and cut the list.
                    walk.by_cursor = False
                    if self.index:
                        self._only_page(walk, page)
                return
            if following in used or following == cursor or barren > MAX_BARREN_PAGES:
                walk.end = End.LOOP if following in used or following == cursor else End.BARREN
                return
            used.add(following)
            cursor = following

    def _at_cursor(self, cursor: str | None) -> Page:
        try:
            return self.asking.page(self.asking.cursor(cursor))
        except HttpError as error:
            if cursor is not None or error.scim_type != "invalidcount" or self.asking.count is None:
                raise
            self.asking.count = None
            return self.asking.page(self.asking.cursor(None))

    def _only_page(self, walk: Walk, page: Page) -> None:
        """Tell a last page from the first page of a server that ignored the cursor and answered by index."""
        if walk.stated is not None and walk.stated <= page.size:
            walk.end = End.TOTAL
            return
        pages = walk.pages
        try:
            self._by_index(walk)
        except HttpError:
            if walk.pages > pages or self._knows_index():
                raise
            walk.end = End.LAST_CURSOR  # nothing lies behind this page

    def _knows_index(self) -> bool:
        """Whether the server answers by index at all, or refuses even the first row."""
        with contextlib.suppress(HttpError):
            return bool(self.asking.page(self.asking.at(1)).size)
        return False
