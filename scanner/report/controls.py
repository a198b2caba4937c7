"""The result of every control, with the rules behind it and what they could not say."""

import re
from dataclasses import dataclass

from scanner.frameworks import Bound, ControlOutcome, ControlResult, RuleShare
from scanner.report.inputs import Inputs
from scanner.report.unable import unable_reasons


@dataclass(frozen=True, slots=True)
class Tally:
    """How many controls have one result."""

    outcome: ControlOutcome
    controls: int


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


def control_parts(inputs: Inputs) -> tuple[ControlPart, ...]:
    """Return one part per control, in the order of the framework."""
    return tuple(_part(inputs, result) for result in inputs.controls)


def tallies(inputs: Inputs) -> tuple[Tally, ...]:
    """Return how many controls have each of the four results, zeros included."""
    results = [result.result for result in inputs.controls]
    return tuple(Tally(outcome, results.count(outcome)) for outcome in ControlOutcome)


def anchor(prefix: str, name: str) -> str:
    """Return a name that a link inside the document can point to."""
    return f"{prefix}-" + re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def _part(inputs: Inputs, result: ControlResult) -> ControlPart:
    control, words, shown = result.control, inputs.words, inputs.disclosure.text
    kinds = (("kind", control.kind), ("force", control.force))
    tags = [words.optional(f"{group}.{value}", value) for group, value in kinds]
    return ControlPart(
        anchor=anchor("control", control.id),
        id=control.id,
        title=control.title,
        paraphrase=control.paraphrase,
        tags=tuple(dict.fromkeys(tag for tag in tags if tag)),
        result=result.result,
        rules=tuple(_line(inputs, share) for share in result.rules),
        exceptions=result.exceptions,
        tested=result.tested,
        population=result.population,
        count_sentence=_count_sentence(inputs, result),
        loosened=tuple(_loosened(inputs, bound, value) for bound, value in result.loosened),
        unable=_unable(inputs, result),
        scope_note=shown(result.scope_note),
        not_tested=control.not_tested,
        is_confirmed=control.is_confirmed,
        source=inputs.disclosure.text(control.source),
    )


def _line(inputs: Inputs, share: RuleShare) -> RuleLine:
    return RuleLine(
        rule=share.rule,
        title=share.title,
        strength=inputs.words("strength.lead" if share.lead else f"strength.{share.strength}"),
        result=share.result,
        population=share.population,
        tested=share.tested,
        unable=share.unable,
        excluded=share.excluded,
        exceptions=None if share.lead else share.exceptions,
        because=share.because,
        not_covered=share.not_covered,
    )


def _loosened(inputs: Inputs, bound: Bound, value: object) -> str:
    """Return why a parameter in force makes the control fail."""
    words, shown = inputs.words, inputs.disclosure.text
    limits = {"at_most": bound.at_most, "at_least": bound.at_least}
    told = [words(f"control.{key}", limit=f"{limit:g}") for key, limit in limits.items() if limit is not None]
    return words(
        "control.loosened",
        parameter=bound.parameter,
        rule=bound.rule,
        value=value,
        limit=words.join(told),
        because=shown(bound.because),
    )


def _count_sentence(inputs: Inputs, result: ControlResult) -> str:
    words = inputs.words
    if not any(share.decides for share in result.rules):
        return words("control.only_supporting" if result.rules else "control.no_rule")
    deciding = sum(share.decides for share in result.rules)
    exceptions = words.count("count.exceptions", result.exceptions)
    tests = words.count("control.tests", result.tested, population=result.population)
    return words.count("control.counts", deciding, tests=tests, exceptions=exceptions)


def _unable(inputs: Inputs, result: ControlResult) -> tuple[str, ...]:
    words = inputs.words
    reasons = unable_reasons(inputs, result.rules)
    if result.not_run:
        return (*reasons, words.count("control.not_run", len(result.not_run), rules=words.join(result.not_run)))
    return reasons
