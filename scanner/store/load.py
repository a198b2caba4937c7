"""Loads what the collectors left into the staging tables, and normalises it: everything odd ends here."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from scanner.columns import ATTRIBUTES
from scanner.config import SCIM_TYPES, Application, Config, Roster
from scanner.errors import StoreError
from scanner.model import Collected
from scanner.policy import Policies
from scanner.store import ndjson, nesting, scim_paths

_HERE = Path(__file__).parent
_TEXT = ("id", "userName", "displayName", "externalId", "userType", "active", "name.formatted")
_LISTS = ("emails", "roles", "entitlements", "groups")
_SHAPES = {
    "name": 'struct(formatted varchar, "givenName" varchar, "familyName" varchar)',
    "meta": 'struct(created varchar, "lastModified" varchar, version varchar)',
    **dict.fromkeys(
        _LISTS, 'struct("value" varchar, "type" varchar, "primary" varchar, display varchar, "$ref" varchar)[]'
    ),
}
"""What RFC 7643 says of them."""
_PARSED = ("hire_date_parsed", "termination_date_parsed", "last_day_worked_parsed", "contract_end_parsed")
_STANDARD = {
    "employee_number": f"{scim_paths.ENTERPRISE}:employeeNumber",
    "department": f"{scim_paths.ENTERPRISE}:department",
    "job_title": "title",
    "manager": f"{scim_paths.ENTERPRISE}:manager.value",
}
"""Where RFC 7643 puts them, unless the configuration or the profile of the vendor says otherwise."""
_DEFAULT_DATE_FORMAT = "%Y-%m-%d"
_SETTINGS = {
    "TimeZone": "UTC",  # of times that name no zone
    "preserve_insertion_order": "true",  # as in the file, so that "the last" has a meaning
    "force_compression": "uncompressed",  # compressing these tables takes longer than reading them once
}
_LEAST_BYTES = 160 * 1024 * 1024
"""Memory in which any number of accounts is loaded as fast as in more, which DuckDB would fill all the same."""


def load(
    con: duckdb.DuckDBPyConnection,
    collected: Sequence[Collected],
    config: Config,
    policies: Policies,
    as_of: datetime,
) -> None:
    """Create the staging tables in the current database and fill all n_* tables as of an instant.

    Rows that cannot be used are in n_rejects, what else was noticed is counted in n_notes. Call it outside of a
    transaction. Raises StoreError if the disk or the memory limit does not suffice.
    """
    with _set_up(con), _translated():
        con.execute((_HERE / "staging.sql").read_text())
        con.execute((_HERE / "normalize_macros.sql").read_text())
        _run(con, "normalize_tables.sql", {})
        _fill_settings(con, collected, config, policies)
        rosters = {roster.id: roster for roster in config.rosters}
        applications = {app.id: app for app in config.applications}
        for item in collected:
            source_id = item.source.id
            if "workers" in item.files and source_id in rosters:
                _load_workers(con, rosters[source_id], config, item.files["workers"])
            if "users" in item.files and source_id in applications:
                _load_users(con, applications[source_id], item.files["users"])
            if "groups" in item.files and source_id in applications:
                _load_groups(con, source_id, item.files["groups"])
            if "entitlements" in item.files and source_id in applications:
                _load_catalogue(con, source_id, item.files["entitlements"])
        params = {"as_of": as_of.astimezone(UTC).replace(tzinfo=None)}
        for script in ("normalize_employments.sql", "normalize_workers.sql"):
            _run(con, script, params)
        con.execute("set preserve_insertion_order = false")  # from here on rowid alone tells what came last
        for script in ("normalize_accounts.sql", "normalize_groups.sql"):
            _run(con, script, params)
        nesting.expand(con)
        _run(con, "normalize_grants.sql", params)


@contextmanager
def _set_up(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Set what loading needs, and set it back afterwards."""
    names = (*_SETTINGS, "memory_limit")
    listed = ", ".join(f"current_setting('{name}')" for name in names)
    before = con.execute(f"select {listed}").fetchone() or ()
    row = con.execute(
        f"select least(parse_formatted_bytes(current_setting('memory_limit')), {_LEAST_BYTES})"
    ).fetchone()
    try:
        con.execute("set variable full_memory_limit = current_setting('memory_limit')")
        for name, value in {**_SETTINGS, "memory_limit": f"{row[0] if row else _LEAST_BYTES}B"}.items():
            con.execute(f"set {name} = {ndjson.literal(value)}")
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            con.execute(f"set {name} = {ndjson.literal(str(value))}")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as exc:
        raise StoreError(
            "loading the collected data needs more memory than allowed; raise memory_mb in [scan] of the configuration"
        ) from exc
    except (duckdb.IOException, OSError) as exc:
        raise StoreError(f"the collected data cannot be loaded: {str(exc).splitlines()[0]}") from exc


