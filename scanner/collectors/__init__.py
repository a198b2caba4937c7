"""The outside world, read side. Each dict below is the whole registry of its kind: to add a source, add an entry.

Packages may bring further kinds of applications; see `installed`.
"""

from collections.abc import Mapping
from pathlib import Path

from scanner.collectors.interface import ROW_KEYS, SERVER_KEYS, ApplicationType, Look, Progress, RosterType
from scanner.config import Application, Roster
from scanner.config_connections import WORKDAY_UNUSED, check_database, check_rest, check_rest_roster
from scanner.config_ldap import check_ldap
from scanner.model import Collected

# The modules behind these functions load httpx and pandas; commands that collect nothing must not pay for them.


def _scim(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.scim import collect_scim

    return collect_scim(app, into, progress)


def _look_at_scim(app: Application) -> Look:
    from scanner.collectors.probe import look

    return look(app)


def _scim_file(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.scim_file import collect_scim_file

    return collect_scim_file(app, into, progress)


def _look_at_scim_file(app: Application) -> Look:
    from scanner.collectors.scim_file import look

    return look(app)


def _account_file(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.account_file import collect_account_file

    return collect_account_file(app, into, progress)


def _look_at_account_file(app: Application) -> Look:
    from scanner.collectors.account_file import look

    return look(app)


def _database(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.database import collect_database

    return collect_database(app, into, progress)


def _look_at_database(app: Application) -> Look:
    from scanner.collectors.database import look

    return look(app)


def _rest(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.rest import collect_rest

    return collect_rest(app, into, progress)


def _look_at_rest(app: Application) -> Look:
    from scanner.collectors.rest import look

    return look(app)


def _directory(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.directory import collect_directory

    return collect_directory(app, into, progress)


def _look_at_directory(app: Application) -> Look:
    from scanner.collectors.directory import look

    return look(app)


def _okta(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.okta import collect_okta

    return collect_okta(app, into, progress)


def _look_at_okta(app: Application) -> Look:
    from scanner.collectors.okta import look

    return look(app)


def _roster(roster: Roster, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.roster import collect_roster

    return collect_roster(roster, into, progress)


def _look_at_roster(roster: Roster) -> Look:
    from scanner.collectors.roster import look

    return look(roster)


def _entra(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.entra import collect_entra

    return collect_entra(app, into, progress)


def _look_at_entra(app: Application) -> Look:
    from scanner.collectors.entra import look

    return look(app)


def _github(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.github import collect_github

    return collect_github(app, into, progress)


def _look_at_github(app: Application) -> Look:
    from scanner.collectors.github import look

    return look(app)


def _aws_iam(app: Application, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.aws_iam import collect_aws_iam

    return collect_aws_iam(app, into, progress)


def _look_at_aws_iam(app: Application) -> Look:
    from scanner.collectors.aws_iam import look

    return look(app)


def _rest_roster(roster: Roster, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.rest_roster import collect_rest_roster

    return collect_rest_roster(roster, into, progress)


def _look_at_rest_roster(roster: Roster) -> Look:
    from scanner.collectors.rest_roster import look

    return look(roster)


def _workday(roster: Roster, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.workday import collect_workday

    return collect_workday(roster, into, progress)


def _look_at_workday(roster: Roster) -> Look:
    from scanner.collectors.workday import look

    return look(roster)


def _bamboohr(roster: Roster, into: Path, progress: Progress) -> Collected:
    from scanner.collectors.bamboohr import collect_bamboohr

    return collect_bamboohr(roster, into, progress)


def _look_at_bamboohr(roster: Roster) -> Look:
    from scanner.collectors.bamboohr import look

    return look(roster)


_NO_TABLE = ("delimiter", "encoding", "sheet", "header_row", "control_total")


def _export(*unused: str) -> ApplicationType:
    return ApplicationType(
        collect=_account_file,
        look=_look_at_account_file,
        keys=("path", "file", *ROW_KEYS),
        needed=("path",),
        unused={"file": unused},
    )


_NATIVE_KEYS = ("base_url", "scim", *SERVER_KEYS, "statuses", "kinds", "entitlements")

SOURCES: Mapping[str, ApplicationType] = {
    "scim": ApplicationType(
        collect=_scim,
        look=_look_at_scim,
        keys=("base_url", *SERVER_KEYS, "write", "profile", "attributes"),
        needed=("base_url",),
    ),
    "scim_file": ApplicationType(
        collect=_scim_file, look=_look_at_scim_file, keys=("path", "profile", "attributes"), needed=("path",)
    ),
    "csv": _export("sheet", "records"),
    "excel": _export("delimiter", "encoding", "records"),
    "json": _export(*_NO_TABLE),
    "database": ApplicationType(
        collect=_database,
        look=_look_at_database,
        keys=("database", *SERVER_KEYS, *ROW_KEYS),
        needed=("database",),
        check=check_database,
    ),
    "sqlite": ApplicationType(
        collect=_database,
        look=_look_at_database,
        keys=("path", "database", "limits", *ROW_KEYS),
        needed=("path",),
        check=check_database,
    ),
    "rest": ApplicationType(
        collect=_rest,
        look=_look_at_rest,
        keys=("base_url", "rest", "scim", *SERVER_KEYS, *ROW_KEYS),
        needed=("base_url", "rest", "columns"),
        check=check_rest,
    ),
    "ldap": ApplicationType(
        collect=_directory,
        look=_look_at_directory,
        keys=("ldap", *SERVER_KEYS, *ROW_KEYS),
        needed=("ldap",),
        check=check_ldap,
    ),
    "entra": ApplicationType(
        collect=_entra, look=_look_at_entra, keys=("provider", *_NATIVE_KEYS), needed=("base_url",)
    ),
    "github": ApplicationType(
        collect=_github, look=_look_at_github, keys=("github", *_NATIVE_KEYS), needed=("base_url", "github")
    ),
    "aws_iam": ApplicationType(
        collect=_aws_iam,
        look=_look_at_aws_iam,
        keys=("path", "file", "kinds", "entitlements"),
        needed=("path",),
        unused={"file": ("delimiter", "encoding", "sheet", "header_row", "records", "control_total")},
    ),
    "okta": ApplicationType(collect=_okta, look=_look_at_okta, keys=("provider", *_NATIVE_KEYS), needed=("base_url",)),
}
"""Type of an application -> what there is to know of it."""

_DROP_KEYS = ("path", "done_marker", "stable_seconds", "newest_by")
_HR_KEYS = ("base_url", *SERVER_KEYS)
ROSTERS: Mapping[str, RosterType] = {
    "csv": RosterType(
        collect=_roster,
        look=_look_at_roster,
        keys=(*_DROP_KEYS, "delimiter", "encoding"),
        needed=("path",),
    ),
    "excel": RosterType(collect=_roster, look=_look_at_roster, keys=(*_DROP_KEYS, "sheet"), needed=("path",)),
    "rest": RosterType(
        collect=_rest_roster,
        look=_look_at_rest_roster,
        keys=("rest", *_HR_KEYS),
        needed=("base_url", "rest"),
        check=check_rest_roster,
    ),
    "workday": RosterType(
        collect=_workday,
        look=_look_at_workday,
        keys=("rest", *_HR_KEYS),
        needed=("base_url", "rest"),
        unused={"rest": WORKDAY_UNUSED},
    ),
    "bamboohr": RosterType(collect=_bamboohr, look=_look_at_bamboohr, keys=_HR_KEYS, needed=("base_url",)),
}
"""Type of a roster -> what there is to know of it."""
