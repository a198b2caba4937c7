"""Small counts are hidden: whoever knows one of two leavers must not learn from a table of counts about the other.

A count from 1 to 4 is shown as `<5`. A sum is never taken from the true counts: it is what follows from the counts as
they are shown, a span where one of them is hidden. So no sum, and no difference of sums, says more about a hidden count
than `<5` does, and no further count has to be hidden for its sake.
"""

from collections.abc import Iterable
from dataclasses import dataclass

THRESHOLD = 5
"""The smallest count that is shown, as is common for tables of counts about people; zero is shown too."""


@dataclass(frozen=True, slots=True)
class Span:
    """What may be known of a count: that it lies from `low` to `high`."""

    low: int
    high: int

    @property
    def is_exact(self) -> bool:
        """Whether the count itself is shown."""
        return self.low == self.high


def shown(count: int) -> Span:
    """Return what may be known of one count."""
    return Span(1, THRESHOLD - 1) if 0 < count < THRESHOLD else Span(count, count)


def summed(parts: Iterable[Span]) -> Span:
    """Return what follows for a sum from its parts as they are shown."""
    spans = tuple(parts)
    return Span(sum(span.low for span in spans), sum(span.high for span in spans))
