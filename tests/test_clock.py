"""The clock of a scan: what `--as-of` may say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scanner import clock
from scanner.config import Config
from scanner.config_file import load
from scanner.demo.generate import AS_OF
from scanner.errors import ConfigError
from scanner.model import Scan
from scanner.store import scans

STARTER = Path(__file__).parent.parent / "sample_data" / "starter" / "orphanscan.toml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Return a configuration without any scan, of an organisation east of Greenwich."""
    return replace(load(STARTER), state=tmp_path / "state", timezone="Europe/Berlin")


def test_a_date_is_its_last_second_in_the_time_zone_of_the_organisation(config: Config) -> None:
    """Also on the day on which the clocks change."""
    assert clock.instant("2026-01-31", config) == datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC)
    assert clock.instant("2026-03-29", config) == datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)


def test_today_is_now(config: Config) -> None:
    """The day still runs: its end would stop every other scan of the day."""
    today = max(datetime.now(UTC), clock.RELEASED).astimezone(ZoneInfo(config.timezone)).date()

    as_of = clock.instant(today.isoformat(), config)

    assert abs(as_of - max(datetime.now(UTC), clock.RELEASED)) < timedelta(minutes=5)


@pytest.mark.parametrize("text", ["2999-01-01", "2999-01-01T00:00:00Z", "9999-12-30"])
def test_a_clock_to_come_is_refused(config: Config, text: str) -> None:
    """It would make every leaver overdue, and no scan could follow until then."""
    with pytest.raises(ConfigError, match=f"'{text}' is still to come: here it is 20"):
        clock.instant(text, config)


@pytest.mark.parametrize(("days", "is_believed"), [(399, True), (401, False)])
def test_a_clock_that_leapt_ahead_is_not_believed_until_it_is_told(
    config: Config, monkeypatch: pytest.MonkeyPatch, days: int, is_believed: bool
) -> None:
    """One scan in a wrong year would stop all later ones; `--as-of` settles a pause that was really so long."""
    now = datetime.now(UTC).replace(microsecond=0)
    last = Scan("20250101T000000Z-0000", now - timedelta(days=days), now, now, True, True, "", "")
    monkeypatch.setattr(scans, "stored", lambda state: (last,))

    if is_believed:
        assert clock.instant(None, config) >= now
    else:
        with pytest.raises(ConfigError, match=rf"{days} days after the last scan .* scan once with --as-of 20"):
            clock.instant(None, config)
    assert clock.instant(f"{now:%Y-%m-%dT%H:%M:%SZ}", config) == now


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "2026-03-31T10:00", "9999-12-31", "0001-01-01"])
def test_what_is_no_instant_is_refused(config: Config, text: str) -> None:
    """Every bad text is one clear error, the ends of the calendar included."""
    with pytest.raises(ConfigError, match="--as-of"):
        clock.instant(text, config)


def test_the_demo_lives_before_the_release() -> None:
    """Its fixed date is never to come, whatever the clock of a machine says."""
    assert datetime.fromisoformat(AS_OF) < clock.RELEASED
