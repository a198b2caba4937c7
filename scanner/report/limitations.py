"""What the report does not show: first what this scan is short of, then what no scan can show."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta

from scanner.frameworks import ControlOutcome
from scanner.model import RuleOutcome, Verdict
from scanner.report.exceptions import exceptions_of, past_count
from scanner.report.inputs import Inputs
from scanner.report.scope import owner, relevant_sources, sentence, source_name, states_nothing

LATER = timedelta(hours=1)


def limitations_of_scan(inputs: Inputs) -> tuple[str, ...]:
    """Return the limits that come from the data of this scan."""
    return (*_sources(inputs), *_clock(inputs), *_applications(inputs), *_results(inputs), *_outside(inputs))


def standing_limitations(inputs: Inputs) -> tuple[str, ...]:
    """Return the limits that every report of this kind has."""
    profile = inputs.words("limits_profile.L2" if inputs.disclosure.is_identified else "limits_profile.L1")
    return (*inputs.texts("limits"), *inputs.words.group("limits_standing").values(), profile)


def _sources(inputs: Inputs) -> Iterator[str]:
    words, shown = inputs.words, inputs.disclosure.text
    for source in relevant_sources(inputs):
        if source.verdict is Verdict.COMPLETE:
            continue
        roster, name = source.kind == "roster", source_name(inputs, source)
        detail = sentence(shown(source.detail) or words(f"verdict.{source.verdict}.meaning"))
        effect = words("limits_data.roster_effect" if roster else "limits_data.application_effect")
        verdict = words(f"verdict.{source.verdict}.word").lower()
        yield words("limits_data.source", name=name, verdict=verdict, detail=detail, effect=effect)
    unstated = [source for source in relevant_sources(inputs) if states_nothing(source)]
    if unstated:
        names = [source_name(inputs, source) for source in unstated]
        yield words.count("limits_data.unstated", len(unstated), names=words.join(names))


def _clock(inputs: Inputs) -> Iterator[str]:
    """Tell that data were read later than the instant as of which the rules judge, as with --as-of in the past."""
    started = inputs.record.scan.started_at
    if started - inputs.record.scan.as_of > LATER:
        yield inputs.words("limits_data.later", read=f"{started.astimezone(UTC):%Y-%m-%d}")


def _applications(inputs: Inputs) -> Iterator[str]:
    words, shown = inputs.words, inputs.disclosure.text
    for fact in inputs.in_scope:
        if fact.type == "none":
            reason = shown(fact.unconnected_reason or "").rstrip(".") or words("scope.no_reason").rstrip(".")
            yield words("limits_data.unconnected", name=shown(fact.name), owner=owner(inputs, fact), reason=reason)
        elif fact.coverage != "all":
            meaning = words.optional(f"coverage.{fact.coverage}", fact.coverage).lower()
            yield words("limits_data.narrow", name=shown(fact.name), coverage=meaning)
    silent = [shown(fact.name) for fact in inputs.in_scope if fact.type != "none" and not fact.has_sign_ins]
    if silent:
        yield words.count("limits_data.no_sign_ins", len(silent), names=words.join(silent))


def _results(inputs: Inputs) -> Iterator[str]:
    words = inputs.words
    accounts, leavers = (
        _in_scope(inputs, parts) for parts in (inputs.record.account_buckets, inputs.record.leaver_outcomes)
    )
    shares = inputs.shares.values()
    unknown = sum(finding.verdict == "unknown" for share in shares for finding in share.findings if not share.lead)
    if unknown:
        yield words.count("limits_data.unknown", unknown)
    for bucket in ("ambiguous", "undetermined"):
        if accounts[bucket]:
            yield words.count(f"limits_data.{bucket}", accounts[bucket])
    pairs = leavers.total()
    if leavers["cannot_tell"]:
        yield words("limits_data.cannot_tell", n=leavers["cannot_tell"], total=pairs)
    if leavers["closed_late"]:
        yield words("limits_data.closed_late", n=leavers["closed_late"], total=pairs)
    failed = [result.title for result in inputs.record.results if result.result is RuleOutcome.ERROR]
    if failed:
        yield words("limits_data.rule_errors", titles=words.join(failed))
    untested = sum(result.result is ControlOutcome.NOT_TESTED for result in inputs.controls)
    if untested:
        yield words("limits_data.not_tested", n=untested, total=len(inputs.controls))
    unconfirmed = sum(not result.control.is_confirmed for result in inputs.controls)
    if unconfirmed:
        yield words("limits_data.unconfirmed", n=unconfirmed, total=len(inputs.controls))


def _in_scope(inputs: Inputs, per_app: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """Return the counts of the ledger over the applications of the scope."""
    counts: Counter[str] = Counter()
    for fact in inputs.in_scope:
        counts.update(per_app.get(fact.app, {}))
    return counts


def _outside(inputs: Inputs) -> Iterator[str]:
    words = inputs.words
    here = sum(len(exceptions_of(share)) for share in inputs.shares.values())
    everywhere = sum(
        finding.counts for result in inputs.record.results if not result.lead for finding in result.findings
    )
    if everywhere > here:
        yield words.count("limits_data.outside", everywhere - here)
    if past_count(inputs):
        yield words.count("limits_data.past", past_count(inputs))
    if inputs.record.scan.is_baseline:
        yield words("limits_data.baseline")
