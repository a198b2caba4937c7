"""The audit schema is a public API: what it holds is recorded, and every name is explained."""

import difflib
from pathlib import Path

import duckdb

from scanner.store.audit import SQL

RECORDED = Path(__file__).with_name("audit_schema.txt")


def described() -> list[str]:
    """Return `table|view name` of each table and view, and its columns with their types below it."""
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        rows = con.execute(
            """
            select lower(if(t.table_type = 'VIEW', 'view', 'table')) || ' ' || c.table_name as head,
                c.column_name || ' ' || lower(c.data_type) as line
            from duckdb_columns() c
            join information_schema.tables t on t.table_schema = c.schema_name and t.table_name = c.table_name
            where c.schema_name = 'audit'
            order by c.table_name, c.column_index
            """
        ).fetchall()
    heads = dict.fromkeys(head for head, _ in rows)
    return [line for head in heads for line in (head, *(f"    {column}" for name, column in rows if name == head))]


def test_the_schema_is_the_recorded_one() -> None:
    """A difference is a change of the API that people write rules by."""
    now, recorded = described(), RECORDED.read_text().splitlines()

    assert now == recorded, "\n".join(
        [
            "The audit schema, a public API of rules, has changed. If that is meant, note the change in CHANGELOG.md,",
            f"then record it: apply the lines below to {RECORDED.name}, run `make docs`.",
            *difflib.unified_diff(recorded, now, "recorded", "now", lineterm="", n=2),
        ]
    )


def test_every_table_view_and_column_is_explained() -> None:
    """The comments are the reference that people write rules by."""
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        silent = con.execute(
            """
            select table_name from duckdb_tables() where schema_name = 'audit' and comment is null
            union all
            select view_name from duckdb_views() where schema_name = 'audit' and comment is null
            union all
            select c.table_name || '.' || c.column_name
            from duckdb_columns() c
            join duckdb_tables() t on t.table_name = c.table_name and t.schema_name = c.schema_name
            where c.schema_name = 'audit' and c.comment is null
            """
        ).fetchall()

    assert silent == []
