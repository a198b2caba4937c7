"""`scan`, `collect`, `check` and `report`."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import notices, options, summary, worst
from scanner.cli.progress import ProgressDisplay
from scanner.cli.text import echo_json
from scanner.config import FORMATS, PRINTED, Config, ReportSettings
from scanner.model import NEWS, Record, RuleOutcome, Severity

if TYPE_CHECKING:
    from scanner.reports import Made, Wanted
    from scanner.scan import Listeners, Outcome

_log = logging.getLogger(__name__)

_FAIL_ON = click.Choice([str(severity) for severity in Severity])


@click.command(
    epilog=options.examples(
        "orphanscan scan",
        "orphanscan scan -c /etc/orphanscan.toml --fail-on critical --json",
        "orphanscan scan --as-of 2026-03-31",
    )
)
@options.config_options
@options.log_options
@options.json_option
@click.option("--as-of", metavar="TIME", help="Clock of the scan, never to come: a UTC instant, or a date for its end.")
@click.option("--fail-on", type=_FAIL_ON, help="Exit 1 from this severity on. Default: [scan] fail_on, else high.")
@click.option("--new-only", is_flag=True, help="Exit 1 only for what the scan before did not show: new or reopened.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 although there are findings; an incomplete scan stays 3.")
@notices.option
def scan(
    config_path: Path,
    state: Path | None,
    log_format: str,
    as_json: bool,
    as_of: str | None,
    fail_on: str | None,
    new_only: bool,
    exit_zero: bool,
    mode: str,
) -> int:
    """Collect all sources, run the rules, write the reports.

    The last line names the folder of the scan. Exit codes: 0 nothing at or above --fail-on, 1 findings, 3 a source is
    not complete or a rule failed, 6 could not run. A notice that cannot be delivered changes no exit code.
    """
    from scanner import scan as scanning
    from scanner.policy import read_policies

    config = options.read_config(config_path, state)
    with notices.beating(config, mode, log_format):
        policies = read_policies(config)
        with ProgressDisplay(log_format) as display:
            outcome = scanning.run(config, policies, as_of=as_of, listeners=_listeners(display))
        code = _exit_code(outcome, fail_on or config.scan.fail_on, exit_zero, new_only=new_only)
        if outcome.record:
            made = _write_reports(config, outcome.record, _wanted(config.report), log_format)
            code = worst([code, _report_code(made)])
    told = notices.after_scan(config, mode, log_format, code)
    summary.tell(outcome, code, as_json=as_json, log_format=log_format, notices=told)
    return code


@click.command(epilog=options.examples("orphanscan collect", "orphanscan collect && orphanscan check"))
@options.config_options
@options.log_options
@options.json_option
@click.option("--as-of", metavar="TIME", help="Clock of the scan, never to come: a UTC instant, or a date for its end.")
def collect(config_path: Path, state: Path | None, log_format: str, as_json: bool, as_of: str | None) -> int:
    """Read rosters and applications into the store, without judging them."""
    from scanner import scan as scanning
    from scanner.policy import read_policies

    config = options.read_config(config_path, state)
    with ProgressDisplay(log_format) as display:
        outcome = scanning.run(
            config, read_policies(config), as_of=as_of, listeners=_listeners(display), only_collect=True
        )
    code = 0 if outcome.scan.complete else 3
    summary.tell(outcome, code, as_json=as_json, log_format=log_format)
    return code


@click.command(epilog=options.examples("orphanscan check", "orphanscan check 20261120T06"))
@options.config_options
@options.log_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--fail-on", type=_FAIL_ON, help="Exit 1 from this severity on. Default: [scan] fail_on, else high.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 although there are findings; an incomplete scan stays 3.")
@notices.option
def check(
    config_path: Path,
    state: Path | None,
    log_format: str,
    as_json: bool,
    name: str,
    fail_on: str | None,
    exit_zero: bool,
    mode: str,
) -> int:
    """Run the rules on a stored scan.

    The first check seals the scan. Later ones judge the same evidence with the rules and parameters of today, print
    the result and write nothing.
    """
    from scanner import scan as scanning

    config = options.read_config(config_path, state)
    with notices.beating(config, mode, log_format):
        with ProgressDisplay(log_format) as display:
            outcome = scanning.check(config, name, listeners=_listeners(display))
        code = _exit_code(outcome, fail_on or config.scan.fail_on, exit_zero)
    told = notices.after_scan(config, mode, log_format, code) if outcome.is_committed else []
    summary.tell(outcome, code, as_json=as_json, log_format=log_format, notices=told)
    return code


@click.command(
    epilog=options.examples(
        "orphanscan report",
        "orphanscan report latest --framework sox --privacy L2 --recipient 'Internal Audit'",
        "orphanscan report 20261120T06 --format xlsx --format csv",
        "orphanscan report --framework sox --format oscal --format md",
        "orphanscan report --framework sox --format pdf --full",
        "orphanscan report --management",
        "orphanscan report --application crm --application hr-portal --format html",
    )
)
@options.config_options
@options.log_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--framework", "frameworks", multiple=True, metavar="ID", help="Only this one; may be repeated.")
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Only this format; may be repeated."
)
@click.option(
    "--privacy",
    type=click.Choice(["L0", "L1", "L2"]),
    help="L0: counts only. L1: pseudonyms. L2: names, for a named recipient.",
)
@click.option("--recipient", metavar="WHO", help="For whom an L2 report is; printed on each page. Required with L2.")
@click.option(
    "--application",
    "applications",
    multiple=True,
    metavar="ID",
    help="A report for the owner of this one; may be repeated; `all`: one for each.",
)
@click.option("--management", is_flag=True, help="One page over all frameworks.")
@click.option("--full", is_flag=True, help="Every finding in print: each PDF as numbered volumes.")
def report(
    config_path: Path,
    state: Path | None,
    log_format: str,
    as_json: bool,
    name: str,
    frameworks: tuple[str, ...],
    formats: tuple[str, ...],
    privacy: str | None,
    recipient: str | None,
    applications: tuple[str, ...],
    management: bool,
    full: bool,
) -> int:
    """Write the reports of a stored scan again; only its reports folder changes, and no credential is needed.

    pdf, html and oscal write one file for each framework; xlsx, csv, json, ocsf and md one for the scan as a whole.
    Without --framework, --application and --management all that [report] names is written; with one of them, nothing
    but what they name. The page for management and the reports for owners are PDF and HTML.
    """
    from scanner import scan as scanning
    from scanner.store import scans

    config = options.read_config(config_path, state)
    asked = replace(
        config.report,
        formats=formats or config.report.formats,
        privacy=privacy or config.report.privacy,
        recipient=(recipient or config.report.recipient).strip(),
    )
    if recipient and asked.privacy != "L2":
        raise click.UsageError("--recipient is for identified reports: say --privacy L2, too")
    if asked.privacy == "L2" and not asked.recipient:
        raise click.UsageError("an identified report (L2) names for whom it is: --recipient 'Internal Audit'")
    if asked.privacy == "L0" and (applications or management):
        raise click.UsageError("counts only (L0) are written for frameworks: leave --application and --management out")
    if (applications or management) and not frameworks and not set(asked.formats) & set(PRINTED):
        raise click.UsageError("reports for owners and for management are PDF and HTML: --format pdf")
    if full and ("pdf" not in asked.formats or asked.privacy == "L0"):
        raise click.UsageError("--full is for PDFs that list findings: --format pdf, and no --privacy L0")
    wanted = replace(_wanted(asked), full=full)
    if frameworks or applications or management:
        on_page = config.report.frameworks if management else ()
        wanted = replace(wanted, frameworks=frameworks, applications=applications, management=on_page)
    elif asked.privacy == "L0":
        wanted = replace(wanted, applications=(), management=())
    scan_, _, record = scanning.latest_record(config, name)
    made = _write_reports(config, record, wanted, log_format)
    if as_json:
        place = scans.place_of(config.state, scan_.id)
        echo_json({"scan_id": scan_.id, "dir": str(place), "reports": [str(path) for path in made.files]})
    else:
        for path in made.files:
            click.echo(str(path))
    return _report_code(made)


def _listeners(display: ProgressDisplay) -> "Listeners":
    from scanner.scan import Listeners

    return Listeners(progress=display, on_source=display.finished)


def _wanted(asked: ReportSettings) -> "Wanted":
    """Return the documents that the configuration names."""
    from scanner.reports import Wanted

    return Wanted(
        frameworks=asked.frameworks,
        formats=asked.formats,
        privacy=asked.privacy,
        rows_per_rule=asked.rows_per_rule,
        sheets=asked.sheets,
        prepared_by=asked.prepared_by,
        recipient=asked.recipient if asked.privacy == "L2" else "",
        applications=asked.applications,
        management=asked.frameworks if asked.management else (),
    )


def _write_reports(config: Config, record: Record, wanted: "Wanted", log_format: str) -> "Made":
    from scanner import access_log, changes, evidence, reports
    from scanner.report.pseudonyms import load_key
    from scanner.store import scans

    if wanted.privacy == "L2":
        documents = len(wanted.frameworks) + len(wanted.applications) + bool(wanted.management)
        access_log.record(
            config.state,
            access_log.Access(
                "report", scan=record.scan.id, count=documents * len(wanted.formats), recipient=wanted.recipient
            ),
        )
    folder = scans.scan_dir(config.state, record.scan.id)
    kept: dict[Path, Path] = {}

    def keep(path: Path) -> None:
        kept[path] = scans.keep(config.state, record.scan.id, folder, path)
        summary.say(f"wrote {kept[path]}", log_format, report=str(kept[path]))

    made = reports.render(
        record,
        folder,
        wanted,
        reports.Limits(config.report.memory_mb, config.report.max_seconds),
        key=load_key(config.state, create=True),
        background=changes.since_last(config.state, record.scan),
        rule_folders=config.rules.paths,
        listeners=reports.Listeners(
            on_report=keep,
            on_trouble=lambda path, told: _log.warning("%s: %s", path.name, told, extra={"report": str(path)}),
        ),
    )
    scans.keep(config.state, record.scan.id, folder, folder / "reports" / evidence.MANIFEST)
    return replace(made, files=tuple(kept[path] for path in made.files))


def _report_code(made: "Made") -> int:
    """Return 6 if a report is missing that was asked for."""
    return 0 if len(made.files) == made.asked else 6


def _exit_code(outcome: "Outcome", fail_on: str, exit_zero: bool, *, new_only: bool = False) -> int:
    limit = Severity(fail_on).rank
    results = outcome.record.results if outcome.record else ()
    found = [f for r in results if not r.lead for f in r.findings if f.counts and f.severity.rank <= limit]
    codes = []
    if any(f.state in NEWS or not new_only for f in found) and not exit_zero:
        codes.append(1)
    known = outcome.record.known_answers if outcome.record else None
    wrong = known is not None and not known.is_right
    if not outcome.scan.complete or wrong or any(r.result is RuleOutcome.ERROR for r in results):
        codes.append(3)
    return worst(codes)
