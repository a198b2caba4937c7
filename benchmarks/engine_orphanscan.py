"""orphanscan itself: the shipped match.sql and the shipped rule files, on the working and the audit file of a scan."""

from pathlib import Path

import duckdb

from benchmarks import company
from benchmarks.measure import AS_OF, RULES, Stages, engine_main
from scanner import rules
from scanner.store import audit, match

HERE = Path(__file__).parent


def run(data: Path, out: Path, stages: Stages, options: list[str]) -> None:
    """Load, match, fill the audit file and run the rules; `options` is the memory limit in MB."""
    found = {rule.id: rule for rule in rules.find()}
    settings = fill(data, out, stages, f"{options[0]}MB")
    with duckdb.connect(str(out / audit.FILE), read_only=True, config=settings) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("use audit")
        with stages.stage("rules"):
            for rule_id in RULES:
                rule = found[rule_id]
                values = {**rules.arguments(rule), "as_of": AS_OF}
                used = {name: values[name] for name in values if f"${name}" in rule.sql}
                con.execute(f'create temp table "{rule_id}" as {rule.sql}', used)
        _hand_over(con, out)


def fill(data: Path, out: Path, stages: Stages, limit: str) -> dict[str, str | bool | int | float | list[str]]:
    """Load, match and fill the audit file in `out`; returns the settings of DuckDB."""
    audit_file = out / audit.FILE
    audit.create_audit(audit_file)
    collected, matched = (HERE / "audit_fill.sql").read_text().split("-- matched")
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": limit,
        "temp_directory": str(out / "spill"),
    }
    with duckdb.connect(str(out / "work.duckdb"), config=settings) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set preserve_insertion_order = false")
        con.execute(f"attach '{audit_file}' as audited")
        with stages.stage("load"):
            load(con, data)
            con.execute(collected)
            con.execute("checkpoint")
            con.execute("checkpoint audited")
        with stages.stage("match"):
            match.match(con)
        with stages.stage("fill"):
            con.execute(matched)
            con.execute("checkpoint audited")
        con.execute("detach audited")
    return settings


def load(con: duckdb.DuckDBPyConnection, data: Path) -> None:
    """Put a company into the staging tables, as the collectors would leave them."""
    con.execute(match.SQL.with_name("staging.sql").read_text())
    con.execute(f"set variable company = '{data}'")
    con.execute((HERE / "load.sql").read_text())
    con.executemany("insert into domain_aliases values (?, ?)", company.DOMAIN_ALIASES)
    con.executemany("insert into kind_patterns values (?, ?, ?)", company.KIND_PATTERNS)
    con.executemany("insert into approved_domains values (?, ?, 'benchmark')", company.APPROVED_DOMAINS)


def _hand_over(con: duckdb.DuckDBPyConnection, out: Path) -> None:
    tables = {
        "matches": "select app, account_id, worker_id, match_method as method, match_confidence as confidence, kind"
        " from accounts",
        "candidates": "select app, account_id, worker_id, method from match_candidates",
        "shared": "select key_kind, key, workers::bigint as workers from shared_keys",
    }
    for name, query in tables.items():
        con.execute(f"copy ({query}) to '{out / name}.parquet' (format parquet)")
    for rule_id in RULES:
        columns = {row[0] for row in con.execute(f'describe "{rule_id}"').fetchall()}
        optional = [
            f"{name}::varchar as {name}" if name in columns else f"null::varchar as {name}"
            for name in ("entitlement", "worker_id", "verdict", "severity")
        ]
        con.execute(
            f'copy (select app, account_id, {", ".join(optional)} from "{rule_id}")'
            f" to '{out / rule_id}.parquet' (format parquet)"
        )


if __name__ == "__main__":
    engine_main(run)
