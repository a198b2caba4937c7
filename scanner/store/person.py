"""Who is meant by an id of a person: in the store, and in the tables of evidence.

Accounts count as a person's if they were ever matched to them and never to somebody else, or, for a person whom no
roster shows, if nobody was found for them and their e-mail address or user name is the one asked for.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from scanner.errors import ConfigError, StoreError
from scanner.store import state as stored

_PEOPLE = """
    select distinct worker_id
    from people
    where lower(worker_id) = $who
        or lower(email) = $who
        or list_contains(list_transform(other_emails, lambda e: lower(e)), $who)
        or list_contains(list_transform(employee_numbers, lambda n: lower(n)), $who)
    order by worker_id
"""
_HOLDERS = """
    select distinct worker_id
    from holders
    where worker_id is not null and (lower(worker_id) = $who or lower(username) = $who or lower(email) = $who)
    order by worker_id
"""
_ACCOUNTS = """
    select app, account_id
    from holders
    group by app, account_id
    having (coalesce(bool_or(worker_id = $id), false) and not coalesce(bool_or(worker_id <> $id), false))
        or (
            $id is null
            and bool_and(worker_id is null)
            and bool_and(coalesce(match_confidence, 'none') in ('none', 'suggested'))
            and coalesce(bool_or(lower(email) = $who or lower(username) = $who), false)
        )
    order by all
"""
_UNSURE = """
    select distinct app, account_id
    from holders
    where match_confidence = 'ambiguous'
        and list_contains($known::varchar[], lower(email))
    order by all
"""
_WORDS = """
    select lower(unnest(list_value(worker_id, full_name, email) || other_emails)) as word
    from people
    where worker_id = $id
    union
    select lower(unnest(list_value(username, email)))
    from holders
    semi join mine using (app, account_id)
    where coalesce(worker_id = $id, true)
"""
_LOGINS = """
    select distinct app, lower(username) as login
    from holders
    semi join mine using (app, account_id)
    where coalesce(worker_id = $id, true) and username is not null
    except
    select app, lower(username)
    from holders
    anti join mine using (app, account_id)
    order by all
"""
# An address on an account that nobody matched, as of a service, is the person's all the same; a user name may not be.
# A number that serves as a user name is theirs still: only another person's number makes it doubtful.
_SHARED = """
    with people_words as (
        select lower(unnest(list_value(worker_id, full_name, email) || other_emails || employee_numbers)) as word
        from people
        where worker_id is distinct from $id
    ),
    account_words as (
        select lower(unnest(list_value(username, email))) as word
        from holders
        where worker_id is not null and worker_id is distinct from $id
        union
        select lower(username)
        from holders
        anti join mine using (app, account_id)
        where worker_id is null and not contains(username, '@')
    )
    select word
    from (select unnest($words::varchar[] || $numbers::varchar[]) as word) w
    where word in (select word from people_words where word is not null)
        or (
            word in (select word from account_words where word is not null)
            and not list_contains($numbers::varchar[], word)
        )
        or exists (
            select 1
            from people
            where worker_id is distinct from $id
                and contains(w.word, ' ')
                and contains(' ' || lower(full_name) || ' ', ' ' || w.word || ' ')
        )
    order by word
"""
_NUMBERS = "select distinct unnest(employee_numbers) from people where worker_id = $id order by 1"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant, with all by which orphanscan knows them."""

    worker_id: str | None
    """None: no roster shows them; they are known by accounts alone."""
    words: tuple[str, ...]
    """Person id, names, e-mail addresses and user names, in lower case."""
    numbers: tuple[str, ...]
    """Employee numbers."""
    accounts: tuple[tuple[str, str], ...]
    """Application and account id of the accounts that are theirs alone."""
    unsure: tuple[tuple[str, str], ...] = ()
    """Accounts that bear an e-mail address of theirs, and whose owner is ambiguous."""
    shared: tuple[str, ...] = ()
    """Of the words and numbers, in lower case, those that somebody else or their account bears too, as namesakes do."""
    logins: tuple[tuple[str, str], ...] = ()
    """Application and user name of their accounts, in lower case, where no other account there bears it."""


def in_store(state: Path, who: str) -> Person | None:
    """Return the person whom a person id, employee number, e-mail or user name stands for; None if nobody.

    ConfigError if it stands for several.
    """
    with opened(state) as con:
        con.execute("create temp view people as from worker_versions")
        con.execute("create temp view holders as from account_versions")
        return _find(con, who)


@contextmanager
def opened(state: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the store for reading; StoreError also if it breaks off in the middle."""
    try:
        with stored.open_store(state / stored.STORE) as con:
            yield con
    except duckdb.Error as exc:
        raise StoreError(f"cannot read the store in {state}: {str(exc).splitlines()[0]}") from exc


def in_evidence(audit: Path, who: str) -> Person | None:
    """Return the same from the tables of one scan."""
    with evidence(audit) as con:
        return _find(con, who)


def _find(con: duckdb.DuckDBPyConnection, who: str) -> Person | None:
    asked = who.strip().lower()
    ids = [row[0] for row in con.execute(_PEOPLE, {"who": asked}).fetchall()]
    ids = ids or [row[0] for row in con.execute(_HOLDERS, {"who": asked}).fetchall()]
    if len(ids) > 1:
        raise ConfigError(f"{who!r} stands for {len(ids)} people ({', '.join(ids[:5])}); name one by the person id")
    worker_id = ids[0] if ids else None
    accounts = con.execute(_ACCOUNTS, {"id": worker_id, "who": asked}).fetchall()
    if worker_id is None and not accounts:
        return None
    pairs(con, accounts)
    words = sorted(word for (word,) in con.execute(_WORDS, {"id": worker_id}).fetchall() if word and word.strip())
    numbers = [row[0] for row in con.execute(_NUMBERS, {"id": worker_id}).fetchall() if row[0]]
    known = {"id": worker_id, "words": words, "numbers": [number.lower() for number in numbers]}
    return Person(
        worker_id,
        tuple(words),
        tuple(numbers),
        tuple(accounts),
        tuple(con.execute(_UNSURE, {"known": [word for word in words if "@" in word]}).fetchall()),
        tuple(row[0] for row in con.execute(_SHARED, known).fetchall()),
        tuple(con.execute(_LOGINS, {"id": worker_id}).fetchall()),
    )


@contextmanager
def evidence(audit: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the tables `people` and `holders` of one scan; StoreError if they, or others of it, cannot be read."""
    try:
        with duckdb.connect() as con:
            for name, table in (("people", "workers"), ("holders", "accounts")):
                con.execute(f"create view {name} as from read_parquet('{quoted(audit / f'{table}.parquet')}')")
            yield con
    except duckdb.Error as exc:
        raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc


def pairs(con: duckdb.DuckDBPyConnection, accounts: Sequence[tuple[str, str]]) -> None:
    """Make the table `mine` of accounts."""
    con.execute("create or replace temp table mine (app varchar, account_id varchar)")
    if accounts:
        con.executemany("insert into mine values (?, ?)", [list(pair) for pair in accounts])


def quoted(path: Path) -> str:
    """Return a path as it stands between the quotes of SQL."""
    return str(path).replace("'", "''")
