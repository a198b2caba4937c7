"""Collects the accounts of an application from its database: PostgreSQL, MySQL, SQL Server, Oracle or SQLite.

Rights needed: connect, and select on what the configured statements name; nothing else. The transaction is read-only
where the database knows such a thing, and only the configured selects are sent. All of them see one snapshot
(repeatable read), so that the count and the rows belong together. Covers what the statements return: a view or a
row-level policy that hides rows hides them here too (PostgreSQL is told to refuse instead of filtering). One
connection, one statement at a time, ended by the server after `statement_seconds`; there is no rate limit to keep.
"""

import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import secrets
from scanner.collectors import accounts, records
from scanner.collectors.accounts import Entry
from scanner.collectors.database_engine import engine_of
from scanner.collectors.interface import Look, Progress
from scanner.collectors.reading import Reading, collect_accounts
from scanner.collectors.redact import Redactor
from scanner.columns import ACCOUNT_COLUMNS
from scanner.config import Application
from scanner.connections import DatabaseSettings
from scanner.errors import SourceError
from scanner.model import Collected

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BATCH = 1000
_STEP = 10_000
"""Rows between two signs of life."""
_MAX_ENTITLEMENTS = 1_000_000
_PROFILES = Path(__file__).parent / "database_profiles"


def collect_database(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and, where the database describes them, entitlements.ndjson in `into`, with the verdict."""
    return collect_accounts(app, into, progress, _read)


def resolved(app: Application) -> DatabaseSettings:
    """Return the settings with the statements of the profile where none of its own is given."""
    if app.database.profile is None:
        return app.database
    ready = tomllib.loads((_PROFILES / f"{app.database.profile}.toml").read_text())
    return replace(app.database, **{name: sql for name, sql in ready.items() if getattr(app.database, name) is None})


def look(app: Application) -> Look:
    """Sign in, count, and read the first row: whether the rights suffice for the accounts."""
    redactor = Redactor()
    if app.auth.secret is not None:
        redactor.add(secrets.read(app.auth.secret))
    settings = resolved(app)
    deadline = time.monotonic() + app.limits.max_seconds
    with opened(app, redactor) as con:
        number = _count(con, settings, deadline)
        first = next(_stream(con, settings.accounts or "", deadline), None)
    if first is None:
        raise SourceError(f"signed in, {number:,} counted, but no row came: does this user see the table?")
    columns = _named(app, tuple(first))
    return Look(f"signed in, {number:,} counted, {len(columns)} columns known", accounts.doubt_of(columns))


@contextmanager
def opened(app: Application, redactor: Redactor) -> Iterator["Connection"]:
    """Connect, and begin a transaction that can only read; raises SourceError without secrets."""
    from sqlalchemy.exc import SQLAlchemyError

    engine = engine_of(app)
    try:
        with engine.connect() as con:
            yield con
    except SQLAlchemyError as error:
        raise SourceError(_told(error, redactor)) from None
    finally:
        engine.dispose()


def _read(reading: Reading) -> None:
    settings = resolved(reading.app)
    reading.query, reading.pages = _query(settings), 1
    deadline = time.monotonic() + reading.app.limits.max_seconds
    with opened(reading.app, reading.redactor) as con:
        number = _count(con, settings, deadline)
        if settings.count:
            reading.stated = number
        else:
            reading.stated_rows = number
        _accounts(con, reading, settings.accounts or "", deadline)
        _read_beside(con, reading, settings, deadline)


def _read_beside(con: "Connection", reading: Reading, settings: DatabaseSettings, deadline: float) -> None:
    """Read what accounts hold; where that fails, the accounts are tested all the same."""
    from sqlalchemy.exc import SQLAlchemyError

    what = "grants"
    try:
        if settings.grants:
            _grants(con, reading, settings.grants, deadline)
        what = "entitlements"
        if settings.entitlements:
            reading.catalogue += _entries(con, settings.entitlements, deadline)
    except (SQLAlchemyError, SourceError) as error:
        reading.doubt(f"the {what} could not be read: {_told(error, reading.redactor)}")


def _count(con: "Connection", settings: DatabaseSettings, deadline: float) -> int:
    counted = next(_stream(con, settings.count or f"select count(*) from ({settings.accounts}) counted", deadline), {})
    number = next(iter(counted.values()), None)
    if not isinstance(number, int | Decimal):
        raise SourceError("the count is no number: count must be a select of one number")
    return int(number)


def _accounts(con: "Connection", reading: Reading, statement: str, deadline: float) -> None:
    theirs: Mapping[str, str] = {}
    for row in _stream(con, statement, deadline):
        theirs = theirs or _named(reading.app, tuple(row))
        reading.account({ours: row[name] for ours, name in theirs.items()})
    if not theirs:
        raise SourceError("the statement for the accounts returned no row; does this user see the table?")


def _named(app: Application, names: tuple[str, ...]) -> dict[str, str]:
    """Return our column -> theirs, of the columns that came; letter case is that of the database."""
    folded = {name.lower(): name for name in names}
    found = {}
    for ours in ACCOUNT_COLUMNS:
        wanted = app.columns.get(ours, ours)
        if wanted.lower() in folded:
            found[ours] = folded[wanted.lower()]
        elif ours in app.columns:
            raise SourceError(f"the statement returns no column '{wanted}', which the column map names for {ours}")
    if accounts.identity_of(found) is None:
        raise SourceError(f"the statement returns none of the columns {', '.join(accounts.IDENTITY)}")
    return found


def _grants(con: "Connection", reading: Reading, statement: str, deadline: float) -> None:
    for row in _stream(con, statement, deadline):
        said = {name.lower(): records.text(records.plain(value, None)) for name, value in row.items()}
        if not {"account_id", "entitlement"} <= set(said):
            raise SourceError("the statement for the grants must return account_id and entitlement")
        kind = said.get("kind") or "role"
        path = said.get("path") or "direct"
        if kind not in accounts.LISTS or path not in ("direct", "nested"):
            raise SourceError("kind of a grant must be role, group or entitlement, and path direct or nested")
        reading.grant(said["account_id"], said["entitlement"], kind, name=said.get("name"), path=path)


def _entries(con: "Connection", statement: str, deadline: float) -> Iterator[Entry]:
    for number, row in enumerate(_stream(con, statement, deadline)):
        if number >= _MAX_ENTITLEMENTS:
            raise SourceError(f"more than {_MAX_ENTITLEMENTS:,} entitlements")
        said = {name.lower(): value for name, value in row.items()}
        name, kind = records.text(said.get("entitlement")), records.text(said.get("kind")) or "role"
        privileged = said.get("privileged")
        if name is None or kind not in accounts.LISTS or privileged not in (None, 0, 1):
            raise SourceError(
                "the statement for the entitlements must return entitlement, a kind (role, group or entitlement) and"
                " privileged as true or false"
            )
        yield Entry(kind, name, records.text(said.get("name")), None if privileged is None else bool(privileged))


def _stream(con: "Connection", statement: str, deadline: float) -> Iterator[dict[str, Any]]:
    """Yield rows as they come, never more than a batch in memory; raises SourceError after the deadline."""
    result = con.execution_options(stream_results=True, max_row_buffer=_BATCH).exec_driver_sql(statement)
    names = [str(name) for name in result.keys()]  # noqa: SIM118  # a view of names, not a mapping
    if len({name.lower() for name in names}) < len(names):
        raise SourceError("two columns of the statement have one name")
    for batch in result.partitions(_BATCH):
        if time.monotonic() > deadline:
            raise SourceError("did not end within max_seconds of [application.limits]")
        for row in batch:
            yield dict(zip(names, row, strict=True))


def _told(error: Exception, redactor: Redactor) -> str:
    """Return what the database said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error)
    return redactor.text(said, 300) or type(error).__name__


def _query(settings: DatabaseSettings) -> str:
    """Say what was asked, word by word."""
    parts = {"count": settings.count, "accounts": settings.accounts, "grants": settings.grants}
    parts["entitlements"] = settings.entitlements
    return "; ".join(f"{name}: {' '.join(sql.split())}" for name, sql in parts.items() if sql)
