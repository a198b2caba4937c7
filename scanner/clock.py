"""The clock of a scan."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scanner.config import Config
from scanner.errors import ConfigError
from scanner.store import scans


def instant(text: str | None, config: Config) -> datetime:
    """Return the scan's clock: now, a UTC instant, or the end of a date in the organisation's time zone.

    Raises ConfigError for anything else, and for an instant before the last stored scan.
    """
    if text is None:
        as_of = datetime.now(UTC).replace(microsecond=0)
    else:
        try:
            as_of = datetime.fromisoformat(text)
        except ValueError as exc:
            raise ConfigError(
                f"--as-of {text!r} is neither an instant (2026-03-31T22:00:00Z) nor a date (2026-03-31)"
            ) from exc
        if len(text) <= len("2026-03-31"):
            next_day = as_of.date() + timedelta(days=1)
            as_of = datetime.combine(next_day, time.min, ZoneInfo(config.timezone)) - timedelta(seconds=1)
        elif as_of.tzinfo is None:
            raise ConfigError(f"--as-of {text!r} has no time zone; end it with Z for UTC")
        as_of = as_of.astimezone(UTC)
    stored = scans.stored(config.state)
    if stored and as_of < stored[-1].as_of:
        raise ConfigError(
            f"the clock of this scan, {as_of:%Y-%m-%dT%H:%M:%SZ}, is before that of the last one"
            f" ({stored[-1].id}: {stored[-1].as_of:%Y-%m-%dT%H:%M:%SZ}); history cannot be written backwards"
        )
    return as_of
