"""Reads the users and groups of an application over SCIM 2.0, and says how complete they are.

Rights needed: to read users and groups; nothing is written here. Covers what the server lists, which is often only what
an identity provider made in it: `coverage` says so. Pages of a list that has shown itself regular are fetched several
at a time; every rate limit that the server, the vendor's profile or the configuration states is kept.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scanner.collectors import profiles
from scanner.collectors.answers import AnswerLog
from scanner.collectors.asking import Asking
from scanner.collectors.discovery import Discovery, discover
from scanner.collectors.envelope import username_of
from scanner.collectors.groups import Groups, read_groups
from scanner.collectors.http import Session
from scanner.collectors.interface import Progress
from scanner.collectors.listing import Listing, read_list
from scanner.collectors.outcome import begun, ended
from scanner.collectors.paging import Lister
from scanner.collectors.profiles import Profile
from scanner.collectors.walk import Walk
from scanner.config import Application
from scanner.errors import OrphanscanError, StoreError
from scanner.model import ANSWERS, Collected, Source, Verdict

_log = logging.getLogger(__name__)


def collect_scim(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and groups.ndjson in `into`, with the verdict on both."""
    blank = begun(app)
    try:
        profile = profiles.load(app.profile)
        blank = replace(blank, coverage=app.coverage or profile.coverage)
        with Session(app, profile.requests_per_minute) as session:
            collected = _collect(app, profile, session, into, progress, blank)
    except StoreError:
        raise  # our disk, not their server
    except OrphanscanError as error:
        collected = Collected(replace(blank, detail=str(error)))
    return ended(collected)


def _collect(
    app: Application, profile: Profile, session: Session, into: Path, progress: Progress, blank: Source
) -> Collected:
    found = discover(session, profile)
    digest = hashlib.sha256()

    def lister(path: str, what: str) -> Lister:
        def on_page(walk: Walk) -> None:
            progress(app.id, what, len(walk.ids), walk.stated)

        asking = Asking(
            session,
            path,
            min(app.limits.page_size, found.max_page_size),
            digest,
            extra="excludedAttributes=members" if what == "groups" and profile.members == "single" else "",
            takes_start=profile.sends_start_index,
            takes_cursor=found.cursor,
            note=note,
        )
        last = profile.max_start_index if profile.continue_by_id else None
        return Lister(asking, found.index, on_page, last)

    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = AnswerLog(into / ANSWERS, session.redactor).note
    users_lister, groups_lister = lister("/Users", "users"), lister("/Groups", "groups")
    users = _without_placeholders(read_list(users_lister, into / "users.ndjson", "users"), profile)
    if users.verdict is Verdict.FAILED:
        groups = Groups(Verdict.COMPLETE, "")  # the users' verdict says it all
    else:
        groups = read_groups(groups_lister, profile, into, progress, app.id)
    source = _source(blank, users, groups, found, session)
    asked = [users_lister, groups_lister] if groups.listing else [users_lister]
    query = "; ".join(f"GET {one.asking.first()}" for one in asked)
    files = {"users": users.path} if users.pages else {}
    if groups.listing is not None and groups.listing.pages:
        files["groups"] = groups.listing.path
    return Collected(replace(source, query=query, sha256=digest.hexdigest()), files)


def made_up(lines: Sequence[bytes], profile: Profile) -> str:
    """Say why these users are none: Snowflake shows one in place of the list that it does not give. Empty: they are."""
    names = {name.casefold() for name in profile.placeholder_users}
    if not lines or not all(username_of(line).casefold() in names for line in lines):
        return ""
    return f"the list holds only a made-up user, which {profile.name} shows in place of a list that is not enabled"


def _without_placeholders(users: Listing, profile: Profile) -> Listing:
    if not 0 < users.collected <= len(profile.placeholder_users):
        return users
    why = made_up(users.path.read_bytes().splitlines(), profile)
    return replace(users, verdict=Verdict.UNKNOWN, detail=why) if why else users


def _source(blank: Source, users: Listing, groups: Groups, found: Discovery, session: Session) -> Source:
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
