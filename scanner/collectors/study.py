"""A closer look at one application for `doctor --app`: how its server pages, and how complete a scan will be.

A dozen requests at most, all of them GET: whether the server takes a PATCH is known from its own words only.
"""

import contextlib
import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

from scanner.collectors import profiles
from scanner.collectors.asking import Asking
from scanner.collectors.discovery import Discovery, Hints, discover, offers_groups
from scanner.collectors.envelope import Page, id_of, name_key
from scanner.collectors.groups import NO_GROUPS
from scanner.collectors.http import Session
from scanner.collectors.profiles import Profile
from scanner.collectors.refusal import HttpError
from scanner.collectors.scim import made_up
from scanner.config import Application
from scanner.errors import SourceError

_SECOND_LOOK = 2
_SEQUENTIAL = 3
"""Pages that are asked for one by one before others are fetched ahead."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was seen. Free of secrets and of personal data."""

    topic: str
    text: str
    is_doubt: bool = False
    """Whether a scan of this application would not be complete."""


@dataclass(frozen=True, slots=True)
class _First:
    """The first page, and what it took."""

    page: Page
    seconds: float
    by_cursor: bool


def study(app: Application) -> Iterator[Remark]:
    """Yield what is seen of an application; raise OrphanscanError where it cannot be asked at all."""
    profile = profiles.load(app.profile)
    yield _profile(app, profile)
    with Session(app, profile.requests_per_minute) as session:
        found = discover(session, profile)
        yield _discovery(found.hints)
        yield _patch(found.hints, profile)
        size = min(app.limits.page_size, found.max_page_size)
        users = Asking(session, "/Users", size, hashlib.sha256(), takes_start=profile.sends_start_index)
        asked = users.count
        first = _first(users, found)
        yield _paging(users, first, asked)
        is_short = _stands_behind(users, first)
        yield _total(first, is_short=is_short)
        if is_short:
            first = replace(first, page=replace(first.page, total=None))
        doubts = []
        for remark in (
            _rows(first.page, profile),
            _onward(users, first),
            _last(users, first),
            _filter(users, first),
            _groups(Asking(session, "/Groups", users.count, hashlib.sha256()), found, profile),
        ):
            yield remark
            doubts += [remark.topic] if remark.is_doubt else []
        yield _forecast(app, first, doubts)


def _profile(app: Application, profile: Profile) -> Remark:
    note = f" ({profile.coverage_note})" if profile.coverage_note and not app.coverage else ""
    unconfirmed = f"; not confirmed and not used: {', '.join(profile.unconfirmed)}" if profile.unconfirmed else ""
    return Remark("profile", f"{profile.name}; coverage {app.coverage or profile.coverage}{note}{unconfirmed}")


def _discovery(hints: Hints) -> Remark:
    if hints.path is None:
        return Remark("discovery", "it does not describe itself; the profile answers in its place")
    flags = {"filter": hints.filter, "sort": hints.sort, "bulk": hints.bulk, "etag": hints.etag}
    said = [f"{name} {_yes(flag)}" for name, flag in flags.items() if flag is not None]
    said += [f"cursors {_yes(hints.cursor_paging)}"] if hints.cursor_paging is not None else []
    said += [f"signs in by {', '.join(hints.auth_schemes)}"] if hints.auth_schemes else []
    return Remark("discovery", f"{hints.path}: {'; '.join(said) or 'nothing of use'}")


def _patch(hints: Hints, profile: Profile) -> Remark:
    """Say what switching an account off would mean; it is not tried."""
    says = "it does not say" if hints.patch is None else f"the server says {_yes(hints.patch)}"
    off = profile.deactivation
    undone = {True: "can be undone", False: "cannot be undone", None: "not known whether it can be undone"}
    return Remark("PATCH", f"{says}; active = false: {off.inactive}, {undone[off.reversible]}; DELETE: {off.delete}")


def _yes(flag: bool | None) -> str:  # a value, not a switch
    return "yes" if flag else "no"


def _first(users: Asking, found: Discovery) -> _First:
    before = time.monotonic()
    if found.cursor:
        with contextlib.suppress(HttpError):
            page = users.page(users.cursor(None))
            return _First(page, time.monotonic() - before, by_cursor=page.next_cursor is not None)
    page = users.first_at()
    return _First(page, time.monotonic() - before, by_cursor=page.next_cursor is not None)


def _paging(users: Asking, first: _First, asked: int | None) -> Remark:
    how = "by cursor" if first.by_cursor else "by index"
    if users.count is None:
        return Remark("paging", f"{how}; it takes no count, and sent {first.page.size:,} rows")
    smaller = f" (it refused {asked:,})" if asked != users.count else ""
    got = f"asked for {users.count:,} rows{smaller}, it sent {first.page.size:,}"
    is_capped = 0 < first.page.size < users.count and (first.page.total or math.inf) > first.page.size
    return Remark("paging", f"{how}; {got}{': its page cap' if is_capped else ''}")


def _stands_behind(users: Asking, first: _First) -> bool:
    """Look whether a list that its first page holds in full, by its own count, goes on."""
    page = first.page
    if first.by_cursor or not page.size or page.total != page.size or not users.takes_start:
        return False
    with contextlib.suppress(SourceError):
        return not set(users.page(users.at(page.size + 1)).keys) <= set(page.keys)
    return False


def _total(first: _First, *, is_short: bool) -> Remark:
    if is_short:
        stated = f"{first.page.total:,} users stated, but more stand behind them"
        return Remark("total", f"{stated}: it is not relied on, so a scan reads the list twice and compares")
    if first.page.total is None:
        return Remark("total", "not stated, so a scan reads the list twice and compares")
    return Remark("total", f"{first.page.total:,} users stated")


