"""What every collector looks like from outside."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from scanner.config import Application, Roster
from scanner.model import Collected


class Progress(Protocol):
    """Called now and then while a source is read."""

    def __call__(self, source_id: str, what: str, done: int, total: int | None) -> None:
        """Say that `done` of `total` rows of `what` (users, groups, workers) have been read."""


def no_progress(source_id: str, what: str, done: int, total: int | None) -> None:
    """Say nothing."""


ApplicationCollector = Callable[[Application, Path, Progress], Collected]
"""Reads one application into a folder. Raises nothing but programming errors: what goes wrong is in the verdict."""

RosterCollector = Callable[[Roster, Path, Progress], Collected]
"""Reads one roster into a folder, as above."""
