"""`scan`, `collect` and `check`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import notices, options, summary, worst
from scanner.cli.progress import ProgressDisplay
from scanner.cli.report import configured, report_code, write_reports
from scanner.model import NEWS, RuleOutcome, Severity

if TYPE_CHECKING:
    from scanner.scan import Listeners, Outcome

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
            made = write_reports(config, outcome.record, configured(config.report), log_format)
            code = worst([code, report_code(made)])
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


def _listeners(display: ProgressDisplay) -> "Listeners":
    from scanner.scan import Listeners

    return Listeners(progress=display, on_source=display.finished)


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
