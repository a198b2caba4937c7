"""Both directions of the ledger as tables whose sums are checked again before they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scanner.errors import StoreError
from scanner.model import ApplicationFact, Verdict
from scanner.report.inputs import Inputs

PORTRAIT = 132.0
DIGIT = 1.61
GAP = 1.6
SHORTEST = 5
"""Millimetres beside the name of an application, of a digit and between columns; a head needs five digits' room."""


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


def accounts_ledger(inputs: Inputs) -> LedgerPart:
    """Return applications -> HR: each account in exactly one bucket."""
    return _ledger(inputs, "accounts", inputs.record.ledger.accounts, inputs.record.account_buckets)


def leavers_ledger(inputs: Inputs) -> LedgerPart:
    """Return HR -> applications: each leaver with one outcome in each application."""
    return _ledger(inputs, "leavers", inputs.record.ledger.leavers, inputs.record.leaver_outcomes)


def _ledger(inputs: Inputs, side: str, sums: Mapping[str, int], per_app: Mapping[str, Mapping[str, int]]) -> LedgerPart:
    words = inputs.words
    buckets = [bucket for bucket in sums if bucket != "total"]
    total = sum(sums[bucket] for bucket in buckets)
    if total != sums.get("total", total):
        raise StoreError(f"the ledger of {side} does not add up: {total} in buckets, {sums['total']} in all; run check")
    in_scope = _add(inputs.in_scope, per_app, buckets)
    outside = _add(inputs.out_of_scope, per_app, buckets)
    both = [one + other for one, other in zip(in_scope, outside, strict=True)]
    if both != [sums[bucket] for bucket in buckets]:
        raise StoreError(f"the ledger of {side} does not add up over its applications; run check on this scan again")
    shown = [index for index, count in enumerate(both) if count]
    lines = [
        _line(inputs.disclosure.text(fact.name), _counts(fact, per_app, buckets), shown, note=_note(inputs, fact))
        for fact in inputs.in_scope
    ]
    lines.append(_line(words("ledger.in_scope"), in_scope, shown, is_sum=True))
    if inputs.out_of_scope:
        n = len(inputs.out_of_scope)
        lines.append(_line(words.count("ledger.outside", n), outside, shown))
        lines.append(_line(words("ledger.all"), both, shown, is_sum=True))
    terms = [_term(inputs, f"ledger.{side}.{bucket}", sums[bucket]) for bucket in buckets]
    empty = [term.name.lower() for index, term in enumerate(terms) if index not in shown]
    return LedgerPart(
        terms=tuple(terms),
        columns=tuple(terms[index].short for index in shown),
        lines=tuple(lines),
        total=total,
        sum_sentence=words(f"ledger.{side}.sum", total=total, buckets=len(buckets)),
        left_out=words("ledger.left_out", names=words.join(empty)) if empty and shown else "",
        is_wide=_is_wide(len(shown) + 1, words.number(total)),
    )


def _is_wide(columns: int, longest: str) -> bool:
    """Return whether the numbers need a landscape page."""
    return columns * (max(len(longest), SHORTEST) * DIGIT + GAP) > PORTRAIT


def _term(inputs: Inputs, key: str, count: int) -> LedgerTerm:
    words = inputs.words
    return LedgerTerm(words(f"{key}.short"), words(f"{key}.name"), words(f"{key}.meaning"), count)


def _counts(fact: ApplicationFact, per_app: Mapping[str, Mapping[str, int]], buckets: Sequence[str]) -> list[int]:
    held = per_app.get(fact.app, {})
    return [held.get(bucket, 0) for bucket in buckets]


def _add(
    facts: Sequence[ApplicationFact], per_app: Mapping[str, Mapping[str, int]], buckets: Sequence[str]
) -> list[int]:
    return [sum(per_app.get(fact.app, {}).get(bucket, 0) for fact in facts) for bucket in buckets]


def _line(
    name: str, counts: Sequence[int], shown: Sequence[int], *, note: str = "", is_sum: bool = False
) -> LedgerLine:
    return LedgerLine(name, note, tuple(counts[index] for index in shown), sum(counts), is_sum)


def _note(inputs: Inputs, fact: ApplicationFact) -> str:
    """Return what keeps a zero from meaning that there is nothing."""
    if fact.type == "none":
        return inputs.words("ledger.unconnected")
    if fact.verdict == Verdict.COMPLETE:
        return ""
    return inputs.words(f"verdict.{fact.verdict or Verdict.UNKNOWN}.word").lower()
