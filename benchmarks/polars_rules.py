"""The eight rules in Polars: seven in one collection, and the one that reads every grant."""

import polars as pl

from benchmarks.measure import AS_OF
from benchmarks.terms import NOT_PEOPLE

Frames = dict[str, pl.DataFrame]

c = pl.col


def check(frames: Frames, matches: pl.DataFrame, candidates: pl.DataFrame) -> Frames:
    """Run the eight rules; keys, verdict and severity of each finding, without its sentence and evidence."""
    accounts = (
        frames["accounts"]
        .lazy()
        .select("account_no", "app", "account_id", "username", "is_active", "created_at", "last_sign_in_at")
        .join(matches.lazy(), on="account_no")
        .join(
            frames["workers"].lazy().select("worker_no", "worker_id", "status", "terminated_at"),
            on="worker_no",
            how="left",
        )
        .collect(engine="streaming")
        .lazy()
    )
    rights = frames["entitlements"].lazy().filter(c("is_privileged")).select("app", "entitlement")
    privileged_grants = (
        frames["grants"].lazy().join(rights, on=["app", "entitlement"], how="semi").collect(engine="streaming").lazy()
    )
    privileged = privileged_grants.select("app", "account_id", is_privileged=pl.lit(value=True)).unique()
    active = accounts.filter(c("is_active").ne_missing(pl.lit(value=False)))
    people = active.filter(~c("kind").is_in(NOT_PEOPLE))
    several = candidates.lazy().group_by("account_no").agg(c("worker_no").n_unique()).filter(c("worker_no") > 1)
    unsure = active.filter(c("confidence") == "ambiguous").join(several, on="account_no", how="semi")
    verdict = pl.when(c("is_active").is_null()).then(pl.lit("unknown")).otherwise(pl.lit("fail")).alias("verdict")

    def raised(base: str, worse: str) -> pl.Expr:
        return pl.when(c("is_privileged")).then(pl.lit(worse)).otherwise(pl.lit(base)).alias("severity")

    plans = {
        "orphaned-account": people.filter(c("confidence").is_in(["none", "suggested"]))
        .join(privileged, on=["app", "account_id"], how="left")
        .select("app", "account_id", verdict, raised("high", "critical")),
        "ambiguous-owner": unsure.join(privileged, on=["app", "account_id"], how="left").select(
            "app", "account_id", verdict, raised("medium", "high")
        ),
        "duplicate-accounts": _duplicates(people, privileged).select(
            "app", "account_id", "worker_id", verdict, raised("medium", "high")
        ),
        "leaver-still-active": _leavers(active)
        .join(privileged, on=["app", "account_id"], how="left")
        .select("app", "account_id", "worker_id", c("verdict"), raised("high", "critical")),
        "dormant-account": _dormant(people, privileged).select(
            "app", "account_id", "worker_id", verdict, raised("medium", "high")
        ),
        "too-many-admins": _admins(active, people, privileged_grants),
        "disabled-keeps-privilege": accounts.filter(~c("is_active"))
        .join(privileged_grants, on=["app", "account_id"])
        .select("app", "account_id", "entitlement", "worker_id", severity=pl.lit("medium"))
        .unique(),
    }
    found = dict(zip(plans, pl.collect_all(list(plans.values()), engine="streaming"), strict=True))
    return found | {"peer-outlier": _peers(people, frames, rights)}


def _duplicates(people: pl.LazyFrame, privileged: pl.LazyFrame) -> pl.LazyFrame:
    owned = people.filter(c("worker_no").is_not_null(), c("confidence").is_in(["certain", "probable"]))
    several = owned.group_by("app", "worker_no").len().filter(c("len") > 1).select("app", "worker_no")
    return (
        owned.join(several, on=["app", "worker_no"], how="semi")
        .join(privileged, on=["app", "account_id"], how="left")
        .with_columns(c("is_privileged").fill_null(value=False).any().over("app", "worker_no"))
        .with_columns(doubt=c("confidence") != "certain", length=c("username").str.len_chars())
        .sort("doubt", "created_at", "length", "username", "account_id", nulls_last=True)
        .with_columns(place=pl.int_range(pl.len()).over("app", "worker_no"))
        .filter(c("place") > 0)
    )


def _leavers(active: pl.LazyFrame) -> pl.LazyFrame:
    last_seen = pl.lit(AS_OF).dt.offset_by("-29d")
    gone = c("status") == "vanished"
    late = c("terminated_at").is_null() | (pl.lit(AS_OF) > c("terminated_at").dt.offset_by("24h"))
    unknown = c("is_active").is_null() | (gone & (pl.lit(AS_OF) <= last_seen.dt.offset_by("14d")))
    return active.filter(gone | ((c("status") == "terminated") & late)).with_columns(
        verdict=pl.when(unknown).then(pl.lit("unknown")).otherwise(pl.lit("fail"))
    )


