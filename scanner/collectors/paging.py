"""Walks one list to its end, by index (RFC 7644) or by cursor (RFC 9865), and remembers what it saw.

Servers stop early, wrap around, ignore the start index, repeat cursors and change while they are read. So a walk
advances by what came back, never by what was asked, and ends when a page brings nothing new.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO
from urllib.parse import quote

from scanner.collectors.envelope import Page, parse_page
from scanner.collectors.http import Session
from scanner.collectors.refusal import HttpError
from scanner.errors import SourceError, StoreError

MAX_RESTARTS = 2
"""How often a list is begun again after its cursor expired."""
MAX_BARREN_PAGES = 50
"""How many pages in a row may bring nothing new before a chain of cursors counts as endless."""


class End(StrEnum):
    """Why a walk stopped."""

    TOTAL = "as many rows as stated"
    EMPTY = "an empty page"
    LAST_CURSOR = "no further cursor"
    NOTHING_NEW = "a page without a new id"
    LOOP = "a repeated cursor"
    BARREN = "cursors without rows"
    BUDGET = "the page budget"
    REFUSED = "refused to go on"
    FAILED = "failed"


@dataclass(slots=True)
class Walk:
    """One pass over a list."""

    file: BinaryIO
    ids: set[bytes] = field(default_factory=set)
    received: int = 0
    """Elements sent, repeated and rejected ones included: the position in the list."""
    duplicates: int = 0
    rejected: int = 0
    pages: int = 0
    first_total: int | None = None
    total: int | None = None
    """As stated by the last page."""
    trust_total: bool = True
    """False once the stated total turned out to be the size of a page."""
    by_cursor: bool = False
    has_members: bool = False
    end: End = End.FAILED
    error: str = ""
    refusal: HttpError | None = None
    notes: set[str] = field(default_factory=set)

    @property
    def stated(self) -> int | None:
        """The total, if the server stated one that can be believed."""
        return self.total if self.trust_total else None

    @property
    def changed(self) -> bool:
        """Whether the stated total changed from the first page to the last."""
        return self.first_total != self.total

    def take(self, page: Page) -> int:
        """Stage the rows of a page that are new, and return how many they were."""
        fresh: list[bytes] = []
        for key, line in zip(page.keys, page.lines, strict=True):
            if key not in self.ids:
                self.ids.add(key)
                fresh.append(line)
        write(self.file, fresh)
        self.has_members = self.has_members or page.has_members
        if fresh or not page.keys:
            # A page that only repeats says nothing about the list: a server that wraps or ignores the start index.
            self.duplicates += len(page.keys) - len(fresh)
            self.rejected += page.rejected
        self.received += page.size
        self.notes.update(page.notes)
        if self.pages == 0:
            self.first_total = page.total
        elif page.total is not None and page.total == page.size < len(self.ids):
            # WSO2 states the size of the page as the size of the list.
            self.trust_total = False
        self.total = page.total
        self.pages += 1
        return len(fresh)


@dataclass(frozen=True, slots=True)
class Lister:
    """Asks for the pages of one list."""

    session: Session
    path: str
    """/Users or /Groups."""
    count: int
    cursor: bool
    """Whether to begin with a cursor."""
    index: bool
    """Whether the server may page by index too; False if it says that it does not."""
    digest: "hashlib._Hash"
    """Over the raw bytes of all pages."""
    on_page: Callable[[Walk], None]

    def first_query(self, count: int | None = None) -> str:
        """Return the query of the first page."""
        rows = self.count if count is None else count
        return f"cursor&count={rows}" if self.cursor else f"startIndex=1&count={rows}"

    def ask(self, query: str) -> Page:
        """Return one page."""
        answer = self.session.get(f"{self.path}?{query}")
        self.digest.update(answer.body)
        try:
            return parse_page(self.session.redactor.body(answer.body))
        except SourceError as error:
            raise SourceError(f"the answer to GET {self.path} {error}") from None

    def walk(self, walk: Walk) -> None:
        """Read on to the end of the list, or as far as it goes; what went wrong is in the walk."""
        try:
            if self.cursor and not walk.pages:
                self._by_cursor(walk, None)
            else:
                self._by_index(walk)
        except HttpError as error:
            walk.error, walk.refusal = str(error), error
            if not walk.pages or error.status not in (400, 403, 404, 422):
                walk.end = End.FAILED
            elif walk.stated is not None and walk.received >= walk.stated and not walk.by_cursor:
                walk.end = End.EMPTY  # some servers refuse a start index behind the end
            else:
                walk.end = End.REFUSED
        except SourceError as error:
            walk.end, walk.error = End.FAILED, str(error)

    def total(self) -> tuple[Page, int]:
        """Return the smallest first page that the server gives, for its total, and how many rows were asked for."""
        for count in (1, 2):
            try:
                return self.ask(self.first_query(count)), count
            except HttpError:
                continue  # some servers refuse so small a page
        return self.ask(self.first_query()), self.count

    def _by_index(self, walk: Walk) -> None:
        barren = 0
        while True:
            if walk.pages >= self.session.limits.max_pages:
                walk.end = End.BUDGET
                return
            page = self.ask(f"startIndex={walk.received + 1}&count={self.count}")
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
            elif walk.stated is not None and len(walk.ids) + walk.rejected >= walk.stated:
                walk.end = End.TOTAL
            else:
                continue
            return

    def _by_cursor(self, walk: Walk, cursor: str | None) -> None:
        walk.by_cursor = True
        barren = 0
        used: set[str] = set()
        while True:
            if walk.pages >= self.session.limits.max_pages:
                walk.end = End.BUDGET
                return
            try:
                page = self.ask(self.first_query() if cursor is None else self._cursor_query(cursor))
            except HttpError as error:
                if cursor is None and error.status in (400, 404, 405, 422, 501):
                    # The configuration promised cursors, the server does not keep the promise.
                    walk.by_cursor = False
                    self._by_index(walk)
                    return
                raise
            barren = 0 if walk.take(page) else barren + 1
            self.on_page(walk)
            following = page.next_cursor
            if following is None:
                if cursor is None and page.size and self.index:
                    self._only_page(walk, page)
                else:
                    walk.end = End.LAST_CURSOR
                return
            if following in used or following == cursor or barren > MAX_BARREN_PAGES:
                walk.end = End.LOOP if following in used or following == cursor else End.BARREN
                return
            used.add(following)
            cursor = following

    def _only_page(self, walk: Walk, page: Page) -> None:
        """Tell a last page from the first page of a server that ignored the cursor and answered by index."""
        walk.by_cursor = False
        if walk.stated is not None and walk.stated <= page.size:
            walk.end = End.TOTAL
            return
        pages = walk.pages
        try:
            self._by_index(walk)
        except HttpError:
            if walk.pages > pages:
                raise
            walk.end = End.EMPTY  # it knows no index: nothing lies behind this page

    def _cursor_query(self, cursor: str) -> str:
        # RFC 9865 limits the alphabet; AWS and others do not keep to it.
        return f"cursor={quote(cursor, safe='')}&count={self.count}"


def write(file: BinaryIO, lines: list[bytes]) -> None:
    """Append lines to a staging file."""
    if not lines:
        return
    try:
        file.write(b"\n".join(lines) + b"\n")
    except OSError as error:
        raise StoreError(f"the staging folder cannot be written: {error.strerror}") from None
