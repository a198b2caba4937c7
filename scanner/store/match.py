"""Match the accounts of a scan to the people of its rosters: runs match.sql on the working database."""

from pathlib import Path

import duckdb

SQL = Path(__file__).with_name("match.sql")


def match(con: duckdb.DuckDBPyConnection) -> None:
    """Fill m_matches, m_candidates and m_shared_keys from n_workers, n_accounts and the matching inputs."""
    con.execute(SQL.read_text())
