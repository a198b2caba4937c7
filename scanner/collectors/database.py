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
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import secrets
from scanner.collectors import accounts, records
from scanner.collectors.accounts import Entry, Folded, RowFile, fold
from scanner.collectors.catalogue import read_catalogue
from scanner.collectors.database_engine import engine_of
from scanner.collectors.interface import Progress
from scanner.collectors.redact import Redactor
from scanner.config import Application
from scanner.config_sources import ACCOUNT_COLUMNS
from scanner.connections import DatabaseSettings
from scanner.errors import ConfigError, SourceError
from scanner.model import Collected, Source, Verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BATCH = 1000
_STEP = 10_000
"""Rows between two signs of life."""
_MAX_ENTITLEMENTS = 1_000_000
_PROFILES = Path(__file__).parent / "database_profiles"


@dataclass(slots=True)
class _Read:
    """What the database answered."""

    rows: RowFile
    grants: RowFile | None = None
    columns: tuple[str, ...] = ()
    stated: int | None = None
    catalogue: tuple[Entry, ...] = ()
    doubt: str = ""
    """What could not be read beside the accounts."""


def collect_database(app: Application, into: Path, progress: Progress) -> Collected:
    """Leave users.ndjson and, where the database describes them, entitlements.ndjson in `into`, with the verdict."""
    blank = Source(
        id=app.id,
        kind="application",
        type=app.type,
        verdict=Verdict.FAILED,
        coverage=app.coverage or "unknown",
        started_at=datetime.now(UTC),
    )
    redactor = Redactor()
    try:
        settings = resolved(app)
        blank = replace(blank, query=_query(settings))
        if app.auth.secret is not None:
            redactor.add(secrets.read(app.auth.secret))
        collected = _collect(app, settings, into, progress, blank, redactor)
    except (SourceError, ConfigError) as error:
        collected = Collected(replace(blank, detail=redactor.text(str(error), 400)))
    return replace(collected, source=replace(collected.source, finished_at=datetime.now(UTC)))


def resolved(app: Application) -> DatabaseSettings:
    """Return the settings with the statements of the profile where none of its own is given."""
    if app.database.profile is None:
        return app.database
    ready = tomllib.loads((_PROFILES / f"{app.database.profile}.toml").read_text())
    return replace(app.database, **{name: sql for name, sql in ready.items() if getattr(app.database, name) is None})


def looked_at(app: Application) -> tuple[int, tuple[str, ...]]:
    """Return how many rows or accounts the database counts, and which of our columns its first row holds."""
    redactor = Redactor()
    if app.auth.secret is not None:
        redactor.add(secrets.read(app.auth.secret))
    settings = resolved(app)
    deadline = time.monotonic() + app.limits.max_seconds
    with opened(app, redactor) as con:
        number = _count(con, settings, deadline)
        first = next(_stream(con, settings.accounts or "", deadline), None)
    return number, tuple(_named(app, tuple(first))) if first else ()


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


def _collect(
    app: Application, settings: DatabaseSettings, into: Path, progress: Progress, blank: Source, redactor: Redactor
) -> Collected:
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    listed = read_catalogue(app.entitlements, "role") if app.entitlements else ()
    with opened(app, redactor) as con:
        read = _read(con, app, settings, into, progress, redactor)
    folded = fold(app, read.rows, read.columns, catalogue=(*read.catalogue, *listed), grants=read.grants)
    verdict, detail = _judge(settings, read, folded)
    is_of_accounts = settings.count is not None or folded.rows == folded.accounts
    source = replace(
        blank,
        verdict=verdict,
        detail=detail,
        stated=read.stated if is_of_accounts else None,
        collected=folded.accounts,
        duplicates=folded.duplicates,
        rejected=folded.rejected,
        pages=1,
        sha256=read.rows.sha256,
    )
    return Collected(source, folded.files)


