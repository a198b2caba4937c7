"""Matching in pandas: what match.sql does, with merges, group-bys and vectorised text."""

import re
import unicodedata

import numpy as np
import pandas as pd

from benchmarks import company
from benchmarks.terms import ADDRESS, METHODS, NOT_A_WORD, NOT_AN_ADDRESS

Frame = pd.DataFrame
Frames = dict[str, Frame]
HITS = ["number_hit", "external_hit", "mail_hit", "login_hit"]
WORD = re.compile(NOT_A_WORD.replace(r"[^\p{L}\p{N}]", r"[\W_]"))
GOOD = re.compile(ADDRESS.replace(r"[\p{L}\p{N}]", r"[^\W_]"))
BAD = re.compile(NOT_AN_ADDRESS.replace(r"[^@\p{L}\p{N}]", r"(?:[^\w@]|_)"))
TOKEN = re.compile(r"[\W_]+")
FILLER = {"n/a", "na", "none", "null", "unknown"}


def fold(text: pd.Series) -> pd.Series:
    """Fold letter case; text that is not all ASCII is composed first."""
    trimmed = text.str.strip()
    held = trimmed.dropna()
    if not held.map(str.isascii).all():
        trimmed = trimmed.str.normalize("NFC").str.replace("İ", "i̇", regex=False)
    return trimmed.str.lower()


def is_word(text: pd.Series) -> pd.Series:
    """Say whether a key is more than filler."""
    return text.map(lambda x: WORD.match(x) is None, na_action="ignore").fillna(value=False).astype(bool)


def is_address(text: pd.Series) -> pd.Series:
    """Say whether this is a usable e-mail address."""
    return (
        text.map(lambda x: GOOD.match(x) is not None and BAD.match(x) is None, na_action="ignore")
        .fillna(value=False)
        .astype(bool)
    )


def has_at(text: pd.Series) -> pd.Series:
    """Say which values hold an @."""
    return text.str.contains("@", regex=False, na=False).astype(bool)


def before_at(text: pd.Series) -> pd.Series:
    """Return the local part."""
    return text.str.partition("@")[0]


def after_at(text: pd.Series) -> pd.Series:
    """Return the domain."""
    return text.str.partition("@")[2]


def main_form(text: pd.Series) -> pd.Series:
    """Strip the sub-address and fold the domain aliases."""
    folded = text.copy()
    tagged = folded.str.contains("+", regex=False, na=False)
    folded[tagged] = folded[tagged].str.replace(r"\+[^@]*@", "@", regex=True)
    for alias, domain in company.DOMAIN_ALIASES:
        old = folded.str.endswith("@" + alias, na=False)
        folded[old] = folded[old].str.removesuffix(alias) + domain
    return folded


def exploded(frame: Frame, key: str, column: str) -> Frame:
    """One row per element of a list column, called `key`."""
    held = frame[frame[column].map(len) > 0]
    lists = held[column]
    return pd.DataFrame(
        {key: np.repeat(held[key].to_numpy(), lists.map(len)), "key": [x for values in lists for x in values]}
    )


def unique_keys(pairs: Frame, code: int, name: str = "hit") -> Frame:
    """Fold (key, worker_no) to one hit a key: the person, or a negative number where several share it."""
    found = pairs.groupby("key", sort=False)["worker_no"].agg(["min", "max"]).reset_index()
    found[name] = np.where(found["min"] == found["max"], found["min"], -(found.index.to_numpy() * 4 + code))
    return found[["key", name]]


def looked_up(keys: pd.Series, unique: Frame, name: str = "hit") -> pd.Series:
    """Look keys up; a miss is null."""
    frame = pd.DataFrame({"key": keys.to_numpy()})
    held = frame[frame["key"].notna()]
    found = held.merge(unique[["key", name]], on="key", how="left")[name].to_numpy(dtype=float)
    result = np.full(len(frame), np.nan)
    result[held.index.to_numpy()] = found
    return pd.Series(result, index=keys.index)


