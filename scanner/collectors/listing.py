"""Reads one list and proves it: a walk, the total asked once more, and a second walk where the first proves nothing."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from scanner.collectors.envelope import Page, key_of, name_key
from scanner.collectors.paging import MAX_RESTARTS
from scanner.collectors.refusal import HttpError
from scanner.collectors.verdict import judge_stated, judge_unstated
from scanner.collectors.walk import End, Walk, write
from scanner.errors import SourceError, StoreError
from scanner.model import Verdict

_TINY = 2
"""No server cuts a list after so few rows."""


class Lister(Protocol):
    """Walks one list, however its server pages."""

    @property
    def path(self) -> str:
        """Of the list, below base_url."""

    def walk(self, walk: Walk) -> None:
        """Read on to the end of the list, or as far as it goes; what went wrong is in the walk."""

    def total(self) -> tuple[Page, int | None]:
        """Return the smallest first page that the server gives, for its total, and how many rows were asked for."""

    def behind(self, walk: Walk) -> Page | None:
        """Return what stands behind the last row that was read; None if the server cannot be asked."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as read, with its verdict. `path` holds each id once."""

    path: Path
    verdict: Verdict
    detail: str
    stated: int | None
    collected: int
    duplicates: int
    rejected: int
    pages: int
    has_members: bool
    notes: tuple[str, ...] = ()
    refusal: HttpError | None = None
    """Set where not even the first page was given."""


def read_list(lister: Lister, path: Path, what: str) -> Listing:
    """Read the list into `path` and judge it."""
    first = _walk(lister, path)
    again = _confirm(lister, first, path)
    spare = path.with_suffix(".second")
    try:
        if first.stated is not None or first.end not in (End.EMPTY, End.LAST_CURSOR, End.NOTHING_NEW):
            verdict, detail = judge_stated(first, again, what)
            if verdict is not Verdict.DRIFT and not first.conflicts and not _may_have_shifted(first, verdict):
                return _listing(path, verdict, detail, first)
            return _settle(lister, first, path, spare, (verdict, detail), what)
        second = _walk(lister, spare, trust_total=first.trust_total)
        verdict, detail = judge_unstated(first, second, what)
        return _joined(path, spare, verdict, detail, first, second)
    finally:
        spare.unlink(missing_ok=True)


