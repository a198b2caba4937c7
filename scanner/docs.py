"""Writes docs/reference.md from what the program says of itself: commands, configuration, rules, the audit schema.

Run as a program it writes the pages of docs/rules and docs/audit, the profiles into docs/vendors.md and the schemas of
the policy inputs, too.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from scanner import docs_audit, docs_configuration, docs_rules, docs_vendors, framework_files, rules
from scanner.cli import COMMANDS, main
from scanner.policy import INPUTS
from scanner.policy.schemas import schema
from scanner.policy.spec import Input
from scanner.waivers import WAIVERS

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
        *(line for item in INPUTS.values() for line in _policy_input(item)),
        "## Waivers",
        *_policy_input(WAIVERS),
        "## Rules",
        docs_rules.index(rules.find()),
        "## The audit schema",
        "What rules see, and what the evidence holds. All instants are UTC; null means that the source did not say.",
        docs_audit.index(),
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


def _policy_input(item: Input) -> Iterator[str]:
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
    for item in (*INPUTS.values(), WAIVERS):
        yield SCHEMAS / f"{item.name}.schema.json", json.dumps(schema(item), indent=1) + "\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the file and the text of every page of docs/rules and docs/audit."""
    found = rules.find()
    for name, text in docs_rules.pages(found, framework_files.load(rules=found)):
        yield TARGET.parent / "rules" / name, text
    for name, text in docs_audit.pages(found):
        yield TARGET.parent / "audit" / name, text


def write() -> None:
    """Write every document that is made from the program, and remove the pages of what is gone."""
    TARGET.write_text(reference())
    docs_vendors.TARGET.write_text(docs_vendors.refreshed(docs_vendors.TARGET.read_text()))
    for path, text in schema_files():
        path.write_text(text)
    made = dict(pages())
    for path, text in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for folder in {path.parent for path in made}:
        for path in folder.glob("*.md"):
            if path not in made:
                path.unlink()


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{TARGET.parent}\n")
