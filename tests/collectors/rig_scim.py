"""SCIM as sources of the contract: a server that misbehaves as told, and saved exports."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from contract import CANARY, HOSTILE, Rig
from servers import Row, hostile

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.model import Collected

Rows = Sequence[tuple[str, str, bool]]
ROWS: Rows = [("007", "ada", True), ("u-2", "bo", False), ("u-3", "cy", True)]
TWICE: Rows = [*ROWS, ("u-3", "di", True)]
NAMES: Rows = [(f"h{at}", name, True) for at, name in enumerate(HOSTILE)]
GROUP: Row = {"id": "g-1", "displayName": "Admins", "members": [{"value": "007"}]}
Told = TypeVar("Told")


def users(rows: Rows) -> list[Row]:
    """Return users as SCIM has them."""
    schema = "urn:ietf:params:scim:schemas:core:2.0:User"
    return [{"schemas": [schema], "id": one, "userName": name, "active": active} for one, name, active in rows]


def _asked(
    what: Callable[[Application], Told],
    rows: Rows = ROWS,
    quirks: frozenset[str] = frozenset(),
    visible: int | None = None,
    key: str = CANARY,
) -> Told:
    os.environ["CONTRACT_SCIM"] = CANARY
    with hostile() as server:
        server.behaviour.users, server.behaviour.groups = users(rows), [GROUP]
        server.behaviour.quirks, server.behaviour.visible, server.behaviour.token = quirks, visible, key
        auth = Auth("bearer", Secret("env", "CONTRACT_SCIM"))
        limits = Limits(retries=0, max_seconds=20, page_size=2)
        return what(Application("crm", "CRM", "scim", base_url=server.base_url, auth=auth, limits=limits))


def _collected(
    folder: Path,
    rows: Rows = ROWS,
    quirks: frozenset[str] = frozenset(),
    visible: int | None = None,
    key: str = CANARY,
) -> Collected:
    into = folder / "staging"
    into.mkdir()
    return _asked(lambda app: SOURCES["scim"].collect(app, into, no_progress), rows, quirks, visible, key)


def _file(folder: Path, rows: Rows | None = ROWS, total: int | None = None) -> Application:
    path = folder / "export.json"
    if rows is not None:
        found = [*users(rows), {**GROUP, "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}]
        path.write_text(json.dumps({"totalResults": total or len(found), "Resources": found}))
    return Application("crm", "CRM", "scim_file", path=path)


def _saved(folder: Path, rows: Rows | None = ROWS, total: int | None = None) -> Collected:
    return SOURCES["scim_file"].collect(_file(folder, rows, total), folder / "staging", no_progress)


def _without_members(folder: Path) -> Collected:
    """Read an export of which a row has no id."""
    app = _file(folder)
    assert app.path is not None
    app.path.write_text(app.path.read_text().replace('"id": "u-2", ', ""))
    return SOURCES["scim_file"].collect(app, folder / "staging", no_progress)


def _look_at_file(folder: Path) -> Look:
    return SOURCES["scim_file"].look(_file(folder))


RIGS = {
    "scim": Rig(
        complete=_collected,
        cut=lambda folder: _collected(folder, visible=2),
        denied=lambda folder: _collected(folder, quirks=frozenset({"groups_refused"})),
        duplicates=lambda folder: _collected(folder, TWICE),
        odd_status=None,
        hostile=lambda folder: _collected(folder, NAMES),
        unreadable=lambda folder: _collected(folder, key="another"),
        look=lambda folder: _asked(SOURCES["scim"].look),
        module="scim",
        page="scim",
    ),
    "scim_file": Rig(
        complete=_saved,
        cut=lambda folder: _saved(folder, total=9),
        denied=_without_members,
        duplicates=lambda folder: _saved(folder, TWICE, 5),
        odd_status=None,
        hostile=lambda folder: _saved(folder, NAMES),
        unreadable=lambda folder: _saved(folder, None),
        look=_look_at_file,
        module="scim_file",
        page="scim",
    ),
}
