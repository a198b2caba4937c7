"""The report of counts only (L0): results, exceptions and both directions per application, small counts hidden.

It is a document of its own and not the full report with names taken out: what is not put in cannot leak.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scanner.frameworks import ControlOutcome, Framework
from scanner.model import AppOutcome
from scanner.model_record import Record
from scanner.report.appendix import Signature, signatures, verification
from scanner.report.attachments import Attachment, manifest_file
from scanner.report.cover import Cover, cover
from scanner.report.exceptions import exceptions_of
from scanner.report.inputs import Inputs, gather
from scanner.report.pdf import Drawing
from scanner.report.scope import relevant_sources, source_name
from scanner.report.sheet import sheet_drawing, sheet_html
from scanner.report.suppression import THRESHOLD, Span, shown, summed
from scanner.report.tables import neutral
from scanner.report.words import load

PRIVACY = "L0"
SCHEMA = "orphanscan.report-counts/1"
_TEMPLATE = "counts.html"
_COLUMNS = ("rule", "application", "exceptions", "tested")


@dataclass(frozen=True, slots=True)
class ControlLine:
    """The result of one control, without a count."""

    id: str
    title: str
    result: ControlOutcome


@dataclass(frozen=True, slots=True)
class CountLine:
    """Exceptions of one application, as they are shown."""

    application: str
    exceptions: str
    tested: str
    """In words: whole, in part, unable to test, or nothing to test."""


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """The counts of one rule."""

    rule: str
    title: str
    severity: str
    lines: tuple[CountLine, ...]
    total: CountLine
    """Of all applications in scope."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One direction, per application of the scope."""

    columns: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    """Application, or the sum, and its counts with their sum at the end."""


@dataclass(frozen=True, slots=True)
class Counts:
    """One report of counts only."""

    cover: Cover
    threshold: int
    controls: tuple[ControlLine, ...]
    rules: tuple[RuleCounts, ...]
    accounts: Balance
    leavers: Balance
    sources: tuple[tuple[str, str], ...]
    """Name and verdict; how many rows a source holds would give away the sums."""
    limits: tuple[str, ...]
    signatures: tuple[Signature, ...]
    verification: tuple[str, ...]
    attachments: tuple[Attachment, ...]


def build_counts(
    record: Record,
    framework: Framework,
    *,
    key: bytes,
    prepared_by: str,
    generated_at: datetime,
    manifest: bytes = b"",
) -> Counts:
    """Compute a report of counts; equal arguments give an equal report."""
    words = load()
    inputs = gather(record, framework, words, privacy=PRIVACY, key=key, rows_per_rule=0)
    rules = tuple(_rules(inputs))
    manifest_sha256 = record.scan.manifest_sha256
    first = cover(
        inputs,
        subtitle=words("counts.subtitle"),
        prepared_by=prepared_by,
        manifest_sha256=manifest_sha256,
        generated_at=generated_at,
    )
    return Counts(
        cover=first,
        threshold=THRESHOLD,
        controls=tuple(ControlLine(one.control.id, one.control.title, one.result) for one in inputs.controls),
        rules=rules,
        accounts=_balance(inputs, "accounts", record.ledger.accounts, record.account_buckets),
        leavers=_balance(inputs, "leavers", record.ledger.leavers, record.leaver_outcomes),
        sources=tuple(
            (source_name(inputs, source), words(f"verdict.{source.verdict}.word"))
            for source in relevant_sources(inputs)
        ),
        limits=(*inputs.texts("limits"), words("limits_profile.L0")),
        signatures=signatures(inputs),
        # The files that lie inside the full report do not lie in this one.
        verification=tuple(step for step in verification(inputs, manifest_sha256) if step != words("verify.inside")),
        attachments=_attachments(inputs, first.id, rules, manifest),
    )


def counts_html(counts: Counts) -> bytes:
    """Return the report as a self-contained page without script."""
    return sheet_html(_TEMPLATE, counts.cover, {"report": counts})


def counts_drawing(counts: Counts) -> Drawing:
    """Return what it takes to draw the report as PDF."""
    return sheet_drawing(_TEMPLATE, counts.cover, {"report": counts}, attachments=counts.attachments)


