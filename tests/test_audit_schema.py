"""The audit schema is a public API: what it holds is recorded, and every name is explained."""

from pathlib import Path

import duckdb

from scanner.store.audit import SQL

RECORDED = Path(__file__).with_name("audit_schema.txt")


def described() -> list[str]:
    """Return `table.column type` of every table and view."""
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        rows = con.execute(
            "select table_name || '.' || column_name || ' ' || lower(data_type) from duckdb_columns()"
            " where schema_name = 'audit' order by table_name, column_index"
        ).fetchall()
    return [line for (line,) in rows]


def test_the_schema_is_the_recorded_one() -> None:
    """A difference is a change of the rule API: note it in CHANGELOG.md, then record it in tests/audit_schema.txt."""
    assert described() == RECORDED.read_text().splitlines()


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
