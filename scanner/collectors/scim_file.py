"""Reads a saved SCIM export: list responses, an array of them, an array of resources, or one resource a line.

Rights needed: to read the file. Covers what was saved, which is what the server showed to whoever saved it. No network,
no rate limit.
"""

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from scanner.collectors import profiles
from scanner.collectors.envelope import LENIENT, Page, decode, kind_of, page_of, parse_page, rows_of
from scanner.collectors.interface import Look, Progress
from scanner.collectors.listing import open_staging
from scanner.collectors.outcome import begun, ended
from scanner.collectors.verdict import KNOWN_CAPS
from scanner.collectors.walk import write
from scanner.config import Application
from scanner.errors import OrphanscanError, SourceError, StoreError
from scanner.model import Collected, Source, Verdict

MAX_BYTES = 2 * 1024**3
"""The file is held in memory while it is read."""
_BATCH = 1000
_PAGE_NAMES = (b'"resources"', b'"totalresults"')


@dataclass(slots=True)
class _Tally:
    """What the file holds of one kind: users, groups, or both in one list."""

    ids: set[tuple[str, int]] = field(default_factory=set)
    lines: list[bytes] = field(default_factory=list)
    totals: set[int] = field(default_factory=set)
    duplicates: int = 0
    has_more: bool = False
    """Whether the last page names a page that is not in the file."""


@dataclass(slots=True)
class _Content:
    """What the whole file holds."""

    users: _Tally = field(default_factory=_Tally)
    groups: _Tally = field(default_factory=_Tally)
    mixed: _Tally = field(default_factory=_Tally)
    latest: _Tally | None = None
    """Of the page before."""
    rejected: int = 0
    others: int = 0
    documents: int = 0
    broken: str = ""
    """Why the file could not be read to its end."""


def collect_scim_file(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and groups.ndjson in `into`, with the verdict on the file."""
    blank = begun(app)
    try:
        blank = replace(blank, coverage=app.coverage or profiles.load(app.profile).coverage)
        collected = _collect(app, into, progress, blank)
    except StoreError:
        raise  # our disk, not their file
    except OrphanscanError as error:
        collected = Collected(replace(blank, detail=str(error)))
    return ended(collected)


def look(app: Application) -> Look:
    """Look at how the file begins."""
    if app.path is None:
        raise SourceError(f"application {app.id} has no path")
    with app.path.open("rb") as file:
        begins = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if begins[:1] not in (b"{", b"["):
        raise SourceError(f"{app.path}: it does not begin as JSON does")
    return Look("begins as JSON does", file=app.path)


def _collect(app: Application, into: Path, progress: Progress, blank: Source) -> Collected:
    if app.path is None:
        raise SourceError(f"application {app.id} has no path")
    raw, is_steady = _read(app.path)
    content = _Content()
    try:
        for page in _pages(_utf8(raw), content):
            _take(content, page)
            progress(app.id, "users", len(content.users.ids), None)
    except SourceError as error:
        raise SourceError(f"{app.path.name} {error}") from None
    if not content.documents or (content.broken and not content.users.ids and not content.groups.ids):
        raise SourceError(content.broken or f"{app.path.name} is empty")
    verdict, detail = _judge(content, is_steady, app.path.name)
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = {}
    for name, tally in (("users", content.users), ("groups", content.groups)):
        files[name] = into / f"{name}.ndjson"
        with open_staging(files[name]) as file:
            write(file, tally.lines)
    source = replace(
        blank,
        verdict=verdict,
        detail=detail,
        stated=_only(content.users.totals),
        collected=len(content.users.ids),
        duplicates=content.users.duplicates,
        rejected=content.rejected,
        pages=content.documents,
        query=f"{app.path.name} ({len(raw):,} bytes, JSON)",
        sha256=hashlib.sha256(raw).hexdigest(),
        groups_stated=_only(content.groups.totals),
        groups_collected=len(content.groups.ids),
    )
    return Collected(source, files)


def _read(path: Path) -> tuple[bytes, bool]:
    """Return the bytes of the file, and whether it stayed the same while it was read."""
    try:
        before = path.stat()
        if before.st_size > MAX_BYTES:
            raise SourceError(f"{path.name} is larger than {MAX_BYTES:,} bytes; split the export")
        raw = path.read_bytes()
        after = path.stat()
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}") from None
    same = (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)
    return raw, same and len(raw) == after.st_size


def _utf8(raw: bytes) -> bytes:
    """Return UTF-8 without byte order mark; spreadsheets and shells on Windows like to write UTF-16."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace").encode()
    return raw.removeprefix(codecs.BOM_UTF8)


def _pages(raw: bytes, content: _Content) -> Iterator[Page]:
    first = raw.lstrip().partition(b"\n")[0]
    if _is_document(first):
        yield from _by_line(raw, content)
    else:
        yield from _by_document(raw, content)


def _is_document(line: bytes) -> bool:
    try:
        decode(line)
    except SourceError:
        return False
    return True