def open_staging(path: Path, mode: str = "wb") -> BinaryIO:
    """Open a staging file that nobody else may read."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if mode == "ab" else os.O_TRUNC)
    try:
        return os.fdopen(os.open(path, flags, 0o600), mode)  # type: ignore[return-value]
    except OSError as error:
        raise StoreError(f"{path.name} cannot be written to the staging folder: {error.strerror}") from None


def _walk(lister: Lister, path: Path, *, trust_total: bool = True) -> Walk:
    """Walk once; a list whose cursor expired is begun again."""
    pages = 0
    for attempt in range(MAX_RESTARTS + 1):
        with open_staging(path) as file:
            walk = Walk(file, trust_total=trust_total)
            lister.walk(walk)
        pages += walk.pages
        has_expired = walk.refusal is not None and walk.refusal.scim_type == "expiredcursor"
        if not has_expired:
            break
        if attempt == MAX_RESTARTS:
            walk.end, walk.error = End.FAILED, f"GET {lister.path}: its cursors expired {attempt + 1} times on the way"
    walk.pages = pages
    walk.conflicts = _conflicts(path, walk)
    return walk


def _conflicts(path: Path, walk: Walk) -> int:
    """Count the ids that came again under another name than the one that was staged first."""
    if not walk.repeated:
        return 0
    with path.open("rb") as lines:
        return sum(bool(walk.repeated.get(key_of(line), set()) - {name_key(line)}) for line in lines)


def _confirm(lister: Lister, walk: Walk, path: Path) -> int | None:
    """Ask for the total once more; distrust it where it may be the size of a page."""
    if walk.stated is None or walk.end not in (End.TOTAL, End.EMPTY, End.LAST_CURSOR, End.NOTHING_NEW):
        return walk.stated
    if walk.end is End.TOTAL and _is_all(lister, walk, path):
        return walk.stated
    try:
        page, asked = lister.total()
    except SourceError as error:
        walk.end, walk.error = End.FAILED, str(error)
        return None
    total = page.total
    if walk.pages > 1 or walk.end is not End.TOTAL or total != page.size or not page.size:
        return total
    # One page, and totals that equal their pages: look behind the page before believing that it is all.
    known, stated = len(walk.ids), walk.total
    walk.trust_total = False
    with open_staging(path, "ab") as file:
        walk.file = file
        lister.walk(walk)
    ended = End(walk.end)
    if ended is End.REFUSED:
        walk.end, walk.error = End.EMPTY, ""  # "nothing there" in the words of this server
    # A server that repeats itself may yet be one that does not page at all, and sends everything whatever is asked.
    is_unpaged = ended is End.NOTHING_NEW and ((asked is not None and page.size > asked) or known <= _TINY)
    if len(walk.ids) == known and total == stated and (is_unpaged or ended in (End.EMPTY, End.REFUSED)):
        walk.trust_total, walk.first_total, walk.total, walk.end = True, stated, stated, End.TOTAL
    return total


def _is_all(lister: Lister, walk: Walk, path: Path) -> bool:
    """Look behind the stated end: return whether nothing is there and the total is unchanged, and read on if not."""
    page = lister.behind(walk)
    if page is None:
        return False
    if walk.ids.issuperset(page.keys):
        return page.total == walk.stated
    is_page_size = page.total == page.size
    walk.trust_total = False
    with open_staging(path, "ab") as file:
        walk.file = file
        lister.walk(walk)
    walk.trust_total = not is_page_size
    return False


def _may_have_shifted(walk: Walk, verdict: Verdict) -> bool:
    """Whether rows may be missing because others came and went while the list was read, the total unchanged."""
    return verdict is Verdict.SHORT and walk.duplicates > 0 and not walk.rejected and walk.end is End.EMPTY


def _settle(lister: Lister, first: Walk, path: Path, spare: Path, judged: tuple[Verdict, str], what: str) -> Listing:
    """Read a list that changed once more: either the second walk is sound in itself, or nothing is proven."""
    second = _walk(lister, spare)
    again = _confirm(lister, second, spare)
    verdict, detail = judge_stated(second, again, what)
    if second.stated is None and verdict is Verdict.COMPLETE:
        verdict, detail = Verdict.DRIFT, f"{judged[1]}; the second reading stated no total"
    if verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        verdict, detail = judged[0], f"{judged[1]}; the second reading did not settle it: {detail}"
    return _joined(path, spare, verdict, detail, first, second)


def _joined(path: Path, spare: Path, verdict: Verdict, detail: str, first: Walk, second: Walk) -> Listing:
    """Keep the second walk where it is complete in itself, else the union of both."""
    first.pages = second.pages = first.pages + second.pages
    if verdict is Verdict.COMPLETE:
        spare.replace(path)
        return _listing(path, verdict, detail, second)
    with open_staging(path, "ab") as file, spare.open("rb") as lines:
        for line in lines:
            key = key_of(line)
            if key not in first.ids:
                first.ids.add(key)
                write(file, [line.rstrip(b"\n")])
    first.has_members = first.has_members or second.has_members
    return _listing(path, verdict, detail, first)


def _listing(path: Path, verdict: Verdict, detail: str, walk: Walk) -> Listing:
    return Listing(
        path=path,
        verdict=verdict,
        detail=detail,
        stated=walk.stated,
        collected=len(walk.ids),
        duplicates=walk.duplicates,
        rejected=walk.rejected,
        pages=walk.pages,
        has_members=walk.has_members,
        notes=tuple(sorted(walk.notes)),
        refusal=walk.refusal if not walk.pages else None,
    )
