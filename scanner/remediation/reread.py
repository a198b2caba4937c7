"""Decides anew whose account it is, from HR and the account as they are at this moment, by the SQL of the scan."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import duckdb

from scanner import bindings
from scanner.collectors import ROSTERS
from scanner.collectors.interface import no_progress
from scanner.config import Config
from scanner.errors import RefusedError, StoreError
from scanner.model import Collected, Source, Verdict
from scanner.policy import Policies
from scanner.remediation.facts import account_of
from scanner.remediation.model import Account
from scanner.remediation.server import Resource
from scanner.store import vault
from scanner.store.load import load
from scanner.store.match import match

SQL = Path(__file__).with_name("reread.sql")
_VANISHED = Path(__file__).parent.parent / "store" / "vanished.sql"
Key = tuple[str, str]
_ASKED_AGAIN_SECONDS = 300


@dataclass(frozen=True, slots=True)
class _Hr:
    """The rosters as read last."""

    marks: tuple[tuple[int, int, int], ...]
    """Inode, size and change time of each file: the file is read again when one differs."""
    collected: tuple[Collected, ...]

    @property
    def complete(self) -> bool:
        return all(one.source.verdict is Verdict.COMPLETE for one in self.collected)


class Rereading:
    """HR and accounts as they are now. A file or an answer that did not change is not judged again."""

    def __init__(self, config: Config, policies: Policies, workdir: Path) -> None:
        self._config, self._policies, self._workdir = config, policies, workdir
        self._hr: _Hr | None = None
        self._known: dict[Key, tuple[str, Account]] = {}
        self._readings = 0

    @property
    def roster_complete(self) -> bool:
        """Whether every roster, read now, is complete."""
        return self._rosters().complete

    def prime(self, resources: Mapping[Key, Resource]) -> None:
        """Judge many accounts at once, so that each need not be judged alone."""
        self._judge(resources)

    def account(self, app: str, resource: Resource) -> Account:
        """Return what an account, shown by its application just now, and HR say together."""
        key = (app, str(resource["id"]))
        self._rosters()
        digest = _digest(resource)
        if key not in self._known or self._known[key][0] != digest:
            self._judge({key: resource})
        return self._known[key][1]

    def _rosters(self) -> _Hr:
        marks = [_mark(file) for roster in self._config.rosters if roster.path for file in _files(roster.path)]
        if any(roster.path is None for roster in self._config.rosters):
            # A list that is asked over a network shows no mark of its change, and is asked again every few minutes.
            marks.append((int(time.monotonic() // _ASKED_AGAIN_SECONDS), 0, 0))
        if self._hr is None or self._hr.marks != tuple(marks):
            self._known.clear()
            self._readings += 1
            folder = self._workdir / f"hr-{self._readings}"
            collected, refusals = [], bindings.refusals(self._config)
            for roster in self._config.rosters:
                if roster.id in refusals:
                    raise RefusedError(f"{roster.id}: {refusals[roster.id]}")
                (folder / roster.id).mkdir(parents=True, mode=0o700)
                collected.append(ROSTERS[roster.type].collect(roster, folder / roster.id, no_progress))
            self._hr = _Hr(tuple(marks), tuple(collected))
        return self._hr

    def _judge(self, resources: Mapping[Key, Resource]) -> None:
        hr = self._rosters()
        self._readings += 1
        folder = self._workdir / f"accounts-{self._readings}"
        collected = [*hr.collected, *_as_collected(resources, folder)]
        with duckdb.connect(str(folder / "work.duckdb")) as con:
            try:
                self._match(con, collected, hr.complete)
                rows = con.execute(SQL.read_text()).fetchall()
                names = [column[0] for column in con.description or ()]
            except duckdb.Error as exc:
                raise StoreError(f"the accounts cannot be judged again: {str(exc).splitlines()[0]}") from exc
        for row in rows:
            account = account_of(dict(zip(names, row, strict=True)))
            key = (account.app, account.account_id)
            self._known[key] = (_digest(resources[key]), account)

    def _match(self, con: duckdb.DuckDBPyConnection, collected: Sequence[Collected], roster_complete: bool) -> None:
        con.execute("set TimeZone = 'UTC'")
        now = datetime.now(UTC)
        load(con, collected, self._config, self._policies, now)
        store = str(vault.store_file(self._config.state)).replace("'", "''")
        con.execute(f"attach '{store}' as store (read_only)")
        con.execute(
            "create temp table this_scan as select"
            " (select max(scan_no) + 1 from store.scans) as scan_no,"
            " $now::timestamp as as_of, $complete::boolean as roster_complete",
            {"now": now.replace(tzinfo=None), "complete": roster_complete},
        )
        con.execute(_VANISHED.read_text())
        match(con)


def _as_collected(resources: Mapping[Key, Resource], folder: Path) -> list[Collected]:
    folder.mkdir(parents=True, mode=0o700)
    by_app: dict[str, list[Resource]] = {}
    for (app, _), resource in resources.items():
        by_app.setdefault(app, []).append(resource)
    found = []
    for app, rows in by_app.items():
        path = folder / f"{app}.ndjson"
        path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
        source = Source(id=app, kind="application", type="scim", verdict=Verdict.COMPLETE, collected=len(rows))
        found.append(Collected(source, {"users": path}))
    return found


def _digest(resource: Resource) -> str:
    return sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()


def _files(path: Path) -> list[Path]:
    """Return the files that a path with or without * and ? stands for."""
    return sorted(path.parent.glob(path.name)) or [path]


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)