def _by_line(raw: bytes, content: _Content) -> Iterator[Page]:
    """Yield the pages of a file with one resource or one list response a line."""
    batch: list[bytes] = []
    for line in raw.split(b"\n"):
        if not line.strip():
            continue
        if line.startswith(b"{") and not any(name in line.lower() for name in _PAGE_NAMES):
            batch.append(line)
            if len(batch) >= _BATCH:
                yield from _resources(batch, content)
                batch.clear()
        else:
            yield from _line(line, content)
    yield from _resources(batch, content)


def _resources(lines: list[bytes], content: _Content) -> Iterator[Page]:
    """Read lines of resources as if they were one page; where that fails, one by one."""
    if not lines:
        return
    try:
        page = parse_page(b'{"Resources":[' + b",".join(lines) + b"]}")
    except SourceError:
        for line in lines:
            yield from _line(line, content)
        return
    content.documents += len(lines)
    content.broken = ""
    yield page


def _line(line: bytes, content: _Content) -> Iterator[Page]:
    try:
        yield from _interpreted(decode(line), content)
        content.broken = ""
    except SourceError as error:
        content.rejected += 1
        # Told only if no sound line follows: then the file was cut off.
        content.broken = f"the last line of the file {error}; was the export finished?"


def _by_document(raw: bytes, content: _Content) -> Iterator[Page]:
    """Yield the pages of one or several JSON documents, written one after the other over any number of lines."""
    text = raw.decode("utf-8", "replace")
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return
        try:
            document, at = LENIENT.raw_decode(text, at)
        except (ValueError, RecursionError):
            where = text.count("\n", 0, at) + 1
            is_page = text[at : at + 1] == "<"
            content.broken = (
                "the file is a web page, not SCIM" if is_page else f"no complete JSON from line {where:,} on"
            )
            return
        yield from _interpreted(document, content)


def _interpreted(document: object, content: _Content) -> Iterator[Page]:
    """Yield a decoded document as pages, whatever it turns out to be."""
    content.documents += 1
    if isinstance(document, dict):
        yield page_of(document) if _is_page(document) else rows_of([document])
    elif isinstance(document, list):
        pages = [one for one in document if isinstance(one, dict) and _is_page(one)]
        yield from map(page_of, pages)
        resources = [one for one in document if not (isinstance(one, dict) and _is_page(one))]
        if resources:
            yield rows_of(resources)
    else:
        content.rejected += 1


def _is_page(document: dict[str, object]) -> bool:
    names = {name.lower() for name in document}
    return "resources" in names or ("totalresults" in names and "id" not in names)


def _take(content: _Content, page: Page) -> None:
    content.rejected += page.rejected
    kinds: set[str] = set()
    found: set[tuple[str, int]] = set()
    for key, line in zip(page.keys, page.lines, strict=True):
        kind = kind_of(line)
        kinds.add(kind)
        found.add((kind, key))
        if kind == "other":
            content.others += 1
            continue
        tally = content.users if kind == "user" else content.groups
        if (kind, key) in tally.ids:
            tally.duplicates += 1
        else:
            tally.ids.add((kind, key))
            tally.lines.append(line)
    if kinds:
        one = {"group": content.groups, "user": content.users}
        content.latest = one.get(min(kinds), content.mixed) if len(kinds) == 1 else content.mixed
    # A page without rows belongs to the list before it.
    tally = content.latest or content.users
    if tally is content.mixed:
        tally.ids |= found
    if page.total:
        tally.totals.add(page.total)
    tally.has_more = page.next_cursor is not None


def _judge(content: _Content, is_steady: bool, name: str) -> tuple[Verdict, str]:
    if not is_steady:
        return Verdict.SHORT, f"{name} changed while it was read; save the export completely before the scan"
    if content.broken:
        return Verdict.SHORT, content.broken
    if content.rejected:
        return Verdict.SHORT, f"{content.rejected:,} entries of {name} are no SCIM resources or have no id"
    notes = f"{content.others:,} resources of other types were passed over" if content.others else ""
    for tally, what in ((content.users, "users"), (content.groups, "groups"), (content.mixed, "users and groups")):
        verdict, detail = _judge_kind(tally, what)
        if verdict is not Verdict.COMPLETE:
            return verdict, detail
    return Verdict.COMPLETE, notes


def _judge_kind(tally: _Tally, what: str) -> tuple[Verdict, str]:
    found = len(tally.ids)
    if len(tally.totals) > 1:
        low, high = min(tally.totals), max(tally.totals)
        return Verdict.DRIFT, f"the pages of the file state between {low:,} and {high:,} {what}"
    stated = _only(tally.totals)
    if stated is None or found == stated:
        if tally.has_more and stated is None:
            return Verdict.SHORT, f"the last page of {what} names a further page that is not in the file"
        return Verdict.COMPLETE, ""
    if found > stated:
        return Verdict.UNKNOWN, f"the file states {stated:,} {what} but holds {found:,}"
    verdict = Verdict.CAPPED if found in KNOWN_CAPS else Verdict.SHORT
    return verdict, f"the file states {stated:,} {what} but holds {found:,}; was every page saved?"


def _only(totals: set[int]) -> int | None:
    return next(iter(totals)) if len(totals) == 1 else None
