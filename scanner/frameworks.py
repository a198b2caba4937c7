"""Frameworks as data: rule -> control family -> control, and rule results folded into control results."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanner.model import ApplicationFact, AppOutcome, Finding, RuleOutcome, RuleResult, Verdict
from scanner.model_rules import Rule

ALL_DATA = "all"
"""As the data of a framework: every application belongs to it."""


class Strength(StrEnum):
    """How well a rule tests a control, strongest first."""

    DIRECT = "direct"
    """The rule tests what the control asks for."""
    PARTIAL = "partial"
    """The rule tests one aspect of it."""
    SUPPORTING = "supporting"
    """Evidence only: never decides the result of the control."""

    @property
    def rank(self) -> int:
        """0 for direct to 2 for supporting."""
        return list(Strength).index(self)


class ControlOutcome(StrEnum):
    """The only four words that are ever printed as the result of a control."""

    EXCEPTIONS = "exceptions noted"
    NO_EXCEPTIONS = "no exceptions noted"
    UNABLE = "unable to test"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, slots=True)
class Edge:
    """The way from one rule to one control, through a family; the weaker of its two strengths counts."""

    rule: str
    family: str
    strength: Strength
    because: str
    """Why the rule speaks about the family, and why the family speaks about the control."""
    not_covered: str
    """What of the family's objective the rule does not see."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How far a parameter of a rule may be loosened before a control fails by that alone."""

    rule: str
    parameter: str
    at_most: float | None
    at_least: float | None
    because: str
    """Where the bound comes from."""

    def breaks(self, value: object) -> bool:
        """Return whether a value in force lies beyond the bound."""
        if not isinstance(value, (int, float)):
            return False
        over = self.at_most is not None and value > self.at_most
        return over or (self.at_least is not None and value < self.at_least)

    def __str__(self) -> str:
        """Return `at most 90`, as commands and documents say it."""
        limits = (("at most", self.at_most), ("at least", self.at_least))
        return " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)


