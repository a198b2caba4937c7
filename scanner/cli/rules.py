"""`rules list`, `rules show` and `rules test`."""

from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json, table
from scanner.errors import ConfigError
from scanner.model import Rule
from scanner.paths import bundled


@click.group()
def group() -> None:
    """List, show and test the rules."""


def _chosen(ids: tuple[str, ...], extra: tuple[Path, ...]) -> tuple[Rule, ...]:
    from scanner import rules

    found = {rule.id: rule for rule in rules.find(extra)}
    for rule_id in ids:
        if rule_id not in found:
            raise ConfigError(f"there is no rule '{rule_id}'; see `orphanscan rules list`")
    return tuple(rule for rule in found.values() if not ids or rule.id in ids)


_paths = click.option(
    "--rules", "extra", multiple=True, type=click.Path(path_type=Path), help="A further folder of rules; repeatable."
)


@group.command("list", epilog=options.examples("orphanscan rules list", "orphanscan rules list --json"))
@options.json_option
@_paths
def list_rules(as_json: bool, extra: tuple[Path, ...]) -> None:
    """List all rules."""
    found = _chosen((), extra)
    if as_json:
        echo_json(
            [
                {"id": r.id, "theme": r.theme, "severity": str(r.severity), "title": r.title, "sha256": r.sha256}
                for r in found
            ]
        )
    else:
        click.echo(
            table(["rule", "theme", "severity", "title"], [[r.id, r.theme, str(r.severity), r.title] for r in found])
        )


@group.command(epilog=options.examples("orphanscan rules show leaver-still-active"))
@options.json_option
@click.argument("rule_id", metavar="RULE")
@_paths
def show(rule_id: str, as_json: bool, extra: tuple[Path, ...]) -> None:
    """Show one rule: why, remedy, what it needs, parameters, SQL."""
    (rule,) = _chosen((rule_id,), extra)
    if as_json:
        import msgspec

        echo_json(msgspec.to_builtins(rule))
        return
    needs = [
        *(["complete rosters"] if rule.needs.roster else []),
        *(["complete lists of accounts"] if rule.needs.apps else []),
        *(f"field {name}" for name in rule.needs.fields),
        *(f"policy input {name}" for name in rule.needs.policy),
    ]
    click.echo(f"{rule.id} ({rule.severity}): {rule.title}\n\n{rule.why}\n\nRemedy: {rule.remedy}")
    click.echo(f"Population: {rule.population}\nNeeds: {', '.join(needs) or 'nothing'}\n")
    if rule.params:
        rows = [[p.name, p.default, p.minimum, p.maximum, p.source] for p in rule.params]
        click.echo(table(["parameter", "default", "min", "max", "source of the default"], rows) + "\n")
    click.echo(rule.sql)


@group.command(epilog=options.examples("orphanscan rules test", "orphanscan rules test orphaned-account"))
@options.json_option
@click.argument("ids", metavar="[RULE]...", nargs=-1)
@click.option(
    "--cases", type=click.Path(path_type=Path, exists=True), help="Folder of case files; default: the shipped ones."
)
@_paths
def test(ids: tuple[str, ...], as_json: bool, cases: Path | None, extra: tuple[Path, ...]) -> int:
    """Run the cases of the rules; exit 1 if one does not come out as written."""
    from scanner.rule_cases import run_cases

    results = run_cases(_chosen(ids, extra), cases or bundled("cases"))
    failed = [result for result in results if result.problem]
    if as_json:
        echo_json([{"rule": r.rule, "case": r.case, "passed": not r.problem, "problem": r.problem} for r in results])
    else:
        for result in failed:
            click.echo(f"{result.rule}: {result.case}: {result.problem}")
        click.echo(f"{len(results) - len(failed)} of {len(results)} cases came out as written")
    return 1 if failed else 0
