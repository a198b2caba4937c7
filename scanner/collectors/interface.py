"""What every kind of source looks like from outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from scanner.config import Application, Roster
from scanner.config_keys import Key, Problems
from scanner.model import Collected

ROW_KEYS = ("columns", "statuses", "kinds", "date_format", "time_zone", "separator", "entitlements")
"""Keys of an application that brings rows."""
SERVER_KEYS = ("auth", "ca_file", "allow_http", "limits")
"""Keys of an application that is asked over a network, beside its address."""
Described = TypeVar("Described", Application, Roster)
"""The table of orphanscan.toml that a source is described by."""


class Progress(Protocol):
    """Called now and then while a source is read."""

    def __call__(self, source_id: str, what: str, done: int, total: int | None) -> None:
        """Say that `done` of `total` rows of `what` (users, groups, workers) have been read."""


def no_progress(source_id: str, what: str, done: int, total: int | None) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """What `doctor` saw of a source without reading it all. What would stop a scan is raised as SourceError instead."""

    detail: str
    doubt: str = ""
    """Why somebody should look closer, though a scan would run."""
    file: Path | None = None
    """The file that a scan would read, where it reads one."""
    max_age_hours: float = 48
    """Above which somebody should look whether that file is still being written anew."""


def no_check(raw: Mapping[str, Any], where: str, problems: Problems) -> None:
    """Find nothing wrong with a table."""


@dataclass(frozen=True, kw_only=True)  # no slots: a frozen generic cannot have them before Python 3.13
class SourceType(Generic[Described]):
    """One kind of source: what its table may hold, how it is read, and how `doctor` looks at it."""

    collect: Callable[[Described, Path, Progress], Collected]
    """Reads one source into a folder. Raises nothing but programming errors: what goes wrong is in the verdict."""
    look: Callable[[Described], Look]
    """Looks at one source without reading it all; raises SourceError where a scan would fail."""
    keys: tuple[str, ...] = ()
    """Keys of the table that apply to it, of those that do not apply to every kind."""
    needed: tuple[str, ...] = ()
    """Those of them that must be there."""
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Table inside the table -> keys of it that do not apply."""
    settings: Mapping[str, Key] = field(default_factory=dict)
    """Keys of its own, which stand in `[application.settings]`; for kinds that packages bring."""
    check: Callable[[Mapping[str, Any], str, Problems], None] = no_check
    """Notes what else is wrong with a table, given as it stands in the file, with its place."""
    provider: str = ""
    """Name and version of the package that brings it; empty for those of orphanscan itself."""


ApplicationType = SourceType[Application]
RosterType = SourceType[Roster]
