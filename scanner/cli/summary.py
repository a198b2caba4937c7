"""What `scan`, `collect` and `check` say at their end: tables for people, one document for programs."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from scanner.cli.text import cut, echo_json, printable, table
from scanner.model import FindingState, RuleOutcome, RuleResult, Severity
from scanner.model_history import WaiverStatus

if TYPE_CHECKING:
    from scanner.scan import Outcome

_log = logging.getLogger(__name__)
_MOST_WAIVERS = 10

_WORDS = {
    RuleOutcome.EXCEPTIONS: "exceptions noted",
    RuleOutcome.CLEAN: "no exceptions noted",
    RuleOutcome.UNABLE_TO_TEST: "unable to test",
    RuleOutcome.ERROR: "error",
}


def say(message: str, log_format: str, **fields: object) -> None:
    """Print a message on stderr, as a line of the log where that is JSON."""
    if log_format == "json":
        _log.info(message, extra=fields)
    else:
        click.echo(printable(message), err=True)


def tell(
    outcome: "Outcome",
    code: int,
    *,
    as_json: bool,
    log_format: str,
    notices: Sequence[Mapping[str, object]] = (),
) -> None:
    """Print the result; without `as_json` the last line, on stdout, names the folder of the scan."""
    results = outcome.record.results if outcome.record else ()
    counted = Counter(f.severity for r in results if not r.lead for f in r.findings if f.counts)
    findings = {str(severity): counted[severity] for severity in Severity}
    for result in results:
        if result.result is RuleOutcome.ERROR:
            _log.error("rule %s: %s", result.rule, result.detail, extra={"rule": result.rule})
    if log_format == "json":
        _log_waivers(outcome)
    known = outcome.record.known_answers if outcome.record else None
    for problem in known.problems if known else ():
        _log.error("known answers: %s", problem)
    if log_format == "json":
        extra = {"scan": outcome.scan.id, "complete": outcome.scan.complete, "exit_code": code}
        _log.info("finished", extra=extra | ({"known_answers": str(known)} if known else {}))
    elif not as_json:
        _tables(outcome, results)
        _waivers(outcome)
        if known:
            say(f"known answers: {known}", log_format)
        if results:
            say("findings: " + ", ".join(f"{count} {severity}" for severity, count in findings.items()), log_format)
    if as_json:
        echo_json(_document(outcome, findings, code) | ({"notices": notices} if notices else {}))
    else:
        click.echo(str(outcome.folder))


def _result(result: RuleResult) -> str:
    """Return the result in words: of an empty population nothing was found, but nothing was tested either."""
    if result.result is RuleOutcome.CLEAN and not result.population:
        return "not tested"
    return _WORDS[result.result]


def _suppressions(outcome: "Outcome") -> None:
    """Print what can keep a finding from being raised, with its change since the scan before."""
    entries = outcome.record.suppressions if outcome.record else ()
    rows = [
        [
            entry.kind.replace("_", " "),
            entry.entries,
            "" if entry.previous_entries is None else f"{entry.entries - entry.previous_entries:+d}",
        ]
        for entry in entries
        if entry.entries or entry.previous_entries
    ]
    if rows:
        click.echo("\n" + table(["can silence a finding", "entries", "change"], rows), err=True)


def _log_waivers(outcome: "Outcome") -> None:
    from scanner.cli.waivers import sentences

    for one in outcome.record.waivers if outcome.record else ():
        for sentence in sentences(one):
            _log.warning("waiver in line %d: %s", one.line, sentence, extra={"waiver": one.id})


def _waivers(outcome: "Outcome") -> None:
    """Tell what waivers accept, and which no longer do what they were written for."""
    from scanner.cli.waivers import sentences, subject

    applied = outcome.record.waivers if outcome.record else ()
    if not applied:
        return
    counted = Counter(one.status for one in applied)
    accepted = sum(len(one.fingerprints) for one in applied)
    states = ", ".join(f"{counted[one]} {str(one).replace('_', ' ')}" for one in WaiverStatus if counted[one])
    click.echo(f"\nwaivers: {states}; accepted findings: {accepted}", err=True)
    told = [(one, sentence) for one in applied for sentence in sentences(one)]
    for one, sentence in told[:_MOST_WAIVERS]:
        click.echo(printable(f"  line {one.line}: {one.rule}, {subject(one)}: {sentence}"), err=True)
    if len(told) > _MOST_WAIVERS:
        click.echo(f"  and {len(told) - _MOST_WAIVERS} more; see `orphanscan waivers check`", err=True)


def _exceptions(result: RuleResult) -> int:
    return 0 if result.lead else sum(finding.counts for finding in result.findings)


def _document(outcome: "Outcome", findings: dict[str, int], code: int) -> dict[str, object]:
    results = outcome.record.results if outcome.record else ()
    known = outcome.record.known_answers if outcome.record else None
    return {
        "scan_id": outcome.scan.id,
        "dir": str(outcome.folder),
        "complete": outcome.scan.complete,
        "sources": [
            {
                "id": source.id,
                "verdict": str(source.verdict),
                "stated": source.stated,
                "collected": source.collected,
                "detail": source.detail,
            }
            for source in outcome.sources
        ],
        "rules": [
            {
                "id": result.rule,
                "result": str(result.result),
                "exceptions": _exceptions(result),
                "seconds": result.seconds,
            }
            for result in results
        ],
        "findings": findings,
        "known_answers": {"result": str(known), "problems": list(known.problems)} if known else None,
        "waived": sum(f.state is FindingState.WAIVED for r in results for f in r.findings),
        "exit_code": code,
    }


def _tables(outcome: "Outcome", results: tuple[RuleResult, ...]) -> None:
    sources = [[s.id, s.verdict, s.stated, s.collected, s.rejected, s.detail] for s in outcome.sources]
    click.echo("\n" + table(["source", "verdict", "stated", "collected", "rejected", "detail"], sources), err=True)
    if not results:
        return
    _suppressions(outcome)
    rows = [
        [
            result.rule,
            _result(result),
            _exceptions(result),
            result.tested,
            result.population,
            f"{result.seconds:.2f}",
            cut(result.detail, 70) if result.result in (RuleOutcome.UNABLE_TO_TEST, RuleOutcome.ERROR) else "",
        ]
        for result in results
    ]
    click.echo(
        "\n" + table(["rule", "result", "exceptions", "tested", "population", "seconds", "why not"], rows), err=True
    )