def _dormant(people: pl.LazyFrame, privileged: pl.LazyFrame) -> pl.LazyFrame:
    # Nothing younger than the shorter limit can be a finding: the join is for the rest.
    old = people.filter(
        c("last_sign_in_at") < pl.lit(AS_OF).dt.offset_by("-45d"),
        ~c("status").fill_null("active").is_in(["on_leave", "terminated"]),
    ).join(privileged, on=["app", "account_id"], how="left")
    limit = (
        pl.when(c("is_privileged"))
        .then(pl.lit(AS_OF).dt.offset_by("-45d"))
        .otherwise(pl.lit(AS_OF).dt.offset_by("-90d"))
    )
    return old.filter(c("last_sign_in_at") < limit, c("created_at").is_null() | (c("created_at") < limit))


def _admins(active: pl.LazyFrame, people: pl.LazyFrame, grants: pl.LazyFrame) -> pl.LazyFrame:
    able = c("kind").is_in(["human", "unknown", "external"])
    admins = (
        active.join(grants.select("app", "account_id").unique(), on=["app", "account_id"], how="semi")
        .group_by("app")
        .agg(admins=pl.coalesce(c("worker_id"), c("account_id")).filter(able).n_unique(), holders=pl.len())
    )
    many = c("admins") > pl.max_horizontal(pl.lit(3), (c("people") * 2 / 100).floor().cast(pl.Int64))
    alone, unknown = c("admins") == 1, c("holders").is_null()
    return (
        people.group_by("app")
        .agg(people=pl.len().cast(pl.Int64))
        .join(admins, on="app", how="left")
        .filter(many | ((alone | unknown) & (c("people") >= 10)))
        .select(
            "app",
            pl.lit(None, pl.String).alias("account_id"),
            pl.when(unknown).then(pl.lit("unknown")).otherwise(pl.lit("fail")).alias("verdict"),
            pl.when(alone | unknown).then(pl.lit("low")).otherwise(pl.lit("medium")).alias("severity"),
        )
    )


def _peers(people: pl.LazyFrame, frames: Frames, rights: pl.LazyFrame) -> pl.DataFrame:
    workers = frames["workers"].lazy().filter(c("status") == "active")
    cohorts = workers.group_by("department", "job_title").agg(peers=pl.len()).filter(c("peers") >= 10)
    members = workers.join(cohorts.with_row_index("cohort"), on=["department", "job_title"]).select(
        "worker_no", "cohort", "peers"
    )
    owned = people.filter(c("is_active")).join(members, on="worker_no")
    held = (
        frames["grants"]
        .lazy()
        .join(owned.select("app", "account_id", "account_no", "cohort", "peers"), on=["app", "account_id"])
        .select("account_no", "app", "entitlement", "cohort", "peers")
        .collect(engine="streaming")
        .lazy()
    )
    others = c("peers").cast(pl.Float64) - 1
    share = (c("holders") - 1) / others
    bound = (
        share + 2.706 / (2 * others) + 1.645 * (share * (1 - share) / others + 2.706 / (4 * others * others)).sqrt()
    ) / (1 + 2.706 / others)
    rare = (
        held.group_by("cohort", "peers", "app", "entitlement")
        .agg(holders=pl.len().cast(pl.Float64))
        .filter(c("holders") <= c("peers"))
        .select("cohort", "app", "entitlement", share=share, bound=bound)
        .filter(c("share") <= 0.05, c("bound") <= 0.25)
        .drop("share")
    )
    return (
        held.join(rare, on=["cohort", "app", "entitlement"])
        .select("account_no", "app", "entitlement", "bound")
        .unique()
        .join(rights.with_columns(is_privileged=pl.lit(value=True)), on=["app", "entitlement"], how="left")
        .with_columns(c("is_privileged").fill_null(value=False))
        .join(owned.select("account_no", "account_id", "worker_id"), on="account_no")
        .sort(
            "is_privileged", "bound", "app", "account_id", "entitlement", descending=[True, False, False, False, False]
        )
        .head(1000)
        .select(
            "app",
            "account_id",
            "entitlement",
            "worker_id",
            severity=pl.when(c("is_privileged")).then(pl.lit("medium")).otherwise(pl.lit("low")),
        )
        .collect(engine="streaming")
    )
