"""What lets a reader re-perform the tests: suppressions, parameters, rule files, verification, signatures, glossary."""

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.model import Suppression
from scanner.model_rules import RuleParameter
from scanner.report.cover import Fact
from scanner.report.inputs import Inputs

ROLES = ("operator", "owner", "reviewer")


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


def suppression_rows(inputs: Inputs) -> tuple[SuppressionRow, ...]:
    """Return everything that can keep a finding from being raised, with its change since the last scan."""
    return tuple(_suppression(inputs, entry) for entry in inputs.record.suppressions)


def parameter_rows(inputs: Inputs) -> tuple[ParameterRow, ...]:
    """Return the parameters of the rules that this report rests on, changed ones first."""
    rules = [inputs.rules[name] for name in sorted(inputs.shares) if name in inputs.rules]
    rows = [_parameter(inputs, rule.id, parameter) for rule in rules for parameter in rule.params]
    return tuple(sorted(rows, key=lambda row: not row.is_changed))


def rule_files(inputs: Inputs) -> tuple[RuleFile, ...]:
    """Return the rule files that this report rests on."""
    rules = [inputs.rules[name] for name in sorted(inputs.shares) if name in inputs.rules]
    return tuple(
        RuleFile(rule.id, rule.title, inputs.words(f"severity.{rule.severity}"), rule.sha256) for rule in rules
    )


def known_answers(inputs: Inputs) -> str:
    """Return what the rules said of the known-answer data set; nothing for scans of before."""
    known = inputs.record.known_answers
    if known is None:
        return ""
    values = {name: getattr(known, name) for name in ("detected", "planted", "false", "near_misses", "rules")}
    told = inputs.words("appendix.known_answers", **values, sha256=known.rules_sha256)
    if known.unplanted:
        told += " " + inputs.words("appendix.known_answers_without", rules=", ".join(known.unplanted))
    if not known.is_right:
        told += " " + inputs.words("appendix.known_answers_wrong", problems="; ".join(known.problems[:5]))
    return told


def signatures(inputs: Inputs) -> tuple[Signature, ...]:
    """Return the lines of the sign-off block: three roles of every framework, and its own."""
    words = inputs.words
    common = [Signature(words(f"sign_off.{role}.role"), words(f"sign_off.{role}.statement")) for role in ROLES]
    return (*common, Signature(inputs.text("sign_off.role"), inputs.text("sign_off.statement")))


def verification(inputs: Inputs, manifest_sha256: str) -> tuple[str, ...]:
    """Return the steps by which anyone can check this report against the scan folder, with common tools."""
    values: Mapping[str, str] = {
        "scan": inputs.record.scan.id,
        "manifest": manifest_sha256 or inputs.words("cover.not_sealed"),
        "as_of": f"{inputs.record.scan.as_of:%Y-%m-%d %H:%M:%S}",
    }
    return tuple(inputs.words(f"verify.{key}", **values) for key in inputs.words.group("verify"))


def glossary(inputs: Inputs) -> tuple[Fact, ...]:
    """Return the terms that a reader may not know."""
    terms = {key.split(".")[0]: None for key in inputs.words.group("glossary")}
    return tuple(Fact(inputs.words(f"glossary.{t}.term"), inputs.words(f"glossary.{t}.meaning")) for t in terms)


def _suppression(inputs: Inputs, entry: Suppression) -> SuppressionRow:
    words, before = inputs.words, entry.previous_entries
    name = words.optional(f"suppression.{entry.kind}", entry.kind.replace("_", " "))
    if before is None:
        return SuppressionRow(name, entry.entries, words("value.not_applicable"), words("value.first_scan"))
    change = entry.entries - before
    kind = "more" if change > 0 else "fewer" if change < 0 else "same"
    told = words(f"suppression_change.{kind}", n=abs(change))
    return SuppressionRow(name, entry.entries, words.number(before), told)


def _parameter(inputs: Inputs, rule: str, parameter: RuleParameter) -> ParameterRow:
    return ParameterRow(
        rule=rule,
        name=parameter.name,
        value=_shown(inputs, parameter.value),
        default=_shown(inputs, parameter.default),
        is_changed=parameter.is_changed,
        source=inputs.disclosure.text(parameter.source) or inputs.words("value.not_stated"),
    )


def _shown(inputs: Inputs, value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_shown(inputs, item) for item in value) or inputs.words("value.empty")
    if isinstance(value, bool):
        return inputs.words("value.yes" if value else "value.no")
    return inputs.disclosure.text(str(value))
