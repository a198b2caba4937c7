"""The requests for one list, in the form that its server accepts."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from scanner.collectors.envelope import Page, parse_page
from scanner.collectors.http import Answer, Session
from scanner.collectors.prefetch import Prefetch
from scanner.collectors.refusal import HttpError
from scanner.errors import SourceError

if TYPE_CHECKING:
    from hashlib import _Hash

_MODEST = 100
"""A page size that servers seldom refuse."""
_REFUSALS = (400, 405, 422, 501)


@dataclass(slots=True)
class Asking:
    """Asks for the pages of one list."""

    session: Session
    path: str
    """/Users or /Groups."""
    count: int | None
    """Rows to ask for at a time; None: the server takes no count."""
    digest: "_Hash"
    """Over the raw bytes of all answers, in the order in which they were read."""
    extra: str = ""
    """Further parameters of every request, such as excludedAttributes=members."""
    takes_start: bool = True
    """Whether the server takes a start index."""
    takes_cursor: bool = False
    """Whether to begin with a cursor."""
    note: Callable[[str, bytes], None] = lambda target, body: None
    """Is told each request and the raw bytes of its answer, in the same order."""
    ahead: Prefetch = field(init=False)

    def __post_init__(self) -> None:
        self.ahead = Prefetch(self.session.get, self.session.limits.parallel)

    def page(self, target: str) -> Page:
        """Return one page."""
        body = self.answer(target).body
        try:
            page = parse_page(body, self.session.redactor)
        except SourceError as error:
            raise SourceError(f"the answer to GET {self.path} {error}") from None
        if page.rejected and not page.keys:
            page.junk = hash(body)
        return page

    def answer(self, target: str) -> Answer:
        """Return one answer, which counts towards the digest."""
        answer = self.ahead.get(target)
        self.digest.update(answer.body)
        self.note(target, answer.body)
        return answer

    def at(self, position: int, count: int | None = None) -> str:
        """Return the request for the page at a position, counted from 1."""
        start = f"startIndex={position}" if self.takes_start else ""
        return self._target(start, self._count(count))

    def first_at(self) -> Page:
        """Return the first page by index; a server that refuses a parameter is asked without it."""
        before = self.count, self.takes_start
        try:
            return self.page(self.at(1))
        except HttpError as error:
            if error.status not in _REFUSALS:
                raise
            for count, takes_start in self._simpler():
                self.count, self.takes_start = count, takes_start
                with contextlib.suppress(HttpError):
                    return self.page(self.at(1))
            self.count, self.takes_start = before
            raise

    def cursor(self, cursor: str | None, count: int | None = None) -> str:
        """Return the request for the page at a cursor, or for the first one (RFC 9865, section 2)."""
        # The RFC limits the alphabet of cursors; AWS and others do not keep to it. Half a surrogate pair is sent as is.
        given = "cursor" if cursor is None else f"cursor={quote(cursor, safe='', errors='surrogatepass')}"
        return self._target(given, self._count(count))

    def after(self, identifier: str) -> str:
        """Return the request for what follows an id, where a start index leads no further."""
        escaped = identifier.replace("\\", "\\\\").replace('"', '\\"')
        return self._target("filter=" + quote(f'id gt "{escaped}"', safe=""), self.at(1).partition("?")[2])

    def first(self, count: int | None = None) -> str:
        """Return the request for the first page."""
        return self.cursor(None, count) if self.takes_cursor else self.at(1, count)

    def foresee(self, start: int, step: int, total: int) -> None:
        """Fetch the pages from `start` to the end ahead of the walk."""
        targets: Iterator[str] = (self.at(position) for position in range(start, total + 1, step))
        self.ahead.foresee(targets)

    def _simpler(self) -> Iterator[tuple[int | None, bool]]:
        count, takes_start = self.count, self.takes_start  # the walk changes them while it tries
        if count is not None and count > _MODEST:
            yield _MODEST, takes_start
        if takes_start:
            yield None, True
            yield count, False
        yield None, False

    def _count(self, count: int | None) -> str:
        # A server that takes no count is never asked with one.
        rows = self.count if count is None or self.count is None else count
        return "" if rows is None else f"count={rows}"

    def _target(self, *parameters: str) -> str:
        query = "&".join(part for part in (*parameters, self.extra) if part)
        return f"{self.path}?{query}" if query else self.path
