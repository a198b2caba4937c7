"""The outside world, read side. Each dict below is the whole registry of its kind: to add a source, add a line."""

from collections.abc import Mapping
from pathlib import Path

from scanner.collectors.interface import ApplicationCollector, Progress, RosterCollector
from scanner.config import Application, Roster
from scanner.model import Collected

# The modules behind these functions load httpx and pandas; commands that collect nothing must not pay for them.


def _scim(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.scim import collect_scim

    return collect_scim(app, into, progress)


def _scim_file(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.scim_file import collect_scim_file

    return collect_scim_file(app, into, progress)


def _account_file(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.account_file import collect_account_file

    return collect_account_file(app, into, progress)


def _database(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.database import collect_database

    return collect_database(app, into, progress)


def _roster(roster: Roster, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.roster import collect_roster

    return collect_roster(roster, into, progress)


APPLICATION_COLLECTORS: Mapping[str, ApplicationCollector] = {
    "scim": _scim,
    "scim_file": _scim_file,
    "csv": _account_file,
    "excel": _account_file,
    "json": _account_file,
    "database": _database,
    "sqlite": _database,
}

ROSTER_COLLECTORS: Mapping[str, RosterCollector] = {
    "csv": _roster,
    "excel": _roster,
}
