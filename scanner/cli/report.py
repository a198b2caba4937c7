"""`report`, and the writing of reports that `scan` shares."""

import logging
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options, summary
from scanner.cli.text import echo_json
from scanner.config import Config
from scanner.model_record import Record
from scanner.settings import EVERY_APPLICATION, FORMATS, PRINTED, ReportSettings

if TYPE_CHECKING:
    from scanner.report.background import Background
    from scanner.reports import Made, Wanted

_log = logging.getLogger(__name__)

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(
    epilog=options.examples(
        "orphanscan report",
        "orphanscan report latest --framework sox --privacy L2 --recipient 'Internal Audit'",
        "orphanscan report 20261120T06 --format xlsx --format csv",
        "orphanscan report --framework sox --format oscal --format md",
        "orphanscan report --framework sox --format pdf --full",
        "orphanscan report --framework sox --from 2026-01-01 --to 2026-03-31",
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
@click.option("--from", "first", type=_DAY, metavar="DAY", help="First day of a period; needs --to.")
@click.option("--to", "last", type=_DAY, metavar="DAY", help="Last day of a period; its last scan is reported.")
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
    first: datetime | None,
    last: datetime | None,
    full: bool,
) -> int:
    """Write the reports of a stored scan again; only its reports folder changes, and no credential is needed.

    pdf, html and oscal write one file for each framework; xlsx, csv, json, ocsf and md one for the scan as a whole.
    Without --framework, --application and --management all that [report] names is written; with one of them, nothing
    but what they name. The page for management and the reports for owners are PDF and HTML.

    With --from and --to the reports speak about whole days of the organisation's time zone: everyone who left in them
    and when access ended, scans, changes, and exceptions from start to end. They are PDF and HTML, too.
    """
    from scanner import period
    from scanner import scan as scanning
    from scanner.store import scans

    config = options.read_config(config_path, state)
    asked = replace(
        config.report,
        formats=formats or config.report.formats,
        privacy=privacy or config.report.privacy,
        recipient=(recipient or config.report.recipient).strip(),
    )
    _check(asked, recipient, beside=bool(applications or management), only_beside=not frameworks, full=full)
    days = _days(asked, name, first, last, is_page=management)
    wanted = replace(configured(asked), full=full)
    if frameworks or applications or management:
        on_page = config.report.frameworks if management else ()
        wanted = replace(wanted, frameworks=frameworks, applications=applications, management=on_page)
    elif asked.privacy == "L0":
        wanted = replace(wanted, applications=(), management=())
    if days:
        name = period.last_scan(config.state, *days, config.timezone).id
    scan_, _, record = scanning.latest_record(config, name)
    background = period.read(config.state, *days, config.timezone) if days else None
    made = write_reports(config, record, wanted, log_format, background)
    if as_json:
        place = scans.place_of(config.state, scan_.id)
        echo_json({"scan_id": scan_.id, "dir": str(place), "reports": [str(path) for path in made.files]})
    else:
        for path in made.files:
            click.echo(str(path))
    return report_code(made)


def _check(asked: ReportSettings, recipient: str | None, *, beside: bool, only_beside: bool, full: bool) -> None:
    """Raise UsageError for what does not go together; `beside` are papers that are no report of a framework."""
    if recipient and asked.privacy != "L2":
        raise click.UsageError("--recipient is for identified reports: say --privacy L2, too")
    if asked.privacy == "L2" and not asked.recipient:
        raise click.UsageError("an identified report (L2) names for whom it is: --recipient 'Internal Audit'")
    if asked.privacy == "L0" and beside:
        raise click.UsageError("counts only (L0) are written for frameworks: leave --application and --management out")
    if beside and only_beside and not set(asked.formats) & set(PRINTED):
        raise click.UsageError("reports for owners and for management are PDF and HTML: --format pdf")
    if full and ("pdf" not in asked.formats or asked.privacy == "L0"):
        raise click.UsageError("--full is for PDFs that list findings: --format pdf, and no --privacy L0")


def _days(
    asked: ReportSettings, name: str, first: datetime | None, last: datetime | None, *, is_page: bool
) -> tuple[date, date] | None:
    """Return the days of a period; None for a report on an instant. UsageError for what has no period."""
    if first is None and last is None:
        return None
    if first is None or last is None or name != "latest":
        raise click.UsageError("a period needs --from and --to, and takes no SCAN: its last scan is reported")
    if is_page or asked.privacy == "L0" or not set(asked.formats) & set(PRINTED):
        raise click.UsageError("a period has reports of frameworks and applications, as PDF and HTML, in L1 and L2")
    return first.date(), last.date()


def configured(asked: ReportSettings) -> "Wanted":
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


def write_reports(
    config: Config, record: Record, wanted: "Wanted", log_format: str, background: "Background | None" = None
) -> "Made":
    """Write documents, keep each where the state folder keeps it, and say so; an identified one is logged first."""
    from scanner import access_log, changes, evidence, reports
    from scanner.report.pseudonyms import load_key
    from scanner.store import scans

    if wanted.privacy == "L2":
        owners = len(record.applications) if EVERY_APPLICATION in wanted.applications else len(wanted.applications)
        documents = len(wanted.frameworks) + owners + bool(wanted.management)
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
        background=background or changes.since_last(config.state, record.scan),
        rule_folders=config.rules.paths,
        listeners=reports.Listeners(
            on_report=keep,
            on_trouble=lambda path, told: _log.warning("%s: %s", path.name, told, extra={"report": str(path)}),
        ),
    )
    scans.keep(config.state, record.scan.id, folder, folder / "reports" / evidence.MANIFEST)
    return replace(made, files=tuple(kept[path] for path in made.files))


def report_code(made: "Made") -> int:
    """Return 6 if a report is missing that was asked for."""
    return 0 if len(made.files) == made.asked else 6
