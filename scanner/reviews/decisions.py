"""Decisions that came back: checked row by row against what was asked, and added to the input `access_reviews`."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scanner.config_keys import Problems
from scanner.errors import ConfigError
from scanner.evidence import write_file
from scanner.policy import INPUTS, feeds
from scanner.reviews import workbook
from scanner.reviews.campaign import Campaign, Item
from scanner.reviews.workbook import Returned

_INPUT = INPUTS["access_reviews"]
_COLUMNS = tuple(field.name for field in _INPUT.fields)
_TOLD = 30
"""Wrong rows that are told at most."""
_Key = tuple[str, str, str]
"""Application, account and entitlement, which is empty for the account as a whole."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, as the policy input holds it."""

    item: Item
    decision: str
    reviewer: str
    decided_on: date | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    campaign: str
    kept: int
    revoked: int
    undecided: int
    """Items of the whole review that nobody has decided yet."""
    passed_on: int
    """Decisions by somebody else than who was asked."""


def check(
    campaign: Campaign, returned: Mapping[Path, Sequence[Returned]], begin: date, today: date
) -> tuple[Decision, ...]:
    """Return what was decided; ConfigError with every wrong row if one is wrong, and then nothing counts.

    Args:
        campaign: what was asked.
        returned: workbook -> its rows.
        begin: day of the export, in the time zone of the organisation.
        today: in the same time zone.
    """
    items = {item.id: item for item in campaign.items}
    seen: dict[str, str] = {}
    wrong: list[str] = []
    found = []
    for path, rows in returned.items():
        for row in rows:
            place = f"{path.name}, row {row.number}"
            item = items.get(row.item)
            problem = _problem(row, item, campaign.people, begin, today)
            if not problem and seen.setdefault(row.item, place) != place:
                problem = f"decides the same item as {seen[row.item]}; keep one of them"
            if problem:
                wrong.append(f"{place}: {problem}")
            elif item is not None and row.decision in ("keep", "revoke"):
                found.append(Decision(item, row.decision, row.decided_by, workbook.day_of(row.decided_on)))
    if wrong:
        more = [f"... and {len(wrong) - _TOLD} more"] if len(wrong) > _TOLD else []
        raise ConfigError("\n".join([f"nothing was imported into the review {campaign.name}:", *wrong[:_TOLD], *more]))
    return tuple(found)


def _problem(row: Returned, item: Item | None, people: Mapping[str, str], begin: date, today: date) -> str:
    """Return what is wrong with a row; empty if nothing is."""
    if item is None:
        return f"there is no item {row.item!r} in this review; rows must stay as they were"
    asked = {
        "Application id": (row.app, item.app),
        "Account id": (row.account_id, item.account_id),
        "Entitlement id": (row.entitlement, item.entitlement or ""),
    }
    for name, (said, right) in asked.items():
        if said != workbook.shown(right):
            return f"{name} was changed; rows must stay as they were"
    if row.decision not in ("", *workbook.DECISIONS):
        return f"the decision {row.decision!r} is not one of {', '.join(workbook.DECISIONS)}"
    if row.decision in ("", "undecided"):
        return ""
    if not row.decided_by:
        return "says not who decided; fill in Decided by"
    if row.decided_by.casefold() not in people and row.decided_by.casefold() != item.reviewer.casefold():
        return f"{row.decided_by!r} is nobody who works here; use an e-mail address or a person id of the roster"
    if item.worker_id is not None and people.get(row.decided_by.casefold()) == item.worker_id:
        return f"{row.decided_by!r} decides about an account of their own; pass it on"
    day = workbook.day_of(row.decided_on)
    if day is None:
        return "says not when it was decided; fill in Decided on with a date such as 2026-11-25"
    if not begin <= day <= today:
        return f"was decided on {day}, which is not between the export ({begin}) and today ({today})"
    return ""


def store(file: Path, campaign: Campaign, decisions: Sequence[Decision]) -> Imported:
    """Add decisions to the CSV of the policy input, in one atomic step; ConfigError if one is decided otherwise there.

    Items of the review that nobody has decided stand there as undecided, so that a review which is not finished shows.
    """
    others, mine = _existing(file, campaign.name)
    for decision in decisions:
        known, row = mine.get(_key(decision.item)), _row(campaign.name, decision)
        if known and known["decision"].lower() != "undecided" and known != row:
            raise ConfigError(
                f"nothing was imported: {file} has another decision on {decision.item.id} already"
                f" ({known['decision']}, {known['decided_at']}, {known['reviewer']}); a decision stays as it was taken."
                " Ask again in a review of another name"
            )
        mine[_key(decision.item)] = row
    for item in campaign.items:
        mine.setdefault(_key(item), _row(campaign.name, Decision(item, "undecided", item.reviewer, None)))
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows([*others, *mine.values()])
    try:
        write_file(file, out.getvalue().encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
    return Imported(
        campaign.name,
        kept=sum(one.decision == "keep" for one in decisions),
        revoked=sum(one.decision == "revoke" for one in decisions),
        undecided=sum(one["decision"] == "undecided" for one in mine.values()),
        passed_on=sum(one.reviewer.casefold() != one.item.reviewer.casefold() for one in decisions),
    )


def _existing(file: Path, campaign: str) -> tuple[list[dict[str, str]], dict[_Key, dict[str, str]]]:
    """Return the rows of other reviews, and those of this one; ConfigError if the policy input is wrong."""
    if not file.exists():
        return [], {}
    problems = Problems(file)
    feeds.check(_INPUT, file, problems)
    problems.raise_if_any()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        read = [{name: row.get(name) or "" for name in _COLUMNS} for row in csv.DictReader(lines)]
    mine = {(row["app"], row["account"], row["entitlement"]): row for row in read if row["campaign"] == campaign}
    return [row for row in read if row["campaign"] != campaign], mine


def _key(item: Item) -> _Key:
    return item.app, item.account_id, item.entitlement or ""


def _row(campaign: str, decision: Decision) -> dict[str, str]:
    item = decision.item
    values = (
        campaign,
        item.app,
        item.account_id,
        item.entitlement or "",
        decision.reviewer or "nobody",
        decision.decision,
        decision.decided_on.isoformat() if decision.decided_on else "",
    )
    return dict(zip(_COLUMNS, values, strict=True))