def _run(con: duckdb.DuckDBPyConnection, script: str, params: Mapping[str, object]) -> None:
    """Run the statements of a script, each with the parameters that it names."""
    for statement in con.extract_statements((_HERE / script).read_text()):
        _execute(con, statement, {name: params[name] for name in statement.named_parameters})


def _execute(con: duckdb.DuckDBPyConnection, sql: str | duckdb.Statement, params: Mapping[str, object]) -> None:
    """Execute a statement in little memory, or in all that is allowed if that does not suffice."""
    try:
        con.execute(sql, params)
    except duckdb.OutOfMemoryException:
        row = con.execute("select getvariable('full_memory_limit')").fetchone()
        con.execute(f"set memory_limit = {ndjson.literal(row[0] if row else '')}")
        con.execute(sql, params)


def _load_workers(con: duckdb.DuckDBPyConnection, roster: Roster, config: Config, file: Path) -> None:
    texts = [name for name in con.table("raw_workers").columns if name not in ("roster", "line", *_PARSED)]

    def insert(path: Path) -> None:
        # strptime wants a constant format: hence one statement per roster, and the parsed dates beside the texts.
        dates = ", ".join(
            f"roster_date({name.removesuffix('_parsed')}, $format, $lenient) as {name}" for name in _PARSED
        )
        _execute(
            con,
            f"insert into raw_workers by name select $roster as roster, coalesce(try_cast(line as bigint), 0) as line,"
            f" {', '.join(texts)}, {dates}"
            f" from {ndjson.reader({'line': 'varchar', **dict.fromkeys(texts, 'varchar')}, longest)}",
            {
                "file": os.fspath(path),
                "roster": roster.id,
                "format": roster.date_format,
                "lenient": roster.date_format == _DEFAULT_DATE_FORMAT,
            },
        )

    longest = scim_paths.survey(file, ()).longest
    ndjson.read(con, roster.id, "workers", file, insert)


def _load_users(con: duckdb.DuckDBPyConnection, app: Application, file: Path) -> None:
    # What is no SCIM resource by birth carries these fields under our own names.
    places_of = app.attributes if app.type in SCIM_TYPES else {field: field for field in ATTRIBUTES}
    paths = {field: places_of[field] for field in ATTRIBUTES if places_of.get(field)}
    paths = _STANDARD | paths
    survey = scim_paths.survey(file, paths.values())
    places = {field: survey.places[path] for field, path in paths.items()}
    columns = dict.fromkeys(_TEXT, "varchar") | dict.fromkeys((*_LISTS, "name", "meta"), "json")
    known = {key.lower(): key for key in columns}
    for key, _ in scim_paths.top_levels(places.values()):
        columns.setdefault(known.get(key.lower(), key), "json")
    by_folded = {key.lower(): key for key in columns}

    def value(field: str) -> str:
        if field not in places:
            return "null"
        key, *rest = places[field]
        column = by_folded[key.lower()]
        if columns[column] == "varchar":
            return "null" if rest else ndjson.name(column)
        return f"json_extract_string({ndjson.name(column)}, {ndjson.literal(scim_paths.json_path(rest))})"

    fields = ", ".join(f"{value(field)} as {field}" for field in ATTRIBUTES)

    def insert_from(path: Path, shapes: Mapping[str, str], sought: str, rows: str) -> None:
        _execute(
            con,
            "insert into raw_users by name select $app as app, id, userName as username, displayName as display_name,"
            f' externalId as external_id, active, userType as user_type, "name.formatted" as flat_name, {sought},'
            f" {fields} from {rows.format(ndjson.reader({**columns, **shapes}, survey.longest))}",
            {"file": os.fspath(path), "app": app.id},
        )

    def insert(path: Path) -> None:
        if not any(keys[0].lower() in _SHAPES for keys in places.values()):
            with suppress(duckdb.InvalidInputException, duckdb.ConversionException):
                lists = ", ".join(f"scim_usual({name}) as {name}" for name in _LISTS)
                insert_from(path, _SHAPES, f"name, meta, {lists}", "{}")
                return
        quick = ", ".join(f"scim_quick({name}) as {name}_quick" for name in _LISTS)
        lists = ", ".join(f"scim_list({name}_quick, {name}) as {name}" for name in _LISTS)
        sought = f"scim_name(name) as name, scim_meta(meta) as meta, {lists}"
        insert_from(path, {}, sought, f"(select *, {quick} from {{}})")

    ndjson.read(con, app.id, "users", file, insert)