@dataclass(frozen=True, slots=True)
class Family:
    """A neutral control objective between rules and frameworks."""

    id: str
    title: str
    objective: str
    rules: tuple[Edge, ...]
    """rule -> this family, with the strength of that half alone."""


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement of a framework, in our words."""

    id: str
    title: str
    paraphrase: str
    kind: str
    """article, principle, standard, specification, itgc ..."""
    force: str
    """mandatory, required, addressable, principle or guidance."""
    families: tuple[str, ...]
    edges: tuple[Edge, ...]
    """Strongest first; empty: no rule speaks about it, so it is listed as not tested."""
    bounds: tuple[Bound, ...]
    not_tested: tuple[str, ...]
    """What the tool does not cover of this control; always printed."""
    confidence: str
    """confirmed (read in the official text or a reputable source) or unconfirmed; printed."""
    verified_on: str
    """Date or month of that reading; empty if unconfirmed."""
    source: str

    @property
    def is_confirmed(self) -> bool:
        """Whether the reference was read in the official text or a reputable source."""
        return self.confidence == "confirmed"

    @property
    def strength(self) -> Strength | None:
        """How well the best of its rules tests it; None: not tested."""
        return self.edges[0].strength if self.edges else None


SECTIONS = (
    "summary",
    "scope",
    "completeness",
    "ledger",
    "matrix",
    "controls",
    "exceptions",
    "remediation",
    "limitations",
    "sign_off",
    "appendix",
)
"""The parts of a report in the order that most readers know; a framework may order them in another way."""
FURTHER_SECTIONS = ("worksheet", "incidents")
"""Forms for people to fill in, for frameworks whose readers expect them."""


@dataclass(frozen=True, slots=True)
class Structure:
    """How the report of a framework is built: its readers' order, unit of account and forms."""

    sections: tuple[str, ...] = SECTIONS
    flag: str = ""
    """What marks a requirement in the matrix: its force, its kind, or nothing."""
    shows_data: bool = False
    """Whether the kinds of data stand beside an application: where the unit is a processing of data."""
    worksheet: str = ""
    """What the form asks people about: failed_controls, addressable, applications, or nothing."""
    incidents: tuple[str, ...] = ()
    """Rules whose exceptions may be incidents, each with a line in the form for them."""


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework, in one edition."""

    id: str
    title: str
    edition: str
    status: str
    """in_force, proposed or superseded."""
    data: str
    """Applications that hold this kind of data belong to it: personal, financial, ephi, cardholder, or all."""
    unit: str
    """What the framework is tested by, for headings: article, control, standard or specification."""
    note: str
    controls: tuple[Control, ...]
    structure: Structure = Structure()

    def covers(self, application: ApplicationFact) -> bool:
        """Return whether an application belongs to its scope."""
        return self.data in (ALL_DATA, *application.data)

    def coverage(self) -> Mapping[Strength | None, int]:
        """Return how many controls are tested how well; None: not tested."""
        strengths = [control.strength for control in self.controls]
        return {strength: strengths.count(strength) for strength in (*Strength, None)}


@dataclass(frozen=True, slots=True)
class RuleShare:
    """What one rule contributes to one control, restricted to the applications of the framework."""

    rule: str
    title: str
    strength: Strength
    because: str
    not_covered: str
    result: ControlOutcome
    population: int
    tested: int
    unable: int
    excluded: int
    exceptions: int
    """Findings with verdict `fail`, neither waived nor past; 0 for a lead."""
    detail: str
    lead: bool
    findings: tuple[Finding, ...]
    """All of its findings in scope, `unknown` and waived ones included."""
    unseen: tuple[str, ...] = ()
    """Applications in scope whose list is not proven complete and of which it met nothing: some may be missing."""

    @property
    def decides(self) -> bool:
        """Whether it decides the result of the control: direct or partial, and not a lead."""
        return self.strength is not Strength.SUPPORTING and not self.lead


@dataclass(frozen=True, slots=True)
class ControlResult:
    """The result of one control. The counts are sums over the deciding rules: tests, not accounts."""

    control: Control
    result: ControlOutcome
    rules: tuple[RuleShare, ...]
    """Deciding ones first, then supporting evidence."""
    population: int
    tested: int
    exceptions: int
    findings: tuple[Finding, ...]
    """Of the deciding rules, each once."""
    not_run: tuple[str, ...] = ()
    """Rules that would decide but were disabled."""
    scope_note: str = ""
    """Which known systems of the framework's scope the result does not cover."""
    loosened: tuple[tuple[Bound, object], ...] = ()
    """Bounds of the control that a parameter breaks, with the value in force: each makes it fail."""


def fold(
    framework: Framework,
    results: Iterable[RuleResult],
    applications: Iterable[ApplicationFact],
    rules: Iterable[Rule],
) -> tuple[ControlResult, ...]:
    """Fold rule results into one result per control, over the applications whose data fits the framework.

    A control whose bound a parameter in force breaks has failed, whatever its rules found.
    """
    by_rule = {result.rule: result for result in results}
    known = tuple(rules)
    values = {(rule.id, one.name): one.value for rule in known for one in rule.params}
    by_list = frozenset(rule.id for rule in known if rule.needs.apps)
    in_scope = [fact for fact in applications if framework.covers(fact)]
    scope = _Scope(
        apps=frozenset(fact.app for fact in in_scope),
        incomplete=tuple(fact.app for fact in in_scope if fact.verdict not in (None, Verdict.COMPLETE)),
        by_list=by_list,
        note=_scope_note(in_scope),
    )
    return tuple(_fold_control(control, by_rule, values, scope) for control in framework.controls)


@dataclass(frozen=True, slots=True)
class _Scope:
    """The applications whose data fits a framework."""

    apps: frozenset[str]
    incomplete: tuple[str, ...]
    """Those whose list is not proven complete."""
    by_list: frozenset[str]
    """Rules that need whole lists."""
    note: str


