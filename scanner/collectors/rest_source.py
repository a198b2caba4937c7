"""What every source over an API has in common: one session, and lists that are proven whole."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from scanner.collectors import reading, records, second_view
from scanner.collectors.answers import AnswerLog
from scanner.collectors.http import Session
from scanner.collectors.interface import Look, Progress
from scanner.collectors.listing import Listing, read_list
from scanner.collectors.prefetch import Prefetch
from scanner.collectors.reading import Reading
from scanner.collectors.rest_paging import LINKED, Asker, RestLister, Row
from scanner.collectors.table import without_nul
from scanner.collectors.walk import End, Walk
from scanner.config import Application, Endpoint
from scanner.connections import RestSettings
from scanner.errors import SourceError
from scanner.model import ANSWERS, Collected, Verdict

ACCEPT = "application/json"
Record = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


@dataclass(slots=True)
class Lists:
    """Reads the lists of one source."""

    source: Endpoint
    session: Session
    asker: Asker
    into: Path
    progress: Progress
    doubts: list[tuple[Verdict, str]] = field(default_factory=list)
    """Why the source is not complete."""
    queries: list[str] = field(default_factory=list)
    main: Listing | None = None
    """The list of accounts or people."""
    notes: list[str] = field(default_factory=list)
    """What a reader should know, though the source is whole."""
    is_paging_known: bool = False
    """Whether the way of paging is a vendor's own, and no configuration can have it wrong."""
    is_whole: bool = True
    """Whether the further list that was read last is whole."""

    def all(self, settings: RestSettings, row: Row, what: str) -> Iterator[Record]:
        """Yield the rows of the list of accounts or people itself."""
        path = self.into / "main.part"
        try:
            self.main = listing = self._listed(settings, row, what, path)
            if listing.verdict is not Verdict.COMPLETE:
                self.doubts.append((listing.verdict, listing.detail))
            yield from _rows(path)
        finally:
            path.unlink(missing_ok=True)

    def further(self, settings: RestSettings, row: Row, what: str) -> Iterator[Record]:
        """Yield the rows of another list; what is missing of it makes the source short."""
        path = self.into / "further.part"
        try:
            listing = self._listed(settings, row, what, path)
            self.is_whole = listing.verdict is Verdict.COMPLETE
            if not self.is_whole:
                self.doubts.append((Verdict.SHORT, f"the list of {what} is not whole: {listing.detail}"))
            yield from _rows(path)
        finally:
            path.unlink(missing_ok=True)

    def each(
        self, settings: RestSettings, ids: Iterable[str], row: Row, what: str, *, unread: set[str] | None = None
    ) -> Iterator[tuple[str, list[Record]]]:
        """Yield id and rows of the list that each id has, at a path with {id}; the first pages are fetched ahead.

        A list that is not whole makes the source short, and its id goes to `unread` before its rows are yielded.
        """
        unread = set() if unread is None else unread
        self.queries.append(f"GET {settings.path}")
        wanted = list(ids)

        def lister(identifier: str) -> RestLister:
            return self._lister(replace(settings, path=filled(settings.path, identifier)), row)

        ahead = Prefetch(self.session.get, self.session.limits.parallel)
        reason, saw_next, longest = "", self.is_paging_known, (0, lister(""))
        try:
            ahead.foresee(lister(one).first() for one in wanted)
            for done, one in enumerate(wanted, 1):
                reader = lister(one)
                walk, doubt = _small(reader, ahead)
                if doubt:
                    reason = doubt
                    unread.add(one)
                elif walk.stated is None and len(walk.ids) > longest[0]:
                    longest = len(walk.ids), reader
                saw_next = saw_next or reader.saw_next
                self.progress(self.source.id, what, done, len(wanted))
                yield one, [_decode(line) for line in _lines(walk)]
        finally:
            ahead.drop()
        if unread:
            told = f"{len(unread):,} of {len(wanted):,} lists of {what} could not be read whole: {reason}"
            self.doubts.append((Verdict.SHORT, told))
        # They all page alike: if the longest is no first page, none is.
        found, reader = longest
        if not saw_next and (doubt := reader.doubt(found)):
            self.doubts.append((Verdict.SHORT, f"lists of {what} may go on: {doubt}"))

    def doubt(self, why: str) -> None:
        """Note what is missing beside the accounts: the source is short."""
        self.doubts.append((Verdict.SHORT, why))

    def document(self, target: str) -> Record:
        """Return the one object that stands at a path; raises SourceError if it is none."""
        self.queries.append(f"GET {target}")
        found = self.asker.document(self.asker.get(target))
        if not isinstance(found, dict):
            raise SourceError(f"the answer to GET {target.partition('?')[0]} is no object")
        return found

    def _listed(self, settings: RestSettings, row: Row, what: str, path: Path) -> Listing:
        def on_page(walk: Walk) -> None:
            self.progress(self.source.id, what, len(walk.ids), walk.stated)

        lister = self._lister(settings, row)
        lister.on_page = on_page
        self.queries.append(f"GET {lister.first()}")
        listing = read_list(lister, path, what)
        if listing.verdict is Verdict.COMPLETE and listing.stated is None and not self.is_paging_known:
            doubt = lister.doubt(listing.collected)
            if doubt:
                return replace(listing, verdict=Verdict.CAPPED, detail=doubt)
        return listing

    def _lister(self, settings: RestSettings, row: Row) -> RestLister:
        return RestLister(self.asker, settings, row, self.session.limits.page_size)


