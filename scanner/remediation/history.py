"""What earlier runs did, and what a scan shows of it: a change counts as verified when a complete scan shows it."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.chain import Chain
from scanner.errors import ConfigError, StoreError
from scanner.model_history import ActionFact
from scanner.remediation import journal

_log = logging.getLogger(__name__)
_DONE = ("done",)
_MAY_SHOW = ("done", "accepted", "unsettled", "surprise")
"""Outcomes after which a scan may show the change."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run with its journal."""

    id: str
    folder: Path
    chain: Chain

    @property
    def start(self) -> Mapping[str, Any]:
        """The first entry: plan, approvers, mode."""
        return self.chain.entries[0]

    @property
    def began_at(self) -> datetime:
        """When its first line was written."""
        return datetime.fromisoformat(self.start["at"])


def actions_folder(state: Path) -> Path:
    """Return where runs lie."""
    return state / "actions"


def runs(state: Path) -> tuple[Run, ...]:
    """Return all runs, oldest first; StoreError if a journal was changed."""
    found = [_read(folder) for folder in _folders(state)]
    return tuple(sorted((run for run in found if run.chain.entries), key=lambda run: str(run.start["at"])))


def intact_runs(state: Path) -> tuple[Run, ...]:
    """Return the runs whose journal is intact: a damaged one must not keep the next scan from running."""
    found = []
    for folder in _folders(state):
        try:
            found.append(_read(folder))
        except StoreError as error:
            _log.error("%s", error)
    return tuple(sorted((run for run in found if run.chain.entries), key=lambda run: str(run.start["at"])))


def _folders(state: Path) -> list[Path]:
    return [folder for folder in actions_folder(state).glob("run-*") if (folder / journal.FILE).exists()]


def _read(folder: Path) -> Run:
    return Run(folder.name, folder, journal.read(folder))


def find(state: Path, name: str) -> Run:
    """Return `latest`, a run by its id, or by the unique beginning of one; ConfigError otherwise."""
    known = runs(state)
    if not known:
        raise ConfigError(f"there is no run in {actions_folder(state)} yet; `orphanscan apply` makes one")
    if name == "latest":
        return known[-1]
    found = [run for run in known if run.id == name] or [run for run in known if run.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"'{name}' begins the ids of {len(found)} runs: {', '.join(run.id for run in found[:5])}")
    raise ConfigError(f"there is no run '{name}'; the latest is {known[-1].id}")


def done(found: Iterable[Run]) -> tuple[ActionFact, ...]:
    """Return every action of runs, oldest first, with its outcome; what `undo` took back is marked."""
    facts: dict[tuple[str, str], ActionFact] = {}
    undone_by: dict[str, tuple[str, str]] = {}
    for run in found:
        for fact, undoes in _facts(run):
            facts[fact.run, fact.action] = fact
            if fact.outcome not in _DONE:
                continue
            # A change takes an undo back, as an undo does a change.
            reverted = undoes if fact.kind == "undo" else undone_by.get(fact.action)
            if reverted in facts:
                facts[reverted] = replace(facts[reverted], verification="undone")
            if fact.kind == "undo":
                undone_by[fact.action] = (fact.run, fact.action)
    return tuple(facts.values())


def usernames(found: Iterable[Run]) -> dict[tuple[str, str], str]:
    """Return (app, account id) -> user name, as planned last."""
    subjects = [entry["subject"] for run in found for entry in run.chain.of("outcome")]
    return {(one["app"], one["account_id"]): one["username"] for one in subjects if one.get("username")}


def _facts(run: Run) -> Iterator[tuple[ActionFact, tuple[str, str]]]:
    approvers = tuple(approval["approver"] for approval in run.start.get("approvals", ()))
    undo_of = run.start.get("undo_of") or ""
    for entry in (*run.chain.of("outcome"), *open_intents(run.chain)):
        subject = entry["subject"]
        # A run that was killed between a request and its outcome, and never continued: it may have been done.
        outcome = entry.get("outcome", "unsettled")
        fact = ActionFact(
            run=run.id,
            action=entry["action"],
            kind="undo" if undo_of else subject["kind"],
            app=subject["app"],
            account_id=subject["account_id"],
            entitlement=subject["entitlement"],
            rules=tuple(subject["rules"]),
            fingerprints=tuple(subject["fingerprints"]),
            at=datetime.fromisoformat(entry["at"]),
            outcome=outcome,
            approvers=approvers,
            verification="not_yet" if outcome in _MAY_SHOW else "nothing_done",
        )
        yield fact, (undo_of, entry["action"])


