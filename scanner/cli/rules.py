"""`rules list`, `rules show` and `rules test`."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import click

from scanner.cli import options
from scanner.cli.text import echo_json, nearest, printable, table
from scanner.errors import ConfigError
from scanner.model_rules import Rule
from scanner.paths import bundled

_paths = click.option(
    "--rules",
    "extra",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="A further folder of rules, besides those of the configuration; may be repeated.",
)


@click.group()
def group() -> None:
    """List, show and test the rules."""


@group.command("list", epilog=options.examples("orphanscan rules list", "orphanscan rules list --json"))
@options.config_options
@options.json_option
@_paths
def list_rules(config_path: Path, state: Path | None, as_json: bool, extra: tuple[Path, ...]) -> None:
    """List all rules, with what the configuration changes about them."""
    found, disabled, _ = rules_in_force((), config_path, extra)
    if as_json:
        echo_json([_summary(rule, disabled) for rule in found])
        return
    rows = [[rule.id, rule.theme, str(rule.severity), _setting(rule, disabled), rule.title] for rule in found]
    click.echo(table(["rule", "theme", "severity", "setting", "title"], rows))


@group.command(epilog=options.examples("orphanscan rules show leaver-still-active"))
@options.config_options
@options.json_option
@click.argument("rule_id", metavar="RULE")
@_paths
def show(rule_id: str, config_path: Path, state: Path | None, as_json: bool, extra: tuple[Path, ...]) -> None:
    """Show one rule: why, remedy, what it needs, its parameters and its SQL."""
    (rule,), disabled, _ = rules_in_force((rule_id,), config_path, extra)
    if as_json:
        import msgspec

        echo_json(_summary(rule, disabled) | msgspec.to_builtins(rule))
        return
    click.echo("\n".join(printable(line) for line in _shown(rule, disabled)))


@group.command(epilog=options.examples("orphanscan rules test", "orphanscan rules test orphaned-account"))
@options.config_options
@options.json_option
@click.argument("ids", metavar="[RULE]...", nargs=-1)
@click.option(
    "--cases",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of case files, <rule>.toml. Default: the shipped ones.",
)
@_paths
def test(
    ids: tuple[str, ...],
    config_path: Path,
    state: Path | None,
    as_json: bool,
    cases: Path | None,
    extra: tuple[Path, ...],
) -> int:
    """Run the rules, all if none is named, on their cases and on the known-answer data set.

    Exit 1 if a case does not come out as written, if a planted violation is not found, or if something else is.
    """
    from scanner.known_answers import run_known_answers
    from scanner.rule_cases import run_cases
    from scanner.rule_process import Child

    found, *_ = rules_in_force(ids, config_path, extra)
    with Child(memory_mb=4096) as child:
        known = run_known_answers(found, child)
    results = run_cases(found, cases or bundled("cases"))
    failed = [result for result in results if result.problem]
    code = 0 if known.is_right and not failed else 1
    if as_json:
        told = [{"rule": r.rule, "case": r.case, "passed": not r.problem, "problem": r.problem} for r in results]
        answers = {"rule": "", "case": f"known answers: {known}", "passed": known.is_right}
        echo_json([*told, answers | {"problem": "; ".join(known.problems)}])
        return code
    for result in failed:
        click.echo(printable(f"{result.rule}: {result.case}: {result.problem}"))
    for problem in known.problems:
        click.echo(printable(f"known answers: {problem}"))
    if known.rules:
        click.echo(f"{known}, by the rule files {known.rules_sha256}")
    click.echo(f"{len(results) - len(failed)} of {len(results)} cases came out as written")
    return code


def rules_in_force(
    ids: Collection[str], config_path: Path, extra: tuple[Path, ...]
) -> tuple[tuple[Rule, ...], frozenset[str], tuple[Path, ...]]:
    """Return the named rules, or all, with the parameters in force, the ids of those switched off, and the folders.

    Without a configuration these are the shipped rules: they can be read before anything is set up.
    """
    from scanner import rules

    folders = extra
    params: Mapping[str, Mapping[str, object]] = {}
    disabled: frozenset[str] = frozenset()
    if config_path != options.DEFAULT_CONFIG or config_path.exists():
        settings = options.read_config(config_path, None).rules
        named = {folder.resolve() for folder in settings.paths}
        folders = (*settings.paths, *(folder for folder in extra if folder.resolve() not in named))
        params, disabled = settings.params, frozenset(settings.disable)
    found = {rule.id: rules.with_params(rule, params.get(rule.id, {})) for rule in rules.find(folders)}
    for rule_id in ids:
        if rule_id not in found:
            raise ConfigError(f"there is no rule {rule_id}{nearest(rule_id, found)}; see `orphanscan rules list`")
    return tuple(rule for rule in found.values() if not ids or rule.id in ids), disabled, folders


def _setting(rule: Rule, disabled: Collection[str]) -> str:
    if rule.id in disabled:
        return "disabled"
    changed = [f"{one.name} = {one.value}" for one in rule.params if one.is_changed]
    return ", ".join(changed) or "default"


def _summary(rule: Rule, disabled: Collection[str]) -> dict[str, Any]:
    return {
        "id": rule.id,
        "theme": rule.theme,
        "severity": str(rule.severity),
        "title": rule.title,
        "lead": rule.lead,
        "enabled": rule.id not in disabled,
        "changed": {one.name: one.value for one in rule.params if one.is_changed},
        "sha256": rule.sha256,
    }


def _shown(rule: Rule, disabled: Collection[str]) -> list[str]:
    off = " [disabled]" if rule.id in disabled else ""
    lines = [f"{rule.id} ({rule.severity}{', a lead' if rule.lead else ''}): {rule.title}{off}", "", rule.why, ""]
    lines += [
        f"Remedy: {rule.remedy}",
        f"Population: {rule.population}",
        f"Needs: {', '.join(rule.needs.words) or 'nothing'}",
        "",
    ]
    if rule.params:
        head = ["parameter", "value", "default", "min", "max", "source of the default"]
        rows = [[one.name, one.value, one.default, one.minimum, one.maximum, one.source] for one in rule.params]
        lines += [*table(head, rows).splitlines(), ""]
    return [*lines, *rule.sql.splitlines()]