def match(frames: Frames) -> tuple[Frame, Frame, Frame]:
    """Give each account its person, as match.sql does."""
    keys = _hr_keys(frames["workers"])
    first = _first_pass(frames, keys)
    extra = pd.concat([_link_hits(frames, keys), _more_hits(first, keys)], ignore_index=True)
    decided, candidates = _decide(first, extra, keys["sharers"])
    unnamed, suggested = _suggest(frames, first, extra)
    named = pd.DataFrame(
        {"account_no": suggested["account_no"].unique(), "worker_no": np.nan, "tier": 7, "agreeing": 0}
    )
    decided = pd.concat([decided, named], ignore_index=True)
    candidates = pd.concat([candidates, suggested.assign(tier=7)], ignore_index=True)
    settled = _weigh(frames, first, _settle(first, decided), keys)
    undecided = settled.loc[settled["candidate_no"].notna(), ["account_no", "candidate_no", "key_tier"]]
    undecided = undecided.rename(columns={"candidate_no": "worker_no", "key_tier": "tier"})
    candidates = pd.concat([candidates, undecided], ignore_index=True)
    kinds = _kinds(frames, first, settled, unnamed)
    return _matches(_rivals(settled), kinds), candidates, _shared(keys["sharers"])


def _hr_keys(workers: Frame) -> Frames:
    numbers = exploded(workers, "worker_no", "employee_numbers")
    numbers["key"] = numbers["key"].str.strip()
    numbers = numbers[is_word(numbers["key"])]
    work = workers.loc[has_at(workers["email"]), ["worker_no", "email"]].rename(columns={"email": "key"})
    work["key"] = fold(work["key"])
    work = work[is_address(work["key"])]
    further = exploded(workers, "worker_no", "other_emails")
    further["key"] = main_form(fold(further["key"]))
    further = further[is_address(further["key"])]
    aliases = pd.concat([work.assign(key=main_form(work["key"])), further], ignore_index=True)
    local = work.assign(key=before_at(work["key"]))
    local = local[is_word(local["key"])]
    maps = {
        "employee_number": (numbers, unique_keys(numbers, 4)),
        "email": (work, unique_keys(work, 5)),
        "email_alias": (aliases, unique_keys(aliases, 6)),
        "username": (local, unique_keys(local, 7)),
    }
    sharers = pd.concat(
        [
            pairs.merge(unique[unique["hit"] < 0], on="key")[["key", "hit", "worker_no"]]
            .drop_duplicates()
            .assign(key_kind=kind)
            for kind, (pairs, unique) in maps.items()
        ],
        ignore_index=True,
    )
    mails, alias_map = maps["email"][1], maps["email_alias"][1]
    main_hit = looked_up(main_form(mails["key"]), alias_map)
    shared = (main_hit < 0).to_numpy() & (mails["hit"] >= 0).to_numpy()
    exact = mails.assign(hit=np.where(shared, main_hit, mails["hit"]), is_alias=False)
    only = alias_map[~alias_map["key"].isin(mails["key"])].assign(is_alias=True)
    return {
        "numbers": maps["employee_number"][1],
        "addresses": pd.concat([exact, only], ignore_index=True),
        "aliases": alias_map,
        "locals": maps["username"][1],
        "sharers": sharers,
        "domains": pd.DataFrame({"domain": after_at(work["key"]).unique()}),
        "people": workers[["worker_no", "worker_id"]],
    }


def _first_pass(frames: Frames, keys: Frames) -> Frame:
    accounts = frames["accounts"]
    declared = frames["settings"].query("external_id == 'employee_number'")["app"]
    mail, login = fold(accounts["email"]), fold(accounts["username"])
    mail_at, login_at = has_at(mail), has_at(login)
    address = mail.where(mail_at, login.where(login_at, None))
    both = mail_at & login_at
    first = pd.DataFrame(
        {
            "account_no": accounts["account_no"],
            "app": accounts["app"].astype("category"),
            "mail": mail,
            "login": login,
            "other_emails": accounts["other_emails"],
        }
    )
    first["number_hit"] = looked_up(accounts["employee_number"].str.strip(), keys["numbers"])
    outside = accounts["external_id"].str.strip().where(accounts["app"].isin(declared), None)
    first["external_hit"] = looked_up(outside, keys["numbers"])
    found = pd.DataFrame({"key": address.to_numpy()}).merge(keys["addresses"], on="key", how="left")
    found.loc[found["key"].isna(), ["hit", "is_alias"]] = np.nan
    first["mail_hit"] = found["hit"].to_numpy(dtype=float)
    first["is_alias"] = found["is_alias"].eq(other=True).to_numpy()
    local_hit = looked_up(login.where(~login_at, None), keys["locals"])
    repeats = mail_at & login.eq(mail).fillna(value=False).astype(bool) & ~first["is_alias"]
    first["login_hit"] = local_hit.where(local_hit.notna(), first["mail_hit"].where(repeats, np.nan))
    first["two"] = both & ~login.eq(mail).fillna(value=False).astype(bool)
    first["has_others"] = accounts["other_emails"].map(len) > 0
    first["unknown"] = address.notna() & first["mail_hit"].isna()
    _drop_repeats(first, keys)
    return first


