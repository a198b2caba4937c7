"""All that a state folder holds of one person, as one document that a machine can read."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from scanner import access_log, chain, retention, reviews
from scanner.errors import ConfigError, StoreError
from scanner.model import Scan
from scanner.notices import waiting
from scanner.privacy.subject import Traces, opened
from scanner.report.pseudonyms import load_key, worker_pseudonym
from scanner.store import person_rows, scans
from scanner.store.person import Person

SCHEMA = "orphanscan.person/1"
_NOT_INCLUDED = (
    "Rows about others that name this person, such as those of a team, and what this person decided or answers for:"
    " they are counted as named_in_rows_of_others. What they say is about others.",
    "What this person did as a user of orphanscan: the access log and the journals have it under their login.",
    "Rendered reports (scans/*/reports): they show findings of this document, as pseudonyms unless their level is L2.",
    "Workbooks of reviews that were handed out, e-mails and tickets that were sent, and copies that `export` made:"
    " orphanscan does not know where they are.",
    "What the sources themselves hold: ask the owners of the roster and of the applications.",
)


@dataclass(slots=True)
class Held:
    """What is held, place by place."""

    store: dict[str, list[person_rows.Row]] = field(default_factory=dict)
    """Table -> rows."""
    waivers: list[Mapping[str, Any]] = field(default_factory=list)
    evidence: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Table -> rows, each with the first and the last scan that holds it; `findings` is one of the tables."""
    bundles: dict[str, int] = field(default_factory=dict)
    """Scan -> rows in its evidence."""
    named: dict[str, int] = field(default_factory=dict)
    """Place and column -> rows about others that name the person; of scans, the most in one of them."""
    notices: dict[str, list[Any]] = field(default_factory=dict)
    """Receiver -> changes that wait to be told."""
    reviews: dict[str, list[Any]] = field(default_factory=dict)
    """Review -> what was asked about the person, or of them."""
    plans: dict[str, list[Any]] = field(default_factory=dict)
    journals: dict[str, list[Any]] = field(default_factory=dict)
    accesses: list[Any] = field(default_factory=list)
    """Lines of the access log about the person."""

    @property
    def count(self) -> int:
        """Rows and entries in all places, a row that several scans hold once."""
        places = (self.store, self.evidence, self.notices, self.reviews, self.plans, self.journals)
        return sum(len(rows) for place in places for rows in place.values()) + len(self.waivers) + len(self.accesses)


def of_person(state: Path, who: Person) -> tuple[Held, Traces]:
    """Collect all that is held of a person, one scan after the other; returns it, and by what it was found."""
    held = Held(store=person_rows.in_store(state, who))
    fingerprints = {row["fingerprint"] for row in held.store.get("findings", [])}
    for scan in scans.stored(state):
        with opened(state, scan.id) as folder:
            fingerprints |= _add_bundle(held, folder, scan, who)
    key = _key(state)
    traces = Traces.of(who, key, fingerprints)
    for content, begin, end in person_rows.waivers(state):
        waiver = json.loads(content)
        if any(traces.within(waiver)):
            held.waivers.append({"waiver": waiver, "from_scan": begin, "until_scan": end})
        _count(held, "waivers", traces.roles(waiver))
    for name, changes in _notices(state):
        _put(held.notices, name, [one for one in changes if traces.tell_of(one)])
    for campaign in reviews.known(state):
        asked = [msgspec.to_builtins(item) for item in campaign.items]
        found = [{"campaign": campaign.name, **item} for item in asked if traces.tell_of(item)]
        found += [
            {"may_decide_as": name}
            for name, worker_id in campaign.people.items()
            if who.worker_id is not None and worker_id == who.worker_id
        ]
        _put(held.reviews, campaign.name, found)
        _count(held, "reviews", traces.roles(asked))
    for path in sorted((state / "plans").glob("plan-*.json")):
        plan = _json(path)
        _put(held.plans, path.name, list(traces.within(plan)))
        _count(held, "plans", traces.roles(plan))
    for path in sorted((state / "actions").glob("run-*/journal.ndjson")):
        lines = chain.read(path, "the journal").entries
        _put(held.journals, path.parent.name, [one for line in lines for one in traces.within(line)])
        _count(held, "journals", traces.roles(lines))
    subjects = {worker_pseudonym(key, who.worker_id)} if key is not None and who.worker_id else set()
    held.accesses = [entry for entry in access_log.entries(state).entries if entry.get("subject") in subjects]
    return held, traces


