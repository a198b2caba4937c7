"""What single keys of an account find beyond the first pass in Polars: links, further addresses, names."""

import polars as pl

from benchmarks.polars_keys import fold, main_form

Frames = dict[str, pl.DataFrame]

c = pl.col


def link_hits(frames: Frames, keys: Frames) -> pl.DataFrame:
    """Find the accounts and people of manual links."""
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


def more_hits(frames: Frames, first: pl.DataFrame, keys: Frames) -> pl.DataFrame:
    """Find people by further addresses, aliases and user names that are addresses."""
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


def decide(first: pl.DataFrame, extra: pl.DataFrame, sharers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Settle the accounts whose keys disagree, and list who else it could be."""
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


def suggest(frames: Frames, first: pl.DataFrame, extra: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Suggest people of the same name for accounts that no key names."""
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
