"""The page for a reader in a hurry: results with their denominators, the worst exceptions, and what was not covered."""

from dataclasses import dataclass

from scanner.frameworks import ControlOutcome
from scanner.model import RuleOutcome, Verdict
from scanner.report.charts import Chart
from scanner.report.controls import Tally, tallies
from scanner.report.exceptions import TopException, exceptions_of, top_exceptions
from scanner.report.figures import exceptions_chart
from scanner.report.inputs import Inputs
from scanner.report.scope import relevant_sources, source_name, states_nothing
from scanner.report.unable import is_short, unable_applications

MOST_NAMES = 3
"""Applications that a line names; of more it tells the number, and the controls below tell which."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The page for a reader in a hurry."""

    headline: str
    sentences: tuple[str, ...]
    tallies: tuple[Tally, ...]
    top: tuple[TopException, ...]
    chart: Chart | None
    coverage: tuple[str, ...]


def summary(inputs: Inputs) -> Summary:
    """Compute the summary page."""
    return Summary(
        headline=_headline(inputs),
        sentences=tuple(_sentences(inputs)),
        tallies=tallies(inputs),
        top=top_exceptions(inputs),
        chart=exceptions_chart(inputs),
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
            applications=words.count("count.applications", len(inputs.in_scope)),
        )
        if found
        else words("summary.no_exceptions", all_rules=len(inputs.shares))
    ]
    loosened = sum(len(result.loosened) for result in inputs.controls)
    if loosened:
        told.append(words.count("summary.loosened", loosened))
    told += _unfinished(inputs)
    if record.scan.is_baseline:
        told.append(words("summary.baseline"))
    return told


def _unfinished(inputs: Inputs) -> list[str]:
    """Tell what this very report rests on and did not finish, or that such things lie outside it."""
    words, sources = inputs.words, relevant_sources(inputs)
    if inputs.record.scan.complete:
        return []
    stopped = sum(r.rule in inputs.shares and r.result is RuleOutcome.ERROR for r in inputs.record.results)
    incomplete = sum(source.verdict is not Verdict.COMPLETE for source in sources)
    told = [words.count("summary.incomplete", incomplete, total=len(sources))] if incomplete else []
    if stopped:
        told.append(words.count("summary.stopped", stopped))
    return told or [words("summary.incomplete_elsewhere")]


def _coverage(inputs: Inputs) -> list[str]:
    words = inputs.words
    connected = [fact for fact in inputs.in_scope if fact.type != "none"]
    unconnected = [inputs.disclosure.text(fact.name) for fact in inputs.in_scope if fact.type == "none"]
    narrow = [inputs.disclosure.text(fact.name) for fact in connected if fact.coverage != "all"]
    applications = words.count("count.applications", len(inputs.in_scope))
    reached = [words.count("coverage_line.connected", len(connected), applications=applications)]
    if unconnected:
        reached.append(words("coverage_line.unconnected", names=words.join(unconnected)))
    told = [" ".join(reached), _complete(inputs)]
    if narrow:
        told.append(words("coverage_line.narrow", names=words.join(narrow)))
    short = [share for share in inputs.shares.values() if is_short(share)]
    if short:
        apps = unable_applications(inputs, short) or (words("chart.no_application"),)
        where = words.join(apps)
        if len(apps) > MOST_NAMES:
            where = words("coverage_line.several", n=len(apps), applications=applications)
        told.append(words.count("coverage_line.short", len(short), total=len(inputs.shares), where=where))
    return told


def _complete(inputs: Inputs) -> str:
    """Tell how many sources are proven complete, and name those that are not."""
    words, sources = inputs.words, relevant_sources(inputs)
    unstated = sum(states_nothing(source) for source in sources)
    proven = sum(source.verdict is Verdict.COMPLETE for source in sources) - unstated
    told = [words.count("coverage_line.complete", proven, total=len(sources))]
    if unstated:
        told.append(words.count("coverage_line.unstated", unstated))
    lacking = [
        words(
            "coverage_line.incomplete_source",
            name=source_name(inputs, source),
            verdict=words(f"verdict.{source.verdict}.word").lower(),
        )
        for source in sources
        if source.verdict is not Verdict.COMPLETE
    ]
    if lacking:
        told.append(words("coverage_line.incomplete", sources=words.join(lacking)))
    return " ".join(told)
