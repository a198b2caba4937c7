"""The rival in pandas: the same logic. Uses Arrow text where pyarrow is installed."""

import re
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.measure import RULES, Stages, engine_main
from benchmarks.pandas_match import match
from benchmarks.pandas_rules import check
from benchmarks.terms import ADDRESS, METHODS, NOT_A_WORD, NOT_AN_ADDRESS

Frame = pd.DataFrame
Frames = dict[str, Frame]
HITS = ["number_hit", "external_hit", "mail_hit", "login_hit"]
WORD = re.compile(NOT_A_WORD.replace(r"[^\p{L}\p{N}]", r"[\W_]"))
GOOD = re.compile(ADDRESS.replace(r"[\p{L}\p{N}]", r"[^\W_]"))
BAD = re.compile(NOT_AN_ADDRESS.replace(r"[^@\p{L}\p{N}]", r"(?:[^\w@]|_)"))
TOKEN = re.compile(r"[\W_]+")
FILLER = {"n/a", "na", "none", "null", "unknown"}


def run(data: Path, out: Path, stages: Stages, options: list[str]) -> None:
    """Load, match and run the rules."""
    with stages.stage("load"):
        frames = {path.stem: _read(path) for path in sorted(data.glob("*.parquet"))}
    with stages.stage("match"):
        matches, candidates, shared = match(frames)
    with stages.stage("rules"):
        findings = check(frames, matches, candidates)
    _hand_over(frames, matches, candidates, shared, findings, out)


def _read(path: Path) -> Frame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        with duckdb.connect() as con:
            return con.execute("select * from read_parquet($path)", {"path": str(path)}).df()


def _hand_over(frames: Frames, matches: Frame, candidates: Frame, shared: Frame, findings: Frames, out: Path) -> None:
    workers = frames["workers"][["worker_no", "worker_id"]]
    accounts = frames["accounts"][["account_no", "app", "account_id"]]
    text = matches.astype({"method": str, "confidence": str, "kind": str})
    named = accounts.merge(text, on="account_no").merge(workers, on="worker_no", how="left")
    people = candidates.merge(accounts, on="account_no").merge(workers, on="worker_no")
    people["method"] = people["tier"].map(dict(enumerate(METHODS, 1)))
    results = {
        "matches": named[["app", "account_id", "worker_id", "method", "confidence", "kind"]],
        "candidates": people[["app", "account_id", "worker_id", "method"]],
        "shared": shared,
    }
    for rule in RULES:
        results[rule] = findings[rule].reindex(
            columns=["app", "account_id", "entitlement", "worker_id", "verdict", "severity"]
        )
    with duckdb.connect() as con:
        for name, frame in results.items():
            con.register("result", frame.astype(object).where(frame.notna(), None))
            columns = ", ".join(f"{c}::{'bigint' if c == 'workers' else 'varchar'} as {c}" for c in frame.columns)
            con.execute(f"copy (select {columns} from result) to '{out / name}.parquet' (format parquet)")
            con.unregister("result")


if __name__ == "__main__":
    engine_main(run)
