"""The eight rules in pandas."""

import re

import numpy as np
import pandas as pd

from benchmarks.measure import AS_OF
from benchmarks.terms import ADDRESS, NOT_A_WORD, NOT_AN_ADDRESS, NOT_PEOPLE

Frame = pd.DataFrame
Frames = dict[str, Frame]
HITS = ["number_hit", "external_hit", "mail_hit", "login_hit"]
WORD = re.compile(NOT_A_WORD.replace(r"[^\p{L}\p{N}]", r"[\W_]"))
GOOD = re.compile(ADDRESS.replace(r"[\p{L}\p{N}]", r"[^\W_]"))
BAD = re.compile(NOT_AN_ADDRESS.replace(r"[^@\p{L}\p{N}]", r"(?:[^\w@]|_)"))
TOKEN = re.compile(r"[\W_]+")
FILLER = {"n/a", "na", "none", "null", "unknown"}


def check(frames: Frames, matches: Frame, candidates: Frame) -> Frames:
    """Run the eight rules; keys, verdict and severity of each finding, without its sentence and evidence."""
    columns = ["account_no", "app", "account_id", "username", "is_active", "created_at", "last_sign_in_at"]
    accounts = frames["accounts"][columns].merge(matches, on="account_no")
    accounts = accounts.merge(
        frames["workers"][["worker_no", "worker_id", "status", "terminated_at"]], on="worker_no", how="left"
    )
    rights = frames["entitlements"].query("is_privileged")[["app", "entitlement"]]
    grants = frames["grants"]
    grants = grants[grants["entitlement"].isin(rights["entitlement"])].merge(rights, on=["app", "entitlement"])
    privileged = grants[["app", "account_id"]].drop_duplicates().assign(is_privileged=True)
    open_ = accounts[accounts["is_active"].ne(other=False)]
    people = open_[~open_["kind"].isin(NOT_PEOPLE)]
    duplicates, leavers, dormant = _duplicates(people, privileged), _leavers(open_), _dormant(people, privileged)
    orphans = people[people["confidence"].isin(["none", "suggested"])]
    several = candidates.groupby("account_no")["worker_no"].nunique()
    unsure = open_[(open_["confidence"] == "ambiguous") & open_["account_no"].isin(several.index[several > 1])]
    closed = accounts[accounts["is_active"].eq(other=False)].merge(grants, on=["app", "account_id"])
    return {
        "orphaned-account": _finding(orphans, privileged, "high", "critical").drop(columns="worker_id"),
        "ambiguous-owner": _finding(unsure, privileged, "medium", "high").drop(columns="worker_id"),
        "duplicate-accounts": duplicates[["app", "account_id", "worker_id", "severity"]].assign(verdict="fail"),
        "leaver-still-active": _finding(leavers, privileged, "high", "critical"),
        "dormant-account": _finding(dormant, privileged, "medium", "high"),
        "too-many-admins": _admins(open_, people, privileged),
        "disabled-keeps-privilege": closed[["app", "account_id", "entitlement", "worker_id"]]
        .drop_duplicates()
        .assign(severity="medium"),
        "peer-outlier": _peers(people, frames, rights),
    }


def _finding(found: Frame, privileged: Frame, base: str, worse: str) -> Frame:
    joined = found.drop(columns="is_privileged", errors="ignore").merge(
        privileged, on=["app", "account_id"], how="left"
    )
    severity = np.where(joined["is_privileged"].notna(), worse, base)
    verdict = joined.get("verdict", "fail")
    return joined[["app", "account_id", "worker_id"]].assign(verdict=verdict, severity=severity)


def _duplicates(people: Frame, privileged: Frame) -> Frame:
    owned = people[people["worker_no"].notna() & people["confidence"].isin(["certain", "probable"])]
    owned = owned[owned.duplicated(["app", "worker_no"], keep=False)]
    owned = owned.merge(privileged, on=["app", "account_id"], how="left")
    able = owned["is_privileged"].notna().groupby([owned["app"], owned["worker_no"]]).transform("any")
    owned = owned.assign(severity=np.where(able, "high", "medium"))
    owned = owned.assign(doubt=owned["confidence"] != "certain", length=owned["username"].str.len())
    owned = owned.sort_values(["doubt", "created_at", "length", "username", "account_id"])
    return owned[owned.groupby(["app", "worker_no"]).cumcount() > 0]


