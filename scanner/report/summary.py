"""The page for a reader in a hurry: results with their denominators, the worst exceptions, and what was not covered."""

from collections.abc import Mapping

from scanner.frameworks import ControlOutcome
from scanner.model import RuleOutcome, Severity, Verdict
from scanner.report.charts import severity_chart
from scanner.report.controls import tallies
from scanner.report.exceptions import exceptions_of, top_exceptions
from scanner.report.inputs import Inputs
from scanner.report.parts import Chart, Summary
from scanner.report.scope import relevant_sources, states_nothing
from scanner.report.unable import is_short, unable_applications


def summary(inputs: Inputs) -> Summary:
    """Compute the summary page."""
    return Summary(
        headline=_headline(inputs),
        sentences=tuple(_sentences(inputs)),
        tallies=tallies(inputs),
        top=top_exceptions(inputs),
        chart=_chart(inputs),
        coverage=tuple(_coverage(inputs)),
    )


def _headline(inputs: Inputs) -> str:
    words = inputs.words
    n = {tally.outcome: tally.controls for tally in tallies(inputs)}
    noted, total, units = n[ControlOutcome.EXCEPTIONS], len(inputs.controls), inputs.text("units")
    if noted:
        return words("summary.headline.exceptions", n=noted, total=total, units=units)
    clean = n[ControlOutcome.NO_EXCEPTIONS]
    if clean == total:
        return words("summary.headline.none", total=total, units=units)
    if clean:
        return words("summary.headline.some_untested", n=clean, total=total, units=units, rest=total - clean)
    return words("summary.headline.nothing_tested", total=total, units=units)


def _sentences(inputs: Inputs) -> list[str]:
    words, record = inputs.words, inputs.record
    found = [finding for share in inputs.shares.values() for finding in exceptions_of(share)]
    apps = {finding.app for finding in found if finding.app}
    rules = {finding.rule for finding in found}
    told = [
        words(
            "summary.exceptions",
            exceptions=words.count("count.exceptions", len(found)),
            rules=words.count("count.rules", len(rules)),
            all_rules=len(inputs.shares),
            apps=len(apps),
            all_apps=len(inputs.in_scope),
        )
        if found
        else words("summary.no_exceptions", all_rules=len(inputs.shares))
    ]
    if not record.scan.complete:
        told.append(words("summary.incomplete" if _is_touched(inputs) else "summary.incomplete_elsewhere"))
    if record.scan.is_baseline:
        told.append(words("summary.baseline"))
    return told


def _is_touched(inputs: Inputs) -> bool:
    """Return whether something that this very report rests on did not finish."""
    stopped = {result.rule for result in inputs.record.results if result.result is RuleOutcome.ERROR}
    incomplete = any(source.verdict is not Verdict.COMPLETE for source in relevant_sources(inputs))
    return incomplete or not stopped.isdisjoint(inputs.shares)


def _chart(inputs: Inputs) -> Chart | None:
    counts: dict[str, dict[Severity, int]] = {}
    for share in inputs.shares.values():
        for finding in exceptions_of(share):
            name = inputs.application(finding.app) or inputs.words("chart.no_application")
            row = counts.setdefault(name, {})
            row[finding.severity] = row.get(finding.severity, 0) + 1
    chart: Mapping[str, Mapping[Severity, int]] = counts
    return severity_chart(chart, inputs.words)


def _coverage(inputs: Inputs) -> list[str]:
    words = inputs.words
    sources = relevant_sources(inputs)
    read = [source for source in sources if source.verdict is Verdict.COMPLETE]
    unstated = sum(states_nothing(source) for source in read)
    connected = [fact for fact in inputs.in_scope if fact.type != "none"]
    unconnected = [inputs.disclosure.text(fact.name) for fact in inputs.in_scope if fact.type == "none"]
    narrow = [inputs.disclosure.text(fact.name) for fact in connected if fact.coverage != "all"]
    proven = words("coverage_line.complete", n=len(read) - unstated, total=len(sources))
    told = [
        words("coverage_line.connected", n=len(connected), total=len(inputs.in_scope)),
        f"{proven} {words.count('coverage_line.unstated', unstated)}" if unstated else proven,
    ]
    if unconnected:
        told.append(words("coverage_line.unconnected", names=words.join(unconnected)))
    if narrow:
        told.append(words("coverage_line.narrow", names=words.join(narrow)))
    short = [share for share in inputs.shares.values() if is_short(share)]
    if short:
        apps = unable_applications(inputs, short) or (words("chart.no_application"),)
        told.append(words("coverage_line.short", n=len(short), total=len(inputs.shares), names=words.join(apps)))
    return told