def _load_groups(con: duckdb.DuckDBPyConnection, app: str, file: Path) -> None:
    def insert(path: Path) -> None:
        columns = {"id": "varchar", "displayName": "varchar", "members": "json"}
        _execute(
            con,
            "insert into raw_groups by name select $app as app, id, displayName as display_name,"
            " scim_list(quick, members) as members"
            f" from (select *, scim_quick(members) as quick from {ndjson.reader(columns, longest)})",
            {"file": os.fspath(path), "app": app},
        )

    short = file.with_name(f"{file.name}.short")
    try:
        longest = ndjson.shorten(file, short)
        ndjson.read(con, app, "groups", short, insert)
    finally:
        short.unlink(missing_ok=True)


def _load_catalogue(con: duckdb.DuckDBPyConnection, app: str, file: Path) -> None:
    def insert(path: Path) -> None:
        columns = dict.fromkeys(("entitlement", "name", "is_privileged"), "varchar")
        _execute(
            con,
            "insert into catalogue by name select $app as app, entitlement, any_value(name) as name,"
            " bool_or(scim_boolean(is_privileged)) as is_privileged"
            f" from {ndjson.reader(columns, longest)} group by entitlement",
            {"file": os.fspath(path), "app": app},
        )

    longest = scim_paths.survey(file, ()).longest
    ndjson.read(con, app, "entitlements", file, insert)


def _fill_settings(
    con: duckdb.DuckDBPyConnection, collected: Sequence[Collected], config: Config, policies: Policies
) -> None:
    verdicts = {item.source.id: str(item.source.verdict) for item in collected}
    _insert(
        con,
        "roster_settings",
        [
            (r.id, r.date_format, r.time_zone or config.timezone, _folded(r.statuses), _folded(r.worker_types))
            for r in config.rosters
        ],
    )
    _insert(
        con,
        "application_settings",
        [(a.id, a.external_id, verdicts.get(a.id, "unknown"), dict(a.attributes)) for a in config.applications],
    )
    _insert(
        con,
        "kind_patterns",
        [(p.app, p.pattern.lower(), p.kind) for p in config.matching.kinds],
    )
    _insert(
        con,
        "domain_aliases",
        [(alias.lower(), domain.lower()) for alias, domain in config.matching.domain_aliases.items()],
    )
    _insert(
        con,
        "links",
        [(x.app, x.account_id, x.worker, x.decided_by, _naive(x.decided_at), x.reason) for x in policies.links],
    )
    _insert(
        con,
        "service_register",
        [
            (x.app, x.account_id, x.username, x.kind, x.owner, _naive(x.attested_at), x.purpose, x.interactive)
            for x in policies.service_register
        ],
    )
    _insert(
        con,
        "approved_domains",
        [(domain.lower(), "organization", None) for domain in config.email_domains]
        + [(x.domain.lower(), "policy", x.reason) for x in policies.approved_domains],
    )
    _insert(
        con,
        "privileged_entitlements",
        [
            (x.app, _literally(x.entitlement.lower()) if x.exact else x.entitlement.lower())
            for x in policies.privileged_entitlements
        ],
    )
    _insert(
        con,
        "role_allowances",
        [
            (
                x.app,
                x.entitlement.lower(),
                [name.lower() for name in x.departments],
                [name.lower() for name in x.job_titles],
                x.birthright,
                x.direct,
            )
            for x in policies.role_policy.allowances
        ],
    )
    duties, schedule = policies.duty_conflicts, policies.erasure_schedule
    _insert(con, "duty_functions", [(x.name, x.app, x.entitlement.lower()) for x in duties.functions])
    _insert(
        con,
        "duty_conflicts",
        # The same pair has the same name, whichever way round it is written.
        [(*sorted((x.first, x.second)), x.risk, x.compensating_control) for x in duties.conflicts],
    )
    _insert(con, "retentions", [(x.app, x.days, x.basis) for x in schedule.retentions])
    _insert(con, "legal_holds", [(x.worker, x.reason) for x in schedule.holds])


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert settings in the order of the table's columns."""
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        con.executemany(f"insert into {table} values ({marks})", [list(row) for row in rows])


def _literally(text: str) -> str:
    """Return the glob that only this text matches."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text.replace("\\", "\\\\"))


def _folded(words: Mapping[str, str]) -> dict[str, str]:
    """Their words in the form of the SQL macro `word`."""
    return {
        " ".join(theirs.lower().replace("_", " ").replace("-", " ").split()): ours for theirs, ours in words.items()
    }


def _naive(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None)
