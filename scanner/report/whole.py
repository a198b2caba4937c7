"""A scan as a whole, beyond any framework: what the formats for spreadsheets, programs and tickets are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from scanner.frameworks import ALL_DATA, Control, ControlOutcome, Edge, Framework, Strength
from scanner.model import Scan, Severity
from scanner.model_record import Record
from scanner.report.cover import classification
from scanner.report.disclosure import clean
from scanner.report.inputs import Inputs, gather
from scanner.report.listing import ListedFinding, listed
from scanner.report.scope import source_name
from scanner.report.words import Words, load


@dataclass(frozen=True, slots=True)
class WholeControl:
    """The result of one control of one framework, in numbers."""

    framework: str
    """Its id."""
    framework_title: str
    control: str
    title: str
    result: ControlOutcome
    exceptions: int
    tested: int
    population: int
    rules: tuple[str, ...]
    """Ids of the rules that decide its result."""


@dataclass(frozen=True, slots=True)
class WholeSource:
    """One collection, in numbers. `stated` is None where the source did not say."""

    name: str
    kind: str
    type: str
    verdict: str
    stated: int | None
    collected: int
    duplicates: int
    rejected: int
    coverage: str
    detail: str
    started_at: datetime | None
    finished_at: datetime | None
    sha256: str


@dataclass(frozen=True, slots=True)
class LedgerCount:
    """How many accounts of an application are in one bucket, or leavers with one outcome."""

    direction: str
    """accounts (applications -> HR) or leavers (HR -> applications)."""
    application: str
    bucket: str
    meaning: str
    count: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What a rule says of its findings."""

    theme: str
    why: str
    remedy: str
    requirements: tuple[tuple[str, str], ...]
    """Title of a framework and id of a control whose result the rule decides."""


@dataclass(frozen=True, slots=True)
class Whole:
    """One scan, safe to show: cleaned, and pseudonymised as its profile asks."""

    words: Words
    report_id: str
    privacy: str
    classification: str
    """With the recipient, where the profile is L2."""
    recipient: str
    organization: str
    scan: Scan
    """`manifest_sha256` seals it."""
    findings: tuple[ListedFinding, ...]
    advice: Mapping[str, Advice]
    """By rule."""
    controls: tuple[WholeControl, ...]
    sources: tuple[WholeSource, ...]
    ledger: tuple[LedgerCount, ...]

    @property
    def about(self) -> dict[str, str]:
        """What every file says of where it comes from."""
        told = {
            "report": self.report_id,
            "privacy": self.privacy,
            "scan": self.scan.id,
            "as_of": self.scan.as_of.isoformat(),
            "evidence_manifest_sha256": self.scan.manifest_sha256,
        }
        return told | {"recipient": self.recipient} if self.recipient else told

    @property
    def exceptions(self) -> tuple[ListedFinding, ...]:
        """Findings that are exceptions: tests that failed and are open, without leads."""
        return tuple(row for row in self.findings if row.is_exception)

    def by_severity(self) -> Mapping[Severity, int]:
        """Return how many exceptions have each severity, worst first, zeros included."""
        found = [row.severity for row in self.exceptions]
        return {severity: found.count(severity.value) for severity in Severity}


def build_whole(
    record: Record, frameworks: Sequence[Framework], *, privacy: str, key: bytes, recipient: str = ""
) -> Whole:
    """Compute what a scan shows as a whole; controls are those of `frameworks`, `recipient` is for whom an L2 is."""
    words = load()
    inputs = gather(record, _every_rule(record), words, privacy=privacy, key=key, rows_per_rule=0)
    shown = inputs.disclosure.text
    views = [gather(record, one, words, privacy=privacy, key=key, rows_per_rule=0) for one in frameworks]
    return Whole(
        words=words,
        report_id=f"SCAN-{record.scan.id}-{privacy}",
        privacy=privacy,
        classification=classification(words, privacy, recipient),
        recipient=clean(recipient),
        organization=shown(record.organization),
        scan=record.scan,
        findings=listed(inputs),
        advice=_advice(inputs, views),
        controls=tuple(control for view in views for control in _controls(view)),
        sources=tuple(_sources(inputs)),
        ledger=tuple(_ledger(inputs)),
    )


def _every_rule(record: Record) -> Framework:
    """Return a framework of every application, with one control for each rule that was run."""
    controls = tuple(
        Control(
            id=result.rule,
            title=result.title,
            paraphrase="",
            kind="rule",
            force="",
            families=(),
            edges=(Edge(result.rule, "", Strength.DIRECT, "", ""),),
            bounds=(),
            not_tested=(),
            confidence="confirmed",
            verified_on="",
            source="",
        )
        for result in record.results
    )
    return Framework("scan", "", "", "in_force", ALL_DATA, "rule", "", controls)


def _advice(inputs: Inputs, views: Sequence[Inputs]) -> dict[str, Advice]:
    decided: dict[str, list[tuple[str, str]]] = {}
    for view in views:
        for result in view.controls:
            for share in result.rules:
                if share.decides:
                    decided.setdefault(share.rule, []).append((view.framework.title, result.control.id))
    shown = inputs.disclosure.text
    return {
        rule.id: Advice(rule.theme, shown(rule.why), shown(rule.remedy), tuple(decided.get(rule.id, ())))
        for rule in inputs.record.rules
    }


def _controls(view: Inputs) -> list[WholeControl]:
    return [
        WholeControl(
            framework=view.framework.id,
            framework_title=view.framework.title,
            control=result.control.id,
            title=result.control.title,
            result=result.result,
            exceptions=result.exceptions,
            tested=result.tested,
            population=result.population,
            rules=tuple(share.rule for share in result.rules if share.decides),
        )
        for result in view.controls
    ]


def _sources(inputs: Inputs) -> list[WholeSource]:
    shown = inputs.disclosure.text
    return [
        WholeSource(
            name=source_name(inputs, source),
            kind=source.kind,
            type=source.type,
            verdict=source.verdict.value,
            stated=source.stated,
            collected=source.collected,
            duplicates=source.duplicates,
            rejected=source.rejected,
            coverage=source.coverage,
            detail=shown(source.detail),
            started_at=source.started_at,
            finished_at=source.finished_at,
            sha256=source.sha256,
        )
        for source in inputs.record.sources
    ]


def _ledger(inputs: Inputs) -> list[LedgerCount]:
    sides = (("accounts", inputs.record.account_buckets), ("leavers", inputs.record.leaver_outcomes))
    return [
        LedgerCount(
            side, inputs.application(app), bucket, inputs.words(f"ledger.{side}.{bucket}.meaning"), counts[bucket]
        )
        for side, per_app in sides
        for app, counts in sorted(per_app.items())
        for bucket in counts
        if bucket != "total"
    ]
