"""A review of access: its items, and the memory of what was asked of whom, `<state>/reviews/<campaign>.json`."""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from scanner.errors import ConfigError, StoreError
from scanner.store import beside

SQL = Path(__file__).with_name("items.sql")
FOLDER = "reviews"
_SCHEMA = "orphanscan.review/1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_TABLES = ("accounts", "applications", "entitlements", "grants", "workers")


@dataclass(frozen=True, slots=True)
class Row:
    """One account, or one right of an account, with what a reviewer should know."""

    app: str
    app_name: str
    account_id: str
    username: str | None
    kind: str | None
    worker_id: str | None
    full_name: str | None
    department: str | None
    job_title: str | None
    entitlement: str | None
    """None: the account as a whole."""
    entitlement_name: str | None
    is_privileged: bool | None
    granted_at: datetime | None
    last_sign_in_at: datetime | None
    reviewer_id: str
    """Worker id; empty where no present person is known."""
    reviewer_name: str
    reviewer_email: str


@dataclass(frozen=True, slots=True)
class Item:
    """What was asked, as remembered: a workbook that says something else was changed."""

    id: str
    app: str
    account_id: str
    entitlement: str | None
    reviewer: str
    worker_id: str | None
    """Whose account it is."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One review."""

    name: str
    by: str
    """manager or owner."""
    scan_id: str
    manifest_sha256: str
    """Of the evidence of the scan that the items are from."""
    exported_at: datetime
    items: tuple[Item, ...]
    people: Mapping[str, str]
    """E-mail address or number, in lower case -> worker id, of the people who may decide."""
    schema: str = _SCHEMA


def rows(audit: Path, *, by: str, apps: Sequence[str]) -> tuple[Row, ...]:
    """Return what a review by `manager` or `owner` asks about, the items of one reviewer together.

    Args:
        audit: folder of the Parquet tables of a scan.
        by: who decides.
        apps: ids of applications; none: all.
    """
    with duckdb.connect() as con:
        for table in _TABLES:
            path = str(audit / f"{table}.parquet").replace("'", "''")
            con.execute(f"create view {table} as from read_parquet('{path}')")
        found = con.execute(SQL.read_text(), {"by": by, "apps": list(apps) or None}).fetchall()
    return tuple(Row(*row) for row in found)


def people(audit: Path) -> dict[str, str]:
    """Return ids, numbers and e-mail addresses, in lower case, of all who work here -> worker id."""
    path = str(audit / "workers.parquet")
    with duckdb.connect() as con:
        found = con.execute(
            "select distinct lower(trim(x)), worker_id"
            " from (select worker_id, unnest(list_value(worker_id, email) || other_emails || employee_numbers) as x"
            " from read_parquet($file) where status in ('active', 'on_leave')) where trim(x) <> '' order by all",
            {"file": path},
        ).fetchall()
    return dict(found)


def item_id(key: bytes, campaign: str, row: Row) -> str:
    """Return `R-` and 12 letters and digits that stand for an item, and that nobody can make up for another."""
    said = json.dumps([campaign, row.app, row.account_id, row.entitlement]).encode("utf-8", "surrogatepass")
    return f"R-{base64.b32encode(hmac.digest(key, said, 'sha256')[:10]).decode()[:12]}"


def check_name(name: str) -> None:
    """Raise ConfigError if a campaign cannot be called so."""
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be the name of a review; use letters, digits, ., - and _, such as 2026-Q4")


def path(state: Path, name: str) -> Path:
    """Return where a campaign is remembered."""
    return state / FOLDER / f"{name}.json"


def remember(state: Path, campaign: Campaign) -> None:
    """Write what was asked of whom."""
    beside.write(state, path(state, campaign.name), msgspec.json.encode(campaign))


def without_person(
    campaign: Campaign, worker_id: str | None, tells_of: Callable[[Mapping[str, Any]], bool], stand_in: str
) -> Campaign:
    """Return a campaign that is about a person no more: what was asked stays, so that its numbers do.

    Args:
        campaign: as remembered.
        worker_id: of the person; None if they have none.
        tells_of: whether an item is about the person.
        stand_in: what takes the place of their account.
    """
    items = tuple(
        replace(item, account_id=stand_in, worker_id=None) if tells_of(msgspec.to_builtins(item)) else item
        for item in campaign.items
    )
    people = {name: one for name, one in campaign.people.items() if worker_id is None or one != worker_id}
    return replace(campaign, items=items, people=people)


def known(state: Path) -> tuple[Campaign, ...]:
    """Return all campaigns, by name; StoreError if one cannot be read."""
    return tuple(_read(state, path(state, name)) for name in beside.names(state / FOLDER))


def exists(state: Path, name: str) -> bool:
    """Whether there is a campaign of this name."""
    return beside.exists(path(state, name))


def _read(state: Path, file: Path) -> Campaign:
    try:
        found = msgspec.json.decode(beside.read(state, file), type=Campaign)
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}; check its owner and mode") from None
    except msgspec.DecodeError:
        raise StoreError(f"{file} is damaged; restore it from your backup") from None
    if found.schema != _SCHEMA:
        raise StoreError(f"{file} was written by another version of orphanscan; use that version")
    return found
