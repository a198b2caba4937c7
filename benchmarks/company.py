"""Writes the synthetic company as Parquet, one file per table; `truth` says whose each account is."""

from collections.abc import Mapping
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
WORKERS = 1_000_000
ACCOUNTS = 5_000_000
GRANTS_PER_ACCOUNT = 4
RATES = {
    "shared_number": 5,
    "rehired": 25,
    "no_number": 10,
    "shared_address": 5,
    "no_address": 13,
    "reused_address": 20,
    "changed_name": 30,
    "other_script": 60,
    "left": 140,
    "left_open": 20,
    "others_address": 10,
    "namesake_outside": 2,
}
"""Fault -> how many of a thousand people have it; of leavers' accounts: left_open; of all: the last two, at most 10."""
TABLES = {
    "workers": "select * from worker order by worker_no",
    "accounts": "select * exclude (owner_no) from account order by account_no",
    "grants": "select app, account_id, entitlement from membership",
    "entitlements": "select * from entitlement order by app, entitlement",
    "settings": "select * from setting order by app",
    "links": "select * from link order by app, account_id",
    "register": "select * from registered order by app, account_id",
    "truth": "select * from truth",
}
DOMAIN_ALIASES = (("acme-old.example", "acme.example"),)
KIND_PATTERNS = (("*", "svc-*", "service"), ("app07", "jit*", "shared"))
APPROVED_DOMAINS = (("acme.example", "organization"), ("partner.example", "policy"))
AS_OF = "2026-06-30 00:00:00"


def write(folder: Path, *, workers: int, accounts: int, seed: int = 0, rates: Mapping[str, int] = RATES) -> None:
    """Write the tables of a company of this size into `folder`, unless a finished one lies there already."""
    done = folder / "done"
    if done.is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    spill = folder / "spill"
    with duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(spill)}) as con:
        for name, number in {"workers": workers, "accounts": accounts, "seed": seed}.items():
            con.execute(f"set variable {name} = {number:d}")
        con.execute("set variable rates = $rates", {"rates": {**RATES, **rates}})
        con.execute((HERE / "company.sql").read_text())
        for name, query in TABLES.items():
            con.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet, compression zstd)")
    done.touch()