def _leavers(open_: Frame) -> Frame:
    as_of = pd.Timestamp(AS_OF)
    gone = open_["status"] == "vanished"
    late = open_["terminated_at"].isna() | (as_of > open_["terminated_at"] + pd.Timedelta(hours=24))
    found = open_[gone | ((open_["status"] == "terminated") & late)]
    grace = as_of <= as_of - pd.Timedelta(days=29) + pd.Timedelta(days=14)
    return found.assign(verdict=np.where((found["status"] == "vanished") & grace, "unknown", "fail"))


def _dormant(people: Frame, privileged: Frame) -> Frame:
    as_of = pd.Timestamp(AS_OF)
    old = people[
        (people["last_sign_in_at"] < as_of - pd.Timedelta(days=45)) & ~people["status"].isin(["on_leave", "terminated"])
    ].merge(privileged, on=["app", "account_id"], how="left")
    days = np.where(old["is_privileged"].notna(), 45, 90)
    limit = as_of - pd.to_timedelta(days, unit="D")
    return old[(old["last_sign_in_at"] < limit) & (old["created_at"].isna() | (old["created_at"] < limit))]


def _admins(open_: Frame, people: Frame, privileged: Frame) -> Frame:
    holders = open_.merge(privileged, on=["app", "account_id"])
    able = holders[holders["kind"].isin(["human", "unknown", "external"])]
    who = able["worker_id"].where(able["worker_id"].notna(), able["account_id"])
    crowd = people.groupby("app").size()
    admins = who.groupby(able["app"]).nunique().reindex(crowd.index, fill_value=0)
    many = admins > (crowd * 2 // 100).clip(lower=3)
    alone = (admins == 1) & (crowd >= 10)
    unknown = ~crowd.index.isin(holders["app"]) & (crowd >= 10)
    told = [(many, "fail", "medium"), (alone, "fail", "low"), (unknown, "unknown", "low")]
    return pd.concat(
        pd.DataFrame({"app": crowd.index[where], "account_id": None, "verdict": verdict, "severity": severity})
        for where, verdict, severity in told
    )


def _peers(people: Frame, frames: Frames, rights: Frame) -> Frame:
    job = ["department", "job_title"]
    workers = frames["workers"].query("status == 'active'").dropna(subset=job)
    workers = workers.assign(
        cohort=workers.groupby(job).ngroup(), peers=workers.groupby(job)["worker_no"].transform("size")
    )
    members = workers.loc[workers["peers"] >= 10, ["worker_no", "cohort", "peers"]]
    owned = people[people["is_active"].eq(other=True)].merge(members, on="worker_no")
    held = frames["grants"].merge(
        owned[["app", "account_id", "worker_id", "cohort", "peers"]], on=["app", "account_id"]
    )
    right = ["cohort", "app", "entitlement"]
    counted = held.groupby([*right, "peers"], observed=True).size().rename("holders").reset_index()
    counted = counted[counted["holders"] <= counted["peers"]]
    others = counted["peers"] - 1.0
    share = (counted["holders"] - 1) / others
    bound = (
        share + 2.706 / (2 * others) + 1.645 * np.sqrt(share * (1 - share) / others + 2.706 / (4 * others * others))
    ) / (1 + 2.706 / others)
    rare = counted.assign(bound=bound)[(share <= 0.05) & (bound <= 0.25)]
    leads = held.merge(rare[[*right, "bound"]], on=right)
    leads = leads[["app", "account_id", "entitlement", "worker_id", "bound"]].drop_duplicates()
    leads = leads.merge(rights.assign(is_privileged=True), on=["app", "entitlement"], how="left")
    leads = leads.assign(severity=np.where(leads["is_privileged"].notna(), "medium", "low"))
    leads = leads.sort_values(["severity", "bound", "app", "account_id", "entitlement"], ascending=[False, *[True] * 4])
    return leads.head(1000)[["app", "account_id", "entitlement", "worker_id", "severity"]]
