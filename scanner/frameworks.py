"""Frameworks as data: rule -> control family -> control, and rule results folded into control results."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError
from scanner.model import ApplicationFact, AppOutcome, Finding, RuleOutcome, RuleResult
from scanner.paths import bundled


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


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework, in one edition."""

    id: str
    title: str
    edition: str
    status: str
    """in_force, proposed or superseded."""
    data: str
    """Applications that hold this kind of data belong to it: personal, financial or ephi."""
    unit: str
    """What the framework is tested by, for headings: article, control, standard or specification."""
    note: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class RuleShare:
    """What one rule contributes to one control, restricted to the applications of the framework."""

    rule: str
    title: str
    strength: Strength
    because: str
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


def load(folder: Path | None = None) -> tuple[Framework, ...]:
    """Read families.toml and every framework beside it, in the order of their ids."""
    folder = folder or bundled("rules") / "frameworks"
    families = load_families(folder)
    files = sorted(path for path in folder.glob("*.toml") if path.name != "families.toml")
    return tuple(_framework(path, families) for path in files)


def load_families(folder: Path | None = None) -> Mapping[str, Family]:
    """Read families.toml: control family -> the rules that speak about it."""
    path = (folder or bundled("rules") / "frameworks") / "families.toml"
    families: dict[str, Family] = {}
    for row in _read(path).get("family", []):
        family = str(_need(row, "id", path))
        if family in families:
            raise ConfigError(f"{path}: the family {family} is declared twice")
        edges = tuple(
            Edge(str(_need(rule, "id", path)), family, _strength(rule, path), str(_need(rule, "because", path)))
            for rule in row.get("rule", [])
        )
        families[family] = Family(family, str(_need(row, "title", path)), str(_need(row, "objective", path)), edges)
    return families


def fold(
    framework: Framework, results: Iterable[RuleResult], applications: Iterable[ApplicationFact]
) -> tuple[ControlResult, ...]:
    """Fold rule results into one result per control, over the applications whose data fits the framework."""
    by_rule = {result.rule: result for result in results}
    in_scope = [fact for fact in applications if framework.data in fact.data]
    scope = frozenset(fact.app for fact in in_scope)
    note = _scope_note(in_scope)
    return tuple(_fold_control(control, by_rule, scope, note) for control in framework.controls)


def _fold_control(
    control: Control, results: Mapping[str, RuleResult], scope: frozenset[str], note: str
) -> ControlResult:
    shares = [_share(edge, results[edge.rule], scope) for edge in control.edges if edge.rule in results]
    shares.sort(key=lambda share: (not share.decides, share.strength.rank, share.rule))
    deciding = [share for share in shares if share.decides]
    not_run = tuple(
        edge.rule for edge in control.edges if edge.rule not in results and edge.strength is not Strength.SUPPORTING
    )
    return ControlResult(
        control=control,
        result=_worst(share.result for share in deciding),
        rules=tuple(shares),
        population=sum(share.population for share in deciding),
        tested=sum(share.tested for share in deciding),
        exceptions=sum(share.exceptions for share in deciding),
        findings=tuple({finding.fingerprint: finding for share in deciding for finding in share.findings}.values()),
        not_run=not_run,
        scope_note=note if deciding else "",
    )


def _share(edge: Edge, result: RuleResult, scope: frozenset[str]) -> RuleShare:
    apps = [app for app in result.apps if app.app is None or app.app in scope]
    findings = tuple(finding for finding in result.findings if finding.app is None or finding.app in scope)
    exceptions = 0 if result.lead else sum(finding.counts for finding in findings)
    return RuleShare(
        rule=edge.rule,
        title=result.title,
        strength=edge.strength,
        because=edge.because,
        result=_outcome(result, apps, findings, exceptions),
        population=sum(app.population for app in apps),
        tested=sum(app.tested for app in apps),
        unable=sum(app.unable for app in apps),
        excluded=sum(app.excluded for app in apps),
        exceptions=exceptions,
        detail="; ".join(dict.fromkeys(filter(None, (result.detail, *(app.detail for app in apps))))),
        lead=result.lead,
        findings=findings,
    )


