"""Staged files as collectors leave them, loaded into a database of their own, and read back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.config import Application, Config, Roster
from scanner.model import Collected, Source, Verdict
from scanner.policy import Policies
from scanner.store.load import load

AS_OF = datetime(2026, 3, 31, 22, tzinfo=UTC)
Json = Mapping[str, Any]
Lines = Sequence[Json | bytes]


@dataclass(frozen=True, slots=True)
class World:
    """What was collected: application or roster id -> lines."""

    users: Mapping[str, Lines] = field(default_factory=dict)
    groups: Mapping[str, Lines] = field(default_factory=dict)
    workers: Mapping[str, Lines] = field(default_factory=dict)
    rosters: tuple[Roster, ...] = ()
    applications: tuple[Application, ...] = ()
    timezone: str = "UTC"
    policies: Policies = field(default_factory=Policies)
    as_of: datetime = AS_OF
    database: str = ":memory:"
    before: str = "set TimeZone = 'UTC'"
    options: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def loaded(folder: Path, world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """Stage and load a world."""
    config = configured(folder, world)
    collected = [staged(folder, roster.id, "roster", {"workers": world.workers}) for roster in config.rosters]
    for app in config.applications:
        collected.append(staged(folder, app.id, "application", {"users": world.users, "groups": world.groups}))
    with duckdb.connect(world.database, config={"threads": "1", **world.options}) as con:
        con.execute(world.before)
        load(con, collected, config, world.policies, world.as_of)
        yield con


def rows(con: duckdb.DuckDBPyConnection, table: str, *columns: str, by: str = "all") -> list[tuple[Any, ...]]:
    """Return columns of a table in a fixed order."""
    return con.execute(f"select {', '.join(columns)} from {table} order by {by}").fetchall()


def values(con: duckdb.DuckDBPyConnection, table: str, key: str, value: str) -> dict[str, Any]:
    """Return a mapping from one column to another."""
    return dict(con.execute(f"select {key}, {value} from {table} order by 1").fetchall())


def configured(folder: Path, world: World) -> Config:
    """Return the configuration of a world; sources that it does not describe get plain settings."""
    rosters = {roster.id: roster for roster in world.rosters}
    applications = {app.id: app for app in world.applications}
    for one in world.workers:
        rosters.setdefault(one, Roster(one, folder / f"{one}.csv"))
    for one in (*world.users, *world.groups):
        applications.setdefault(one, Application(one, one, "scim"))
    return Config(
        path=folder / "orphanscan.toml",
        sha256="",
        state=folder,
        organization="Acme",
        timezone=world.timezone,
        email_domains=("acme.example",),
        rosters=tuple(rosters.values()),
        applications=tuple(applications.values()),
    )


def staged(folder: Path, source_id: str, kind: str, content: Mapping[str, Mapping[str, Lines]]) -> Collected:
    """Write the files of one source."""
    files = {}
    (folder / source_id).mkdir(exist_ok=True)
    for name, lines_of in content.items():
        if source_id in lines_of:
            files[name] = folder / source_id / f"{name}.ndjson"
            lines = lines_of[source_id]
            files[name].write_bytes(
                b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)
            )
    return Collected(Source(id=source_id, kind=kind, type="scim", verdict=Verdict.COMPLETE), files)
