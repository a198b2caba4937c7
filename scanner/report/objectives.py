"""The control objectives themselves as a framework: for readers who answer for one application, or for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from scanner.errors import ConfigError
from scanner.frameworks import ALL_DATA, Control, Family, Framework, Structure
from scanner.model import Ledger
from scanner.model_record import Record
from scanner.report.matrix import of_system

APPLICATION = "application"
MANAGEMENT = "management"
OWNERS_ORDER = (
    *("summary", "scope", "exceptions", "ledger", "controls", "remediation", "completeness", "limitations"),
    *("sign_off", "appendix"),
)
"""What an owner has to act upon comes first."""


def objectives(name: str, families: Iterable[Family], edition: str) -> Framework:
    """Return the control objectives as a framework over all kinds of data.

    Args:
        name: APPLICATION or MANAGEMENT: whose words the report has.
        families: as they were when the scan was sealed.
        edition: version of the program whose objectives they are.
    """
    return Framework(
        id=name,
        title="Control objectives",
        edition=f"orphanscan {edition}",
        status="in_force",
        data=ALL_DATA,
        unit="control objective",
        note="",
        controls=tuple(_control(family) for family in families),
        structure=Structure(sections=OWNERS_ORDER),
    )


def of_application(record: Record, app: str) -> Record:
    """Return what a scan says of one application alone; ConfigError if it does not know it."""
    facts = tuple(fact for fact in record.applications if fact.app == app)
    if not facts:
        known = ", ".join(fact.app for fact in record.applications)
        raise ConfigError(f"the scan knows no application '{app}'; it knows {known}")
    buckets, outcomes = record.account_buckets.get(app, {}), record.leaver_outcomes.get(app, {})
    trend = record.trend
    return replace(
        record,
        applications=facts,
        results=tuple(of_system(result, app, silent=facts[0].type == "none") for result in record.results),
        ledger=Ledger(_summed(record.ledger.accounts, buckets), _summed(record.ledger.leavers, outcomes)),
        account_buckets={app: buckets},
        leaver_outcomes={app: outcomes},
        actions=tuple(action for action in record.actions if action.app == app),
        waivers=tuple(one for one in record.waivers if one.app is None or one.app == app or "*" in one.app),
        resolved=tuple(finding for finding in record.resolved if finding.app == app),
        trend=replace(trend, changes=tuple(one for one in trend.changes if one.app == app)) if trend else None,
    )


def _control(family: Family) -> Control:
    return Control(
        id=family.id,
        title=family.title,
        paraphrase=family.objective,
        kind="objective",
        force="",
        families=(family.id,),
        edges=tuple(sorted(family.rules, key=lambda edge: (edge.strength.rank, edge.rule))),
        bounds=(),
        not_tested=(),
        confidence="confirmed",
        verified_on="",
        source="",
    )


def _summed(names: Iterable[str], parts: Mapping[str, int]) -> dict[str, int]:
    counts = {name: parts.get(name, 0) for name in names if name != "total"}
    return {**counts, "total": sum(counts.values())}
