"""Matching in Polars: what match.sql does, lazy, streaming, with semi-joins and narrow columns."""

import polars as pl

from benchmarks import company
from benchmarks.polars_hits import decide, link_hits, more_hits, suggest
from benchmarks.polars_keys import after_at, before_at, fold, hr_keys, is_plain
from benchmarks.terms import METHODS, NOT_PEOPLE

Frames = dict[str, pl.DataFrame]

c = pl.col


def match(frames: Frames) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Give each account its person, as match.sql does."""
    keys = hr_keys(frames["workers"])
    first = _first_pass(frames, keys)
    extra = pl.concat([link_hits(frames, keys), more_hits(frames, first, keys)])
    decided, candidates = decide(first, extra, keys["sharers"])
    unnamed, suggested = suggest(frames, first, extra)
    decided = pl.concat(
        [
            decided,
            suggested.select(
                "account_no",
                pl.lit(None, pl.Int32).alias("worker_no"),
                tier=pl.lit(7, pl.Int8),
                agreeing=pl.lit(0, pl.Int8),
            ).unique(),
        ]
    )
    candidates = pl.concat([candidates, suggested.select("account_no", "worker_no", pl.lit(7, pl.Int8).alias("tier"))])
    settled = _weigh(frames, first, _settle(first, decided), keys)
    undecided = settled.filter(c("candidate_no").is_not_null())
    candidates = pl.concat([candidates, undecided.select("account_no", worker_no="candidate_no", tier="key_tier")])
    kinds = _kinds(frames, settled, unnamed)
    return _matches(_rivals(settled), kinds), candidates, _shared(keys["sharers"])


def _first_pass(frames: Frames, keys: Frames) -> pl.DataFrame:
    accounts = frames["accounts"]
    plain = is_plain(accounts, "email", "username")
    declared = frames["settings"].filter(c("external_id") == "employee_number")["app"].to_list()
    has_at = c("mail").str.contains("@", literal=True).fill_null(value=False)
    login_has_at = c("login").str.contains("@", literal=True).fill_null(value=False)
    numbers = keys["numbers"].lazy()
    keyed = (
        accounts.lazy()
        .select(
            "account_no",
            app_no=c("app").cast(pl.Categorical).to_physical(),
            number=c("employee_number").str.strip_chars(),
            outside=pl.when(c("app").is_in(declared)).then(c("external_id").str.strip_chars()),
            mail=fold(c("email"), plain=plain),
            login=fold(c("username"), plain=plain),
            has_more=c("other_emails").list.len() > 0,
        )
        .with_columns(
            address=pl.when(has_at).then(c("mail")).when(login_has_at).then(c("login")),
            repeats=has_at & (c("login") == c("mail")).fill_null(value=False),
            local=pl.when(~login_has_at).then(c("login")),
            two=has_at & login_has_at & (c("login") != c("mail")).fill_null(value=False),
        )
        .drop("mail", "login")
    )
    return (
        keyed.join(numbers.rename({"key": "number", "hit": "number_hit"}), on="number", how="left")
        .join(numbers.rename({"key": "outside", "hit": "external_hit"}), on="outside", how="left")
        .join(keys["addresses"].lazy().rename({"key": "address", "hit": "mail_hit"}), on="address", how="left")
        .join(keys["locals"].lazy().rename({"key": "local", "hit": "local_hit"}), on="local", how="left")
        .select(
            "account_no",
            "app_no",
            "number_hit",
            "external_hit",
            "mail_hit",
            "is_alias",
            login_hit=pl.coalesce(c("local_hit"), pl.when(c("repeats") & ~c("is_alias")).then(c("mail_hit"))),
            has_more=c("has_more").fill_null(value=False)
            | c("two")
            | (c("address").is_not_null() & c("mail_hit").is_null()),
        )
        .collect(engine="streaming")
        .pipe(_without_repeats, accounts, keys)
    )


def _without_repeats(first: pl.DataFrame, accounts: pl.DataFrame, keys: Frames) -> pl.DataFrame:
    """Drop the hit of a user name that only repeats the local part of the account's own company address."""
    company_domains = [domain for domain, source in company.APPROVED_DOMAINS if source == "organization"]
    known = pl.concat([keys["domains"], pl.DataFrame({"domain": company_domains})])
    doubtful = first.lazy().filter(c("login_hit").is_not_null() & c("login_hit").ne_missing(c("mail_hit")))
    repeated = (
        doubtful.select("account_no")
        .join(accounts.lazy().select("account_no", "email", "username"), on="account_no")
        .with_columns(mail=fold(c("email"), plain=False), login=fold(c("username"), plain=False))
        .filter(before_at(c("mail")) == c("login"))
        .with_columns(domain=after_at(c("mail")))
        .join(known.lazy(), on="domain", how="semi")
        .select("account_no")
        .collect(engine="streaming")["account_no"]
    )
    if repeated.is_empty():
        return first
    return first.with_columns(
        login_hit=pl.when(c("account_no").is_in(repeated.implode())).then(None).otherwise(c("login_hit"))
    )


