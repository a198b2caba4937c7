"""What every part of a report is computed from, gathered once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from scanner.frameworks import ControlResult, Framework, RuleShare, fold
from scanner.model import ApplicationFact
from scanner.model_record import Record
from scanner.model_rules import Rule
from scanner.report.background import NOTHING_KNOWN, Background
from scanner.report.disclosure import Disclosure, disclosure
from scanner.report.words import Words


@dataclass(frozen=True, slots=True)
class Inputs:
    """A record seen through one framework and one privacy profile."""

    record: Record
    framework: Framework
    words: Words
    disclosure: Disclosure
    rows_per_rule: int
    sheets: int
    """Exceptions that get a sheet of their own, at most."""
    background: Background
    in_scope: tuple[ApplicationFact, ...]
    out_of_scope: tuple[ApplicationFact, ...]
    controls: tuple[ControlResult, ...]
    shares: Mapping[str, RuleShare]
    """rule -> its contribution, the strongest one if several controls draw on it."""
    rules: Mapping[str, Rule]
    names: Mapping[str, str]
    """Application -> its name, safe to show."""

    def application(self, app: str | None) -> str:
        """Return the name of an application."""
        if app is None:
            return ""
        return self.names.get(app) or self.disclosure.text(app)

    def text(self, key: str, **values: object) -> str:
        """Return words of this framework, or the ones for frameworks without words of their own."""
        own = f"framework.{self.framework.id}.{key}"
        return self.words(own if own in self.words.texts else f"framework.other.{key}", **values)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts of this framework, in the order of the catalogue."""
        own = self.words.group(f"framework.{self.framework.id}.{key}")
        return tuple((own or self.words.group(f"framework.other.{key}")).values())


def gather(
    record: Record,
    framework: Framework,
    words: Words,
    *,
    privacy: str,
    key: bytes,
    rows_per_rule: int,
    sheets: int = 0,
    background: Background = NOTHING_KNOWN,
) -> Inputs:
    """Fold the results, and split the applications by the scope of the framework."""
    ordered = sorted(record.applications, key=lambda fact: (fact.name.casefold(), fact.app))
    controls = fold(framework, record.results, record.applications, record.rules)
    shares: dict[str, RuleShare] = {}
    for control in controls:
        for share in control.rules:
            if share.rule not in shares or share.strength.rank < shares[share.rule].strength.rank:
                shares[share.rule] = share
    seen = disclosure(record, words, privacy=privacy, key=key)
    return Inputs(
        record=record,
        framework=framework,
        words=words,
        disclosure=seen,
        rows_per_rule=rows_per_rule,
        sheets=sheets,
        background=background,
        in_scope=tuple(fact for fact in ordered if framework.covers(fact)),
        out_of_scope=tuple(fact for fact in ordered if not framework.covers(fact)),
        controls=controls,
        shares=shares,
        rules={rule.id: rule for rule in record.rules},
        names={fact.app: seen.text(fact.name) for fact in record.applications},
    )


def utc(moment: datetime | None) -> str:
    """Return `2026-10-01 06:00:00 UTC`, or nothing."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