def _rows(page: Page, profile: Profile) -> Remark:
    """Look whether the rows can be told apart, and stand for users."""
    if page.rejected:
        return Remark("rows", f"{page.rejected:,} of {page.size:,} are no objects or have no id", is_doubt=True)
    named = set(zip(page.keys, map(name_key, page.lines), strict=True))
    if len(named) > (distinct := len(set(page.keys))):
        return Remark("rows", f"{len(named):,} users go by {distinct:,} ids", is_doubt=True)
    if why := made_up(page.lines, profile):
        return Remark("rows", why, is_doubt=True)
    repeated = page.size - distinct
    return Remark("rows", f"{repeated:,} of {page.size:,} repeat an id" if repeated else f"{distinct:,} with ids")


def _onward(users: Asking, first: _First) -> Remark:
    """Look whether the second page goes on where the first one ended."""
    page = first.page
    if not page.size or (page.total is not None and page.size >= page.total and page.size >= _SECOND_LOOK):
        return Remark("next page", "not needed: the first holds all")
    if page.next_cursor is None and not users.takes_start:
        return Remark("next page", "it takes no start index and names no cursor", is_doubt=True)
    target = users.at(page.size + 1) if page.next_cursor is None else users.cursor(page.next_cursor)
    try:
        second = users.page(target)
    except SourceError as error:
        return Remark("next page", f"refused: {error}", is_doubt=page.total is None or page.total > page.size)
    if not second.size and second.next_cursor not in (None, page.next_cursor):
        return Remark("next page", "empty, with a cursor that goes on")
    if not second.size:
        return Remark("next page", "empty", is_doubt=page.total is not None and page.total > page.size)
    repeated = len(set(page.keys) & set(second.keys))
    if repeated == second.size:
        return Remark("next page", "it repeats the first page", is_doubt=page.total != page.size)
    if repeated:
        return Remark("next page", f"goes on, {repeated:,} of {second.size:,} rows repeat: the order is not kept")
    return Remark("next page", "goes on where the first ended")


def _last(users: Asking, first: _First) -> Remark:
    """Look whether the end of the list can be reached: some servers take no start index beyond a limit."""
    page, total = first.page, first.page.total
    if first.by_cursor or total is None or page.size >= total or not users.takes_start:
        return Remark("last page", "not looked for")
    try:
        last = users.page(users.at(total))
        if last.size and not set(last.keys) <= set(page.keys):
            return Remark("last page", f"position {total:,} can be reached")
        if not last.size and not set(users.page(users.at(0)).keys) <= set(page.keys):
            return Remark("last page", "it counts positions from 0, where a scan finds the user that is missing")
        why = "is empty" if not last.size else "repeats the first page"
    except SourceError as error:
        why = f"is refused ({error})"
    with contextlib.suppress(SourceError):
        if page.lines and set(users.page(users.after(id_of(page.lines[-1]))).keys) - set(page.keys):
            return Remark("last page", f"position {total:,} {why}; a scan goes on by `id gt` instead")
    return Remark("last page", f"position {total:,} {why}", is_doubt=True)


def _filter(users: Asking, first: _First) -> Remark:
    """Look whether a filter is obeyed: a remediation reads one account again, and some lists go on by id."""
    if not first.page.lines:
        return Remark("filter", "not tried: there is no user to look for")
    wanted = id_of(first.page.lines[0]).replace("\\", "\\\\").replace('"', '\\"')
    try:
        page = users.page(f"/Users?filter={quote(f'id eq {chr(34)}{wanted}{chr(34)}', safe='')}&startIndex=1&count=2")
    except SourceError as error:
        return Remark("filter", f"`id eq` is refused: {error}")
    if page.keys == first.page.keys[:1]:
        return Remark("filter", "`id eq` finds the one user")
    return Remark("filter", f"`id eq` is not obeyed: {page.size:,} rows came")


def _groups(groups: Asking, found: Discovery, profile: Profile) -> Remark:
    try:
        first = _first(groups, found)
    except SourceError as error:
        is_absent = isinstance(error, HttpError) and error.status in NO_GROUPS
        if is_absent and (not profile.groups or not offers_groups(groups.session)):
            return Remark("groups", "the application offers none")
        return Remark("groups", f"cannot be read, so memberships are missing: {error}", is_doubt=True)
    page = first.page
    if not page.size:
        return Remark("groups", "none")
    stated = "an unstated number" if page.total is None else f"{page.total:,}"
    members = "with members in the list" if page.has_members else "without members in the list: each is read by itself"
    return Remark("groups", f"{stated}, {members}")


def _forecast(app: Application, first: _First, doubts: list[str]) -> Remark:
    page = first.page
    if doubts:
        return Remark("a scan", f"will not be complete as things stand: see {', '.join(doubts)}", is_doubt=True)
    if page.total is None:
        return Remark("a scan", "is complete if two readings of the list agree")
    pages = max(1, math.ceil(page.total / max(1, page.size)))
    at_once = 1 if first.by_cursor or pages <= _SEQUENTIAL else app.limits.parallel
    seconds = max(first.seconds * pages / at_once, first.seconds)
    how = "" if at_once == 1 else f", {at_once} at a time"
    asked = f"about {pages:,} pages of users{how}, in about {max(1, round(seconds)):,} s"
    return Remark("a scan", f"asks for {asked}, and proves them by the stated total")