def _read(
    con: "Connection", app: Application, settings: DatabaseSettings, into: Path, progress: Progress, redactor: Redactor
) -> _Read:
    from sqlalchemy.exc import SQLAlchemyError

    statement = settings.accounts or ""
    deadline = time.monotonic() + app.limits.max_seconds
    read = _Read(RowFile(into / "rows.ndjson"), stated=_count(con, settings, deadline))
    with read.rows:
        read.columns = _accounts(con, app, statement, read.rows, deadline, progress)
    try:
        if settings.grants:
            read.grants = RowFile(into / "grants.ndjson")
            with read.grants:
                _grants(con, settings.grants, read.grants, deadline)
        if settings.entitlements:
            read.catalogue = tuple(_entries(con, settings.entitlements, deadline))
    except (SQLAlchemyError, SourceError) as error:
        what = "grants" if not settings.entitlements or not read.grants else "grants or entitlements"
        read.doubt = f"the {what} could not be read: {_told(error, redactor)}"
        if read.grants is not None:
            read.grants.path.unlink(missing_ok=True)
            read.grants = None
    return read


def _count(con: "Connection", settings: DatabaseSettings, deadline: float) -> int:
    counted = next(_stream(con, settings.count or f"select count(*) from ({settings.accounts}) counted", deadline), {})
    number = next(iter(counted.values()), None)
    if not isinstance(number, int | Decimal):
        raise SourceError("the count is no number: count must be a select of one number")
    return int(number)


def _accounts(
    con: "Connection", app: Application, statement: str, out: RowFile, deadline: float, progress: Progress
) -> tuple[str, ...]:
    theirs: Mapping[str, str] = {}
    for row in _stream(con, statement, deadline):
        theirs = theirs or _named(app, tuple(row))
        line: dict[str, object] = {"line": out.rows + 1}
        for ours, name in theirs.items():
            value = _plain(row[name], app.date_format)
            line[ours] = records.texts(value, app.separator) if ours in accounts.LISTS else records.text(value)
        out.add(line)
        if out.rows % _STEP == 0:
            progress(app.id, "rows", out.rows, None)
    if not theirs:
        raise SourceError("the statement for the accounts returned no row; does this user see the table?")
    return tuple(theirs)


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


def _grants(con: "Connection", statement: str, out: RowFile, deadline: float) -> None:
    for row in _stream(con, statement, deadline):
        said = {name.lower(): records.text(_plain(value, None)) for name, value in row.items()}
        if not {"account_id", "entitlement"} <= set(said):
            raise SourceError("the statement for the grants must return account_id and entitlement")
        kind = said.get("kind") or "role"
        path = said.get("path") or "direct"
        if kind not in accounts.LISTS or path not in ("direct", "nested"):
            raise SourceError("kind of a grant must be role, group or entitlement, and path direct or nested")
        out.add(
            {**{name: said.get(name) for name in ("account_id", "entitlement", "name")}, "kind": kind, "path": path}
        )


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


def _plain(value: object, date_format: str | None) -> object:
    """Return a value of a driver as one that JSON knows; dates as the configuration wants them read."""
    match value:
        case datetime() | date():
            return value.strftime(date_format) if date_format else value.isoformat()
        case bytes():
            return value.hex()
        case list() | tuple():
            return list(value)
        case Decimal():
            return int(value) if value == value.to_integral_value() else str(value)
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def _judge(settings: DatabaseSettings, read: _Read, folded: Folded) -> tuple[Verdict, str]:
    verdict, detail = folded.judge()
    found = folded.accounts if settings.count else read.rows.rows
    what = "accounts" if settings.count else "rows"
    said = [read.doubt]
    if read.stated is not None and found < read.stated and not folded.names_several:
        said.append(f"the database counts {read.stated:,} {what} but lists {found:,}")
    if any(said):
        verdict = Verdict.SHORT
    elif read.stated is not None and found > read.stated:
        verdict = Verdict.UNKNOWN
        said.append(f"the database counts {read.stated:,} {what} but lists {found:,}: which is right cannot be told")
    return verdict, "; ".join(filter(None, (*said, detail)))


def _told(error: Exception, redactor: Redactor) -> str:
    """Return what the database said, without the statement and its values."""
    said = str(getattr(error, "orig", None) or error)
    return redactor.text(said, 300) or type(error).__name__


def _query(settings: DatabaseSettings) -> str:
    """Say what was asked, word by word."""
    parts = {"count": settings.count, "accounts": settings.accounts, "grants": settings.grants}
    parts["entitlements"] = settings.entitlements
    return "; ".join(f"{name}: {' '.join(sql.split())}" for name, sql in parts.items() if sql)