def _fold_control(
    control: Control,
    results: Mapping[str, RuleResult],
    values: Mapping[tuple[str, str], object],
    scope: _Scope,
) -> ControlResult:
    shares = [_share(edge, results[edge.rule], scope) for edge in control.edges if edge.rule in results]
    shares.sort(key=lambda share: (not share.decides, share.strength.rank, share.rule))
    deciding = [share for share in shares if share.decides]
    not_run = tuple(
        edge.rule for edge in control.edges if edge.rule not in results and edge.strength is not Strength.SUPPORTING
    )
    in_force = [(bound, values.get((bound.rule, bound.parameter))) for bound in control.bounds if scope.apps]
    loosened = tuple((bound, value) for bound, value in in_force if bound.breaks(value))
    return ControlResult(
        control=control,
        result=ControlOutcome.EXCEPTIONS if loosened else _worst(share.result for share in deciding),
        rules=tuple(shares),
        population=sum(share.population for share in deciding),
        tested=sum(share.tested for share in deciding),
        exceptions=sum(share.exceptions for share in deciding),
        findings=tuple({finding.fingerprint: finding for share in deciding for finding in share.findings}.values()),
        not_run=not_run,
        scope_note=scope.note if deciding else "",
        loosened=loosened,
    )


def _share(edge: Edge, result: RuleResult, scope: _Scope) -> RuleShare:
    apps = [app for app in result.apps if app.app is None or app.app in scope.apps]
    findings = tuple(finding for finding in result.findings if finding.app is None or finding.app in scope.apps)
    met = {app.app for app in apps}
    unseen = tuple(app for app in scope.incomplete if app not in met) if result.rule in scope.by_list else ()
    exceptions = 0 if result.lead else sum(finding.counts for finding in findings)
    return RuleShare(
        rule=edge.rule,
        title=result.title,
        strength=edge.strength,
        because=edge.because,
        not_covered=edge.not_covered,
        result=_outcome(result, apps, findings, exceptions, unseen),
        population=sum(app.population for app in apps),
        tested=sum(app.tested for app in apps),
        unable=sum(app.unable for app in apps),
        excluded=sum(app.excluded for app in apps),
        exceptions=exceptions,
        detail="; ".join(dict.fromkeys(filter(None, (result.detail, *(app.detail for app in apps))))),
        lead=result.lead,
        findings=findings,
        unseen=unseen,
    )


def _outcome(
    result: RuleResult,
    apps: Sequence[AppOutcome],
    findings: Sequence[Finding],
    exceptions: int,
    unseen: Sequence[str],
) -> ControlOutcome:
    if result.result is RuleOutcome.ERROR:
        return ControlOutcome.UNABLE
    if exceptions:
        return ControlOutcome.EXCEPTIONS
    if any(app.result in (RuleOutcome.ERROR, RuleOutcome.UNABLE_TO_TEST) for app in apps):
        return ControlOutcome.UNABLE
    if any(finding.verdict == "unknown" for finding in findings):
        return ControlOutcome.UNABLE
    if unseen:
        # What a list that was not read whole does not show may be what the rule looks for.
        return ControlOutcome.UNABLE
    if not apps:
        # Nothing of the framework's scope was in the population: saying "no exceptions" would prove nothing.
        return ControlOutcome.UNABLE if result.result is RuleOutcome.UNABLE_TO_TEST else ControlOutcome.NOT_TESTED
    # What is left is clean, or had findings that are all waived or past: waivers are printed beside it.
    return ControlOutcome.NO_EXCEPTIONS


def _worst(outcomes: Iterable[ControlOutcome]) -> ControlOutcome:
    order = list(ControlOutcome)
    worst = {ControlOutcome.EXCEPTIONS: 0, ControlOutcome.UNABLE: 1, ControlOutcome.NO_EXCEPTIONS: 2}
    return min(outcomes, key=lambda outcome: worst.get(outcome, len(order)), default=ControlOutcome.NOT_TESTED)


def _scope_note(in_scope: Sequence[ApplicationFact]) -> str:
    unconnected = [fact.name for fact in in_scope if fact.type == "none"]
    narrow = [fact.name for fact in in_scope if fact.type != "none" and fact.coverage != "all"]
    notes = []
    if unconnected:
        notes.append(f"not connected, so not tested: {', '.join(unconnected)}")
    if narrow:
        notes.append(f"tested only for the accounts that its list shows: {', '.join(narrow)}")
    return "; ".join(notes)
