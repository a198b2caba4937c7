"""The known-answer data set: planted violations that the rules must find, and near misses that they must not.

All files of `sample_data/known_answers` are one data set. Whoever relies on the logic of the rules can see in each
report that it still gives the right answers, by which rule files.
"""

import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from scanner.errors import ConfigError
from scanner.model import Finding, RuleOutcome
from scanner.model_rules import KnownAnswers, Rule
from scanner.paths import bundled
from scanner.rule_process import Child
from scanner.rule_runner import run_in
from scanner.rules import rules_sha256, with_params
from scanner.store.audit import FILE, create_audit

FRAME = "frame"
"""File of the rows that hold the data set together: clock, policy inputs, an earlier scan."""

_NOT_TABLES = {"what", "why", "found", "also"}
_IDENTITY = ("rule", "app", "account_id", "entitlement", "worker_id", "subject", "verdict", "severity")


def run_known_answers(rules: Sequence[Rule], child: Child, folder: Path | None = None) -> KnownAnswers:
    """Judge the data set by the rules, each with the defaults of its parameters; rules without plants are named.

    Raises ConfigError if a file of the data set cannot be read.
    """
    documents = _read(folder or bundled("sample_data") / "known_answers")
    clock = datetime.fromisoformat(documents[FRAME]["as_of"]).astimezone(UTC)
    known = [with_params(rule, {}) for rule in rules if rule.id in documents]
    with tempfile.TemporaryDirectory(prefix="orphanscan-known-") as workdir:
        file = Path(workdir) / FILE
        create_audit(file)
        with duckdb.connect(str(file)) as con:
            _fill(con, documents.values(), clock)
        results = run_in(child, file, known, as_of=clock, max_seconds=60)
    errors = [f"{result.rule}: {result.detail}" for result in results if result.result is RuleOutcome.ERROR]
    chosen = {rule.id for rule in known}
    planted = [plant for plant in _planted(documents) if plant["rule"] in chosen]
    found = [finding for result in results for finding in result.findings]
    matched, missing, unexpected = _compare(found, planted)
    return KnownAnswers(
        planted=len(planted),
        detected=matched,
        false=len(unexpected),
        near_misses=sum(plant["what"] == "near miss" for rule in chosen for plant in documents[rule].get("plant", ())),
        rules=len(known),
        unplanted=tuple(rule.id for rule in rules if rule.id not in documents),
        rules_sha256=rules_sha256(known),
        problems=(
            *errors,
            *(f"planted, not found: {_told(plant)}" for plant in missing),
            *(f"found, not planted: {_told(_as_plant(finding))}" for finding in unexpected),
        ),
    )


def _read(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return file name without its ending -> content."""
    try:
        return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))}
    except (OSError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"cannot read the known-answer data set in {folder}: {exc}") from exc


def _fill(con: duckdb.DuckDBPyConnection, documents: Iterable[Mapping[str, Any]], clock: datetime) -> None:
    """Insert all rows; columns that they leave out take the defaults of audit.sql."""
    rows: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
    for document in documents:
        for part in (document.get("rows", {}), *document.get("plant", ())):
            for table, entries in part.items():
                if table not in _NOT_TABLES:
                    for entry in entries:
                        rows.setdefault((table, tuple(entry)), []).append(list(entry.values()))
    rows["settings", ("as_of",)] = [[clock.replace(tzinfo=None)]]
    con.execute("begin")
    for (table, names), values in rows.items():
        columns = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join(f"({', '.join('?' for _ in names)})" for _ in values)
        # All rows in one statement: one statement a row takes ten times as long.
        con.execute(f'insert into audit."{table}" ({columns}) values {marks}', [v for row in values for v in row])
    con.execute("commit")


def _planted(documents: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what must be found; `also` is what another rule rightly sees in the same rows."""
    return [
        {"rule": rule, **entry}
        for rule, document in documents.items()
        for plant in document.get("plant", ())
        for entry in (*plant.get("found", ()), *plant.get("also", ()))
    ]


def _compare(
    found: Sequence[Finding], planted: Sequence[Mapping[str, Any]]
) -> tuple[int, list[Mapping[str, Any]], list[Finding]]:
    """Return how many plants were found, which were not, and what was found without having been planted."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in found:
        by_rule.setdefault(finding.rule, []).append(finding)
    missing = []
    for plant in planted:
        candidates = by_rule.get(plant["rule"], [])
        match = next((f for f in candidates if _fits(f, plant)), None)
        if match is None:
            missing.append(plant)
        else:
            candidates.remove(match)
    unexpected = [finding for candidates in by_rule.values() for finding in candidates]
    return len(planted) - len(missing), missing, unexpected


def _fits(finding: Finding, plant: Mapping[str, Any]) -> bool:
    return all(str(getattr(finding, name)) == str(value) for name, value in plant.items())


def _as_plant(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in _IDENTITY if getattr(finding, name) is not None}


def _told(plant: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {plant[name]}" for name in _IDENTITY if plant.get(name))
