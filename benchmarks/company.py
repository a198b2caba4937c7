"""Writes the synthetic company as Parquet, one file per table, for all engines alike."""

from pathlib import Path

import duckdb

HERE = Path(__file__).parent
WORKERS = 1_000_000
ACCOUNTS = 5_000_000
GRANTS_PER_ACCOUNT = 4
TABLES = {
    "workers": "select * from worker order by worker_no",
    "accounts": "select * from account order by account_no",
    "grants": "select app, account_id, entitlement from membership",
    "entitlements": "select * from entitlement order by app, entitlement",
    "settings": "select * from setting order by app",
    "links": "select * from link order by app, account_id",
    "register": "select * from registered order by app, account_id",
}
DOMAIN_ALIASES = (("acme-old.example", "acme.example"),)
KIND_PATTERNS = (("*", "svc-*", "service"), ("app07", "jit*", "shared"))
APPROVED_DOMAINS = (("acme.example", "organization"), ("partner.example", "policy"))
AS_OF = "2026-06-30 00:00:00"


def write(folder: Path, *, workers: int, accounts: int) -> None:
    """Write the tables of a company of this size into `folder`, unless a finished one lies there already."""
    done = folder / "done"
    if done.is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    spill = folder / "spill"
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(spill)}) as con:
        con.execute(f"set variable workers = {workers:d}")
        con.execute(f"set variable accounts = {accounts:d}")
        con.execute((HERE / "company.sql").read_text())
        for name, query in TABLES.items():
            con.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet, compression zstd)")
    done.touch()
