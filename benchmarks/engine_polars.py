"""The rival in Polars: the same logic, lazy, with what makes it fast there."""

from pathlib import Path

import polars as pl

from benchmarks.measure import RULES, Stages, engine_main
from benchmarks.polars_match import match
from benchmarks.polars_rules import check
from benchmarks.terms import METHODS

Frames = dict[str, pl.DataFrame]

c = pl.col


def run(data: Path, out: Path, stages: Stages, options: list[str]) -> None:
    """Load, match and run the rules."""
    with stages.stage("load"):
        frames = {path.stem: pl.read_parquet(path) for path in sorted(data.glob("*.parquet"))}
    with stages.stage("match"):
        matches, candidates, shared = match(frames)
    with stages.stage("rules"):
        findings = check(frames, matches, candidates)
    _hand_over(frames, matches, candidates, shared, findings, out)


def _hand_over(
    frames: Frames, matches: pl.DataFrame, candidates: pl.DataFrame, shared: pl.DataFrame, findings: Frames, out: Path
) -> None:
    accounts = frames["accounts"].lazy().select("account_no", "app", "account_id")
    workers = frames["workers"].lazy().select("worker_no", "worker_id")
    text = [c("method").cast(pl.String), c("confidence").cast(pl.String), c("kind").cast(pl.String)]
    named = accounts.join(matches.lazy(), on="account_no").join(workers, on="worker_no", how="left")
    named.select("app", "account_id", "worker_id", *text).collect().write_parquet(out / "matches.parquet")
    method = c("tier").replace_strict(list(range(1, 9)), METHODS, return_dtype=pl.String).alias("method")
    found = candidates.lazy().join(accounts, on="account_no").join(workers, on="worker_no")
    found.select("app", "account_id", "worker_id", method).collect().write_parquet(out / "candidates.parquet")
    shared.select("key_kind", "key", "workers").write_parquet(out / "shared.parquet")
    for rule in RULES:
        frame = findings[rule]
        missing = [n for n in ("entitlement", "worker_id", "verdict", "severity") if n not in frame.columns]
        frame.with_columns([pl.lit(None, pl.String).alias(name) for name in missing]).write_parquet(
            out / f"{rule}.parquet"
        )


if __name__ == "__main__":
    engine_main(run)
