"""Rows that speak of accounts, whatever system they come from, become the SCIM resources that every scan loads.

A source writes its rows with `RowFile`; `fold` types them, folds several rows of one account into one, and says what
could not be used. All of it is set-based, in a database of its own beside the rows, so that memory is bounded.
"""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import msgspec

from scanner.collectors.account_words import ACTIVE, INACTIVE
from scanner.collectors.listing import open_staging
from scanner.collectors.scratch import scratch
from scanner.collectors.table import without_nul
from scanner.collectors.walk import write
from scanner.columns import ACCOUNT_COLUMNS
from scanner.config import Application
from scanner.model import Verdict

LISTS = ("role", "group", "entitlement")
"""Columns of which one row may hold several values."""
DATES = ("created_at", "deactivated_at", "last_sign_in_at", "last_activity_at")
IDS = ("account_id", "username", "employee_number", "external_id", "owner")
IDENTITY = ("account_id", "username", "email")
"""The first that a source maps is the id of its accounts."""
_KINDS = ("human", "service", "shared", "break_glass", "external")
_GRANT = ("account_id", "kind", "entitlement", "name", "path")
_HERE = Path(__file__).parent
_BATCH = 1000
_WORD = re.compile(r"[\w .-]{1,24}")
_MOST_WORDS = 5
"""More unknown words than this come from a wrong column, which may hold what nobody should read in a report."""


class RowFile:
    """A staging file that rows are written to, one a line, with the hash of all of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.longest = 0
        """Bytes."""
        self._out = open_staging(path)
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._out.close()

    def add(self, row: Mapping[str, object]) -> None:
        """Append a row: our column -> text, list of texts for those in LISTS, or None."""
        line = without_nul(self._encode, row)
        self.longest = max(self.longest, len(line))
        self.rows += 1
        self._lines.append(line)
        if len(self._lines) >= _BATCH:
            self._flush()

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._flush()
        self._out.close()

    @property
    def sha256(self) -> str:
        """Of the lines written so far."""
        return self._hash.hexdigest()

    def _flush(self) -> None:
        for line in self._lines:
            self._hash.update(line)
        write(self._out, self._lines)
        self._lines.clear()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entitlement as a catalogue or the system itself describes it."""

    kind: str
    """role, group or entitlement."""
    entitlement: str
    name: str | None = None
    is_privileged: bool | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """What became of the rows."""

    accounts: int
    rows: int
    """Usable ones."""
    duplicates: int
    """Rows that say nothing new."""
    rejected: int
    doubts: tuple[str, ...]
    """Why the list is not complete, each a clause; empty where it is."""
    notes: tuple[str, ...]
    names_several: int
    """Ids that stand for several users; none of them is loaded."""
    is_both: int
    """Ids that come active and inactive; they count as active."""
    files: Mapping[str, Path] = field(default_factory=dict)

    def judge(self) -> tuple[Verdict, str]:
        """Return the verdict on the rows alone, and the sentence for people."""
        detail = "; ".join((*self.doubts, *self.notes))
        if self.rejected:
            return Verdict.SHORT, detail
        return (Verdict.UNKNOWN if self.names_several or self.is_both else Verdict.COMPLETE), detail


def identity_of(columns: Iterable[str]) -> str | None:
    """Return the column that is the id of an account, of those that a source maps."""
    mapped = set(columns)
    return next((name for name in IDENTITY if name in mapped), None)


def doubt_of(columns: Iterable[str]) -> str:
    """Return what `doctor` should say of the columns that a source maps; empty where they suffice."""
    return "" if "status" in columns else "without status nobody can tell which accounts are active"


def fold(
    app: Application,
    rows: RowFile,
    columns: Sequence[str],
    *,
    catalogue: Sequence[Entry] = (),
    grants: RowFile | None = None,
) -> Folded:
    """Leave users.ndjson (and entitlements.ndjson) beside the rows, and remove the rows.

    Args:
        app: Whose words, date format and time zone are used.
        rows: Closed; rows of `columns`, with their place in `line`.
        columns: Ours, those that the source maps; one of IDENTITY is among them.
        catalogue: Names of entitlements, and which of them are privileged.
        grants: Closed; further grants: account_id, kind, entitlement, name and path (direct or nested).
    """
    folder = rows.path.parent
    try:
        with scratch(folder, app.id) as con:
            _load(con, app, rows, columns, catalogue, grants)
            con.execute((_HERE / "accounts_fold.sql").read_text())
            return _outcome(con, folder, "status" in columns, catalogue)
    finally:
        for file in (rows.path, grants.path if grants else rows.path):
            file.unlink(missing_ok=True)


