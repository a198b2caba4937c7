"""Walks one list of a REST API to its end, in whichever way it goes on from page to page.

The rules are those of SCIM lists: a walk advances by what came back, ends when a page brings nothing new, and never
takes a page for the last one because it was short. Links are followed within the origin only.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from scanner.collectors import records
from scanner.collectors.envelope import Page, decode, total_of
from scanner.collectors.http import Answer, Session
from scanner.collectors.paging import MAX_BARREN_PAGES
from scanner.collectors.refusal import HttpError
from scanner.collectors.walk import End, Walk
from scanner.connections import RestSettings
from scanner.errors import SourceError

if TYPE_CHECKING:
    from hashlib import _Hash

LINKED = ("cursor", "next", "link")
"""Styles in which an answer says how to go on."""
_BEHIND_THE_END = (400, 404, 416, 422)
_EXPIRED = re.compile(r"expired|invalid.?(page|cursor|skip)", re.IGNORECASE)
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.IGNORECASE)

Row = Callable[[dict[str, object]], tuple[str, bytes] | None]
"""Returns the id of a record and its line for the staging file; None where it has no id."""


@dataclass(slots=True)
class Asker:
    """Sends the requests of one source, and keeps count of the answers."""

    session: Session
    digest: "_Hash"
    """Over the raw bytes of all answers, in the order in which they were read."""
    note: Callable[[str, bytes], None] = lambda target, body: None
    """Is told each request and the raw bytes of its answer."""
    fetch: Callable[[str], Answer] | None = None
    """Where answers were fetched ahead; None: they are asked for."""
    pages: int = 0

    def get(self, target: str) -> Answer:
        """Return the answer to a path below base_url, or to an address on its origin."""
        ask = (self.fetch or self.session.get) if target.startswith("/") else self.session.follow
        return self.taken(target, ask(target))

    def taken(self, target: str, answer: Answer) -> Answer:
        """Count an answer that came."""
        self.digest.update(answer.body)
        self.note(target, answer.body)
        self.pages += 1
        return answer

    def document(self, answer: Answer) -> object:
        """Return the JSON of an answer, without secrets; raises SourceError if it is none."""
        redactor = self.session.redactor
        body = redactor.body(answer.body)
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode(body, redactor)
        return redactor.document(document) if redactor.is_disguised(body, is_valid=True) else document


@dataclass(slots=True)
class RestLister:
    """Walks one list."""

    asker: Asker
    settings: RestSettings
    row: Row
    size: int
    """Rows asked for at a time, where the list takes a number."""
    on_page: Callable[[Walk], None] = lambda walk: None
    saw_next: bool = False
    """Whether an answer ever said how to go on."""
    notes: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        """Of the list, below base_url."""
        return self.settings.path

    def walk(self, walk: Walk) -> None:
        """Read on to the end of the list, or as far as it goes; what went wrong is in the walk."""
        try:
            if self.settings.paging in LINKED:
                self._by_link(walk)
            else:
                self._by_number(walk)
        except HttpError as error:
            self._refused(walk, error)
        except SourceError as error:
            walk.end, walk.error = End.FAILED, str(error)

    def total(self) -> tuple[Page, int | None]:
        """Return the smallest first page that the server gives, and how many rows were asked for."""
        size = 1 if self.settings.size_parameter else None
        return self._page(self.first(size))[0], size

    def behind(self, walk: Walk) -> Page | None:
        """Return what stands behind the last row that was read; None if the list cannot be asked by position."""
        if self.settings.paging not in ("page", "offset"):
            return None
        try:
            return self._page(self._numbered(walk))[0]
        except SourceError:
            return None

    def first(self, size: int | None = None) -> str:
        """Return the request for the first page."""
        return self._at(0, size) if self.settings.paging in ("page", "offset") else self._target({}, size)

    def doubt(self, found: int) -> str:
        """Say why a list that ended, with no total stated and no way to a next page ever seen, may go on all the same.

        Else a wrong place for the next link would make every list end after its first page, twice in the same way.
        """
        if self.saw_next or found < _FEW or self.settings.paging in ("page", "offset"):
            return ""
        size = None
        if self.settings.paging in LINKED and self.settings.size_parameter is not None:
            try:
                page, following = self._page(self.first(1))
            except SourceError as error:
                return f"whether more follows could not be asked: {error}"
            if following is not None:
                return ""
            size = page.size
        if size == 1:
            return "asked for one row alone, the server says no way to the next: does it stand elsewhere in the answer?"
        if found in _USUAL_SIZES:
            return f"exactly {found:,} rows may be a first page, and no way to a next one was seen"
        return ""

    def _by_number(self, walk: Walk) -> None:
        if walk.pages and self.settings.paging == "none":
            walk.end = End.EMPTY
            return
        barren = 0
        while walk.may_go_on(self.asker.session.limits.max_pages):
            page, _ = self._page(self._numbered(walk) if self.settings.paging != "none" else self._target({}))
            fresh = self._took(walk, page)
            barren = 0 if fresh else barren + 1
            if page.size == 0:
                walk.end = End.EMPTY
            elif not fresh and (page.keys or barren > MAX_BARREN_PAGES):
                walk.end = End.NOTHING_NEW
            elif walk.has_all:
                walk.end = End.TOTAL
            elif self.settings.paging == "none":
                walk.end = End.LAST_CURSOR
            else:
                continue
            return

    def _by_link(self, walk: Walk) -> None:
        if walk.pages:
            walk.end = End.EMPTY  # the list said that it ends
            return
        walk.by_cursor = True
        target, used, barren = self.first(), set[str](), 0
        while walk.may_go_on(self.asker.session.limits.max_pages):
            used.add(target)
            page, following = self._page(target)
            barren = 0 if self._took(walk, page) else barren + 1
            if following is None:
                walk.end = End.LAST_CURSOR
            elif following in used:
                walk.end = End.LOOP
            elif barren > MAX_BARREN_PAGES:
                walk.end = End.BARREN
            else:
                self.saw_next, target = True, following
                continue
            return

    def _took(self, walk: Walk, page: Page) -> int:
        fresh = walk.take(page)
        self.on_page(walk)
        return fresh

    def _refused(self, walk: Walk, error: HttpError) -> None:
        if self.settings.paging in LINKED and walk.pages and (error.status == 410 or _EXPIRED.search(error.scim_type)):
            error.scim_type = "expiredcursor"
        walk.end, walk.error, walk.refusal = End.FAILED, str(error), error
        if (
            self.settings.paging in ("page", "offset")
            and error.status in _BEHIND_THE_END
            and walk.stated is not None
            and walk.received >= walk.stated
        ):
            walk.end = End.EMPTY  # some servers refuse what lies behind the end

    def _page(self, target: str) -> tuple[Page, str | None]:
        """Return a page, and the request for the one after it where the answer names one."""
        answer = self.asker.get(target)
        what = f"the answer to GET {self.path}"
        try:
            document = self.asker.document(answer)
            page = self._rows(document)
        except SourceError as error:
            raise SourceError(f"{what} {error}") from None
        if page.rejected and not page.keys:
            page.junk = hash(answer.body)
        page.total, notes = total_of(self._stated(document, answer))
        page.notes = tuple(notes)
        return page, self._following(target, document, answer)

    def _rows(self, document: object) -> Page:
        place = self.settings.items
        listed = records.at(document, place) if place else document
        if listed is records.ABSENT or listed is None:
            raise SourceError(f"holds nothing at {place}, where the list should be" if place else "is null")
        if not isinstance(listed, list):
            raise SourceError(f"holds no array {f'at {place}' if place else 'but an object'}; set items to where it is")
        page = Page()
        for record in listed:
            told = self.row(record) if isinstance(record, dict) else None
            if told is None:
                page.rejected += 1
            else:
                page.add(told[0], told[1], has_members=False)
        return page

    def _stated(self, document: object, answer: Answer) -> object:
        if self.settings.count_header is not None:
            return answer.headers.get(self.settings.count_header.lower())
        found = records.at(document, self.settings.count) if self.settings.count else None
        return None if found is records.ABSENT else found

    def _following(self, target: str, document: object, answer: Answer) -> str | None:
        match self.settings.paging:
            case "link":
                link = next_link(answer.headers.get("link", ""))
            case "next":
                link = self._said(document)
            case "cursor":
                cursor = self._said(document)
                return None if cursor is None else self._target({self.settings.parameter or "cursor": cursor})
            case _:
                return None
        return None if link is None else self.asker.session.linked(target, link)

    def _said(self, document: object) -> str | None:
        found = records.at(document, self.settings.next or "next")
        return None if found is records.ABSENT or isinstance(found, bool) else records.text(found)

    def _numbered(self, walk: Walk, size: int | None = None) -> str:
        """Return the request for the page behind what was read."""
        return self._at(walk.pages if self.settings.paging == "page" else walk.received, size)

    def _at(self, done: int, size: int | None = None) -> str:
        first = self.settings.first if self.settings.first is not None else int(self.settings.paging == "page")
        return self._target({self.settings.parameter or self.settings.paging: str(first + done)}, size)

    def _target(self, parameters: dict[str, str], size: int | None = None) -> str:
        asked = {**self.settings.query, **parameters}
        if self.settings.size_parameter:
            asked[self.settings.size_parameter] = str(self.size if size is None else size)
        joined = "&" if "?" in self.settings.path else "?"
        return f"{self.settings.path}{joined}{urlencode(asked, errors='replace')}" if asked else self.settings.path


_FEW = 2
_USUAL_SIZES = frozenset({10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 120, 150, 200, 250, 300, 400, 500, 1000, 2000, 5000})
"""Sizes of pages that APIs are known to choose by themselves."""


def next_link(header: str) -> str | None:
    """Return the address with the relation `next` in a Link header (RFC 8288, 3.3); relative or absolute."""
    for match in _LINK.finditer(header):
        if _NEXT.search(match[2]):
            return match[1].strip() or None
    return None