def _drop_repeats(first: Frame, keys: Frames) -> None:
    """Drop the hit of a user name that only repeats the local part of the account's own company address."""
    domains = {domain for domain, source in company.APPROVED_DOMAINS if source == "organization"}
    domains |= set(keys["domains"]["domain"])
    doubtful = first[first["login_hit"].notna() & (first["login_hit"] != first["mail_hit"]) & first["mail"].notna()]
    parts = doubtful["mail"].str.partition("@")
    repeated = parts[0].eq(doubtful["login"]) & parts[2].isin(domains)
    first.loc[doubtful.index[repeated], "login_hit"] = np.nan


def _link_hits(frames: Frames, keys: Frames) -> Frame:
    links = frames["links"].reset_index(names="link_no")
    accounts = frames["accounts"]
    held = accounts[["account_no", "app", "account_id"]].merge(links, on=["app", "account_id"])[
        ["link_no", "account_no"]
    ]
    rest = links[~links["link_no"].isin(held["link_no"])]
    if len(rest):
        named = accounts[["account_no", "app"]].assign(login=fold(accounts["username"]))
        by_name = rest.assign(login=fold(rest["account_id"]))
        held = pd.concat([held, named.merge(by_name, on=["app", "login"])[["link_no", "account_no"]]])
    person = links.merge(keys["people"], left_on="worker", right_on="worker_id").rename(columns={"worker_no": "hit"})
    number = links.merge(keys["numbers"], left_on="worker", right_on="key")
    mail = links.assign(worker=fold(links["worker"])).merge(keys["addresses"], left_on="worker", right_on="key")
    hits = pd.concat([frame[["link_no", "hit"]] for frame in (person, number, mail)])
    return held.merge(hits, on="link_no")[["account_no", "hit"]].assign(tier=1)


def _more_hits(first: Frame, keys: Frames) -> Frame:
    unknown = first[first["unknown"]]
    own = pd.DataFrame(
        {
            "account_no": unknown["account_no"],
            "key": unknown["mail"].where(has_at(unknown["mail"]), unknown["login"]),
        }
    )
    further = exploded(first.loc[first["has_others"], ["account_no", "other_emails"]], "account_no", "other_emails")
    further["key"] = fold(further["key"])
    aliases = pd.concat([own, further], ignore_index=True)
    aliases = aliases[has_at(aliases["key"])]
    aliases = aliases.assign(key=main_form(aliases["key"])).merge(keys["aliases"], on="key").assign(tier=5)
    logins = first.loc[first["two"], ["account_no", "login"]].rename(columns={"login": "key"})
    exact = keys["addresses"][~keys["addresses"]["is_alias"].astype(bool)]
    logins = logins.merge(exact, on="key").assign(tier=6)
    return pd.concat([aliases, logins], ignore_index=True)[["account_no", "hit", "tier"]]


