"""The rival in Polars: the same logic, lazy, with what makes it fast there (streaming, semi-joins, narrow columns)."""

from pathlib import Path

import polars as pl

from benchmarks import company
from benchmarks.measure import AS_OF, RULES, Stages, engine_main

WORDS = ["n/a", "na", "n.a.", "none", "null", "nil", "nan", "unknown", "undefined", "tbd"]
NOT_A_WORD = r"(?i)^([^\p{L}\p{N}]|0)*$|^(n/a|na|n\.a\.|none|null|nil|nan|unknown|undefined|tbd)$"
ADDRESS = r"^[^@]*[\p{L}\p{N}][^@]*@[^@]*[\p{L}\p{N}][^@]*$"
NOT_AN_ADDRESS = (
    r"^(([^@\p{L}\p{N}]|0)+|n/a|na|none|null|nil|nan|unknown)"
    r"@(([^@\p{L}\p{N}]|0)+|(n/a|na|none|null|nil|nan|unknown)(\.[^@]*)?)$"
)
METHODS = ["link", "employee_number", "external_id", "email", "email_alias", "username", "name", "none"]
NOT_PEOPLE = ["service", "shared", "break_glass", "external"]
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


def fold(x: pl.Expr, *, plain: bool) -> pl.Expr:
    """Fold letter case; text that is not all ASCII is composed first."""
    trimmed = x.str.strip_chars()
    if plain:
        return trimmed.str.to_lowercase()
    return trimmed.str.normalize("NFC").str.replace_all("İ", "i̇", literal=True).str.to_lowercase()


def is_plain(frame: pl.DataFrame, *columns: str) -> bool:
    """Say whether these columns are all ASCII, so that the dear part of folding can be left out."""
    checks = [(c(name).str.len_bytes() == c(name).str.len_chars()).all() for name in columns]
    return frame.lazy().select(pl.all_horizontal(checks)).collect(engine="streaming").item()


def is_word(x: pl.Expr) -> pl.Expr:
    """Say whether a key is more than filler."""
    return ~x.str.contains(NOT_A_WORD)


def is_address(x: pl.Expr) -> pl.Expr:
    """Say whether this is a usable e-mail address."""
    return x.str.contains(ADDRESS) & ~x.str.contains(NOT_AN_ADDRESS)


def before_at(x: pl.Expr) -> pl.Expr:
    """Return the local part."""
    return x.str.split_exact("@", 1).struct.field("field_0").alias(x.meta.output_name())


def after_at(x: pl.Expr) -> pl.Expr:
    """Return the domain."""
    return x.str.split_exact("@", 1).struct.field("field_1").alias(x.meta.output_name())


def main_form(x: pl.Expr) -> pl.Expr:
    """Strip the sub-address and fold the domain aliases; both are rare, so they are looked for first."""
    folded = x.str.replace(r"\+[^@]*@", "@")
    for alias, domain in company.DOMAIN_ALIASES:
        folded = (
            pl.when(folded.str.ends_with("@" + alias))
            .then(folded.str.strip_suffix(alias) + pl.lit(domain))
            .otherwise(folded)
        )
    return folded


def unique_keys(pairs: pl.LazyFrame, code: int, name: str = "hit") -> pl.LazyFrame:
    """Fold (key, worker_no) to one hit a key: the person, or a negative number where several share it."""
    return (
        pairs.group_by("key")
        .agg(c("worker_no").min().alias("low"), c("worker_no").max().alias("high"))
        .with_row_index("row")
        .select(
            "key",
            pl.when(c("low") == c("high")).then(c("low")).otherwise(-(c("row").cast(pl.Int32) * 4 + code)).alias(name),
        )
    )