def open_intents(chain: Chain) -> tuple[Mapping[str, Any], ...]:
    """Return the last request of each action that was written down and has no outcome."""
    settled = {entry["action"] for entry in chain.of("outcome")}
    found = {entry["action"]: entry for entry in chain.of("intent") if entry["action"] not in settled}
    return tuple(found.values())


def verified(facts: Iterable[ActionFact], audit: Path, scan_id: str) -> tuple[ActionFact, ...]:
    """Compare what was done with what a scan shows; only an application that was read completely proves anything."""
    facts = tuple(facts)
    waiting = [fact for fact in facts if fact.verification == "not_yet"]
    if not waiting:
        return facts
    shown = _shown(waiting, audit)
    return tuple(
        _judged(fact, shown.get((fact.run, fact.action)), scan_id) if fact in waiting else fact for fact in facts
    )


def heads(state: Path) -> dict[str, str]:
    """Return run id -> SHA-256 of the last line of its journal, or `damaged`: what a scan's manifest chains to."""
    intact = {run.id: run.chain.head for run in intact_runs(state)}
    return {folder.name: intact.get(folder.name, "damaged") for folder in sorted(_folders(state))}


def verified_fingerprints(facts: Iterable[ActionFact]) -> frozenset[str]:
    """Return the findings for which a change was made that the scan shows."""
    return frozenset(one for fact in facts if fact.verification == "verified" for one in fact.fingerprints)


def came_undone(facts: Iterable[ActionFact]) -> tuple[ActionFact, ...]:
    """Return the last change of each action that a later complete scan no longer shows."""
    return _latest(facts, "came_undone")


def taken_back(facts: Iterable[ActionFact]) -> tuple[ActionFact, ...]:
    """Return the last change of each action that a person took back by `undo`."""
    return _latest(facts, "undone")


def _latest(facts: Iterable[ActionFact], verification: str) -> tuple[ActionFact, ...]:
    latest = {fact.action: fact for fact in facts if fact.kind != "undo" and fact.outcome in _DONE}
    return tuple(fact for fact in latest.values() if fact.verification == verification)


def sentence(fact: ActionFact) -> str:
    """Return what came undone."""
    what = {"remove_grant": f"has {fact.entitlement} again"}.get(fact.kind, "is active again")
    return f"{fact.account_id} in {fact.app} {what}: {fact.run} had changed it on {fact.at:%Y-%m-%d %H:%M} UTC."


def _judged(fact: ActionFact, lasts: bool | None, scan_id: str) -> ActionFact:
    if fact.kind == "revoke_sessions":
        return replace(fact, verification="not_possible")
    if lasts is None:
        return fact
    missing = "came_undone" if fact.outcome in _DONE else "nothing_done"
    return replace(fact, verification="verified" if lasts else missing, verified_by=scan_id)


def _shown(waiting: Sequence[ActionFact], audit: Path) -> dict[tuple[str, str], bool]:
    """Return (run, action) -> whether the scan shows the change; left out where the scan proves nothing."""
    rows = [
        {
            "run": fact.run,
            "action": fact.action,
            "kind": fact.kind,
            "app": fact.app,
            "account_id": fact.account_id,
            "entitlement": fact.entitlement,
            "at": fact.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        }
        for fact in waiting
    ]
    structure = json.dumps([dict.fromkeys(rows[0], "varchar")])
    with duckdb.connect() as con:
        try:
            con.execute("set TimeZone = 'UTC'")
            for table in ("accounts", "grants", "sources"):
                name = str(audit / f"{table}.parquet").replace("'", "''")
                con.execute(f"create view {table} as select * from read_parquet('{name}')")
            found = con.execute(
                f"""
                select
                    f.run,
                    f.action,
                    case
                        when f.kind = 'undo' and f.entitlement is null
                        then if(a.account_id is null, false, a.is_active)
                        when f.kind = 'undo' then g.entitlement is not null
                        when f.kind = 'remove_grant' then g.entitlement is null
                        else a.account_id is null or a.is_active = false
                    end
                from (select unnest(from_json($rows, '{structure}'), recursive := true)) f
                join sources s on s.source_id = f.app and s.verdict = 'complete' and s.started_at > f.at::timestamp
                left join accounts a on a.app = f.app and a.account_id = f.account_id
                left join (select distinct app, account_id, entitlement from grants) g
                    on g.app = f.app and g.account_id = f.account_id and g.entitlement = f.entitlement
                """,
                {"rows": json.dumps(rows)},
            ).fetchall()
        except duckdb.Error as exc:
            raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc
    return {(run, action): lasts for run, action, lasts in found if lasts is not None}
