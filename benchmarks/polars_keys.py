"""Text and HR keys in Polars: folding, and one hit a key."""

import polars as pl

from benchmarks import company
from benchmarks.terms import ADDRESS, NOT_A_WORD, NOT_AN_ADDRESS

Frames = dict[str, pl.DataFrame]

c = pl.col


def fold(x: pl.Expr, *, plain: bool) -> pl.Expr:
    """Fold letter case; text that is not all ASCII is composed first."""
    trimmed = x.str.strip_chars()
    if plain:
        return trimmed.str.to_lowercase()
    return trimmed.str.normalize("NFC").str.replace_all("İ", "i̇", literal=True).str.to_lowercase()


def is_plain(frame: pl.DataFrame, *columns: str) -> bool:
    """Say whether these columns are all ASCII, so that the dear part of folding can be left out."""
    checks = [(c(name).str.len_bytes() == c(name).str.len_chars()).all() for name in columns]
    return bool(frame.lazy().select(pl.all_horizontal(checks)).collect(engine="streaming").item())


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


def hr_keys(workers: pl.DataFrame) -> Frames:
    """Make every HR key unique, and note who shares one."""
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
