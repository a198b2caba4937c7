"""What a server asks of its clients, and the gate that keeps to it: one an origin, shared by all applications on it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scanner.collectors.origin import Origin
from scanner.errors import SourceError

_LONGEST_PAUSE = 7 * 24 * 3600.0
_LONGEST_SHARED = 60.0
_EPOCH = 1_000_000_000
"""A number of seconds beyond this is a moment, not a duration."""
_FAMILIES = ("x-ratelimit-", "x-rate-limit-", "ratelimit-")


class Gate:
    """Lets requests to one origin through, as many and as often as was agreed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._paused_until = 0.0
        self._next: dict[str, float] = {}
        """When the next request of each limited kind may go."""

    @contextmanager
    def passing(self, parallel: int, rates: Mapping[str, float], until: float) -> Iterator[None]:
        """Wait for a place among `parallel`, and for `rates` (requests a minute by kind).

        Raises SourceError at once where the wait would outlast `until` (monotonic clock).
        """
        with self._changed:
            while (wait := self._wait(parallel, rates)) > 0:
                left = until - time.monotonic()
                if left <= 0 or (wait < _LONGEST_PAUSE and wait > left):
                    raise SourceError(
                        f"the next request would have to wait {min(wait, _LONGEST_PAUSE):,.0f} s for the limits of the "
                        f"server, longer than the {max(left, 0):,.0f} s left for this source (limits.max_seconds)"
                    )
                self._changed.wait(min(wait, left))
            for kind, rate in rates.items():
                self._next[kind] = max(time.monotonic(), self._next.get(kind, 0.0)) + 60.0 / rate
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long: the server asked one of its clients, and means all.

        A minute at most: the others find out for themselves then, and one absurd answer does not end them all.
        """
        with self._changed:
            self._paused_until = max(self._paused_until, time.monotonic() + min(seconds, _LONGEST_SHARED))

    def _wait(self, parallel: int, rates: Mapping[str, float]) -> float:
        """Return the seconds to wait; _LONGEST_PAUSE stands for "until somebody leaves"."""
        if self._under_way >= parallel:
            return _LONGEST_PAUSE
        return max(self._paused_until, *(self._next.get(kind, 0.0) for kind in rates), 0.0) - time.monotonic()


_gates: dict[Origin, Gate] = {}
_lock = threading.Lock()


def gate(origin: Origin) -> Gate:
    """Return the gate of an origin."""
    with _lock:
        return _gates.setdefault(origin, Gate())


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, never negative; None if it says nothing usable."""
    seconds = _seconds(value, is_moment_beyond=None)
    if seconds == _LONGEST_PAUSE and (moment := _seconds(value, is_moment_beyond=_EPOCH)) is not None:
        return moment  # RFC 9110, 10.2.3 knows seconds and dates; some send the moment as a number of seconds
    return seconds


def reset_in(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the stated limit begins anew; servers send a duration, a moment or a date."""
    for family in _FAMILIES:
        found = _seconds(headers.get(f"{family}reset"), is_moment_beyond=_EPOCH)
        if found is not None:
            return found
    return None


def rest_after(headers: Mapping[str, str], share: float) -> float | None:
    """Return how long to rest so that at most `share` of the stated limit is used; None: go on.

    What is used by others counts too: what remains is for them.
    """
    for family in _FAMILIES:
        limit, remaining = _count(headers.get(f"{family}limit")), _count(headers.get(f"{family}remaining"))
        if limit and remaining is not None and remaining <= limit * (1 - share):
            return reset_in(headers)
    return None


def _seconds(value: str | None, *, is_moment_beyond: int | None) -> float | None:
    text = (value or "").strip()
    sign, digits = text[:1] == "-", text.lstrip("+-")
    whole, _, part = digits.partition(".")
    if whole.isascii() and whole.isdigit() and (not part or (part.isascii() and part.isdigit())):
        number = float(f"{whole[:20]}.{part[:6] or 0}")
        if is_moment_beyond is not None and number > is_moment_beyond:
            number = (number / 1000 if number > is_moment_beyond * 1000 else number) - datetime.now(UTC).timestamp()
            if number > _LONGEST_PAUSE:
                return None  # no limit is as long as that: it is something else
        return 0.0 if sign else min(max(0.0, number), _LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _LONGEST_PAUSE)


def _count(value: str | None) -> int | None:
    # "100, 100;w=60" is a limit with its windows: the first number is the one that binds.
    digits = (value or "").strip().partition(",")[0].partition(";")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None
