"""Databases as sources of the contract: a real PostgreSQL server, and SQLite files."""

import atexit
import functools
import os
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from contract import CANARY, HOSTILE, Rig
from postgresql import cluster, connect

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application
from scanner.connections import DatabaseSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected

ACCOUNTS = "select id as account_id, name as username, state as status from users"
GRANTS = "select user_id as account_id, 'group' as kind, grp as entitlement from memberships"
SETTINGS = DatabaseSettings(accounts=ACCOUNTS, grants=GRANTS, count="select count(*) from users")
ROWS = [("007", "ada", "Active"), ("u-2", "bo", "Disabled"), ("u-3", "cy", "Active")]
SCHEMA = ("create table users (id text, name text, state text)", "create table memberships (user_id text, grp text)")


@functools.cache
def server() -> int:
    """Return the port of the server, which runs until the tests end."""
    stack = ExitStack()
    atexit.register(stack.close)
    port = stack.enter_context(cluster())
    os.environ["CONTRACT_DB"] = CANARY
    with connect(port) as con:
        con.execute(f"create role reader login password '{CANARY}'")
    return port


def fill(rows: list[tuple[str, str, str]]) -> None:
    """Fill the tables of the server anew; the reader may read both."""
    with connect(server()) as con:
        for name in ("users", "memberships"):
            con.execute(f"drop table if exists {name}")
        for statement in SCHEMA:
            con.execute(statement)
        con.cursor().executemany("insert into users values (%s, %s, %s)", rows)
        con.execute("insert into memberships values ('007', 'Admins')")
        con.execute("grant select on users, memberships to reader")


def _application(settings: DatabaseSettings = SETTINGS, **more: Any) -> Application:
    url = f"postgresql://127.0.0.1:{server()}/postgres"
    settings = DatabaseSettings(**{**_fields(settings), "url": settings.url or url})
    auth = Auth("basic", Secret("env", "CONTRACT_DB"), username="reader")
    return Application("erp", "ERP", "database", database=settings, auth=auth, **{"time_zone": "UTC", **more})


def postgresql(folder: Path, settings: DatabaseSettings = SETTINGS, **more: Any) -> Collected:
    """Collect from the server."""
    return SOURCES["database"].collect(_application(settings, **more), folder / "staging", no_progress)


def look_at_postgresql(folder: Path) -> Look:
    """Look at the server with the rows of the contract."""
    fill(ROWS)
    return SOURCES["database"].look(_application())


def _fields(settings: DatabaseSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in DatabaseSettings.__dataclass_fields__}


def _filled(rows: list[tuple[str, str, str]], folder: Path, *statements: str, **settings: Any) -> Collected:
    fill(rows)
    with connect(server()) as con:
        for statement in statements:
            con.execute(statement)
    return postgresql(folder, DatabaseSettings(**{**_fields(SETTINGS), **settings}))


def sqlite(folder: Path, rows: list[tuple[str, str, str]] | None, **settings: Any) -> Collected:
    """Collect from a file with these users; None: there is no file."""
    return SOURCES["sqlite"].collect(_file(folder, rows, **settings), folder / "staging", no_progress)


def _file(folder: Path, rows: list[tuple[str, str, str]] | None, **settings: Any) -> Application:
    path = folder / "erp.db"
    if rows is not None:
        path.unlink(missing_ok=True)
        con = sqlite3.connect(path)
        for statement in SCHEMA:
            con.execute(statement)
        con.executemany("insert into users values (?, ?, ?)", rows)
        con.execute("insert into memberships values ('007', 'Admins')")
        con.commit()
        con.close()
    asked = DatabaseSettings(**{**_fields(SETTINGS), **settings})
    return Application("erp", "ERP", "sqlite", path=path, database=asked, time_zone="UTC")


NAMES = [(f"h{at}", name, "Active") for at, name in enumerate(HOSTILE)]
ODD = [*ROWS, ("u-4", "di", "Perhaps")]
TWICE = [*ROWS, ("u-3", "di", "Active")]
CUT = f"{ACCOUNTS} order by id limit 2"
RIGS = {
    "database": Rig(
        complete=lambda folder: _filled(ROWS, folder),
        cut=lambda folder: _filled(ROWS, folder, accounts=CUT),
        denied=lambda folder: _filled(ROWS, folder, "revoke select on memberships from reader"),
        duplicates=lambda folder: _filled(TWICE, folder),
        odd_status=lambda folder: _filled(ODD, folder),
        hostile=lambda folder: _filled(NAMES, folder),
        unreadable=lambda folder: _filled(ROWS, folder, "revoke select on users from reader"),
        look=look_at_postgresql,
        module="database",
        page="databases",
    ),
    "sqlite": Rig(
        complete=lambda folder: sqlite(folder, ROWS),
        cut=lambda folder: sqlite(folder, ROWS, accounts=CUT),
        denied=lambda folder: sqlite(folder, ROWS, grants="select * from no_such_table"),
        duplicates=lambda folder: sqlite(folder, TWICE),
        odd_status=lambda folder: sqlite(folder, ODD),
        hostile=lambda folder: sqlite(folder, NAMES),
        unreadable=lambda folder: sqlite(folder, None),
        look=lambda folder: SOURCES["sqlite"].look(_file(folder, ROWS)),
        module="database",
        page="databases",
    ),
}