def _decide(first: Frame, extra: Frame, sharers: Frame) -> tuple[Frame, Frame]:
    low, high = first[HITS].min(axis=1), first[HITS].max(axis=1)
    slow = first[first["account_no"].isin(extra["account_no"]) | (low < 0) | (low < high)]
    mail_tier = np.where(slow["is_alias"], 5, 4)
    parts = [
        pd.DataFrame({"account_no": slow["account_no"], "hit": slow[hit], "tier": tier}).dropna(subset="hit")
        for tier, hit in zip((2, 3, mail_tier, 6), HITS, strict=True)
    ]
    keys = pd.concat([extra, *parts], ignore_index=True)
    linked = keys.loc[keys["tier"] == 1, "account_no"]
    keys = keys[(keys["tier"] == 1) | ~keys["account_no"].isin(linked)]
    keys["same"] = keys["tier"].replace(5, 4)
    distinct = keys.drop_duplicates(["account_no", "same"])
    decided = keys.groupby("account_no").agg(low=("hit", "min"), high=("hit", "max"), tier=("tier", "min"))
    decided["agreeing"] = distinct.groupby("account_no").size()
    decided["worker_no"] = decided["low"].where((decided["low"] >= 0) & (decided["low"] == decided["high"]), np.nan)
    decided = decided.reset_index()
    doubtful = keys[keys["account_no"].isin(decided.loc[decided["worker_no"].isna(), "account_no"])]
    named = doubtful[doubtful["hit"] >= 0].rename(columns={"hit": "worker_no"})
    shared = doubtful[doubtful["hit"] < 0].merge(sharers[["hit", "worker_no"]], on="hit")
    both = pd.concat([frame[["account_no", "worker_no", "tier"]] for frame in (named, shared)])
    candidates = both.groupby(["account_no", "worker_no"])["tier"].min().reset_index()
    return decided[["account_no", "worker_no", "tier", "agreeing"]], candidates


def tokens(name: str) -> str:
    """Strip accents, fold case, ignore order and punctuation."""
    if not name.isascii():
        name = "".join(x for x in unicodedata.normalize("NFD", name) if unicodedata.category(x) != "Mn")
    return " ".join(sorted(TOKEN.sub(" ", name.lower()).split()))


def _suggest(frames: Frames, first: Frame, extra: Frame) -> tuple[Frame, Frame]:
    nobody = first[HITS].isna().all(axis=1) & ~first["account_no"].isin(extra["account_no"])
    names = frames["accounts"].loc[nobody, "display_name"]
    unnamed = pd.DataFrame({"account_no": first.loc[nobody, "account_no"], "mail": first.loc[nobody, "mail"]})
    unnamed["name"] = names.where(~names.str.lower().isin(FILLER), None).map(tokens, na_action="ignore")
    given = unnamed["name"].dropna()
    wanted = given[given.str.contains("[^0 ]")].unique()
    workers = frames["workers"]
    people = workers[["worker_no", "worker_id"]].assign(name=workers["full_name"].map(tokens, na_action="ignore"))
    people = people[people["name"].isin(wanted)].sort_values("worker_id")
    people = people[people.groupby("name").cumcount() < 10]
    return unnamed, unnamed.merge(people, on="name")[["account_no", "worker_no"]]


def _settle(first: Frame, decided: Frame) -> Frame:
    held = first[HITS].notna().to_numpy()
    tiers = np.where(
        held[:, 0],
        2,
        np.where(held[:, 1], 3, np.where(held[:, 2], np.where(first["is_alias"], 5, 4), np.where(held[:, 3], 6, 8))),
    )
    settled = pd.DataFrame(
        {
            "account_no": first["account_no"],
            "app": first["app"],
            "worker_no": first[HITS].bfill(axis=1).iloc[:, 0],
            "tier": tiers,
            "agreeing": held.sum(axis=1),
        }
    )
    # account_no is 1..n in the order of the rows.
    rows = decided["account_no"].to_numpy() - 1
    for column in ("worker_no", "tier", "agreeing"):
        values = settled[column].to_numpy(copy=True)
        values[rows] = decided[column].to_numpy()
        settled[column] = values
    return settled