def _load(
    con: duckdb.DuckDBPyConnection,
    app: Application,
    rows: RowFile,
    columns: Sequence[str],
    catalogue: Sequence[Entry],
    grants: RowFile | None,
) -> None:
    con.execute("set TimeZone = 'UTC'")
    con.execute(_moment(app.date_format, app.time_zone or "UTC"))
    con.execute("create table words (word varchar, is_active boolean); create table kinds (word varchar, kind varchar)")
    statuses = dict.fromkeys(ACTIVE, True) | dict.fromkeys(INACTIVE, False)
    own = {"active": True, "inactive": False, "unknown": None}
    words = statuses | {_folded(word): own[ours] for word, ours in app.statuses.items()}
    kinds = {_folded(kind): kind for kind in _KINDS} | {_folded(word): kind for word, kind in app.kinds.items()}
    con.execute("insert into words select unnest($1), unnest($2)", [[*words], [*words.values()]])
    con.execute("insert into kinds select unnest($1), unnest($2)", [[*kinds], [*kinds.values()]])
    con.execute("create table catalogue (kind varchar, entitlement varchar, name varchar, is_privileged boolean)")
    if catalogue:
        listed = [[one.kind, one.entitlement, one.name, one.is_privileged] for one in catalogue]
        con.executemany("insert into catalogue values (?, ?, ?, ?)", listed)
    read = {"line": "bigint"} | {name: "varchar[]" if name in LISTS else "varchar" for name in columns}
    told = ", ".join(
        f'"{name}"' if name in columns else f'null::{"varchar[]" if name in LISTS else "varchar"} as "{name}"'
        for name in ACCOUNT_COLUMNS
        if name != "account_id"
    )
    con.execute(
        f"create table rows as select line, {identity_of(columns)} as id, {told} from {reader(rows, read)}",
        {"file": os.fspath(rows.path)},
    )
    con.execute(f"create table more_grants ({', '.join(f'{name} varchar' for name in _GRANT)})")
    if grants is not None:
        con.execute(
            f"insert into more_grants select {', '.join(_GRANT)} from"
            f" {reader(grants, dict.fromkeys(_GRANT, 'varchar'))}",
            {"file": os.fspath(grants.path)},
        )


def reader(file: RowFile, columns: Mapping[str, str]) -> str:
    """Return what reads a closed file of rows from $file, with these columns (key -> type)."""
    listed = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    return (
        "read_json($file, format = 'newline_delimited', records = true, auto_detect = false,"
        f" maximum_object_size = {max(file.longest + 2, 65_536)}, columns = {{{listed}}})"
    )


def _moment(date_format: str | None, zone: str) -> str:
    """Return the macro that reads a date: strptime and time zones want constants."""
    zone = zone.replace("'", "''")
    naive = f"at time zone '{zone}' at time zone 'UTC'"
    if date_format is not None:
        form = date_format.replace("'", "''")
        there = "::timestamptz at time zone 'UTC'" if "%z" in date_format else f"::timestamp {naive}"
        return f"create macro moment(x) as try_strptime(x, '{form}'){there}"
    return rf"""
        create macro moment(x) as case
            when regexp_full_match(x, '\d{{12,13}}') then make_timestamp(try_cast(x as bigint) * 1000)
            when regexp_full_match(x, '\d{{9,10}}(\.\d+)?')
                then make_timestamp((try_cast(x as double) * 1000000)::bigint)
            when regexp_matches(x, '^\d{{4}}-\d{{2}}-\d{{2}}[T ]\d{{2}}.*([zZ]|[+-]\d{{2}}(:?\d{{2}})?)$')
                then try_cast(x as timestamptz) at time zone 'UTC'
            when regexp_matches(x, '^\d{{4}}-\d{{2}}-\d{{2}}') then try_cast(x as timestamp) {naive}
        end"""


