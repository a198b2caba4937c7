"""Why the data can be relied upon: who ran what, every row accounted for, and what changed in between."""

from dataclasses import dataclass

from scanner.model import Source, Verdict
from scanner.report.background import Change
from scanner.report.cover import Fact
from scanner.report.disclosure import shorten
from scanner.report.inputs import Inputs, utc
from scanner.report.scope import relevant_sources, source_name

MOST_CHANGES = 40


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every row of one source, from what it stated to what the rules saw."""

    name: str
    stated: str
    read: int
    """Rows as they came: collected + duplicates + rejected."""
    duplicates: int
    rejected: int
    collected: int
    stored: str
    """Rows in the tables that the rules saw."""
    adds_up: bool
    explained: str
    """What became of each row that is not in the tables, or what does not add up."""


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change of what a scan judges by between two scans."""

    when: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """What lets a reader rely on the data (information produced by the entity)."""

    run: tuple[Fact, ...]
    reconciliation: tuple[Reconciliation, ...]
    reconciled: str
    changes: tuple[ChangeLine, ...]
    changes_intro: str
    directions: str


def completeness(inputs: Inputs, prepared_by: str) -> Completeness:
    """Return the frame of the table of sources."""
    words, changes = inputs.words, inputs.background.changes
    lines = tuple(_reconciliation(inputs, source) for source in relevant_sources(inputs))
    broken = sum(not line.adds_up for line in lines)
    return Completeness(
        run=tuple(_run(inputs, prepared_by)),
        reconciliation=lines,
        reconciled=words("reconciliation.broken", n=broken, total=len(lines))
        if broken
        else words("reconciliation.sound"),
        changes=tuple(_change(inputs, change) for change in changes[:MOST_CHANGES]),
        changes_intro=_changes_intro(inputs),
        directions=words("completeness.directions"),
    )


def _run(inputs: Inputs, prepared_by: str) -> list[Fact]:
    words, scan = inputs.words, inputs.record.scan
    run_by = inputs.record.run_by or words("value.not_stated")
    known = inputs.record.known_answers
    answers = words("completeness.no_known_answers")
    if known is not None:
        answers = words(
            "completeness.self_test",
            detected=known.detected,
            planted=known.planted,
            false=known.false,
            sha256=known.rules_sha256[:16],
        )
    facts = {
        # A login of the operator is the trace of who ran the test, as is the name on the cover.
        "run_by": words("completeness.run_by_value", login=run_by, name=prepared_by) if prepared_by else run_by,
        "times": words("completeness.times_value", start=utc(scan.started_at), end=utc(scan.finished_at)),
        "tool": words("cover.tool_value", version=scan.tool_version),
        "rules": scan.rules_sha256[:16] or words("value.not_stated"),
        "configuration": scan.config_sha256[:16] or words("value.not_stated"),
        "known_answers": answers,
    }
    return [Fact(words(f"completeness.{name}"), value) for name, value in facts.items()]


def _reconciliation(inputs: Inputs, source: Source) -> Reconciliation:
    words, stored = inputs.words, inputs.record.stored_rows.get(source.id)
    told = []
    if source.duplicates:
        told.append(words.count("reconciliation.duplicates", source.duplicates))
    if source.rejected:
        told.append(words.count("reconciliation.rejected", source.rejected))
    gap = 0 if source.stated is None else source.stated - source.collected
    if gap > 0:
        told.append(words.count("reconciliation.gap", gap))
    is_proven = source.verdict is Verdict.COMPLETE
    read = source.collected + source.duplicates + source.rejected
    if not is_proven and gap <= 0:
        told.append(words("reconciliation.unproven" if read else "reconciliation.unread"))
    adds_up = stored is None or stored == source.collected
    if not adds_up and stored is not None:
        told.append(words.count("reconciliation.lost", abs(source.collected - stored)))
    return Reconciliation(
        name=source_name(inputs, source),
        stated=words("value.not_stated") if source.stated is None else words.number(source.stated),
        read=read,
        duplicates=source.duplicates,
        rejected=source.rejected,
        collected=source.collected,
        stored=words("value.not_stated") if stored is None else words.number(stored),
        adds_up=adds_up and gap <= 0 and is_proven,
        explained=" ".join(told) or words("reconciliation.none"),
    )


def _changes_intro(inputs: Inputs) -> str:
    words, background = inputs.words, inputs.background
    if not background.is_known:
        return words("changes.unknown")
    if background.previous is None:
        return words("changes.first")
    since = f"{background.previous.as_of:%Y-%m-%d %H:%M} UTC"
    if not background.changes:
        return words("changes.none", since=since)
    told = words.count("changes.some", len(background.changes), since=since)
    if len(background.changes) > MOST_CHANGES:
        told += " " + words("changes.shown", shown=MOST_CHANGES)
    return told


def _change(inputs: Inputs, change: Change) -> ChangeLine:
    words = inputs.words

    def shown(value: str) -> str:
        # Settings name owners and receivers.
        return shorten(inputs.disclosure.written(value))

    return ChangeLine(
        when=f"{change.as_of:%Y-%m-%d %H:%M}",
        what=words(f"changes.kind.{change.kind}", name=shown(change.name)),
        before=shown(change.before) or words("changes.absent"),
        after=shown(change.after) or words("changes.absent"),
    )
