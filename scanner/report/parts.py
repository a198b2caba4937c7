"""The values that templates show. Everything is computed and safe to print; a template adds no judgement of its own."""

from dataclasses import dataclass

from scanner.frameworks import ControlOutcome
from scanner.model import Severity


@dataclass(frozen=True, slots=True)
class Fact:
    """A term and what is said about it."""

    term: str
    value: str
    is_code: bool = False
    """Set in the fixed-width face: ids and hashes."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many controls have one result."""

    outcome: ControlOutcome
    controls: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar."""

    fill: str
    """solid, hatch, cross, dots, white or tint: told apart in grey too."""
    count: int
    x: float
    width: float
    label: str
    """The count, or empty where it does not fit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart."""

    label: str
    y: float
    segments: tuple[Segment, ...]
    total: int
    end: float
    """Where the last segment ends."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars in parts, laid out."""

    name: str
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, str, float], ...]
    """Pattern, word and place of each part that occurs."""
    title: str
    description: str
    """The same facts in words, for readers who do not see the chart."""
    table: tuple[tuple[str, tuple[int, ...]], ...]
    """The same numbers: name of a bar, and one number per entry of the legend."""
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """How far one application is seen in one respect."""

    fill: str
    """solid: in full, hatch: in part, white: not at all."""
    word: str
    x: float


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """How far one application is seen."""

    label: str
    y: float
    cells: tuple[CoverageCell, ...]


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """Application x what is seen of it."""

    columns: tuple[tuple[str, float], ...]
    rows: tuple[CoverageRow, ...]
    title: str
    description: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What one rule says about one control."""

    rule: str
    title: str
    strength: str
    result: ControlOutcome
    population: int
    tested: int
    unable: int
    excluded: int
    exceptions: int | None
    """None for a lead, which has none by definition."""
    because: str
    not_covered: str


@dataclass(frozen=True, slots=True)
class ControlPart:
    """The result of one control."""

    anchor: str
    id: str
    title: str
    paraphrase: str
    tags: tuple[str, ...]
    """Kind and force, in words."""
    result: ControlOutcome
    rules: tuple[RuleLine, ...]
    exceptions: int
    tested: int
    population: int
    count_sentence: str
    loosened: tuple[str, ...]
    """Parameters looser than the framework allows: each makes the control fail."""
    unable: tuple[str, ...]
    """Why it could not be tested in full, and which input would change that."""
    scope_note: str
    not_tested: tuple[str, ...]
    is_confirmed: bool
    source: str


@dataclass(frozen=True, slots=True)
class TopException:
    """One of the results that a reader in a hurry must see."""

    anchor: str
    title: str
    severity: Severity
    severity_word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The page for a reader in a hurry."""

    headline: str
    sentences: tuple[str, ...]
    tallies: tuple[Tally, ...]
    top: tuple[TopException, ...]
    chart: Chart | None
    coverage: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One finding, as the profile lets it be seen."""

    reference: str
    application: str
    subject: str
    """The account, else the person, else what the finding is about as a whole."""
    person: str
    """Whom the account is matched to, where that is not the subject itself."""
    is_name: bool
    """Whether the subject is an id or a name, not words of the catalogue."""
    entitlement: str
    reason: tuple[tuple[str, bool], ...]
    """Pieces of the sentence; True marks a person or an account."""
    evidence: tuple[tuple[str, str], ...]
    severity: Severity
    severity_word: str
    state: str
    first_seen: str


@dataclass(frozen=True, slots=True)
class RuleSection:
    """The findings of one rule."""

    anchor: str
    rule: str
    title: str
    severity: Severity
    severity_word: str
    why: str
    remedy: str
    rows: tuple[ExceptionRow, ...]
    total: int
    shown_sentence: str
    denominator: str
    note: str


@dataclass(frozen=True, slots=True)
class LedgerTerm:
    """One bucket or outcome: what it means and how many there are in all."""

    short: str
    name: str
    meaning: str
    count: int


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """The counts of one application, of a group of them, or of all."""

    name: str
    note: str
    """Why zeros here may not mean that there is nothing; else empty."""
    counts: tuple[int, ...]
    total: int
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """One direction of the ledger."""

    terms: tuple[LedgerTerm, ...]
    columns: tuple[str, ...]
    """Those terms that are not zero everywhere."""
    lines: tuple[LedgerLine, ...]
    total: int
    sum_sentence: str
    left_out: str
    is_wide: bool


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """One application of the framework's scope."""

    name: str
    app: str
    owner: str
    connection: str
    reason: str
    """Why it is not connected; empty if it is."""
    coverage: str
    verdict: str
    accounts: str
    sign_ins: str
    data: str
    is_connected: bool


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One collection, with the numbers behind its verdict."""

    name: str
    kind: str
    stated: str
    collected: int
    difference: str
    duplicates: int
    rejected: int
    groups: str
    is_complete: bool
    verdict: str
    meaning: str
    detail: str
    query: str
    hash: str
    times: str


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    """One kind of thing that can keep a finding from being raised."""

    name: str
    entries: int
    previous: str
    change: str


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of the sign-off block."""

    role: str
    statement: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter of a rule."""

    rule: str
    name: str
    value: str
    default: str
    is_changed: bool
    source: str


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One rule file, by its hash."""

    rule: str
    title: str
    severity_word: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change that remediation made, or tried to make."""

    application: str
    account: str
    change: str
    made: str
    approved: str
    outcome: str
    age: int
    """Days before the scan."""
    status: str
    is_open: bool
    """Whether somebody has to look at it again."""


@dataclass(frozen=True, slots=True)
class RemediationPart:
    """What was changed because of findings."""

    rows: tuple[ChangeRow, ...]
    summary: str
    shown_sentence: str


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """The result of one requirement in one system."""

    outcome: ControlOutcome
    word: str


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One requirement over several systems."""

    anchor: str
    id: str
    title: str
    flag: str
    """Required or addressable, principle or article; empty where a framework knows no such thing."""
    cells: tuple[MatrixCell, ...]


