"""One look at an application for `doctor`: does it answer, as whom, with how much. Writes nothing."""

import email.utils
from dataclasses import dataclass
from datetime import UTC, datetime

from scanner.collectors import profiles
from scanner.collectors.discovery import discover
from scanner.collectors.envelope import parse_page
from scanner.collectors.http import Session
from scanner.collectors.interface import Look
from scanner.collectors.refusal import HttpError
from scanner.config import Application
from scanner.errors import OrphanscanError, SourceError

_CLOCK_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Probe:
    """What an application answered. None means that it did not say."""

    reachable: bool
    """Whether it answered and let us in."""
    status: int | None = None
    """HTTP status of the answer to GET /Users; None without an answer."""
    stated: int | None = None
    """Users that it says it holds."""
    page_size: int | None = None
    """Rows that a scan will ask for at a time."""
    clock_skew_seconds: float | None = None
    """Its clock minus ours, by its Date header; coarse by a second and the way there."""
    paging: str | None = None
    """index or cursor."""
    detail: str = ""
    """Why it cannot be used. Free of secrets."""


def probe(app: Application) -> Probe:
    """Ask an application for one user, with the credential of the configuration."""
    try:
        profile = profiles.load(app.profile)
        with Session(app, profile.requests_per_minute) as session:
            found = discover(session, profile)
            first = "cursor" if found.cursor else "startIndex=1"
            answer = session.get(f"/Users?{first}&count=1", retries=1)
            try:
                page = parse_page(answer.body, session.redactor)
            except SourceError as error:
                return Probe(reachable=False, status=answer.status, detail=f"the answer to GET /Users {error}")
            return Probe(
                reachable=True,
                status=answer.status,
                stated=page.total,
                page_size=min(app.limits.page_size, found.max_page_size),
                clock_skew_seconds=_skew(answer.headers.get("date")),
                paging="cursor" if found.cursor else "index",
            )
    except HttpError as error:
        return Probe(reachable=False, status=error.status, detail=str(error))
    except OrphanscanError as error:
        return Probe(reachable=False, detail=str(error))


def look(app: Application) -> Look:
    """Say in words what an application answered; raises SourceError where it cannot be used."""
    seen = probe(app)
    if not seen.reachable:
        raise SourceError(seen.detail)
    skew = seen.clock_skew_seconds
    facts = (
        "it does not say how many users it holds" if seen.stated is None else f"{seen.stated:,} users stated",
        f"page size {seen.page_size}",
        "" if seen.paging is None else f"paging by {seen.paging}",
        "" if skew is None else f"clock {skew:+.0f} s",
        seen.detail,
    )
    is_off = skew is not None and abs(skew) > _CLOCK_SECONDS
    doubt = "set the clock of this machine or of that server" if is_off else ""
    return Look(", ".join(filter(None, facts)), doubt)


def _skew(date: str | None) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
