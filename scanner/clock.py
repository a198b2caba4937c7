"""The clock of a scan."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scanner.config import Config
from scanner.errors import ConfigError
from scanner.store import scans

RELEASED = datetime(2026, 11, 25, tzinfo=UTC)
"""No earlier than this can it really be, whatever the machine says; the company of the demo lives just before it."""


LONGEST_PAUSE = timedelta(days=400)
"""Between two scans, unless `--as-of` says the time: a clock that leapt ahead once would stop all later scans."""


def instant(text: str | None, config: Config) -> datetime:
    """Return the scan's clock: now, a UTC instant, or the end of a date in the organisation's time zone.

    The end of a day that still runs is now. Raises ConfigError for anything else, for an instant before the last
    stored scan, and for one to come: it would make every leaver overdue, and no scan could follow until then. For the
    same reason a machine whose clock is far ahead of the last scan is not believed until it is told the time.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    as_of = now if text is None else _parse(text, config.timezone, max(now, RELEASED))
    stored = scans.stored(config.state)
    if stored and as_of < stored[-1].as_of:
        raise ConfigError(
            f"the clock of this scan, {as_of:%Y-%m-%dT%H:%M:%SZ}, is before that of the last one"
            f" ({stored[-1].id}: {stored[-1].as_of:%Y-%m-%dT%H:%M:%SZ}); history cannot be written backwards"
        )
    if stored and text is None and as_of - stored[-1].as_of > LONGEST_PAUSE:
        raise ConfigError(
            f"the clock of this machine says {as_of:%Y-%m-%dT%H:%M:%SZ}, {(as_of - stored[-1].as_of).days} days after"
            f" the last scan ({stored[-1].id}); a scan at a wrong time makes every leaver overdue, and none could come"
            f" until then. Set the clock; if it is right, scan once with --as-of {as_of:%Y-%m-%dT%H:%M:%SZ}"
        )
    return as_of


def _parse(text: str, timezone: str, latest: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if len(text) > len("2026-03-31"):
            begin = end = moment.astimezone(UTC)
        else:
            begin, end = _day(moment.date(), timezone)
    except (ValueError, OverflowError) as exc:
        raise ConfigError(
            f"--as-of {text!r} is neither an instant (2026-03-31T22:00:00Z) nor a date (2026-03-31)"
        ) from exc
    if len(text) > len("2026-03-31") and moment.tzinfo is None:
        raise ConfigError(f"--as-of {text!r} has no time zone; end it with Z for UTC")
    if begin > latest:
        raise ConfigError(f"--as-of {text!r} is still to come: here it is {latest:%Y-%m-%dT%H:%M:%SZ}")
    return min(end, latest)


def _day(day: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the first and the last second of a day in a time zone."""
    zone = ZoneInfo(timezone)
    begin = datetime.combine(day, time.min, zone).astimezone(UTC)
    return begin, datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC) - timedelta(seconds=1)
