"""Plans on disk: <state>/plans/<plan-id>.json, never changed once written; its SHA-256 is what approvers sign."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from scanner import evidence
from scanner.config import Config
from scanner.errors import ConfigError, StoreError
from scanner.remediation.model import SCHEMA, Action, Plan

_MARKS = "marks.json"


def folder(state: Path) -> Path:
    """Return where plans lie."""
    return state / "plans"


def write(state: Path, plan: Plan) -> Path:
    """Write a plan for its owner's eyes only and return its path."""
    path = folder(state) / f"{plan.id}.json"
    try:
        evidence.write_file(path, encode(plan))
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}") from None
    return path


def encode(plan: Plan) -> bytes:
    """Return the plan as JSON."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=1)


def sha256(data: bytes) -> str:
    """Return what names this very plan."""
    return hashlib.sha256(data).hexdigest()


def find(state: Path, name: str) -> Path:
    """Return the file of `latest`, of a plan id or of the unique beginning of one; ConfigError otherwise."""
    plans = (path for path in folder(state).glob("plan-*.json") if path.name.count(".") == 1)
    known = sorted(plans, key=lambda path: (path.stat().st_mtime_ns, path.name))
    if not known:
        raise ConfigError(f"there is no plan in {folder(state)} yet; make one with `orphanscan plan`")
    if name == "latest":
        return known[-1]
    found = [path for path in known if path.stem == name] or [path for path in known if path.stem.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"'{name}' begins the ids of {len(found)} plans: {', '.join(p.stem for p in found[:5])}")
    raise ConfigError(f"there is no plan '{name}'; the latest is {known[-1].stem}")


def read(path: Path) -> tuple[Plan, str]:
    """Return a plan and the SHA-256 of its file; StoreError if it cannot be understood."""
    try:
        data = path.read_bytes()
        plan = msgspec.json.decode(data, type=Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} cannot be read as a plan: {error}; make a new one with `orphanscan plan`") from None
    if plan.schema != SCHEMA:
        raise StoreError(f"{path} was written by another version of orphanscan; make a new one with `orphanscan plan`")
    return plan, sha256(data)


def policy_sha256(config: Config) -> str:
    """Return a hash over all settings that a plan rests on: budgets, approvers, rules, how each application is reached.

    Secrets are in it by reference only.
    """
    approvers = config.remediation.approvers
    settings = {
        "remediation": asdict(config.remediation),
        "applications": [asdict(app) for app in config.applications],
        "rosters": [asdict(roster) for roster in config.rosters],
        "matching": asdict(config.matching),
        "rules": asdict(config.rules),
        "approvers": approvers.read_text("utf-8", "replace") if approvers else "",
        "policies": [sha256(path.read_bytes()) for path in asdict(config.policy).values() if path is not None],
    }
    return sha256(json.dumps(settings, sort_keys=True, default=str).encode())


def marks(state: Path) -> Mapping[str, datetime]:
    """Return when each finding with a grace period was first marked by a plan."""
    try:
        raw = json.loads((folder(state) / _MARKS).read_bytes())
        return {fingerprint: datetime.fromisoformat(text) for fingerprint, text in raw.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StoreError(f"{folder(state) / _MARKS} cannot be read: {error}; restore it from a backup") from None


def remember_marks(state: Path, plan: Plan, known: Mapping[str, datetime], raised: frozenset[str]) -> None:
    """Keep the marks of findings that are still raised, and mark those whose grace period begins with this plan."""
    kept = {fingerprint: at for fingerprint, at in known.items() if fingerprint in raised}
    for cause in (cause for action in plan.actions if _is_marked(action) for cause in action.causes):
        kept.setdefault(cause.fingerprint, plan.created_at)
    if kept != known:
        document = {fingerprint: at.astimezone(UTC).isoformat() for fingerprint, at in kept.items()}
        evidence.write_file(folder(state) / _MARKS, evidence.canonical(document))


def _is_marked(action: Action) -> bool:
    return action.acts_from is not None
