"""Matching in Polars: what match.sql does, lazy, streaming, with semi-joins and narrow columns."""

import polars as pl

from benchmarks import company
from benchmarks.polars_keys import after_at, before_at, fold, hr_keys, is_plain, main_form
from benchmarks.terms import METHODS, NOT_PEOPLE

Frames = dict[str, pl.DataFrame]

c = pl.col


def match(frames: Frames) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Give each account its person, as match.sql does."""
    keys = hr_keys(frames["workers"])
    first = _first_pass(frames, keys)
    extra = pl.concat([_link_hits(frames, keys), _more_hits(frames, first, keys)])
    decided, candidates = _decide(first, extra, keys["sharers"])
    unnamed, suggested = _suggest(frames, first, extra)
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


def _link_hits(frames: Frames, keys: Frames) -> pl.DataFrame:
    links = frames["links"].lazy().with_row_index("link_no")
    accounts = frames["accounts"].lazy()
    by_id = (
        accounts.select("account_no", "app", "account_id")
        .join(links.select("link_no", "app", "account_id"), on=["app", "account_id"])
        .select("link_no", "account_no")
        .collect(engine="streaming")
    )
    rest = links.join(by_id.lazy(), on="link_no", how="anti").collect()
    if not rest.is_empty():
        named = accounts.select("account_no", "app", login=fold(c("username"), plain=False))
        by_name = rest.lazy().select("link_no", "app", login=fold(c("account_id"), plain=False))
        by_id = pl.concat([by_id, named.join(by_name, on=["app", "login"]).select("link_no", "account_no").collect()])
    person = links.join(keys["people"].lazy(), left_on="worker", right_on="worker_id").select(
        "link_no", hit="worker_no"
    )
    number = links.join(keys["numbers"].lazy(), left_on="worker", right_on="key").select("link_no", "hit")
    mail = (
        links.with_columns(fold(c("worker"), plain=False))
        .join(keys["addresses"].lazy(), left_on="worker", right_on="key")
        .select("link_no", "hit")
    )
    return (
        pl.concat([person, number, mail])
        .join(by_id.lazy(), on="link_no")
        .select("account_no", pl.lit(1, pl.Int8).alias("tier"), "hit")
        .collect(engine="streaming")
    )


def _more_hits(frames: Frames, first: pl.DataFrame, keys: Frames) -> pl.DataFrame:
    more = (
        frames["accounts"]
        .lazy()
        .select("account_no", "email", "username", "other_emails")
        .join(first.lazy().filter(c("has_more")).select("account_no", unknown=c("mail_hit").is_null()), on="account_no")
        .with_columns(mail=fold(c("email"), plain=False), login=fold(c("username"), plain=False))
        .with_columns(
            has_at=c("mail").str.contains("@", literal=True).fill_null(value=False),
            login_has_at=c("login").str.contains("@", literal=True).fill_null(value=False),
        )
        .collect(engine="streaming")
        .lazy()
    )
    own = more.filter(c("unknown")).select("account_no", key=pl.when(c("has_at")).then(c("mail")).otherwise(c("login")))
    further = (
        more.filter(c("other_emails").list.len() > 0)
        .select("account_no", key=c("other_emails"))
        .explode("key")
        .with_columns(fold(c("key"), plain=False))
    )
    aliases = (
        pl.concat([own, further])
        .filter(c("key").str.contains("@", literal=True))
        .with_columns(main_form(c("key")))
        .join(keys["aliases"].lazy(), on="key")
        .select("account_no", pl.lit(5, pl.Int8).alias("tier"), hit=c("alias_hit"))
    )
    logins = (
        more.filter(c("has_at") & c("login_has_at") & (c("login") != c("mail")))
        .select("account_no", key=c("login"))
        .join(keys["addresses"].lazy().filter(~c("is_alias")), on="key")
        .select("account_no", pl.lit(6, pl.Int8).alias("tier"), "hit")
    )
    return pl.concat([aliases, logins]).collect(engine="streaming")


def _decide(first: pl.DataFrame, extra: pl.DataFrame, sharers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    hits = [c(f"{name}_hit") for name in ("number", "external", "mail", "login")]
    low, high = pl.min_horizontal(hits), pl.max_horizontal(hits)
    slow = (
        first.lazy()
        .filter(c("account_no").is_in(extra["account_no"].unique().implode()) | (low < 0) | (low != high))
        .collect(engine="streaming")
        .lazy()
    )
    mail_tier = pl.when(c("is_alias")).then(pl.lit(5, pl.Int8)).otherwise(pl.lit(4, pl.Int8))
    tiers = [pl.lit(2, pl.Int8), pl.lit(3, pl.Int8), mail_tier, pl.lit(6, pl.Int8)]
    parts = [
        slow.select("account_no", tier.alias("tier"), hit.alias("hit")).filter(c("hit").is_not_null())
        for tier, hit in zip(tiers, hits, strict=True)
    ]
    linked = extra.lazy().filter(c("tier") == 1).select("account_no").unique()
    every = pl.concat([extra.lazy(), *parts])
    keys = pl.concat([every.join(linked, on="account_no", how="anti"), every.filter(c("tier") == 1)]).collect(
        engine="streaming"
    )
    same_tier = pl.when(c("tier") == 5).then(pl.lit(4, pl.Int8)).otherwise(c("tier"))
    decided = (
        keys.lazy()
        .with_columns(same=same_tier)
        .group_by("account_no")
        .agg(low=c("hit").min(), high=c("hit").max(), tier=c("tier").min(), agreeing=c("same").n_unique().cast(pl.Int8))
        .select(
            "account_no",
            worker_no=pl.when(c("low") >= 0, c("low") == c("high")).then(c("low")),
            tier="tier",
            agreeing="agreeing",
        )
        .collect(engine="streaming")
    )
    open_keys = keys.lazy().join(decided.lazy().filter(c("worker_no").is_null()), on="account_no", how="semi")
    shared = open_keys.filter(c("hit") < 0).join(sharers.lazy().select("hit", "worker_no"), on="hit")
    candidates = (
        pl.concat(
            [
                open_keys.filter(c("hit") >= 0).select("account_no", worker_no="hit", tier="tier"),
                shared.select("account_no", "worker_no", "tier"),
            ]
        )
        .group_by("account_no", "worker_no")
        .agg(c("tier").min())
        .collect(engine="streaming")
    )
    return decided, candidates


def tokens(x: pl.Expr) -> pl.Expr:
    """Strip accents, fold case, ignore order and punctuation."""
    bare = x.str.normalize("NFD").str.replace_all(r"\p{Mn}", "").str.to_lowercase()
    return (
        bare.str.replace_all(r"[^\p{L}\p{N}\p{M}]+", " ").str.strip_chars(" ").str.split(" ").list.sort().list.join(" ")
    )


def _suggest(frames: Frames, first: pl.DataFrame, extra: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    hits = [c(f"{name}_hit") for name in ("number", "external", "mail", "login")]
    nobody = (
        first.lazy()
        .filter(pl.all_horizontal([hit.is_null() for hit in hits]))
        .select("account_no")
        .join(extra.lazy(), on="account_no", how="anti")
    )
    unnamed = (
        frames["accounts"]
        .lazy()
        .select("account_no", "display_name", "email")
        .join(nobody, on="account_no", how="semi")
        .select(
            "account_no",
            mail=fold(c("email"), plain=False),
            name=pl.when(~c("display_name").str.to_lowercase().is_in(["n/a", "na", "none", "null", "unknown"])).then(
                tokens(c("display_name"))
            ),
        )
        .collect(engine="streaming")
    )
    wanted = unnamed.lazy().select("name").filter(c("name").str.contains("[^0 ]")).unique()
    namesakes = (
        frames["workers"]
        .lazy()
        .select("worker_no", "worker_id", name=tokens(c("full_name")))
        .join(wanted, on="name", how="semi")
        .filter(c("worker_id").rank("ordinal").over("name") <= 10)
        .select("name", "worker_no")
    )
    suggested = unnamed.lazy().join(namesakes, on="name").select("account_no", "worker_no").collect(engine="streaming")
    return unnamed.select("account_no", "mail"), suggested


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