def _rules(inputs: Inputs) -> list[RuleCounts]:
    """Return the exceptions of each rule per application, and in words how far it was tested.

    How many were tested is not told: two rules that test nearly the same accounts would give away, by the difference,
    how many few they differ by.
    """
    told = []
    for share in sorted(inputs.shares.values(), key=lambda share: share.rule):
        if share.lead:
            continue
        found = Counter(finding.app for finding in exceptions_of(share))
        parts = {part.app: part for one in inputs.record.results if one.rule == share.rule for part in one.apps}
        scope: list[str | None] = [*(fact.app for fact in inputs.in_scope), None]
        apps = [app for app in scope if app in found or app in parts or app in share.unseen]
        covered = ["unable" if app in share.unseen else _coverage(parts.get(app)) for app in apps]
        spans = [shown(found[app]) for app in apps]
        lines = tuple(
            _line(inputs, inputs.application(app) or inputs.words("chart.no_application"), span, coverage)
            for app, span, coverage in zip(apps, spans, covered, strict=True)
        )
        none = "unable" if share.result is ControlOutcome.UNABLE else "nothing"
        all_of_them = covered[0] if len(set(covered)) == 1 else "part" if covered else none
        total = _line(inputs, inputs.words("counts.all"), summed(spans), all_of_them)
        rule = inputs.rules.get(share.rule)
        severity = inputs.words(f"severity.{rule.severity}") if rule else ""
        told.append(RuleCounts(share.rule, share.title, severity, lines, total))
    return told


def _line(inputs: Inputs, name: str, span: Span, coverage: str) -> CountLine:
    """Return a line; a zero where nothing could be tested is not shown, as it would read as clean."""
    is_silent = coverage in ("unable", "nothing") and span == Span(0, 0)
    told = inputs.words("value.not_applicable") if is_silent else _text(inputs, span)
    return CountLine(name, told, inputs.words(f"counts.coverage.{coverage}"))


def _coverage(part: AppOutcome | None) -> str:
    """Return how far a rule was tested in one application: whole, part, unable or nothing (to test)."""
    if part is None or not (part.tested or part.unable):
        return "nothing"
    if not part.unable:
        return "whole"
    return "part" if part.tested else "unable"


def _text(inputs: Inputs, span: Span) -> str:
    number = inputs.words.number
    if span.is_exact:
        return number(span.low)
    if span == Span(1, THRESHOLD - 1):
        return f"<{THRESHOLD}"
    return f"{number(span.low)}–{number(span.high)}"  # noqa: RUF001 - a dash between numbers


def _balance(inputs: Inputs, side: str, sums: Mapping[str, int], per_app: Mapping[str, Mapping[str, int]]) -> Balance:
    """Return one direction for the applications of the scope; those outside would be given away by a difference."""
    buckets = [bucket for bucket in sums if bucket != "total"]
    rows = [
        (inputs.disclosure.text(fact.name), [shown(per_app.get(fact.app, {}).get(name, 0)) for name in buckets])
        for fact in inputs.in_scope
    ]
    rows.append(
        (inputs.words("counts.all"), [summed(column) for column in zip(*(row for _, row in rows), strict=True)])
    )
    used = [index for index in range(len(buckets)) if any(row[index].high for _, row in rows if row)]
    return Balance(
        columns=(
            *(inputs.words(f"ledger.{side}.{buckets[index]}.short") for index in used),
            inputs.words("counts.sum"),
        ),
        lines=tuple(
            (name, (*(_text(inputs, row[index]) for index in used), _text(inputs, summed(row)))) for name, row in rows
        ),
    )


def _attachments(
    inputs: Inputs, report_id: str, rules: Sequence[RuleCounts], manifest: bytes
) -> tuple[Attachment, ...]:
    """Return the counts as they are shown, as table and for programs, and the manifest; no row about a person."""
    rows = [
        {"rule": rule.rule, "application": line.application, "exceptions": line.exceptions, "tested": line.tested}
        for rule in rules
        for line in rule.lines
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    writer.writerows([neutral(row[name]) for name in _COLUMNS] for row in rows)
    scan = inputs.record.scan
    document = {
        "schema": SCHEMA,
        "report": report_id,
        "framework": inputs.framework.id,
        "privacy": PRIVACY,
        "scan": scan.id,
        "as_of": scan.as_of.isoformat(),
        "evidence_manifest_sha256": scan.manifest_sha256,
        "threshold": THRESHOLD,
        "counts": rows,
    }
    words = inputs.words
    return (
        Attachment("counts.csv", words("attachment.counts_csv"), "Data", text.getvalue().encode("utf-8-sig")),
        Attachment(
            "counts.json",
            words("attachment.counts_json"),
            "Data",
            json.dumps(document, ensure_ascii=False, indent=1).encode(),
        ),
        *manifest_file(words, manifest),
    )
