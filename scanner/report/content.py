"""Everything that a report shows, computed once from a record and a framework; templates only render it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from scanner.errors import ConfigError
from scanner.frameworks import Framework
from scanner.model import Scan
from scanner.model_record import Record
from scanner.report import (
    accepted,
    appendix,
    completeness,
    controls,
    exceptions,
    figures,
    ledger,
    limitations,
    matrix,
    over_time,
    remediation,
    scope,
    sheets,
    worksheets,
)
from scanner.report.accepted import WaiverPart
from scanner.report.appendix import ParameterRow, RuleFile, Signature, SuppressionRow
from scanner.report.attachments import Attachment, attachments
from scanner.report.background import NOTHING_KNOWN, Background
from scanner.report.charts import Chart
from scanner.report.completeness import Completeness
from scanner.report.controls import ControlPart
from scanner.report.cover import Cover, Fact, cover
from scanner.report.exceptions import RuleSection
from scanner.report.figures import CoverageMap
from scanner.report.inputs import Inputs, gather
from scanner.report.ledger import LedgerPart
from scanner.report.listing import ListedFinding, listed
from scanner.report.matrix import MatrixPart
from scanner.report.objectives import APPLICATION
from scanner.report.over_time import PeriodPart
from scanner.report.pseudonyms import KEY_BYTES
from scanner.report.remediation import RemediationPart
from scanner.report.scope import ScopeRow, SourceRow
from scanner.report.sheets import SheetsPart
from scanner.report.summary import Summary, summary
from scanner.report.words import Words, load
from scanner.report.worksheets import Worksheet

if TYPE_CHECKING:
    from scanner.report.volumes import VolumesPart

PROFILES = ("L1", "L2")
SHEETS = 10
"""Exceptions of critical and high severity with a sheet of their own, unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Content:
    """One report, safe to print: cleaned, pseudonymised as its profile asks, and complete."""

    words: Words
    cover: Cover
    framework: str
    privacy: str
    scan: Scan
    manifest_sha256: str
    unit: str
    """What the framework is tested by, for headings."""
    sections: tuple[str, ...]
    """Names of the parts, in the order of this framework's readers."""
    headings: Mapping[str, str]
    """Name of a part -> its heading."""
    summary: Summary
    scope_intro: str
    scope: tuple[ScopeRow, ...]
    out_of_scope: str
    coverage_map: CoverageMap | None
    sources: tuple[SourceRow, ...]
    completeness: Completeness
    accounts: LedgerPart
    leavers: LedgerPart
    closure_chart: Chart | None
    period: PeriodPart | None
    """Only in a report on a period."""
    matrix: MatrixPart
    worksheet: Worksheet
    incidents: Worksheet
    controls_intro: str
    controls: tuple[ControlPart, ...]
    exceptions: tuple[RuleSection, ...]
    sheets: SheetsPart
    ageing_chart: Chart | None
    trend_chart: Chart | None
    unknowns: tuple[RuleSection, ...]
    leads: tuple[RuleSection, ...]
    waived: tuple[RuleSection, ...]
    waivers: WaiverPart
    suppressions: tuple[SuppressionRow, ...]
    remediation: RemediationPart
    limits_of_scan: tuple[str, ...]
    limits_standing: tuple[str, ...]
    retention: str
    signatures: tuple[Signature, ...]
    parameters: tuple[ParameterRow, ...]
    rule_files: tuple[RuleFile, ...]
    known_answers: str
    verification: tuple[str, ...]
    glossary: tuple[Fact, ...]
    listed: tuple[ListedFinding, ...]
    """Every finding, none capped."""
    attachments: tuple[Attachment, ...]
    """Files that lie inside the PDF."""
    volumes: "VolumesPart | None" = None
    """What stands in which volume, where this is the first of several."""


