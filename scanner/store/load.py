"""From the files of the collectors to the normalised tables of a scan: settings here, all judgement in the SQL."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from scanner.collectors.roster_columns import COLUMNS
from scanner.config import Config
from scanner.errors import StoreError
from scanner.model import Collected
from scanner.policy import Policies

HERE = Path(__file__).parent
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
FIELDS = (
    "last_sign_in_at",
    "last_activity_at",
    "mfa",
    "kind",
    "created_at",
    "deactivated_at",
    "employee_number",
    "owner",
)
"""Account fields that the configuration may map to a SCIM attribute."""
_USER = (
    *("id", "userName", "externalId", "displayName", "name", "emails", "active", "userType", "meta"),
    *("roles", "entitlements", "groups", ENTERPRISE),
)
_TEXT = frozenset({"id", "userName", "externalId", "displayName", "active", "userType"})
_MIN_OBJECT = 1 << 20


def load(
    con: duckdb.DuckDBPyConnection,
    collected: Sequence[Collected],
    config: Config,
    policies: Policies,
    as_of: datetime,
) -> None:
    """Create the staging tables in the current database of `con` and fill settings, n_* and n_rejects."""
    con.execute(_sql("staging.sql"))
    _settings(con, collected, config)
    _policies(con, config, policies)
    con.execute("create or replace temp table load_scan as select $as_of::timestamp as as_of", {"as_of": _naive(as_of)})
    ordered = con.execute("select current_setting('preserve_insertion_order')").fetchone()
    con.execute("set preserve_insertion_order = true")  # the last row of an id wins
    try:
        _read_all(con, collected, config)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.InvalidInputException as error:
        raise StoreError(f"cannot read what was collected: {str(error).splitlines()[0]}") from error
    finally:
        con.execute(f"set preserve_insertion_order = {bool(ordered and ordered[0])}")
    for name in ("normalize_workers.sql", "normalize_accounts.sql", "normalize_grants.sql"):
        con.execute(_sql(name))


def _settings(con: duckdb.DuckDBPyConnection, collected: Sequence[Collected], config: Config) -> None:
    verdicts = {item.source.id: str(item.source.verdict) for item in collected}
    for roster in config.rosters:
        con.execute(
            "insert into roster_settings (source_id, date_format, time_zone, statuses, worker_types)"
            " values ($id, $format, $zone, map($words, $ours), map($types, $our_types))",
            {
                "id": roster.id,
                "format": roster.date_format,
                "zone": roster.time_zone or config.timezone,
                "words": [_word(word) for word in roster.statuses],
                "ours": list(roster.statuses.values()),
                "types": [_word(word) for word in roster.worker_types],
                "our_types": list(roster.worker_types.values()),
            },
        )
    for app in config.applications:
        con.execute(
            "insert into application_settings (app, external_id, verdict, attributes)"
            " values ($app, $external_id, $verdict, map($fields, $paths))",
            {
                "app": app.id,
                "external_id": app.external_id,
                "verdict": verdicts.get(app.id, "unknown"),
                "fields": list(app.attributes),
                "paths": list(app.attributes.values()),
            },
        )


def _policies(con: duckdb.DuckDBPyConnection, config: Config, policies: Policies) -> None:
    matching = config.matching
    _insert(con, "kind_patterns (app, pattern, kind)", [(k.app, k.pattern.lower(), k.kind) for k in matching.kinds])
    _insert(con, "domain_aliases (alias, domain)", [(a.lower(), d.lower()) for a, d in matching.domain_aliases.items()])
    _insert(
        con,
        "links (app, account_id, worker, decided_by, decided_at, reason)",
        [(k.app, k.account_id, k.worker, k.decided_by, _naive(k.decided_at), k.reason) for k in policies.links],
    )
    _insert(
        con,
        "service_register (app, account_id, username, kind, owner, attested_at, purpose)",
        [
            (e.app, e.account_id, e.username, e.kind, e.owner, _naive(e.attested_at), e.purpose)
            for e in policies.service_register
        ],
    )
    _insert(
        con,
        "approved_domains (domain, source, reason)",
        [
            *((domain.lower(), "organization", None) for domain in config.email_domains),
            *((d.domain.lower(), "policy", d.reason) for d in policies.approved_domains),
        ],
    )
    _insert(
        con,
        "privileged_entitlements (app, entitlement)",
        [(p.app, p.entitlement.lower()) for p in policies.privileged_entitlements],
    )


def _read_all(con: duckdb.DuckDBPyConnection, collected: Sequence[Collected], config: Config) -> None:
    attributes = {app.id: app.attributes for app in config.applications}
    columns = ", ".join(f"{column} varchar" for column in COLUMNS)
    con.execute(f"create or replace temp table raw_workers (source_id varchar, line bigint, {columns})")
    users = ", ".join(f'"{name}" {_type(name)}' for name in _USER)
    mapped = ", ".join(f"mapped_{name} varchar" for name in FIELDS)
    con.execute(f"create or replace temp table raw_users (source_id varchar, line bigint, {users}, {mapped})")
    con.execute(
        "create or replace temp table raw_groups (source_id varchar, line bigint, id varchar, name varchar, members json)"
    )
    for item in collected:
        source = item.source.id
        if "workers" in item.files:
            reader = _reader(item.files["workers"], {"line": "bigint", **dict.fromkeys(COLUMNS, "varchar")})
            names = ", ".join(COLUMNS)
            con.execute(f"insert into raw_workers select $id, line, {names} from {reader}", {"id": source})
        if "users" in item.files:
            _read_users(con, source, item.files["users"], attributes.get(source, {}))
        if "groups" in item.files:
            types = {"id": "varchar", "displayName": "varchar", "members": "json"}
            con.execute(
                'insert into raw_groups select $id, row_number() over (), id, "displayName", members'
                f" from {_reader(item.files['groups'], types)}",
                {"id": source},
            )


def _read_users(con: duckdb.DuckDBPyConnection, source: str, path: Path, attributes: Mapping[str, str]) -> None:
    types = {name: _type(name) for name in _USER}
    canonical = {name.lower(): name for name in types}
    mapped = []
    for field in FIELDS:
        if field not in attributes:
            mapped.append("null")
            continue
        head, inner = split_path(attributes[field])
        head = canonical.setdefault(head.lower(), head)
        types.setdefault(head, "json")
        mapped.append(f"{_column(head)} ->> {_literal(inner)}" if types[head] == "json" else _column(head))
    names = ", ".join(_column(name) for name in _USER)
    con.execute(
        f"insert into raw_users select $id, row_number() over (), {names}, {', '.join(mapped)}"
        f" from {_reader(path, types)}",
        {"id": source},
    )


def split_path(path: str) -> tuple[str, str]:
    """Return the top-level attribute of a SCIM path (RFC 7644 3.10) and the JSON path below it."""
    if path.lower().startswith("urn:"):
        head, _, rest = path.rpartition(":")
        inner = rest.split(".")
    else:
        head, *inner = path.split(".")
    return head, "$" + "".join('."' + name.replace('"', '\\"') + '"' for name in inner)


def _type(name: str) -> str:
    return "varchar" if name in _TEXT else "json"


def _reader(path: Path, types: Mapping[str, str]) -> str:
    """Return the table function that reads a file.

    DuckDB holds a buffer of twice the largest object for each thread: bounded by the longest line, not by the 64 MB
    that a line may have.
    """
    with path.open("rb") as file:
        longest = max(map(len, file), default=0)
    columns = ", ".join(f"{_literal(name)}: '{kind}'" for name, kind in types.items())
    return (
        f"read_json({_literal(str(path))}, format = 'newline_delimited', columns = {{{columns}}},"
        f" maximum_object_size = {max(_MIN_OBJECT, longest + 16)})"
    )


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert a handful of settings."""
    if rows:
        con.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", [list(row) for row in rows])


def _word(word: str) -> str:
    """Words of the roster are compared without regard to case and to blanks, hyphens and underscores."""
    return " ".join(word.lower().replace("-", " ").replace("_", " ").split())


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _naive(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None)


def _sql(name: str) -> str:
    return (HERE / name).read_text()
