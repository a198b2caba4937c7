"""Reads the groups of an application with all their members, whichever way its server gives them."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import msgspec

from scanner.collectors.discovery import offers_groups
from scanner.collectors.envelope import decode, has_members, id_of, key_of, rows_of
from scanner.collectors.interface import Progress
from scanner.collectors.listing import Listing, open_staging, read_list
from scanner.collectors.paging import Lister
from scanner.collectors.profiles import Profile
from scanner.collectors.walk import write
from scanner.errors import SourceError
from scanner.model import Verdict

MEMBER_CAPS = frozenset({100, 200, 500, 1000, 2000, 5000})
"""Where servers are known, or likely, to cut the members of a group."""
NO_GROUPS = (404, 501)
"""What servers without groups answer; so may others."""
_MISSING = "memberships are missing"
_MOST_BARE = 10
"""Groups without members that are read again to see whether they have some."""
_MOST_SUSPECTS = 100
"""Groups that are read again to see whether a list of members was cut."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What became of the groups."""

    verdict: Verdict
    detail: str
    listing: Listing | None = None


class _Group(msgspec.Struct):
    id: object = None
    members: object = None


class _Membership(msgspec.Struct):
    value: object = None
    type: object = None


class _User(msgspec.Struct):
    groups: list[_Membership] | None = None


_group = msgspec.json.Decoder(_Group)
_user = msgspec.json.Decoder(_User)


def read_groups(lister: Lister, profile: Profile, into: Path, progress: Progress, app_id: str) -> Groups:
    """Leave groups.ndjson in `into`, beside users.ndjson, and judge it."""
    path = into / "groups.ndjson"
    listing = read_list(lister, path, "groups")
    if listing.refusal is not None:
        if listing.refusal.status in NO_GROUPS and (not profile.groups or not offers_groups(lister.asking.session)):
            return Groups(Verdict.COMPLETE, "the application offers no groups")
        return Groups(Verdict.SHORT, f"{_MISSING}: {listing.detail}", listing)
    missing, verdict = "", Verdict.SHORT
    if listing.collected and (not listing.has_members or _some_only_on_demand(lister, path)):
        missing = _read_singly(lister, path, listing.collected, progress, app_id)
    elif suspects := _suspects(path):
        missing, verdict = _examine(lister, path, into / "users.ndjson", suspects, listing, progress, app_id)
    if missing:
        return Groups(verdict, f"{_MISSING}: {missing}", listing)
    if listing.verdict is Verdict.FAILED:
        return Groups(Verdict.SHORT, f"{_MISSING}: {listing.detail}", listing)
    return Groups(listing.verdict, listing.detail, listing)


def _some_only_on_demand(lister: Lister, path: Path) -> bool:
    """Whether a group that came without the attribute, where others have it, has members when it is read by itself.

    A server may leave out an attribute that is empty (RFC 7643, 2.5): one that cannot be read singly is taken to be.
    """
    with path.open("rb") as lines:
        bare = list(islice((line.rstrip(b"\n") for line in lines if not has_members(line)), _MOST_BARE))
    for line in bare:
        with contextlib.suppress(SourceError):
            if _size(_read_group(lister, line)):
                return True
    return False


def _suspects(path: Path) -> list[bytes]:
    """Return the groups with the most members if that is a number at which servers cut."""
    most, found = 0, list[bytes]()
    with path.open("rb") as lines:
        for line in lines:
            size = _size(line)
            if size > most:
                most, found = size, []
            if size == most and len(found) < _MOST_SUSPECTS:
                found.append(line.rstrip(b"\n"))
    return found if most in MEMBER_CAPS else []


def _examine(
    lister: Lister,
    path: Path,
    users: Path,
    suspects: list[bytes],
    listing: Listing,
    progress: Progress,
    app_id: str,
) -> tuple[str, Verdict]:
    """Compare suspicious groups with what each says by itself, then with what the users say; return what is amiss."""
    size = _size(suspects[0])
    told = _told_by_users(users, {id_of(line) for line in suspects})
    if told and all(told[id_of(line)] == size for line in suspects):
        return "", Verdict.COMPLETE
    try:
        singly = [_size(_read_group(lister, line)) for line in suspects]
    except SourceError as error:
        return f"groups list at most {size:,} members, and reading one by itself failed: {error}", Verdict.CAPPED
    if any(one > size for one in singly):
        missing = _read_singly(lister, path, listing.collected, progress, app_id)
        return missing, Verdict.SHORT
    return (
        f"{len(suspects):,} groups list exactly {size:,} members and none lists more, so the server may stop there",
        Verdict.CAPPED,
    )


def _size(line: bytes) -> int:
    members = _group.decode(line).members
    return len(members) if isinstance(members, list) else 0


def _told_by_users(path: Path, groups: set[str]) -> Counter[str]:
    """Count the users that name each of these groups as their own."""
    told: Counter[str] = Counter()
    with path.open("rb") as lines:
        for line in lines:
            try:
                named = _user.decode(line).groups or []
            except msgspec.DecodeError:
                continue
            told.update({str(one.value) for one in named if one.type != "indirect"} & groups)
    return told


def _read_singly(lister: Lister, path: Path, total: int, progress: Progress, app_id: str) -> str:
    """Read every group by itself, as the list came without all members; return what went wrong, if anything."""
    full = path.with_suffix(".full")
    unread, reason = 0, ""
    try:
        lister.asking.ahead.foresee(_targets(path))
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
        lister.asking.ahead.drop()
        full.unlink(missing_ok=True)
    return f"{unread:,} of {total:,} groups could not be read singly: {reason}" if unread else ""


def _targets(path: Path) -> Iterator[str]:
    with path.open("rb") as lines:
        for line in lines:
            if (identifier := id_of(line)) not in (".", ".."):
                yield _target(identifier)


def _target(identifier: str) -> str:
    return f"/Groups/{quote(identifier, safe='')}"


def _read_group(lister: Lister, listed: bytes) -> bytes:
    identifier = id_of(listed)
    if identifier in (".", ".."):
        raise SourceError("a group id cannot stand in an address")
    answer = lister.asking.answer(_target(identifier))
    try:
        redactor = lister.asking.session.redactor
        page = rows_of([decode(redactor.body(answer.body), redactor)])
    except SourceError as error:
        raise SourceError(f"the answer to GET of one group {error}") from None
    if page.keys != [key_of(listed)]:
        raise SourceError("GET of one group answered with something else")
    return page.lines[0]
