"""One page of docs/audit for every table and population of the audit schema, from its SQL and comments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from scanner.model_rules import Rule
from scanner.store.audit import SQL

_EXCLUDED = "Why the row is counted but not tested; null: it is tested."


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a population (a view) as the schema describes it."""

    name: str
    is_view: bool
    meaning: str
    columns: tuple[tuple[str, str, str], ...]
    """(name, type, meaning)."""
    sql: str
    """The text that makes a population; empty for a table."""


def relations() -> tuple[Relation, ...]:
    """Return every table and population by name; a column of a population means what it means in its table."""
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        heads = con.execute(
            "select table_name, false, comment from duckdb_tables() where schema_name = 'audit'"
            " union all select view_name, true, comment from duckdb_views() where schema_name = 'audit'"
            " order by 1"
        ).fetchall()
        columns = con.execute(
            "select table_name, column_name, lower(data_type), comment from duckdb_columns()"
            " where schema_name = 'audit' order by column_index"
        ).fetchall()
    bodies = dict(re.findall(r"^create view (\w+) as\n(.*?);$", SQL.read_text(), re.MULTILINE | re.DOTALL))
    said = {(table, column): comment for table, column, _, comment in columns if comment}
    return tuple(
        Relation(
            name,
            is_view,
            meaning or "",
            tuple(
                (column, kind, _meaning(name, column, bodies, said))
                for table, column, kind, _ in columns
                if table == name
            ),
            bodies.get(name, ""),
        )
        for name, is_view, meaning in heads
    )


def pages(rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page."""
    for relation in relations():
        users = [rule.id for rule in rules if rule.population == relation.name]
        yield f"{relation.name}.md", "\n\n".join(_parts(relation, users)) + "\n"


def index() -> str:
    """Return the table of all pages, for the reference."""
    rows = [
        f"| [{one.name}](audit/{one.name}.md) | {'population' if one.is_view else 'table'} | {one.meaning} |"
        for one in relations()
    ]
    return "\n".join(["| name | is a | meaning |", "|---|---|---|", *rows])


def _parts(relation: Relation, users: Sequence[str]) -> Iterator[str]:
    yield f"# audit.{relation.name}"
    yield "Made by `make docs` from `scanner/store/audit.sql`. All instants are UTC; null: the source did not say."
    yield f"{'Population' if relation.is_view else 'Table'}. {relation.meaning}"
    if users:
        links = ", ".join(f"[{rule}](../rules/{rule}.md)" for rule in users)
        yield f"Population of {links}."
    rows = [f"| {name} | {kind} | {meaning.replace('|', '/')} |" for name, kind, meaning in relation.columns]
    yield "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])
    if relation.sql:
        yield f"```sql\n{relation.sql}\n```"


def _meaning(relation: str, column: str, bodies: Mapping[str, str], said: Mapping[tuple[str, str], str]) -> str:
    if (relation, column) in said:
        return said[relation, column]
    if column == "excluded_because":
        return _EXCLUDED
    sources = re.findall(r"\b(?:from|join) (\w+)", bodies.get(relation, ""))
    meanings = (_meaning(source, column, bodies, said) for source in sources if source != relation)
    return next((meaning for meaning in meanings if meaning), "")