def _folded(word: str) -> str:
    """Return a word in the form of the SQL macro `word`."""
    return " ".join(unicodedata.normalize("NFC", word).lower().replace("_", " ").replace("-", " ").split())


def _outcome(con: duckdb.DuckDBPyConnection, folder: Path, tells_status: bool, catalogue: Sequence[Entry]) -> Folded:
    users = folder / "users.ndjson"
    open_staging(users).close()  # nobody else may read it
    con.execute(
        f"copy ({(_HERE / 'accounts_out.sql').read_text()}) to $file (format json, use_tmp_file false)",
        {"file": os.fspath(users)},
    )
    files = {"users": users}
    if catalogue:
        with RowFile(folder / "entitlements.ndjson") as out:
            for one in catalogue:
                entitlement = f"{one.kind}:{one.entitlement}"
                out.add({"entitlement": entitlement, "name": one.name, "is_privileged": one.is_privileged})
        files["entitlements"] = out.path
    several, both = _one(con, "select count(*) filter (names_several), count(*) filter (is_both) from accounts")
    doubts = [*_rejections(con)]
    if several:
        doubts.append(f"{several:,} ids each stand for several users: which of them was meant cannot be told")
    if both:
        doubts.append(f"{both:,} accounts stand there as active and as inactive; they are taken as active")
    total, rejected = _one(con, "select count(*), count(reason) from told")
    return Folded(
        accounts=_one(con, "select count(*) from accounts where not names_several")[0],
        rows=total - rejected,
        duplicates=_duplicates(con),
        rejected=rejected,
        doubts=tuple(doubts),
        notes=tuple(_notes(con, tells_status)),
        names_several=several,
        is_both=both,
        files=files,
    )


def _one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    return con.execute(sql).fetchone() or (0, 0)


def _duplicates(con: duckdb.DuckDBPyConnection) -> int:
    """Count the rows that repeat another one in every column."""
    repeated = "from told where reason is null and id in (select id from accounts where n > 1)"
    return _one(
        con,
        f"select (select count(*) {repeated}) - (select count(*) from (select distinct * exclude (line) {repeated}))",
    )[0]


def _rejections(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    for reason, count, lines in con.execute(
        "select reason, count(*), list(line order by line)[:5] from told where reason is not null group by 1 order by 1"
    ).fetchall():
        said = f"{count:,} row{'' if count == 1 else 's'} {reason} ({_listed(con, reason)}"
        yield f"{said}line {', '.join(f'{line:,}' for line in lines)}{', ...' if count > len(lines) else ''})"


def _listed(con: duckdb.DuckDBPyConnection, reason: str) -> str:
    """Return the unknown status words, to be named in `statuses`; not where they look like something else."""
    if "status word" not in reason:
        return ""
    found = [
        word
        for (word,) in con.execute(
            f"select distinct status from told where reason = $reason order by 1 limit {_MOST_WORDS + 1}",
            {"reason": reason},
        ).fetchall()
    ]
    if len(found) > _MOST_WORDS or not all(_WORD.fullmatch(word) for word in found):
        return "is this the column of the status? "
    return f"{', '.join(repr(word) for word in found)}: name them in statuses; "


def _notes(con: duckdb.DuckDBPyConnection, tells_status: bool) -> Iterator[str]:
    if not tells_status:
        yield "no column tells who is active: status is not mapped"
    counted = {
        "accounts do not say whether they are active": "select count(*) from accounts where is_active is null"
        if tells_status
        else "select 0",
        "rows with a word for kind that is not known": "select count(*) from told where kind is null"
        " and kind_word is not null",
        "values of mfa are neither yes nor no": "select count(*) from told where lower(mfa) not in ('true', '1', '1.0',"
        " 'yes', 'y', 'on', 'enabled', 'false', '0', '0.0', 'no', 'n', 'off', 'disabled')",
        "grants name no account that was read": "select count(*) from grants where id is null"
        " or id not in (select id from accounts)",
    }
    for what, sql in counted.items():
        (count, *_) = _one(con, sql)
        if count:
            yield f"{count:,} {what}"
