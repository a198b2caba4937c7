"""The audit file: what rules see while a scan runs, and its Parquet, the evidence that stays."""

import tempfile
from collections.abc import Collection
from functools import cache
from pathlib import Path

import duckdb

from scanner.errors import StoreError

FILE = "audited.duckdb"  # DuckDB names the catalog after the file: it must differ from the schema, audit
SQL = Path(__file__).with_name("audit.sql")


def create_audit(path: Path) -> None:
    """Create an empty audit file with all its tables and populations."""
    path.write_bytes(_empty())


@cache
def _empty() -> bytes:
    """Return an empty audit file: to write it again takes a hundredth of the time of its three hundred statements."""
    with tempfile.TemporaryDirectory(prefix="orphanscan-audit-") as workdir:
        path = Path(workdir) / FILE
        with duckdb.connect(str(path)) as con:
            con.execute(SQL.read_text())
        return path.read_bytes()


def audit_tables(con: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    """Return the names of the tables (not the populations) of an audit file."""
    rows = con.execute(
        "select table_name from duckdb_tables()"
        " where database_name = $db and schema_name = 'audit' order by table_name",
        {"db": database},
    ).fetchall()
    return [name for (name,) in rows]


def export_audit(con: duckdb.DuckDBPyConnection, database: str, folder: Path) -> None:
    """Write every table of the audit file as Parquet: what the rules see is the evidence."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for table in audit_tables(con, database):
        con.execute(
            f"copy {database}.audit.{table} to '{_quoted(folder / f'{table}.parquet')}'"
            " (format parquet, compression zstd)"
        )


def import_audit(folder: Path, path: Path, present: Collection[str] | None = None) -> None:
    """Make an audit file from the Parquet of a stored scan; raises StoreError if a table is missing or damaged.

    `present` names the tables that an older version of the schema had; the others stay empty.
    """
    create_audit(path)
    with duckdb.connect(str(path)) as con:
        for table in audit_tables(con, path.stem):
            if present is not None and table not in present:
                continue
            try:
                con.execute(
                    f"insert into audit.{table} by name select * from read_parquet($file)",
                    {"file": str(folder / f"{table}.parquet")},
                )
            except duckdb.Error as exc:
                raise StoreError(
                    f"cannot read the evidence {folder / table}.parquet: {str(exc).splitlines()[0]}"
                ) from exc


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
