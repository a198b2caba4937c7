"""Everything that a report shows, computed once from a record and a framework; templates only render it."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from scanner.errors import ConfigError
from scanner.frameworks import Framework
from scanner.model import Record, Scan
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
    remediation,
    scope,
    sheets,
    worksheets,
)
from scanner.report.attachments import Attachment, attachments
from scanner.report.background import NOTHING_KNOWN, Background
from scanner.report.disclosure import clean
from scanner.report.inputs import Inputs, gather, utc
from scanner.report.listing import ListedFinding, listed
from scanner.report.parts import (
    Chart,
    Completeness,
    ControlPart,
    CoverageMap,
    Fact,
    LedgerPart,
    MatrixPart,
    ParameterRow,
    RemediationPart,
    RuleFile,
    RuleSection,
    ScopeRow,
    SheetsPart,
    Signature,
    SourceRow,
    Summary,
    SuppressionRow,
    WaiverPart,
    Worksheet,
)
from scanner.report.pseudonyms import KEY_BYTES
from scanner.report.summary import summary
from scanner.report.words import Words, load

PROFILES = ("L1", "L2")
SHEETS = 10
"""Exceptions of critical and high severity with a sheet of their own, unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class Content:
    """One report, safe to print: cleaned, pseudonymised as its profile asks, and complete."""

    words: Words
    title: str
    subtitle: str
    organization: str
    framework: str
    report_id: str
    privacy: str
    classification: str
    is_draft: bool
    """True until people have signed; printed on each page."""
    generated_at: datetime
    scan: Scan
    manifest_sha256: str
    manifest_short: str
    cover: tuple[Fact, ...]
    banner: str
    """A sentence across the cover, for a framework that is not in force."""
    reader: str
    note: str
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


def build(
    record: Record,
    framework: Framework,
    *,
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
    """Compute a report. `key` makes the pseudonyms, `manifest` seals the scan; equal arguments give an equal report."""
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
    report_id = f"{framework.id.upper()}-{record.scan.id}-{privacy}"
    shown = inputs.disclosure.text
    rows = listed(inputs)
    columns = matrix.columns(inputs)
    return Content(
        words=words,
        title=inputs.text("title"),
        subtitle=inputs.text("subtitle"),
        organization=shown(record.organization),
        framework=framework.title,
        report_id=report_id,
        privacy=privacy,
        classification=classification(words, privacy, recipient),
        is_draft=True,
        generated_at=generated_at,
        scan=record.scan,
        manifest_sha256=manifest_sha256,
        manifest_short=manifest_sha256[:16] or words("cover.not_sealed"),
        cover=cover(inputs, report_id, prepared_by, manifest_sha256, generated_at, recipient),
        banner="" if framework.status == "in_force" else words("cover.not_in_force", status=framework.status),
        reader=inputs.text("reader"),
        note=framework.note,
        unit=inputs.text("unit"),
        sections=framework.structure.sections,
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
        matrix=matrix.matrix(inputs, columns),
        worksheet=worksheets.worksheet(inputs),
        incidents=worksheets.incidents(inputs),
        controls_intro=inputs.text("controls"),
        controls=controls.control_parts(inputs),
        exceptions=exceptions.exception_sections(inputs),
        sheets=sheets.sheets(inputs),
        ageing_chart=figures.ageing_chart(inputs),
        trend_chart=figures.trend_chart(inputs),
        unknowns=exceptions.unknown_sections(inputs),
        leads=exceptions.lead_sections(inputs),
        waived=exceptions.waived_sections(inputs),
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
        attachments=attachments(inputs, report_id, manifest, rows, columns),
    )


def _headings(inputs: Inputs) -> Mapping[str, str]:
    """Return the heading of each part: that of the framework where its readers have a word of their own for it."""
    unit = inputs.text("unit")
    own = {name: inputs.text(f"heading.{name}") for name in ("scope", "matrix", "worksheet", "incidents")}
    return {
        name: own.get(name) or inputs.words(f"section.{name}", unit=unit)
        for name in inputs.framework.structure.sections
    }


def classification(words: Words, privacy: str, recipient: str) -> str:
    """Return the words that stand on each page; an identified report says for whom it is."""
    short = words(f"classification.{privacy}.short")
    return words("classification.for", short=short, recipient=clean(recipient)) if recipient else short


def cover(
    inputs: Inputs, report_id: str, prepared_by: str, manifest_sha256: str, generated_at: datetime, recipient: str = ""
) -> tuple[Fact, ...]:
    """Return the facts of the first page."""
    words, record, framework = inputs.words, inputs.record, inputs.framework
    local = record.scan.as_of.astimezone(ZoneInfo(record.timezone))
    edition = words("cover.edition_value", title=framework.title, edition=framework.edition)
    facts = {
        "organization": (inputs.disclosure.text(record.organization), False),
        "framework": (edition, False),
        "mapping": (mapping_version(framework), True),
        "as_of": (utc(record.scan.as_of.astimezone(UTC)), False),
        "as_of_local": (f"{local:%Y-%m-%d %H:%M:%S} {record.timezone}", False),
        "classification": (words(f"classification.{inputs.disclosure.privacy}.long"), False),
        # The author's own name is a signature, not data about an account: it is shown in every profile.
        "prepared_by": (prepared_by or words("value.not_stated"), False),
        "report_id": (report_id, True),
        "scan_id": (record.scan.id, True),
        "tool": (words("cover.tool_value", version=record.scan.tool_version), False),
        "generated": (utc(generated_at.astimezone(UTC)), False),
        "manifest": (manifest_sha256 or words("cover.not_sealed"), True),
    }
    if record.scan.manifest_number:
        facts["number"] = (words("cover.number_value", n=record.scan.manifest_number), False)
    if recipient:
        facts["recipient"] = (clean(recipient), False)
    return tuple(Fact(words(f"cover.{name}"), value, is_code) for name, (value, is_code) in facts.items())


def mapping_version(framework: Framework) -> str:
    """Return the first 12 hex digits of the SHA-256 of the mapping as loaded, families included."""
    text = json.dumps(dataclasses.asdict(framework), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _out_of_scope(inputs: Inputs) -> str:
    if not inputs.out_of_scope:
        return inputs.words("scope.none_outside")
    names = tuple(inputs.disclosure.text(fact.name) for fact in inputs.out_of_scope)
    return inputs.words.count("scope.outside", len(names), names=inputs.words.join(names))