@dataclass(frozen=True, slots=True)
class MatrixTable:
    """As many systems as fit side by side."""

    systems: tuple[tuple[str, str], ...]
    """Name and what is noted below it."""
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True)
class MatrixPart:
    """Requirement x system."""

    intro: str
    period: str
    """The instant or the period that the results stand for."""
    tables: tuple[MatrixTable, ...]
    flag: str
    """Head of the column of flags; empty where a framework knows none."""
    left_out: str


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A form: columns that are given, and columns that people fill in."""

    title: str
    intro: str
    empty: str
    given: tuple[str, ...]
    blanks: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shown_sentence: str


@dataclass(frozen=True, slots=True)
class ExceptionSheet:
    """One exception on its own."""

    row: ExceptionRow
    title: str
    facts: tuple[Fact, ...]
    cause: str
    """Root-cause code where the data prove it; else empty, to be filled in."""
    blanks: tuple[str, ...]
    """Labels of what people fill in."""


@dataclass(frozen=True, slots=True)
class SheetsPart:
    """The sheets of the gravest exceptions."""

    sheets: tuple[ExceptionSheet, ...]
    shown_sentence: str
    codes: tuple[Fact, ...]
    """Root-cause codes and what they mean."""
    repeats: str
    """How many exceptions were gone once and are back."""


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
    """One change of rules, parameters, inputs or program between two scans."""

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


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """One accepted risk."""

    id: str
    what: str
    reason: str
    approver: str
    until: str
    status: str
    accepts: int


@dataclass(frozen=True, slots=True)
class WaiverPart:
    """Every accepted risk of the file, counted."""

    rows: tuple[WaiverRow, ...]
    counted: str
    shown_sentence: str
