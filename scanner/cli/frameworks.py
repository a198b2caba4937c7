"""`frameworks list` and `frameworks show`: which control is tested by which rule, and why."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.rules import rules_in_force
from scanner.cli.text import echo_json, nearest, printable, table
from scanner.errors import ConfigError
from scanner.model_rules import Rule

if TYPE_CHECKING:
    from scanner.frameworks import Bound, Control, Framework

_WORDS = {"direct": "tested directly", "partial": "tested in part", "supporting": "evidence only", None: "not tested"}


@click.group()
def group() -> None:
    """List and show the frameworks and their controls."""


@group.command("list", epilog=options.examples("orphanscan frameworks list", "orphanscan frameworks list --json"))
@options.config_options
@options.json_option
def list_frameworks(config_path: Path, state: Path | None, as_json: bool) -> None:
    """List the frameworks that reports can be written for, and how many of their controls are tested."""
    frameworks, _, _ = _read(config_path)
    head = ["framework", "title", "edition", "status", "data", "controls", *_WORDS.values()]
    rows = [
        [one.id, one.title, one.edition, one.status, one.data, len(one.controls), *one.coverage().values()]
        for one in frameworks.values()
    ]
    if as_json:
        echo_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        click.echo(table(head, rows))


@group.command(epilog=options.examples("orphanscan frameworks show sox", "orphanscan frameworks show gdpr --json"))
@options.config_options
@options.json_option
@click.argument("framework_id", metavar="FRAMEWORK")
def show(framework_id: str, config_path: Path, state: Path | None, as_json: bool) -> None:
    """Show the controls of a framework, which rules speak about each and why, and what is not tested.

    Parameters in force that are looser than a control allows are named: they alone make it fail.
    """
    known, rules, disabled = _read(config_path)
    if framework_id not in known:
        raise ConfigError(f"there is no framework {framework_id}{nearest(framework_id, known)}")
    framework = known[framework_id]
    if as_json:
        import msgspec

        coverage = {_WORDS[strength]: count for strength, count in framework.coverage().items()}
        echo_json(msgspec.to_builtins(framework) | {"coverage": coverage})
        return
    click.echo("\n".join(printable(line) for line in _shown(framework, rules, disabled)))


def _read(config_path: Path) -> tuple[Mapping[str, "Framework"], Mapping[str, Rule], Collection[str]]:
    from scanner import framework_files

    found, disabled, folders = rules_in_force((), config_path, ())
    frameworks = framework_files.load(folders, found)
    return {one.id: one for one in frameworks}, {rule.id: rule for rule in found}, disabled


def _shown(framework: "Framework", rules: Mapping[str, Rule], disabled: Collection[str]) -> Iterator[str]:
    counts = framework.coverage()
    told = ", ".join(f"{count} {_WORDS[strength]}" for strength, count in counts.items() if count)
    yield framework.title
    yield f"{framework.edition} ({framework.status.replace('_', ' ')})"
    if framework.note:
        yield framework.note
    yield f"Scope: {'all applications' if framework.data == 'all' else f'applications that hold {framework.data} data'}"
    yield f"Coverage of {len(framework.controls)} controls: {told}"
    for control in framework.controls:
        yield ""
        yield from _control(control, rules, disabled)


def _control(control: "Control", rules: Mapping[str, Rule], disabled: Collection[str]) -> Iterator[str]:
    mark = "" if control.is_confirmed else " [reference unconfirmed]"
    yield f"{control.id} {control.title} ({control.kind}, {control.force}; {_WORDS[control.strength]}){mark}"
    yield f"  {control.paraphrase}"
    for edge in control.edges:
        off = ", disabled" if edge.rule in disabled else ""
        yield f"  tested by {edge.rule} ({edge.strength}{off}): {edge.because} Not covered: {edge.not_covered}."
    if not control.edges:
        yield "  no rule tests it"
    for bound in control.bounds:
        yield f"  {_bound(bound, rules)}"
    yield from (f"  not tested: {item}" for item in control.not_tested)


def _bound(bound: "Bound", rules: Mapping[str, Rule]) -> str:
    value = next(one.value for one in rules[bound.rule].params if one.name == bound.parameter)
    effect = "looser, so the control fails" if bound.breaks(value) else "within it"
    return f"bound: {bound.parameter} of {bound.rule} {bound} ({bound.because}); in force {value}, {effect}"