def _outcome(
    result: RuleResult, apps: Sequence[AppOutcome], findings: Sequence[Finding], exceptions: int
) -> ControlOutcome:
    if result.result is RuleOutcome.ERROR:
        return ControlOutcome.UNABLE
    if exceptions:
        return ControlOutcome.EXCEPTIONS
    if any(app.result in (RuleOutcome.ERROR, RuleOutcome.UNABLE_TO_TEST) for app in apps):
        return ControlOutcome.UNABLE
    if any(finding.verdict == "unknown" for finding in findings):
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


def _framework(path: Path, families: Mapping[str, Family]) -> Framework:
    document = _read(path)
    controls = tuple(_control(row, families, path) for row in document.get("control", []))
    ids = [control.id for control in controls]
    for control in ids:
        if ids.count(control) > 1:
            raise ConfigError(f"{path}: the control {control} is declared twice")
    return Framework(
        id=str(_need(document, "id", path)),
        title=str(_need(document, "title", path)),
        edition=str(_need(document, "edition", path)),
        status=str(_need(document, "status", path)),
        data=str(_need(document, "data", path)),
        unit=str(document.get("unit", "control")),
        note=str(document.get("note", "")).strip(),
        controls=controls,
    )


def _control(row: Mapping[str, Any], families: Mapping[str, Family], path: Path) -> Control:
    confidence = str(_need(row, "confidence", path))
    if confidence not in ("confirmed", "unconfirmed"):
        raise ConfigError(f"{path}: confidence of {row.get('id')} must be confirmed or unconfirmed, not {confidence!r}")
    links = row.get("families", [])
    return Control(
        id=str(_need(row, "id", path)),
        title=str(_need(row, "title", path)),
        paraphrase=str(_need(row, "paraphrase", path)),
        kind=str(_need(row, "kind", path)),
        force=str(_need(row, "force", path)),
        families=tuple(str(_need(link, "id", path)) for link in links),
        edges=_edges(links, families, path),
        not_tested=tuple(str(text) for text in _need(row, "not_tested", path)),
        confidence=confidence,
        verified_on=str(row.get("verified_on", "")),
        source=str(_need(row, "source", path)),
    )


def _edges(links: Sequence[Mapping[str, Any]], families: Mapping[str, Family], path: Path) -> tuple[Edge, ...]:
    """Join both halves; where a rule comes through two families, the stronger way is kept."""
    best: dict[str, Edge] = {}
    for link in links:
        name = str(_need(link, "id", path))
        if name not in families:
            raise ConfigError(f"{path}: unknown control family {name}; known: {', '.join(sorted(families))}")
        because = str(_need(link, "because", path))
        for half in families[name].rules:
            strength = max(half.strength, _strength(link, path), key=lambda one: one.rank)
            edge = Edge(half.rule, name, strength, f"{half.because} {because}")
            if half.rule not in best or strength.rank < best[half.rule].strength.rank:
                best[half.rule] = edge
    return tuple(sorted(best.values(), key=lambda edge: (edge.strength.rank, edge.rule)))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}; check the path and its permissions") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: not valid TOML: {exc}") from exc


def _need(row: Mapping[str, Any], key: str, path: Path) -> Any:
    if key not in row:
        raise ConfigError(f"{path}: the key {key} is missing in {row.get('id', 'the file')}")
    return row[key]


def _strength(row: Mapping[str, Any], path: Path) -> Strength:
    value = str(_need(row, "strength", path))
    try:
        return Strength(value)
    except ValueError:
        known = ", ".join(Strength)
        raise ConfigError(f"{path}: strength of {row.get('id')} must be one of {known}, not {value!r}") from None