def match(frames: Frames) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Give each account its person, as match.sql does."""
    keys = _hr_keys(frames["workers"])
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
    settled = _settle(first, decided)
    kinds = _kinds(frames, decided, unnamed)
    return _matches(settled, kinds), candidates, _shared(keys["sharers"])


def _hr_keys(workers: pl.DataFrame) -> Frames:
    lazy = workers.lazy()
    plain = is_plain(workers, "email")
    numbers = (
        lazy.select("worker_no", key=c("employee_numbers")).explode("key").with_columns(c("key").str.strip_chars())
    ).filter(c("key").is_not_null() & is_word(c("key")))
    work = (
        lazy.select("worker_no", key=c("email"))
        .filter(c("key").str.contains("@", literal=True))
        .with_columns(fold(c("key"), plain=plain))
        .filter(is_address(c("key")))
        .collect(engine="streaming")
    )
    further = lazy.select("worker_no", key=c("other_emails")).filter(c("key").list.len() > 0).explode("key")
    further = further.with_columns(fold(c("key"), plain=False))
    main = work.lazy().with_columns(main_form(c("key")))
    alias_pairs = pl.concat([main, further.with_columns(main_form(c("key"))).filter(is_address(c("key")))])
    local_pairs = work.lazy().with_columns(before_at(c("key"))).filter(is_word(c("key")))
    number_map, mail_map, alias_map, local_map = pl.collect_all(
        [
            unique_keys(numbers, 4),
            unique_keys(work.lazy(), 5),
            unique_keys(alias_pairs, 6, "alias_hit"),
            unique_keys(local_pairs, 7),
        ],
        engine="streaming",
    )
    sharers = pl.concat(
        [
            _sharers(numbers, number_map, "employee_number"),
            _sharers(work.lazy(), mail_map, "email"),
            _sharers(alias_pairs, alias_map.rename({"alias_hit": "hit"}), "email_alias"),
            _sharers(local_pairs, local_map, "username"),
        ]
    ).collect(engine="streaming")
    # One look-up says what an address is: somebody's work e-mail, or an alias, or both and of different people.
    addresses = (
        mail_map.lazy()
        .with_columns(main=main_form(c("key")))
        .join(alias_map.lazy(), left_on="main", right_on="key", how="left")
        .select("key", hit=pl.when(c("alias_hit") < 0, c("hit") >= 0).then(c("alias_hit")).otherwise(c("hit")))
        .with_columns(is_alias=pl.lit(value=False))
    )
    only_alias = (
        alias_map.lazy()
        .join(mail_map.lazy(), on="key", how="anti")
        .select("key", hit=c("alias_hit"), is_alias=pl.lit(value=True))
    )
    domains = work.lazy().select(domain=after_at(c("key"))).unique()
    address_map, domain_list = pl.collect_all([pl.concat([addresses, only_alias]), domains], engine="streaming")
    return {
        "numbers": number_map,
        "addresses": address_map,
        "aliases": alias_map,
        "locals": local_map,
        "sharers": sharers,
        "domains": domain_list,
        "people": workers.select("worker_no", "worker_id"),
    }


def _sharers(pairs: pl.LazyFrame, unique: pl.DataFrame, kind: str) -> pl.LazyFrame:
    return (
        pairs.join(unique.lazy().filter(c("hit") < 0), on="key")
        .select(pl.lit(kind).alias("key_kind"), "key", "hit", "worker_no")
        .unique()
    )


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
    keys = pl.concat([extra.lazy(), *parts])
    keys = pl.concat([keys.join(linked, on="account_no", how="anti"), keys.filter(c("tier") == 1)]).collect(
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
    settled = (
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
        .select("account_no", "worker_no", "tier", weaker=(c("agreeing") < c("most")).fill_null(value=False))
        .collect(engine="streaming")
    )


def _kinds(frames: Frames, decided: pl.DataFrame, unnamed: pl.DataFrame) -> pl.DataFrame:
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
        .join(decided.lazy().filter(c("worker_no").is_null(), c("tier") < 7), on="account_no", how="semi")
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
            method=tier.replace_strict(list(range(1, 9)), METHODS, return_dtype=pl.Enum(METHODS)),
            confidence=pl.when(tier == 8)
            .then(pl.lit("none"))
            .when(tier == 7)
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


def check(frames: Frames, matches: pl.DataFrame, candidates: pl.DataFrame) -> Frames:
    """Run the seven rules; keys, verdict and severity of each finding, without its sentence and evidence."""
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
    verdict = pl.when(c("is_active").is_null()).then(pl.lit("unknown")).otherwise(pl.lit("fail")).alias("verdict")

    def raised(base: str, worse: str) -> pl.Expr:
        return pl.when(c("is_privileged")).then(pl.lit(worse)).otherwise(pl.lit(base)).alias("severity")

    plans = {
        "orphaned-account": people.filter(c("confidence").is_in(["none", "suggested"]))
        .join(privileged, on=["app", "account_id"], how="left")
        .select("app", "account_id", verdict, raised("high", "critical")),
        "ambiguous-owner": active.filter(c("confidence") == "ambiguous").select("app", "account_id", verdict),
        "duplicate-accounts": _duplicates(people)
        .join(privileged, on=["app", "account_id"], how="left")
        .select("app", "account_id", "worker_id", verdict, raised("medium", "high")),
        "leaver-still-active": _leavers(active)
        .join(privileged, on=["app", "account_id"], how="left")
        .select("app", "account_id", "worker_id", c("verdict"), raised("high", "critical")),
        "dormant-account": _dormant(people, privileged).select("app", "account_id", "worker_id", verdict),
        "too-many-admins": _admins(active, people, privileged_grants),
        "disabled-keeps-privilege": accounts.filter(~c("is_active"))
        .join(privileged_grants, on=["app", "account_id"])
        .select("app", "account_id", "entitlement", "worker_id")
        .unique(),
    }
    return dict(zip(plans, pl.collect_all(list(plans.values()), engine="streaming"), strict=True))


def _duplicates(people: pl.LazyFrame) -> pl.LazyFrame:
    owned = people.filter(c("worker_no").is_not_null(), c("confidence").is_in(["certain", "probable"]))
    several = owned.group_by("app", "worker_no").len().filter(c("len") > 1).select("app", "worker_no")
    return (
        owned.join(several, on=["app", "worker_no"], how="semi")
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
    admins = (
        active.filter(c("kind").is_in(["human", "unknown", "external"]))
        .join(grants.select("app", "account_id").unique(), on=["app", "account_id"], how="semi")
        .group_by("app")
        .agg(admins=pl.coalesce(c("worker_id"), c("account_id")).n_unique())
    )
    limit = pl.max_horizontal(pl.lit(3), (c("people") * 2 / 100).floor().cast(pl.Int64))
    return (
        admins.join(people.group_by("app").agg(people=pl.len().cast(pl.Int64)), on="app")
        .filter(c("admins") > limit)
        .select("app", pl.lit(None, pl.String).alias("account_id"))
    )


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
