"""Writes docs/reference.md from what the program says of itself: commands, configuration, rules, the audit schema.

Run as a program it writes the profiles into docs/vendors.md and the schemas of the policy inputs too.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import duckdb

from scanner import docs_configuration, docs_vendors, rules
from scanner.cli import COMMANDS, main
from scanner.model import Rule
from scanner.policy import INPUTS
from scanner.policy.schemas import schema
from scanner.store.audit import SQL

TARGET = Path(__file__).parent.parent / "docs" / "reference.md"
SCHEMAS = Path(__file__).parent.parent / "sample_data" / "policy"


def reference() -> str:
    """Return the whole document."""
    parts = [
        "# Reference",
        "Made by `make docs` from the program itself; a test keeps it true.",
        "## Commands",
        *_commands(),
        "## Configuration",
        *docs_configuration.parts(),
        "## Policy inputs",
        "One commented example each, with its JSON schema, lies in `sample_data/policy`.",
        *_policy_inputs(),
        "## Rules",
        *_rules(),
        "## The audit schema",
        "What rules see, and what the evidence holds. All instants are UTC; null means that the source did not say.",
        *_schema(),
    ]
    return "\n\n".join(parts) + "\n"


def _commands() -> Iterator[str]:
    top = click.Context(main, info_name="orphanscan", terminal_width=100, **main.context_settings)
    yield _help(top)
    for name in COMMANDS:
        command = main.get_command(top, name)
        if command is None:
            continue
        context = click.Context(command, parent=top, info_name=name)
        yield f"### {name}"
        yield _help(context)
        if isinstance(command, click.Group):
            for inner, entry in command.commands.items():
                yield _help(click.Context(entry, parent=context, info_name=inner))


def _help(context: click.Context) -> str:
    lines = [line.rstrip() for line in context.get_help().splitlines()]
    return "```\n" + "\n".join(lines) + "\n```"


def _policy_inputs() -> Iterator[str]:
    for item in INPUTS.values():
        yield f"### {item.file_name}"
        approval = " Rules are unable to test by it before it is approved." if item.needs_approval else ""
        yield f"{item.meaning}{approval}"
        parts = [("", item.fields), *((f"`[[{table.name}]]` ", table.fields) for table in item.tables)]
        rows = [
            f"| {place}{field.name} | {'*required*' if field.required else ''} |"
            f" {' '.join([field.meaning, ', '.join(field.words)]).strip()} |"
            for place, fields in parts
            for field in fields
        ]
        head = "column" if item.is_csv else "key"
        yield "\n".join([f"| {head} | | meaning |", "|---|---|---|", *rows])


def schema_files() -> Iterator[tuple[Path, str]]:
    """Yield the place and the text of the JSON schema of each policy input."""
    for item in INPUTS.values():
        yield SCHEMAS / f"{item.name}.schema.json", json.dumps(schema(item), indent=1) + "\n"


def _rules() -> Iterator[str]:
    for rule in rules.find():
        yield f"### {rule.id}"
        yield f"{rule.title}. Severity: {rule.severity}. Population: `{rule.population}`. {_needs(rule)}"
        yield f"{rule.why} *What to do:* {rule.remedy}"
        if rule.params:
            rows = [f"| {p.name} | {p.default} | {p.minimum} to {p.maximum} | {p.source} |" for p in rule.params]
            yield "\n".join(
                ["| parameter | default | range | where the default comes from |", "|---|---|---|---|", *rows]
            )


def _needs(rule: Rule) -> str:
    needs = [
        *(["complete rosters"] if rule.needs.roster else []),
        *(["complete lists of accounts"] if rule.needs.apps else []),
        *(f"the field `{field}`" for field in rule.needs.fields),
        *(f"the policy input `{name}`" for name in rule.needs.policy),
        *(["an earlier scan"] if rule.needs.history else []),
    ]
    return f"Needs {', '.join(needs)}." if needs else "Needs nothing."


def _schema() -> Iterator[str]:
    with duckdb.connect() as con:
        con.execute(SQL.read_text())
        tables = con.execute(
            "select table_name, comment from duckdb_tables() where schema_name = 'audit' order by table_name"
        ).fetchall()
        for table, comment in tables:
            yield f"### audit.{table}\n\n{comment}"
            columns = con.execute(
                "select column_name, lower(data_type), comment from duckdb_columns()"
                " where schema_name = 'audit' and table_name = $table order by column_index",
                {"table": table},
            ).fetchall()
            yield "\n".join(["| column | type | meaning |", "|---|---|---|", *(_row(*column) for column in columns)])
        views = con.execute(
            "select view_name, comment from duckdb_views() where schema_name = 'audit' order by view_name"
        ).fetchall()
        yield "### Populations"
        yield "\n".join(["| view | meaning |", "|---|---|", *(f"| {view} | {comment} |" for view, comment in views)])


def _row(name: str, kind: str, comment: str | None) -> str:
    return f"| {name} | {kind} | {(comment or '').replace('|', '/')} |"


if __name__ == "__main__":
    TARGET.write_text(reference())
    docs_vendors.TARGET.write_text(docs_vendors.refreshed(docs_vendors.TARGET.read_text()))
    for path, text in schema_files():
        path.write_text(text)
    sys.stdout.write(f"{TARGET}\n{docs_vendors.TARGET}\n{SCHEMAS}\n")