def _weigh(frames: Frames, first: Frame, settled: Frame, keys: Frames) -> Frame:
    """Leave to a person what the age of the account or a foreign address beside a user name speaks against."""
    own = {domain for domain, source in company.APPROVED_DOMAINS if source == "organization"}
    own |= set(keys["domains"]["domain"]) | {alias for alias, _ in company.DOMAIN_ALIASES}
    beside = (settled["tier"] == 6) & first["login_hit"].notna().to_numpy() & has_at(first["mail"]).to_numpy()
    is_foreign = pd.Series(data=False, index=settled.index)
    rows = settled.index[beside]
    is_foreign[rows] = ~after_at(first.loc[rows, "mail"]).isin(own)
    weak = settled[settled["worker_no"].notna() & settled["tier"].between(4, 6)]
    workers = frames["workers"].set_index("worker_no")
    person = workers.loc[weak["worker_no"].astype(int), ["hired_at", "status"]].set_axis(weak.index)
    created = frames["accounts"].loc[weak.index, "created_at"]
    older = created < person["hired_at"] - pd.Timedelta(days=30)
    settled["is_doubted"] = False
    settled.loc[weak.index, "is_doubted"] = older
    undecided = is_foreign.copy()
    undecided[weak.index] |= older & ~person["status"].isin(["terminated", "vanished"])
    settled["candidate_no"] = settled["worker_no"].where(undecided)
    settled["worker_no"] = settled["worker_no"].mask(undecided)
    settled["key_tier"] = settled["tier"]
    settled["tier"] = settled["tier"].mask(is_foreign, 9)
    return settled


def _rivals(settled: Frame) -> Frame:
    matched = settled[settled["worker_no"].notna()]
    pair = matched["app"].cat.codes.astype("int64") * 2**32 + matched["worker_no"].astype("int64")
    most = matched["agreeing"].groupby(pair).max()
    settled["weaker"] = settled["is_doubted"]
    settled.loc[matched.index, "weaker"] |= matched["agreeing"].to_numpy() < pair.map(most).to_numpy()
    return settled


def _kinds(frames: Frames, first: Frame, settled: Frame, unnamed: Frame) -> Frame:
    accounts = frames["accounts"]
    register = frames["register"]
    found = [
        accounts[["account_no", "app", "account_id"]].merge(register, on=["app", "account_id"])[["account_no", "kind"]]
    ]
    for app, pattern, kind in sorted(company.KIND_PATTERNS, key=lambda p: (p[0] == "*", -len(p[1]), p[1], p[2])):
        named = accounts["username"].str.lower().str.startswith(pattern.rstrip("*"), na=False)
        if app != "*":
            named &= accounts["app"] == app
        found.append(pd.DataFrame({"account_no": accounts.loc[named, "account_no"], "kind": kind}))
    kinds = pd.concat(found).drop_duplicates("account_no")
    policy = [domain for domain, source in company.APPROVED_DOMAINS if source == "policy"]
    doubtful = settled.loc[settled["worker_no"].isna() & (settled["key_tier"] < 7), "account_no"]
    others = pd.concat(
        [unnamed[["account_no", "mail"]], first.loc[first["account_no"].isin(doubtful), ["account_no", "mail"]]]
    )
    partners = others[after_at(others["mail"]).isin(policy) & ~others["account_no"].isin(kinds["account_no"])]
    return pd.concat([kinds, partners[["account_no"]].assign(kind="external")])


def _matches(settled: Frame, kinds: Frame) -> Frame:
    tier, unmatched = settled["tier"], settled["worker_no"].isna()
    confidence = np.select(
        [tier == 8, tier.isin([7, 9]), unmatched, tier == 1, (tier > 4) | settled["weaker"]],
        ["none", "suggested", "ambiguous", "certain", "probable"],
        "certain",
    )
    kind = np.where(unmatched, "unknown", "human").astype(object)
    kind[kinds["account_no"].to_numpy() - 1] = kinds["kind"].to_numpy()
    return pd.DataFrame(
        {
            "account_no": settled["account_no"],
            "worker_no": settled["worker_no"],
            "method": pd.Categorical.from_codes(tier.replace(9, 6).to_numpy(dtype=int) - 1, pd.Index(METHODS)),
            "confidence": pd.Categorical(confidence),
            "kind": pd.Categorical(kind),
        }
    )


def _shared(sharers: Frame) -> Frame:
    counted = sharers.groupby(["key_kind", "key"]).size().reset_index(name="workers")
    mails = counted[counted["key_kind"] == "email"]
    by_local = mails.assign(key=before_at(mails["key"])).groupby("key", as_index=False)["workers"].max()
    implied = pd.concat(
        [mails.assign(key_kind="email_alias"), by_local.assign(key_kind="username")], ignore_index=True
    ).assign(implied=True)
    joined = counted.merge(implied, on=["key_kind", "key", "workers"], how="left")
    return joined.loc[joined["implied"].isna(), ["key_kind", "key", "workers"]]
