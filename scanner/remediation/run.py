"""The folder of a run: the plan as it was, and what the journal says of each action."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scanner.chain import Chain
from scanner.errors import StoreError
from scanner.remediation import approve, history
from scanner.remediation.execute import Outcome, Result
from scanner.remediation.journal import Journal
from scanner.remediation.model import Action


@dataclass(frozen=True, slots=True)
class Writing:
    """The journal of a run, and what it held when the run was begun or continued."""

    journal: Journal
    folder: Path
    before: Chain

    def settled(self) -> dict[str, Result]:
        """Return the outcomes that the journal holds already."""
        return {
            entry["action"]: Result(Outcome(entry["outcome"]), entry["detail"]) for entry in self.before.of("outcome")
        }

    def stopped(self) -> set[str]:
        """Return the applications that are left alone; a kill may have come before the journal said so."""
        surprised = (one for one in self.before.of("outcome") if one["outcome"] == Outcome.SURPRISE)
        return {str(one["app"]) for one in self.before.of("stop")} | {str(one["subject"]["app"]) for one in surprised}

    def intent(self, action: str) -> Mapping[str, object] | None:
        """Return the last request that was written down for an action."""
        found = [entry for entry in self.before.of("intent") if entry["action"] == action]
        return found[-1] if found else None


def subject(action: Action) -> Mapping[str, object]:
    """Return what the journal says an action is about."""
    return {
        "kind": str(action.kind),
        "app": action.app,
        "account_id": action.account_id,
        "username": action.account.username if action.account else None,
        "entitlement": action.entitlement if action.kind == "remove_grant" else None,
        "rules": [cause.rule for cause in action.causes],
        "fingerprints": [cause.fingerprint for cause in action.causes],
    }


def new_run(state_folder: Path, prefix: str, plan_path: Path | None) -> Path:
    """Make the folder of a run, with the plan and its approvals as they were."""
    folder = (
        history.actions_folder(state_folder) / f"{prefix}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    )
    try:
        folder.mkdir(parents=True, mode=0o700)
        if plan_path is not None:
            shutil.copyfile(plan_path, folder / "plan.json")
            approvals = approve.place_of(plan_path)
            if approvals.exists():
                shutil.copyfile(approvals, folder / "approvals.json")
        for file in folder.iterdir():
            file.chmod(0o600)
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}; nothing was sent") from None
    return folder


def count(results: tuple[tuple[Action, Result], ...]) -> dict[str, int]:
    """Return outcome -> how many."""
    counted: dict[str, int] = {}
    for _, result in results:
        counted[str(result.outcome)] = counted.get(str(result.outcome), 0) + 1
    return counted


def kept(before: object, folder: Path) -> object:
    """Return the resource that an intent kept, in the journal or beside it."""
    if not (isinstance(before, Mapping) and set(before) == {"file", "sha256", "bytes"}):
        return before
    path = folder / str(before["file"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; restore it from a backup") from None
    if hashlib.sha256(content).hexdigest() != before["sha256"]:
        raise StoreError(f"{path} was changed after the journal named it; restore it from a backup")
    return json.loads(content)
