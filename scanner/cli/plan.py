"""`plan`: what would be changed, and what it means; writes a file, changes nothing."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import notices, options, worst
from scanner.cli.text import echo_json, printable, table
from scanner.config import Config
from scanner.errors import ConfigError, ReportError
from scanner.model import Severity
from scanner.settings import ReportSettings

if TYPE_CHECKING:
    from scanner.model_record import Record
    from scanner.remediation.model import Plan
    from scanner.remediation.plan import Asked
    from scanner.remediation.planning import Basis


@click.command(
    epilog=options.examples(
        "orphanscan plan",
        "orphanscan plan --rule leaver-still-active --app crm --format pdf",
        "orphanscan plan --what-if max_unproven=20 --what-if waive=dormant-account",
    )
)
@options.config_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--rule", multiple=True, metavar="ID", help="Only findings of this rule; may be repeated.")
@click.option("--app", multiple=True, metavar="ID", help="Only this application; may be repeated.")
@click.option(
    "--severity",
    multiple=True,
    type=click.Choice([str(severity) for severity in Severity]),
    help="Only findings of this severity; may be repeated.",
)
@click.option("--fingerprint", multiple=True, metavar="HEX", help="Only this finding, or all that begin so.")
@click.option("--confirm", multiple=True, metavar="HEX", help="Act on this finding that needs a person: you decided.")
@click.option("--allow-irreversible", is_flag=True, help="Plan also what cannot be undone; `apply` must allow it too.")
@click.option(
    "--what-if",
    multiple=True,
    metavar="KEY=VALUE",
    help="Show what another budget, RULE.PARAM, waive=ID or waivers=FILE does.",
)
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(["html", "pdf"]), help="Render it beside the file."
)
@notices.option
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    name: str,
    confirm: tuple[str, ...],
    allow_irreversible: bool,
    what_if: tuple[str, ...],
    formats: tuple[str, ...],
    mode: str,
    **filters: tuple[str, ...],
) -> int:
    """Turn the findings of the latest scan into a plan to review and approve.

    Nothing is sent to any application; owners are told, once, what waits for the end of a grace period. The plan is a
    file in the state folder; it expires, and names the evidence it rests on. Exit codes: 3 the scan is not complete
    (what rests on incomplete sources needs a person), 5 over budget.
    """
    from scanner import access_log
    from scanner import scan as scanning
    from scanner.remediation import planning
    from scanner.remediation.accepted import accepted_now
    from scanner.remediation.candidates import Filters
    from scanner.remediation.plan import Asked

    config = options.read_config(config_path, state)
    scan, folder, record = scanning.latest_record(config, name)
    asked = Asked(Filters(**filters), tuple(_hex(text) for text in confirm), allow_irreversible)
    _refuse_unknown(config, record, filters, asked.confirmed)
    found = planning.basis(config, scan, folder, planning.with_accepted(record, accepted_now(config, record)))
    plan = planning.make(config, found, asked)
    access_log.record(config.state, access_log.Access("plan", scan=scan.id, count=len(plan.actions)))
    if what_if:
        return _what_if(config, name, found, asked, plan, what_if, as_json)
    path = planning.keep(config, found, plan)
    notices.after_plan(config, plan, mode)
    written = [path, *_rendered(path, formats, config.report)]
    code = worst(([5] if plan.over_budget else []) + ([] if plan.scan_complete else [3]))
    if as_json:
        echo_json({"plan": json.loads(path.read_bytes()), "files": [str(p) for p in written], "exit_code": code})
        return code
    show(plan)
    _advise(plan)
    for one in written:
        click.echo(str(one))
    return code


def show(plan: "Plan") -> None:
    """Print a plan for people."""
    from scanner.remediation.model import Kind
    from scanner.remediation.rendering import headline, sections

    # Notices are the findings themselves, which `findings` lists.
    changes = replace(plan, actions=tuple(action for action in plan.actions if action.kind is not Kind.NOTICE))
    for heading, intro, actions in sections(changes):
        if not actions:
            continue
        click.echo(f"{heading}: {intro}\n")
        for one in actions:
            click.echo(printable(f"  {one.id}  {one.severity}, {one.safety}, {one.application}: {one.title}"))
            for term, value, _ in one.lines:
                click.echo(printable(f"      {term}: {value}"))
            click.echo("")
    for sentence in plan.came_undone:
        click.echo(printable(f"came undone: {sentence}"))
    rows = [[line.limit, line.app, line.used, line.allowed, "OVER" if line.is_over else "ok"] for line in plan.budget]
    click.echo(table(["budget", "application", "used", "allowed", ""], rows) + "\n")
    click.echo(f"{plan.id}: {headline(plan)}")


def _advise(plan: "Plan") -> None:
    for line in plan.over_budget:
        click.echo(printable(f"over budget: {line.sentence}"), err=True)
    if plan.over_budget:
        click.echo(
            "nothing of this plan can be applied; narrow it with --app, --rule or --fingerprint, or raise the limit in"
            " [remediation] after you have seen with --what-if what it lets through",
            err=True,
        )
    elif plan.to_apply:
        click.echo(f"next: review it, then `orphanscan approve {plan.id} --key FILE`", err=True)
    if not plan.scan_complete:
        click.echo("the scan is not complete: what rests on an incomplete source needs a person", err=True)


def _rendered(path: Path, formats: tuple[str, ...], limits: ReportSettings) -> list[Path]:
    """Write the plan for readers; a PDF is drawn in a process of its own, as names in a plan are hostile input too."""
    from scanner import evidence
    from scanner.remediation import plan_file
    from scanner.remediation.rendering import to_drawing, to_html
    from scanner.report.pdf_process import PdfProcess

    if not formats:
        return []
    plan, sha256 = plan_file.read(path)
    written = []
    with PdfProcess(limits.memory_mb, limits.max_seconds) as process:
        for kind in formats:
            target = path.with_suffix(f".{kind}")
            try:
                data = to_html(plan, sha256) if kind == "html" else process.draw(to_drawing(plan, sha256))[0]
            except ReportError as exc:
                raise ReportError(f"the plan is written as {path}, but {target.name} is not: {exc}") from exc
            evidence.write_file(target, data)
            written.append(target)
    return written


def _what_if(
    config: Config, name: str, found: "Basis", asked: "Asked", plan: "Plan", texts: tuple[str, ...], as_json: bool
) -> int:
    from scanner.remediation import planning, what_if
    from scanner.remediation.accepted import accepted_now
    from scanner.remediation.rendering import headline, title

    assumed = what_if.assume(config, texts)
    if assumed.changes_rules:
        found = replace(found, record=_judged_again(assumed.config, name, found))
    if assumed.changes_waivers:
        found = replace(found, record=planning.with_accepted(found.record, accepted_now(assumed.config, found.record)))
    then = planning.make(assumed.config, found, replace(asked, waived=assumed.waives))
    rows = [
        [action.id, title(action), action.app, was, becomes] for action, was, becomes in what_if.difference(plan, then)
    ]
    if as_json:
        head = ("action", "title", "app", "now", "then")
        over = [line.sentence for line in then.over_budget]
        echo_json({"changes": [dict(zip(head, row, strict=True)) for row in rows], "over_budget": over})
        return 0
    click.echo(f"now:  {headline(plan)}{' Over budget.' if plan.over_budget else ''}")
    click.echo(f"then: {headline(then)}{' Over budget.' if then.over_budget else ''}")
    for line in then.over_budget:
        click.echo(printable(f"over budget: {line.sentence}"))
    if rows:
        click.echo("\n" + table(["action", "what", "application", "now", "then"], rows))
    return 0


def _judged_again(config: Config, name: str, found: "Basis") -> "Record":
    """Return the record as rules with other parameters judge it; findings keep the state that they have."""
    from scanner import scan as scanning
    from scanner.collectors.interface import no_progress

    outcome = scanning.check(config, name, listeners=scanning.Listeners(progress=no_progress))
    if outcome.record is None:
        raise ConfigError("the scan was collected but not checked; run `orphanscan check`")
    states = {f.fingerprint: f for result in found.record.results for f in result.findings}
    results = tuple(
        replace(
            result,
            findings=tuple(
                replace(f, state=states[f.fingerprint].state) if f.fingerprint in states else f for f in result.findings
            ),
        )
        for result in outcome.record.results
    )
    return replace(found.record, results=results, rules=outcome.record.rules)


def _refuse_unknown(
    config: Config, record: "Record", filters: Mapping[str, tuple[str, ...]], confirmed: tuple[str, ...]
) -> None:
    """Refuse what names nothing: a slip of the pen must not read as `nothing to do`."""
    known = {"rule": [rule.id for rule in record.rules], "app": [app.id for app in config.applications]}
    for name, ids in known.items():
        for one in filters[name]:
            if one not in ids:
                near = difflib.get_close_matches(one, ids, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(ids))}"
                raise click.UsageError(f"--{name} {one!r} is not part of scan {record.scan.id}{hint}")
    fingerprints = [finding.fingerprint for result in record.results for finding in result.findings]
    for option, texts in (("--fingerprint", filters["fingerprint"]), ("--confirm", confirmed)):
        for text in texts:
            count = sum(one.startswith(text) for one in fingerprints)
            if not count:
                raise click.UsageError(f"{option} {text!r} begins no fingerprint of scan {record.scan.id}")
            if count > 1 and option == "--confirm":
                raise click.UsageError(
                    f"--confirm {text!r} begins {count} fingerprints; a decision is about one: say more"
                )


def _hex(text: str) -> str:
    if len(text) < 8 or any(character not in "0123456789abcdef" for character in text):
        raise click.UsageError(f"--confirm {text!r} is not a fingerprint; give at least its first 8 hex digits")
    return text
