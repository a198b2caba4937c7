"""The summary for management: one page over all frameworks, to be passed on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scanner import trend
from scanner.frameworks import ControlOutcome, Framework, fold
from scanner.model import Source, Verdict
from scanner.model_record import Record
from scanner.report import accepted
from scanner.report.attachments import Attachment, manifest_file
from scanner.report.charts import Chart
from scanner.report.controls import Tally
from scanner.report.cover import LONGEST_NAME, Cover, cover
from scanner.report.disclosure import shorten
from scanner.report.exceptions import TopException, exceptions_of
from scanner.report.inputs import Inputs, gather
from scanner.report.pdf import Drawing
from scanner.report.scope import relevant_sources, source_name
from scanner.report.sheet import sheet_drawing, sheet_html
from scanner.report.summary import summary
from scanner.report.words import load

MOST_NAMES = 3
"""That a line names; of more it tells the number, so that the page stays one."""
_TEMPLATE = "management.html"


@dataclass(frozen=True, slots=True)
class FrameworkLine:
    """One framework in one line."""

    title: str
    applications: int
    """In its scope."""
    tallies: tuple[Tally, ...]
    exceptions: int
    """Findings of the rules that decide, each once."""


@dataclass(frozen=True, slots=True)
class Management:
    """The page."""

    cover: Cover
    sentences: tuple[str, ...]
    since: str
    """What came and went since the scan before; empty on the first."""
    outcomes: tuple[str, ...]
    lines: tuple[FrameworkLine, ...]
    top: tuple[TopException, ...]
    chart: Chart | None
    leavers: tuple[str, ...]
    coverage: tuple[str, ...]
    attachments: tuple[Attachment, ...]


def build_management(
    record: Record,
    objectives: Framework,
    frameworks: Sequence[Framework],
    *,
    name: str,
    privacy: str,
    key: bytes,
    prepared_by: str,
    generated_at: datetime,
    manifest: bytes = b"",
    recipient: str = "",
) -> Management:
    """Compute the page; equal arguments give an equal one.

    Args:
        record: of the scan.
        objectives: what all rules are for, over all applications.
        frameworks: one line each.
        name: what the id of the report begins with.
        privacy: L1 or L2; nobody is named on the page in either.
        key: makes the pseudonyms.
        prepared_by: as on every report.
        generated_at: when the scan ended.
        manifest: seals the scan.
        recipient: for whom an identified report is.
    """
    words = load()
    inputs = gather(record, objectives, words, privacy=privacy, key=key, rows_per_rule=0)
    # A name of a hundred characters would push something else off the page. First made safe, then cut: half an address
    # would not be known as one.
    shown = inputs.disclosure.text
    facts = tuple(replace(fact, name=shorten(shown(fact.name), LONGEST_NAME)) for fact in inputs.in_scope)
    inputs = replace(inputs, in_scope=facts, names={fact.app: fact.name for fact in facts})
    told = summary(inputs)
    first = cover(
        inputs,
        name=name,
        subtitle=words("management.as_of", as_of=f"{record.scan.as_of:%Y-%m-%d %H:%M} UTC", scan=record.scan.id),
        prepared_by=prepared_by,
        manifest_sha256=record.scan.manifest_sha256,
        generated_at=generated_at,
        recipient=recipient,
    )
    return Management(
        # Nobody signs this page, so that it is no draft of a signed one.
        cover=replace(first, facts=(), is_draft=False),
        sentences=told.sentences,
        since=_since(inputs),
        outcomes=tuple(outcome.value for outcome in ControlOutcome),
        lines=tuple(_line(record, framework) for framework in frameworks),
        top=told.top,
        chart=told.chart,
        leavers=_leavers(inputs),
        coverage=tuple(_coverage(inputs)),
        attachments=manifest_file(words, manifest),
    )


def management_html(page: Management) -> bytes:
    """Return the page, self-contained and without script."""
    return sheet_html(_TEMPLATE, page.cover, _values(page))


def management_drawing(page: Management) -> Drawing:
    """Return what it takes to draw the page as PDF."""
    return sheet_drawing(_TEMPLATE, page.cover, _values(page), page.attachments)


def _values(page: Management) -> Mapping[str, object]:
    return {"report": page, "number": load().number}


def _line(record: Record, framework: Framework) -> FrameworkLine:
    controls = fold(framework, record.results, record.applications, record.rules)
    outcomes = [control.result for control in controls]
    # As the summary of its report counts them: those of supporting rules, too, which decide no control.
    found = {one.fingerprint for control in controls for share in control.rules for one in exceptions_of(share)}
    return FrameworkLine(
        title=framework.title,
        applications=sum(framework.covers(fact) for fact in record.applications),
        tallies=tuple(Tally(outcome, outcomes.count(outcome)) for outcome in ControlOutcome),
        exceptions=len(found),
    )


def _since(inputs: Inputs) -> str:
    """Tell what came and went since the scan before, and why."""
    history = inputs.record.trend
    if history is None or len(history.scans) < 2:
        return ""
    before, last = trend.points(history, lambda change: change.rule in inputs.shares)[-2:]
    words = inputs.words
    causes = [words("management.cause", name=words(f"cause.{name}"), n=n) for name, n in last.came.items()]
    return words(
        "management.since",
        before=f"{before.as_of:%Y-%m-%d %H:%M} UTC",
        came=words.count("count.exceptions", sum(last.came.values())),
        causes=words("management.causes", causes=", ".join(causes)) if causes else "",
        went=sum(last.went.values()),
    )


def _leavers(inputs: Inputs) -> tuple[str, ...]:
    """Return how many leavers had which outcome, over all applications; the sum stands at the end."""
    words, outcomes = inputs.words, inputs.record.ledger.leavers
    names = [name for name in outcomes if name != "total"]
    told = [words("management.outcome", name=words(f"ledger.leavers.{name}.name"), n=outcomes[name]) for name in names]
    return (*told, words("management.leavers_sum", total=sum(outcomes[name] for name in names)))


def _coverage(inputs: Inputs) -> list[str]:
    """Tell what the page does not speak about, in few lines."""
    words = inputs.words
    unconnected = [inputs.disclosure.text(fact.name) for fact in inputs.in_scope if fact.type == "none"]
    every = words.count("count.applications", len(inputs.in_scope))
    told = [words.count("coverage_line.connected", len(inputs.in_scope) - len(unconnected), applications=every)]
    if unconnected:
        told.append(words("coverage_line.unconnected", names=_some(inputs, unconnected)))
    told.append(_sources(inputs, relevant_sources(inputs)))
    if counted := accepted.waivers(inputs).counted:
        told.append(words("management.waivers", counted=counted))
    return told


def _sources(inputs: Inputs, sources: Sequence[Source]) -> str:
    words = inputs.words
    lacking = [source_name(inputs, source) for source in sources if source.verdict is not Verdict.COMPLETE]
    if not lacking:
        return words.count("management.all_read", len(sources))
    return words.count("management.not_read", len(lacking), total=len(sources), names=_some(inputs, lacking))


def _some(inputs: Inputs, names: Sequence[str]) -> str:
    shown = [shorten(name, LONGEST_NAME) for name in names[:MOST_NAMES]]
    if len(names) > MOST_NAMES:
        shown.append(inputs.words("management.more", n=len(names) - MOST_NAMES))
    return inputs.words.join(shown)
