"""One pass over a list: what came, what was new, and why it stopped."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

from scanner.collectors.envelope import Page, name_key
from scanner.collectors.refusal import HttpError
from scanner.errors import StoreError


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
    ids: set[int] = field(default_factory=set)
    received: int = 0
    """Elements sent, repeated and rejected ones included: the position in the list."""
    duplicates: int = 0
    repeated: dict[int, set[int]] = field(default_factory=dict)
    """The names under which an id came again, two at most: more than one user may go by one id."""
    conflicts: int = 0
    """Ids that stand for several users or groups."""
    rejected: int = 0
    junk: set[int] = field(default_factory=set)
    """Pages of nothing but rejected elements that were counted."""
    pages: int = 0
    first_total: int | None = None
    total: int | None = None
    """As stated by the last page."""
    trust_total: bool = True
    """False once the stated total turned out to be the size of a page."""
    by_cursor: bool = False
    by_id: bool = False
    """Whether the end was asked for by id: where the list is in another order, rows are left out."""
    has_members: bool = False
    last_line: bytes = b""
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

    @property
    def has_all(self) -> bool:
        """Whether as many rows came as the server states."""
        return self.stated is not None and len(self.ids) + self.rejected >= self.stated

    def may_go_on(self, max_pages: int) -> bool:
        """Whether a further page is within bounds; if not, this is the end."""
        if self.pages < max_pages:
            return True
        self.end = End.BUDGET
        return False

    def take(self, page: Page, *, is_part: bool = False) -> int:
        """Stage the rows of a page that are new, and return how many they were.

        `is_part`: the page belongs to a narrower list, whose total says nothing about the whole.
        """
        fresh = self._fresh(page)
        write(self.file, fresh)
        self.has_members = self.has_members or page.has_members
        if fresh or not (page.keys or page.junk in self.junk):
            # A page that only repeats says nothing about the list: a server that wraps or ignores the start index.
            self.junk.add(page.junk)
            self.duplicates += len(page.keys) - len(fresh)
            self.rejected += page.rejected
        self.received += page.size
        self.notes.update(page.notes)
        if not is_part:
            self._note_total(page)
        if page.lines:
            self.last_line = bytes(page.lines[-1])  # not a slice, which would keep the whole page
        self.pages += 1
        return len(fresh)

    def _fresh(self, page: Page) -> list[bytes]:
        """Remember the ids of a page; return the lines whose id is new."""
        known = len(self.ids)
        if self.ids.isdisjoint(page.keys):
            self.ids.update(page.keys)
            if len(self.ids) - known == len(page.keys):
                return page.lines
            self.ids.difference_update(page.keys)  # one of them comes twice in this page
        fresh = []
        for key, line in zip(page.keys, page.lines, strict=True):
            if key not in self.ids:
                self.ids.add(key)
                fresh.append(line)
            elif len(names := self.repeated.setdefault(key, set())) < 2:
                names.add(name_key(line))
        return fresh

    def _note_total(self, page: Page) -> None:
        if self.pages == 0:
            self.first_total = page.total
        elif page.total is not None and page.total == page.size < len(self.ids):
            # WSO2 states the size of the page as the size of the list.
            self.trust_total = False
        self.total = page.total


def write(file: BinaryIO, lines: list[bytes]) -> None:
    """Append lines to a staging file."""
    if not lines:
        return
    try:
        file.write(b"\n".join([*lines, b""]))
    except OSError as error:
        raise StoreError(f"the staging folder cannot be written: {error.strerror}") from None
