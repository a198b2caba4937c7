"""How every collection begins and ends: failed until a reading shows more, with the times of both."""

from dataclasses import replace
from datetime import UTC, datetime

from scanner.config import Application, Roster
from scanner.model import Collected, Source, Verdict


def begun(described: Application | Roster) -> Source:
    """Return a source of which nothing has been read yet."""
    kind, coverage = ("roster", None) if isinstance(described, Roster) else ("application", described.coverage)
    return Source(
        id=described.id,
        kind=kind,
        type=described.type,
        verdict=Verdict.FAILED,
        coverage=coverage or "unknown",
        started_at=datetime.now(UTC),
    )


def ended(collected: Collected) -> Collected:
    """Return what was collected, with the time at which that ended."""
    return replace(collected, source=replace(collected.source, finished_at=datetime.now(UTC)))