def document(state: Path, who: Person, held: Held, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the export: who was asked for by whom and why, what is held, and what is not in it."""
    purged = retention.purged_scans(state, "evidence")
    return {
        "schema": SCHEMA,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **asked,
        "subject": {
            "worker_id": who.worker_id,
            "known_as": who.words,
            "employee_numbers": who.numbers,
            "accounts": [{"app": app, "account_id": account} for app, account in who.accounts],
        },
        "store": held.store,
        "waivers": held.waivers,
        "evidence": held.evidence,
        "evidence_read": held.bundles,
        "evidence_purged": purged,
        "named_in_rows_of_others": held.named,
        "accounts_to_look_at": [
            {"app": app, "account_id": account, "why": "bears an e-mail address of the person; its owner is ambiguous"}
            for app, account in who.unsure
        ],
        "notices_waiting": held.notices,
        "reviews": held.reviews,
        "plans": held.plans,
        "journals": held.journals,
        "access_log": held.accesses,
        "not_included": _NOT_INCLUDED,
    }


def write(target: Path, made: Mapping[str, Any]) -> None:
    """Write an export to a new file, for its owner's eyes only; ConfigError if there is one already."""
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{target} cannot be made: {error.strerror}; name a new file") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(made, file, ensure_ascii=False, indent=1, default=str)
            file.write("\n")
    except OSError as error:
        target.unlink(missing_ok=True)
        raise StoreError(f"{target} cannot be written: {error.strerror}") from None


def _add_bundle(held: Held, folder: Path, scan: Scan, who: Person) -> set[str]:
    """Add what the evidence of one scan holds; returns the fingerprints of its findings about the person."""
    audit = folder / "evidence" / "audit"
    if not audit.is_dir():
        return set()
    about, named = person_rows.in_evidence(audit, who)
    accounts = set(who.accounts) | {(row["app"], row["account_id"]) for row in about.get("accounts", [])}
    about["findings"] = [
        one
        for one in _findings(folder)
        if one.get("worker_id") == who.worker_id is not None or (one.get("app"), one.get("account_id")) in accounts
    ]
    for table, rows in about.items():
        known = {json.dumps(entry["row"], sort_keys=True, default=str): entry for entry in held.evidence.get(table, [])}
        for row in rows:
            entry = known.get(json.dumps(row, sort_keys=True, default=str))
            if entry is None:
                entry = {"first_scan": scan.id, "last_scan": scan.id, "row": row}
                held.evidence.setdefault(table, []).append(entry)
            entry["last_scan"] = scan.id
    held.bundles[scan.id] = sum(len(rows) for rows in about.values())
    for place, count in named.items():
        held.named[place] = max(count, held.named.get(place, 0))
    return {row["fingerprint"] for row in about["findings"]}


class _FindingsFile(msgspec.Struct):
    """Of findings.json, the list that is looked through; nothing else of it is decoded."""

    findings: list[msgspec.Raw] = []


def _findings(folder: Path) -> Iterator[dict[str, Any]]:
    file = folder / "findings.json"
    if file.exists():
        for one in msgspec.json.decode(file.read_bytes(), type=_FindingsFile).findings:
            yield msgspec.json.decode(one)


def _notices(state: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for receiver in waiting.receivers(state):
        yield receiver, [msgspec.to_builtins(change) for change in waiting.load(state, receiver).changes]


def _put(place: dict[str, list[Any]], name: str, found: list[Any]) -> None:
    if found:
        place[name] = found


def _count(held: Held, place: str, roles: Iterable[str]) -> None:
    for role in roles:
        held.named[f"{place}.{role}"] = held.named.get(f"{place}.{role}", 0) + 1


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}; restore it from a backup") from None


def _key(state: Path) -> bytes | None:
    """Return the key of the pseudonyms; None if nothing was ever shown under one."""
    try:
        return load_key(state, create=False)
    except StoreError:
        return None
