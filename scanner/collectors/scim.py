"""Reads the users and groups of an application over SCIM 2.0, and says how complete they are."""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from scanner.collectors import profiles
from scanner.collectors.discovery import Discovery, discover, offers_groups
from scanner.collectors.envelope import decode, key_of, rows_of
from scanner.collectors.http import Session
from scanner.collectors.interface import Progress
from scanner.collectors.listing import Listing, open_staging, read_list
from scanner.collectors.paging import Lister, Walk, write
from scanner.collectors.profiles import Profile
from scanner.config import Application
from scanner.errors import OrphanscanError, SourceError, StoreError
from scanner.model import Collected, Source, Verdict

_log = logging.getLogger(__name__)
_MEMBERSHIPS = "memberships are missing"


@dataclass(frozen=True, slots=True)
class _Groups:
    """What became of the groups."""

    verdict: Verdict
    detail: str
    listing: Listing | None = None


def collect_scim(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and groups.ndjson in `into`, with the verdict on both."""
    started = datetime.now(UTC)
    blank = Source(
        id=app.id,
        kind="application",
        type=app.type,
        verdict=Verdict.FAILED,
        coverage=app.coverage or "unknown",
        started_at=started,
    )
    try:
        profile = profiles.load(app.profile)
        blank = replace(blank, coverage=app.coverage or profile.coverage)
        with Session(app) as session:
            collected = _collect(app, profile, session, into, progress, blank)
    except StoreError:
        raise  # our disk, not their server
    except OrphanscanError as error:
        collected = Collected(replace(blank, detail=str(error)))
    return replace(collected, source=replace(collected.source, finished_at=datetime.now(UTC)))


def _collect(
    app: Application, profile: Profile, session: Session, into: Path, progress: Progress, blank: Source
) -> Collected:
    found = discover(session, profile)
    digest = hashlib.sha256()

    def lister(path: str, what: str) -> Lister:
        def on_page(walk: Walk) -> None:
            progress(app.id, what, len(walk.ids), walk.stated)

        count = min(app.limits.page_size, found.max_page_size)
        return Lister(session, path, count, found.cursor, found.index, digest, on_page)

    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    users_lister, groups_lister = lister("/Users", "users"), lister("/Groups", "groups")
    users = read_list(users_lister, into / "users.ndjson", "users")
    if users.verdict is Verdict.FAILED:
        groups = _Groups(Verdict.COMPLETE, "")  # the users' verdict says it all
    else:
        groups = _read_groups(groups_lister, profile, into / "groups.ndjson", progress, app.id)
    source = _source(blank, users, groups, found, session)
    asked = [users_lister, groups_lister] if groups.listing else [users_lister]
    query = "; ".join(f"GET {one.path}?{one.first_query()}" for one in asked)
    files = {"users": users.path} if users.pages else {}
    if groups.listing is not None and groups.listing.pages:
        files["groups"] = groups.listing.path
    return Collected(replace(source, query=query, sha256=digest.hexdigest()), files)


def _read_groups(lister: Lister, profile: Profile, path: Path, progress: Progress, app_id: str) -> _Groups:
    listing = read_list(lister, path, "groups")
    if listing.refusal is not None:
        if listing.refusal.status in (404, 501) and (not profile.groups or not offers_groups(lister.session)):
            return _Groups(Verdict.COMPLETE, "the application offers no groups")
        return _Groups(Verdict.SHORT, f"{_MEMBERSHIPS}: {listing.detail}", listing)
    if listing.collected and not listing.has_members:
        missing = _read_singly(lister, path, listing.collected, progress, app_id)
        if missing:
            return _Groups(Verdict.SHORT, f"{_MEMBERSHIPS}: {missing}", listing)
    if listing.verdict is Verdict.FAILED:
        return _Groups(Verdict.SHORT, f"{_MEMBERSHIPS}: {listing.detail}", listing)
    return _Groups(listing.verdict, listing.detail, listing)


def _read_singly(lister: Lister, path: Path, total: int, progress: Progress, app_id: str) -> str:
    """Read every group by itself, as the list came without members; return what went wrong, if anything."""
    full = path.with_suffix(".full")
    unread, reason = 0, ""
    try:
        with path.open("rb") as lines, open_staging(full) as file:
            for done, line in enumerate(lines, start=1):
                group = line.rstrip(b"\n")
                # Once the time is over every further request fails at once.
                try:
                    group = _read_group(lister, group)
                except SourceError as error:
                    unread, reason = unread + 1, str(error)
                write(file, [group])
                progress(app_id, "groups", done, total)
        full.replace(path)
    finally:
        full.unlink(missing_ok=True)
    return f"{unread:,} of {total:,} groups could not be read singly: {reason}" if unread else ""


def _read_group(lister: Lister, listed: bytes) -> bytes:
    resource = decode(listed)
    identifier = str(resource["id"]) if isinstance(resource, dict) else ""
    if identifier in (".", ".."):
        raise SourceError("a group id cannot stand in an address")
    answer = lister.session.get(f"/Groups/{quote(identifier, safe='')}")
    lister.digest.update(answer.body)
    try:
        page = rows_of([decode(lister.session.redactor.body(answer.body))])
    except SourceError as error:
        raise SourceError(f"the answer to GET of one group {error}") from None
    if page.keys != [key_of(listed)]:
        raise SourceError("GET of one group answered with something else")
    return page.lines[0]


def _source(blank: Source, users: Listing, groups: _Groups, found: Discovery, session: Session) -> Source:
    """Fold both lists into one verdict: an unread group makes good users `short`."""
    verdict, sentences = users.verdict, [users.detail]
    if verdict is Verdict.COMPLETE and groups.verdict is not Verdict.COMPLETE:
        verdict = groups.verdict
    sentences.append(groups.detail)
    sentences += users.notes
    if users.verdict is Verdict.COMPLETE and not users.collected:
        sentences.append("the list of users is empty")
    listing = groups.listing
    return replace(
        blank,
        verdict=verdict,
        stated=users.stated,
        collected=users.collected,
        duplicates=users.duplicates,
        rejected=users.rejected + (listing.rejected if listing else 0),
        detail=session.redactor.text("; ".join(filter(None, sentences)), 600),
        pages=users.pages + (listing.pages if listing else 0),
        groups_stated=listing.stated if listing else None,
        groups_collected=listing.collected if listing else 0,
    )