def _settle(first: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    hits = [c(f"{name}_hit") for name in ("number", "external", "mail", "login")]
    fast_tier = (
        pl.when(hits[0].is_not_null())
        .then(2)
        .when(hits[1].is_not_null())
        .then(3)
        .when(hits[2].is_not_null())
        .then(pl.when(c("is_alias")).then(5).otherwise(4))
        .when(hits[3].is_not_null())
        .then(6)
        .otherwise(8)
    )
    slow = c("slow_tier").is_not_null()
    return (
        first.lazy()
        .join(
            decided.lazy().rename({"worker_no": "slow_worker", "tier": "slow_tier", "agreeing": "slow_agreeing"}),
            on="account_no",
            how="left",
        )
        .select(
            "account_no",
            "app_no",
            worker_no=pl.when(slow).then(c("slow_worker")).otherwise(pl.coalesce(hits)),
            tier=pl.when(slow).then(c("slow_tier")).otherwise(fast_tier.cast(pl.Int8)),
            agreeing=pl.when(slow)
            .then(c("slow_agreeing"))
            .otherwise(pl.sum_horizontal([hit.is_not_null().cast(pl.Int8) for hit in hits])),
        )
        .collect(engine="streaming")
    )


def _weigh(frames: Frames, first: pl.DataFrame, settled: pl.DataFrame, keys: Frames) -> pl.DataFrame:
    """Leave to a person what the age of the account or a foreign address beside a user name speaks against."""
    own = [domain for domain, source in company.APPROVED_DOMAINS if source == "organization"]
    own += [alias for alias, _ in company.DOMAIN_ALIASES]
    known = pl.concat([keys["domains"], pl.DataFrame({"domain": own})])
    beside = (
        settled.lazy()
        .filter(c("tier") == 6)
        .select("account_no")
        .join(first.lazy().filter(c("login_hit").is_not_null()).select("account_no"), on="account_no", how="semi")
        .join(frames["accounts"].lazy().select("account_no", mail=c("email")), on="account_no")
        .with_columns(fold(c("mail"), plain=False))
        .filter(c("mail").str.contains("@", literal=True))
        .with_columns(domain=after_at(c("mail")))
        .join(known.lazy(), on="domain", how="anti")
        .select("account_no", is_foreign=pl.lit(value=True))
    )
    older = (
        settled.lazy()
        .filter(c("tier").is_between(4, 6), c("worker_no").is_not_null())
        .select("account_no", "worker_no")
        .join(frames["accounts"].lazy().select("account_no", "created_at"), on="account_no")
        .join(frames["workers"].lazy().select("worker_no", "hired_at", "status"), on="worker_no")
        .filter(c("created_at") < c("hired_at") - pl.duration(days=30))
        .select("account_no", is_older=pl.lit(value=True), has_left=c("status").is_in(["terminated", "vanished"]))
    )
    undecided = c("is_foreign") | (c("is_older") & ~c("has_left"))
    return (
        settled.lazy()
        .join(beside, on="account_no", how="left")
        .join(older, on="account_no", how="left")
        .with_columns(c("is_foreign", "is_older", "has_left").fill_null(value=False))
        .select(
            "account_no",
            "app_no",
            "agreeing",
            worker_no=pl.when(~undecided).then(c("worker_no")),
            candidate_no=pl.when(undecided).then(c("worker_no")),
            key_tier=c("tier"),
            tier=pl.when(c("is_foreign")).then(pl.lit(9, pl.Int8)).otherwise(c("tier")),
            is_doubted=c("is_older"),
        )
        .collect(engine="streaming")
    )


def _rivals(settled: pl.DataFrame) -> pl.DataFrame:
    most = (
        settled.lazy()
        .filter(c("worker_no").is_not_null())
        .select(pair=c("app_no").cast(pl.Int64) * 2**32 + c("worker_no"), agreeing="agreeing")
        .group_by("pair")
        .agg(low=c("agreeing").min(), most=c("agreeing").max())
        .filter(c("low") < c("most"))
        .select("pair", "most")
        .collect(engine="streaming")
    )
    return (
        settled.lazy()
        .with_columns(pair=c("app_no").cast(pl.Int64) * 2**32 + c("worker_no"))
        .join(most.lazy(), on="pair", how="left")
        .select(
            "account_no",
            "worker_no",
            "tier",
            weaker=(c("agreeing") < c("most")).fill_null(value=False) | c("is_doubted"),
        )
        .collect(engine="streaming")
    )


def _kinds(frames: Frames, settled: pl.DataFrame, unnamed: pl.DataFrame) -> pl.DataFrame:
    accounts = frames["accounts"].lazy()
    found = [
        accounts.select("account_no", "app", "account_id")
        .join(frames["register"].lazy(), on=["app", "account_id"])
        .select("account_no", "kind", place=pl.lit(-2))
    ]
    patterns = sorted(company.KIND_PATTERNS, key=lambda p: (p[0] == "*", -len(p[1]), p[1], p[2]))
    for place, (app, pattern, kind) in enumerate(patterns):
        # All patterns here end with their only asterisk.
        held = accounts.select("account_no", "app", "username")
        if app != "*":
            held = held.filter(c("app") == app)
        found.append(
            held.filter(c("username").str.to_lowercase().str.starts_with(pattern.rstrip("*"))).select(
                "account_no", pl.lit(kind).alias("kind"), place=pl.lit(place)
            )
        )
    kinds = pl.concat(found).group_by("account_no").agg(c("kind").sort_by("place").first()).collect(engine="streaming")
    policy = [domain for domain, source in company.APPROVED_DOMAINS if source == "policy"]
    doubtful = (
        accounts.select("account_no", mail=c("email"))
        .join(settled.lazy().filter(c("worker_no").is_null(), c("key_tier") < 7), on="account_no", how="semi")
        .with_columns(fold(c("mail"), plain=False))
    )
    partners = (
        pl.concat([unnamed.lazy(), doubtful])
        .filter(after_at(c("mail")).is_in(policy))
        .join(kinds.lazy(), on="account_no", how="anti")
        .select("account_no", pl.lit("external").alias("kind"))
        .collect(engine="streaming")
    )
    return pl.concat([kinds, partners])


def _matches(settled: pl.DataFrame, kinds: pl.DataFrame) -> pl.DataFrame:
    tier = c("tier")
    unmatched = c("worker_no").is_null()
    return (
        settled.lazy()
        .join(kinds.lazy(), on="account_no", how="left")
        .select(
            "account_no",
            "worker_no",
            method=tier.replace_strict(list(range(1, 10)), [*METHODS, "username"], return_dtype=pl.Enum(METHODS)),
            confidence=pl.when(tier == 8)
            .then(pl.lit("none"))
            .when(tier.is_in([7, 9]))
            .then(pl.lit("suggested"))
            .when(unmatched)
            .then(pl.lit("ambiguous"))
            .when(tier == 1)
            .then(pl.lit("certain"))
            .when((tier > 4) | c("weaker"))
            .then(pl.lit("probable"))
            .otherwise(pl.lit("certain"))
            .cast(pl.Enum(["certain", "probable", "suggested", "ambiguous", "none"])),
            kind=c("kind")
            .fill_null(pl.when(unmatched).then(pl.lit("unknown")).otherwise(pl.lit("human")))
            .cast(pl.Enum([*NOT_PEOPLE, "human", "unknown"])),
        )
        .collect(engine="streaming")
    )


def _shared(sharers: pl.DataFrame) -> pl.DataFrame:
    counted = sharers.group_by("key_kind", "key").agg(workers=pl.len().cast(pl.Int64))
    mails = counted.filter(c("key_kind") == "email")
    as_alias = mails.select(pl.lit("email_alias").alias("key_kind"), "key", "workers")
    as_local = mails.group_by(key=before_at(c("key"))).agg(c("workers").max())
    as_local = as_local.select(pl.lit("username").alias("key_kind"), "key", "workers")
    return counted.join(pl.concat([as_alias, as_local]), on=["key_kind", "key", "workers"], how="anti")
