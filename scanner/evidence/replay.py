"""Runs the rules of a bundle again, and tells exactly what differs from what they found when the scan was sealed."""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError, StoreError
from scanner.evidence import bundle, manifest
from scanner.evidence.files import canonical
from scanner.known_answers import run_known_answers
from scanner.model import Finding, RuleOutcome, RuleResult
from scanner.model_rules import KnownAnswers, Rule
from scanner.rule_process import Child
from scanner.rule_runner import run_in
from scanner.rules import parse, with_params
from scanner.store import audit

FIELDS = ("verdict", "severity", "reason", "evidence")
"""Of a finding, besides its fingerprint: what the replay hash is over."""
_COUNTS = ("result", "population", "tested", "unable", "excluded")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that came out otherwise."""

    rule: str
    fingerprint: str
    """Of the finding; empty where the rule as a whole differs."""
    field: str
    """One of FIELDS, a count of the rule, or finding, rule or result: whether it is there, or what it came to."""
    was: object
    now: object


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out."""

    scan: str
    as_of: str
    tool_version: str
    """Of the scan."""
    rules: int
    findings: int
    recorded_sha256: str
    """The replay hash that the manifest names; for older bundles, over the findings that they hold."""
    replayed_sha256: str
    differences: tuple[Difference, ...]
    known_answers: KnownAnswers | None = None
    """What the rules said of the known-answer data set of this version; None if they were not asked."""
    not_run: tuple[str, ...] = ()
    """Rules of the bundle that were not among those tried."""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences and self.recorded_sha256 == self.replayed_sha256


def replay_sha256(results: Sequence[RuleResult]) -> str:
    """Return the hash over what rules returned: a sorted list of [fingerprint, verdict, severity, reason, evidence]."""
    findings = sorted(_entry(finding) for result in results for finding in result.findings)
    digest = hashlib.sha256(b"[")
    for number, entry in enumerate(findings):
        digest.update(("," if number else "").encode() + entry.encode())
    digest.update(b"]")
    return digest.hexdigest()


def _entry(finding: Finding) -> str:
    values = [finding.fingerprint, finding.verdict, str(finding.severity), finding.reason, dict(finding.evidence)]
    return canonical(values).decode()


def replay(
    folder: Path,
    *,
    rules_folder: Path | None = None,
    max_seconds: float,
    memory_mb: int,
    self_test: bool = False,
    place: Path | None = None,
) -> Replay:
    """Judge the tables of a bundle by its own rules, or by those of a folder; no state folder, no configuration.

    Args:
        folder: the evidence folder. It should have been verified: of changed evidence a replay proves nothing.
        rules_folder: rules to try in place of those of the bundle, with the parameters of the bundle where they fit.
        max_seconds: for one rule.
        memory_mb: address space of the process in which the rules run.
        self_test: whether the rules judge the known-answer data set, too.
        place: folder to work in. None: the system's folder of temporary files.

    Raises StoreError if the bundle cannot be read, ConfigError for a rule that cannot be used.
    """
    sealed = manifest.read(folder)
    record = bundle.results(folder)
    chosen = _rules(folder, sealed, rules_folder)
    with tempfile.TemporaryDirectory(prefix="orphanscan-replay-", dir=place) as workdir, Child(memory_mb) as child:
        # DuckDB takes [ and * in a path for patterns: the link has a plain one.
        link = Path(workdir) / "bundle"
        link.symlink_to(folder.resolve())
        file = Path(workdir) / audit.FILE
        audit.import_audit(link / "audit", file, _tables(sealed))
        results = run_in(child, file, chosen, as_of=record.scan.as_of, max_seconds=max_seconds)
        known = run_known_answers(chosen, child) if self_test else None
    tried = {rule.id for rule in chosen}
    before = [result for result in record.results if not rules_folder or result.rule in tried]
    return Replay(
        scan=sealed.scan,
        as_of=sealed.as_of,
        tool_version=sealed.tool_version,
        rules=len(chosen),
        findings=sum(len(result.findings) for result in results),
        recorded_sha256=replay_sha256(before) if rules_folder else sealed.replay_sha256 or replay_sha256(before),
        replayed_sha256=replay_sha256(results),
        differences=tuple(_differences(before, results)),
        known_answers=known,
        not_run=tuple(result.rule for result in record.results if result.rule not in tried),
    )


def _tables(sealed: manifest.Manifest) -> frozenset[str]:
    """Return the tables of the bundle; those that came with a later version stay empty, and its rules know none."""
    paths = [Path(path) for path in sealed.hashes]
    return frozenset(path.stem for path in paths if path.parent.name == "audit" and path.suffix == ".parquet")


def _rules(folder: Path, sealed: manifest.Manifest, rules_folder: Path | None) -> tuple[Rule, ...]:
    values = _parameters(folder)
    if rules_folder is None:
        paths = [folder / path for path in sealed.hashes if path.startswith("rules/") and path.endswith(".sql")]
    else:
        paths = sorted(rules_folder.rglob("*.sql"))
    if not paths:
        raise ConfigError(f"there is no rule in {rules_folder or folder / 'rules'}")
    found: dict[str, Rule] = {}
    for path in paths:
        rule = parse(path)
        if rule.id in found:
            raise ConfigError(f"two rules are called '{rule.id}' in {rules_folder or folder}")
        known = {parameter.name for parameter in rule.params}
        given = {name: value for name, value in values.get(rule.id, {}).items() if name in known}
        found[rule.id] = with_params(rule, given)
    return tuple(found[name] for name in sorted(found))


def _parameters(folder: Path) -> Mapping[str, Mapping[str, object]]:
    path = folder / "parameters.json"
    try:
        document: Mapping[str, Mapping[str, Any]] = json.loads(path.read_bytes())
        return {rule: {name: told["value"] for name, told in given.items()} for rule, given in document.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise StoreError(f"{path} cannot be read: {type(exc).__name__}; is this the whole bundle?") from exc


def _differences(before: Sequence[RuleResult], now: Sequence[RuleResult]) -> Iterator[Difference]:
    was = {result.rule: result for result in before}
    for result in now:
        if result.rule not in was:
            yield Difference(result.rule, "", "rule", "not there", "there")
            yield from _of_findings(result.rule, (), result.findings)
            continue
        old = was.pop(result.rule)
        for name in _COUNTS:
            if getattr(old, name) != getattr(result, name):
                yield Difference(result.rule, "", name, getattr(old, name), getattr(result, name))
        if result.result is RuleOutcome.ERROR and old.detail != result.detail:
            yield Difference(result.rule, "", "detail", old.detail, result.detail)
        yield from _of_findings(result.rule, old.findings, result.findings)
    for rule in was:
        yield Difference(rule, "", "rule", "there", "not there")


def _of_findings(rule: str, before: Sequence[Finding], now: Sequence[Finding]) -> Iterator[Difference]:
    old = {finding.fingerprint: finding for finding in before}
    new = {finding.fingerprint: finding for finding in now}
    for fingerprint in sorted(old.keys() | new.keys()):
        if fingerprint not in new:
            yield Difference(rule, fingerprint, "finding", "there", "not there")
        elif fingerprint not in old:
            yield Difference(rule, fingerprint, "finding", "not there", "there")
        else:
            for name in FIELDS:
                one, other = getattr(old[fingerprint], name), getattr(new[fingerprint], name)
                if canonical(one) != canonical(other):
                    yield Difference(rule, fingerprint, name, one, other)