def build(
    record: Record,
    framework: Framework,
    *,
    name: str = "",
    privacy: str,
    key: bytes,
    rows_per_rule: int,
    prepared_by: str,
    manifest_sha256: str,
    generated_at: datetime,
    manifest: bytes = b"",
    most_sheets: int = SHEETS,
    background: Background = NOTHING_KNOWN,
    recipient: str = "",
) -> Content:
    """Compute a report; equal arguments give an equal one.

    `name` is what its id begins with, `key` makes the pseudonyms, `manifest` seals the scan.
    """
    if privacy not in PROFILES:
        raise ConfigError(f"[report] privacy must be one of {', '.join(PROFILES)}, not {privacy!r}")
    if len(key) != KEY_BYTES:
        raise ValueError("the pseudonym key must have 32 bytes")
    words = load()
    inputs = gather(
        record,
        framework,
        words,
        privacy=privacy,
        key=key,
        rows_per_rule=rows_per_rule,
        sheets=most_sheets,
        background=background,
    )
    first = cover(
        inputs,
        name=name,
        subtitle=_subtitle(inputs),
        prepared_by=prepared_by,
        manifest_sha256=manifest_sha256,
        generated_at=generated_at,
        recipient=recipient,
    )
    rows = listed(inputs)
    columns = matrix.columns(inputs)
    return Content(
        words=words,
        cover=first,
        framework=framework.title,
        privacy=privacy,
        scan=record.scan,
        manifest_sha256=manifest_sha256,
        unit=inputs.text("unit"),
        sections=_sections(inputs),
        headings=_headings(inputs),
        summary=summary(inputs),
        scope_intro=inputs.text("scope"),
        scope=scope.scope_rows(inputs),
        out_of_scope=_out_of_scope(inputs),
        coverage_map=figures.coverage_map(inputs),
        sources=scope.source_rows(inputs),
        completeness=completeness.completeness(inputs, prepared_by),
        accounts=ledger.accounts_ledger(inputs),
        leavers=ledger.leavers_ledger(inputs),
        closure_chart=figures.closure_chart(inputs),
        period=over_time.period_part(inputs),
        matrix=matrix.matrix(inputs, columns),
        worksheet=worksheets.worksheet(inputs),
        incidents=worksheets.incidents(inputs),
        controls_intro=inputs.text("controls"),
        controls=controls.control_parts(inputs),
        exceptions=exceptions.sections(inputs, "exceptions"),
        sheets=sheets.sheets(inputs),
        ageing_chart=figures.ageing_chart(inputs),
        trend_chart=figures.trend_chart(inputs),
        unknowns=exceptions.sections(inputs, "unknowns"),
        leads=exceptions.sections(inputs, "leads"),
        waived=exceptions.sections(inputs, "waived"),
        waivers=accepted.waivers(inputs),
        suppressions=appendix.suppression_rows(inputs),
        remediation=remediation.remediation(inputs),
        limits_of_scan=limitations.limitations_of_scan(inputs),
        limits_standing=limitations.standing_limitations(inputs),
        retention=inputs.text("retention"),
        signatures=appendix.signatures(inputs),
        parameters=appendix.parameter_rows(inputs),
        rule_files=appendix.rule_files(inputs),
        known_answers=appendix.known_answers(inputs),
        verification=appendix.verification(inputs, manifest_sha256),
        glossary=appendix.glossary(inputs),
        listed=rows,
        attachments=attachments(inputs, first.id, manifest, rows, columns),
    )


def _headings(inputs: Inputs) -> Mapping[str, str]:
    """Return the heading of each part: that of the framework where its readers have a word of their own for it."""
    unit = inputs.text("unit")
    own = {name: inputs.text(f"heading.{name}") for name in ("scope", "matrix", "worksheet", "incidents")}
    return {name: own.get(name) or inputs.words(f"section.{name}", unit=unit) for name in _sections(inputs)}


def _sections(inputs: Inputs) -> tuple[str, ...]:
    """Return the parts in the order of the framework; what happened in a period follows its scope."""
    names = inputs.framework.structure.sections
    if inputs.background.period is None:
        return names
    place = names.index("scope") + 1
    return (*names[:place], "period", *names[place:])


def _subtitle(inputs: Inputs) -> str:
    told, period = inputs.text("subtitle"), inputs.background.period
    if period is None:
        return told
    return inputs.words("period.subtitle", subtitle=told, first=period.first.isoformat(), last=period.last.isoformat())


def _out_of_scope(inputs: Inputs) -> str:
    if inputs.framework.id == APPLICATION:
        return inputs.words("scope.one_alone")
    if not inputs.out_of_scope:
        return inputs.words("scope.none_outside")
    names = tuple(inputs.disclosure.text(fact.name) for fact in inputs.out_of_scope)
    return inputs.words.count("scope.outside", len(names), names=inputs.words.join(names))