@contextmanager
def lists(source: Endpoint, into: Path, progress: Progress) -> Iterator[Lists]:
    """Sign in to a source; nothing is sent yet. Leaves the log of answers in `into`."""
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Session(source, accept=ACCEPT) as session:
        asker = Asker(session, hashlib.sha256(), AnswerLog(into / ANSWERS, session.redactor).note)
        yield Lists(source, session, asker, into, progress)


def collect_accounts(
    app: Application,
    into: Path,
    progress: Progress,
    read: Callable[[Reading, Lists], None],
    *,
    is_paging_known: bool = False,
) -> Collected:
    """Read an application over its API: `read` gives what the lists hold to the reading."""
    opened: list[Lists] = []

    def reads(found: Reading) -> None:
        with lists(app, into, progress) as api:
            opened.append(api)
            api.is_paging_known = is_paging_known
            try:
                read(found, api)
            finally:
                found.doubts += [(verdict, api.session.redactor.text(why, 600)) for verdict, why in api.doubts]
                found.notes += [api.session.redactor.text(note, 600) for note in api.notes]
                found.query, found.pages = "; ".join(dict.fromkeys(api.queries)), api.asker.pages

    collected = reading.collect_accounts(app, into, progress, reads)
    if not opened:
        return collected
    return second_view.compared(app, into, progress, _numbered(collected, opened[0]))


def _numbered(collected: Collected, api: Lists) -> Collected:
    """Return it with the numbers of the list itself."""
    source, main = collected.source, api.main
    source = replace(source, sha256=api.asker.digest.hexdigest())
    if main is not None:
        source = replace(
            source,
            stated=main.stated,
            duplicates=source.duplicates + main.duplicates,
            rejected=source.rejected + main.rejected,
        )
    return replace(collected, source=source)


def look(source: Endpoint, settings: RestSettings, row: Row) -> tuple[Look, list[str]]:
    """Ask for the first row of a list; return what it says, and the ids that came. Raises SourceError."""
    with Session(source, accept=ACCEPT) as session:
        lister = _sampling(session, settings, row)
        page, _ = lister.total()
    if not page.size:
        raise SourceError(f"GET {settings.path} answered with an empty list: may this credential read it?")
    if not page.keys:
        raise SourceError(f"GET {settings.path} answered with rows in which no id was found; check columns")
    stated = f"{page.size} of an unstated number" if page.total is None else f"{page.size} of {page.total:,}"
    return Look(f"{stated} read, paging by {settings.paging}"), [str(_decode(line)["id"]) for line in page.lines]


def refused(source: Endpoint, further: Iterable[RestSettings]) -> list[str]:
    """Ask for the first row of each further list; return why, for each that cannot be read."""
    found = []
    with Session(source, accept=ACCEPT) as session:
        for settings in further:
            try:
                _sampling(session, settings, lambda record: None).total()
            except SourceError as error:
                found.append(str(error))
    return found


def _sampling(session: Session, settings: RestSettings, row: Row) -> RestLister:
    return RestLister(Asker(session, hashlib.sha256()), settings, row, session.limits.page_size)


def row_with(needed: Mapping[str, str], **optional: str | None) -> Row:
    """Return what makes a row of a record: each key with the text at its path; without one of `needed` it is none."""

    def row(record: Record) -> tuple[str, bytes] | None:
        told = {key: records.text(records.at(record, path)) for key, path in needed.items()}
        if None in told.values():
            return None
        identity = "\x1f".join(map(str, told.values()))
        more = {key: records.text(records.at(record, path)) if path else None for key, path in optional.items()}
        return identity, line_of({"id": identity, **told, **more})

    return row


def line_of(row: Mapping[str, object]) -> bytes:
    """Return a row as a line of a staging file."""
    return without_nul(_encode, row)


def _rows(path: Path) -> Iterator[Record]:
    with path.open("rb") as lines:
        yield from map(_decode, lines)


def filled(template: str, identifier: str) -> str:
    """Return a path with an id in place of {id}; SourceError for one that would change the path."""
    if identifier in (".", ".."):
        raise SourceError("an id cannot stand in an address")
    return template.replace("{id}", quote(identifier, safe=""))


def _small(lister: RestLister, ahead: Prefetch) -> tuple[Walk, str]:
    """Read one of many short lists in memory. One answer is a picture of one moment; more are read a second time."""
    first = _walked(lister, ahead)
    if doubt := _unsound(first):
        return first, doubt
    if first.stated is not None:
        found = len(first.ids)
        return first, "" if found == first.stated else f"it states {first.stated:,} rows and lists {found:,}"
    if first.pages <= (1 if lister.settings.paging in (*LINKED, "none") else 2):
        return first, ""
    second = _walked(lister, None)
    doubt = _unsound(second) or ("" if first.ids == second.ids else "two readings of it differ")
    return second, doubt


def _walked(lister: RestLister, ahead: Prefetch | None) -> Walk:
    walk = Walk(BytesIO())
    lister.asker.fetch = ahead.get if ahead else None
    try:
        lister.walk(walk)
    finally:
        lister.asker.fetch = None
    return walk


def _unsound(walk: Walk) -> str:
    if walk.end in (End.FAILED, End.REFUSED):
        return walk.error
    if walk.end in (End.LOOP, End.BARREN, End.BUDGET) or (walk.end is End.NOTHING_NEW and walk.stated is None):
        return f"it does not end ({walk.end})"
    if walk.changed:
        return "its stated total changed while it was read"
    return f"{walk.rejected:,} rows of it have no id" if walk.rejected else ""


def _lines(walk: Walk) -> list[bytes]:
    walk.file.seek(0)
    return walk.file.read().splitlines()
