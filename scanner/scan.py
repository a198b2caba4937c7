"""The path of the data from sources to a committed scan: collect, check, report."""

import contextlib
import getpass
import hashlib
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from scanner import (
    __version__,
    access_log,
    bindings,
    clock,
    evidence,
    findings,
    framework_files,
    history,
    policy,
    retention,
    rule_runner,
    rules,
    waivers,
)
from scanner.collect import collect
from scanner.collectors.interface import Progress
from scanner.config import Config
from scanner.errors import ConfigError, ReportError, StoreError
from scanner.evidence import timestamp
from scanner.evidence.replay import replay_sha256
from scanner.evidence.signature import Signer
from scanner.findings_json import findings_json
from scanner.known_answers import run_known_answers
from scanner.model import RuleResult, Scan, Source, Verdict
from scanner.model_record import Record
from scanner.model_rules import KnownAnswers, Rule
from scanner.policy import Policies
from scanner.record import assemble, stored_policies, stored_sources
from scanner.remediation import history as runs
from scanner.report.pseudonyms import load_key
from scanner.report.tables import findings_csv
from scanner.rule_process import Child
from scanner.store import audit, build, scans, state, vault
from scanner.waivers import Waiver

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom to tell what happens."""

    progress: Progress
    on_source: Callable[[Source], None] = lambda source: None
    on_rule: Callable[[RuleResult], None] = lambda result: None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A committed scan."""

    scan: Scan
    folder: Path
    sources: tuple[Source, ...]
    record: Record | None = None
    """None: collected only."""
    is_committed: bool = True
    """False: a stored scan that was judged again, and is as it was."""


def chosen_rules(config: Config) -> tuple[Rule, ...]:
    """Return the rules that the configuration leaves on, with the parameters in force; ConfigError if it errs."""
    found = rules.find(config.rules.paths)
    known = {rule.id for rule in found}
    for rule_id in (*config.rules.disable, *config.rules.params):
        if rule_id not in known:
            raise ConfigError(f"{config.path}: [rules] speaks of '{rule_id}'; see `orphanscan rules list`")
    # A wrong mapping must not come to light after hours of reading, when the reports are written.
    framework_files.load(config.rules.paths, found)
    return tuple(
        rules.with_params(rule, config.rules.params.get(rule.id, {}))
        for rule in found
        if rule.id not in config.rules.disable
    )


def run(
    config: Config, policies: Policies, *, as_of: str | None, listeners: Listeners, only_collect: bool = False
) -> Outcome:
    """Collect, and check unless `only_collect`, in one atomic commit.

    Raises LockedError if another writer is at work, ConfigError for a wrong clock or rule setting. A source or rule
    that fails raises nothing: it is in the verdicts and results.
    """
    chosen = chosen_rules(config)
    accepted = waivers.read(config)
    signer = _signer(config)
    with state.writing(config.state, "collect" if only_collect else "scan"):
        scan = _new_scan(config, clock.instant(as_of, config))
        with _staged(config.state, scan.id) as staging, ThreadPoolExecutor(max_workers=1) as pool:
            evidence.write_inputs(staging / "scan", _policy_files(config), policies.inputs)
            evidence.write_configuration(staging / "scan", config)
            # While the sources are read, so that a scan takes no longer for it.
            known = None if only_collect else pool.submit(_known_answers, chosen, config)
            collected = collect(
                config,
                staging / "sources",
                listeners.progress,
                previous=_previous_rows(staging / state.STORE),
                refused=bindings.refusals(config),
                on_source=listeners.on_source,
            )
            bindings.bind(config, {one.source.id for one in collected if one.source.verdict is not Verdict.FAILED})
            evidence.write_collection(staging / "scan", staging / "sources")
            built = build.build(staging, collected, config, policies, scan, (staging / state.TOKEN).read_text())
            scan = replace(scan, complete=built.complete)
            if known is None:
                return Outcome(scan, state.commit(config.state, staging), built.sources)
            judging = Judging(chosen, accepted, known.result(), signer, listeners)
            return _check(staging, config, scan, built.sources, built.audit_file, judging)


def check(config: Config, name: str, *, listeners: Listeners) -> Outcome:
    """Run the rules on a stored scan.

    The first time seals the scan. A sealed scan is judged again with the rules of today, and nothing is written:
    its Outcome has the folder, but the record differs from what is stored.
    """
    chosen = chosen_rules(config)
    accepted = waivers.read(config)
    signer = _signer(config)
    scan = scans.get(config.state, name)
    if scan.manifest_sha256:
        return _look_again(config, scan, chosen, accepted, listeners)
    _refuse_overtaken(config, scan)
    with state.writing(config.state, "check"):
        folder = scans.scan_dir(config.state, scan.id)
        with _staged(config.state, scan.id) as staging:
            shutil.copytree(folder / "evidence", staging / "scan" / "evidence")
            audit_file = staging / audit.FILE
            audit.import_audit(staging / "scan" / "evidence" / "audit", audit_file)
            with duckdb.connect(str(staging / state.STORE)) as con:
                token = (staging / state.TOKEN).read_text()
                con.execute("update scans set commit_token = $t where scan_id = $id", {"t": token, "id": scan.id})
            judging = Judging(chosen, accepted, _known_answers(chosen, config), signer, listeners)
            return _check(staging, config, scan, stored_sources(audit_file), audit_file, judging)


def _refuse_overtaken(config: Config, scan: Scan) -> None:
    """Raise ConfigError if a later scan was checked: the life of findings cannot be written backwards."""
    later = [one for one in scans.stored(config.state) if one.manifest_sha256 and one.as_of >= scan.as_of]
    if any(one.id != scan.id for one in later):
        raise ConfigError(
            f"{scan.id} was collected and never checked, and {later[-1].id} was checked since: findings cannot be given"
            " a history backwards. Its evidence stays; check the latest scan"
        )


def _look_again(
    config: Config, scan: Scan, chosen: Sequence[Rule], accepted: Sequence[Waiver], listeners: Listeners
) -> Outcome:
    """Judge a sealed scan in a private folder that is gone afterwards."""
    folder = scans.scan_dir(config.state, scan.id)
    with vault.workdir(config.state) as workdir:
        audit_file = workdir / audit.FILE
        audit.import_audit(folder / "evidence" / "audit", audit_file)
        results = _judge(audit_file, chosen, scan, config, listeners)
        results, applied = waivers.judge_stored(config, scan, accepted, results, scan.as_of)
        sources = stored_sources(audit_file)
        record = assemble(audit_file, config, scan, sources, chosen, results, _known_answers(chosen, config))
        return Outcome(
            scan,
            scans.place_of(config.state, scan.id),
            sources,
            replace(record, waivers=applied),
            is_committed=False,
        )


@dataclass(frozen=True, slots=True)
class Judging:
    """By what a scan is judged, and who is told."""

    chosen: Sequence[Rule]
    waivers: Sequence[Waiver]
    known: KnownAnswers
    signer: Signer
    listeners: Listeners


def _check(
    staging: Path,
    config: Config,
    scan: Scan,
    sources: tuple[Source, ...],
    audit_file: Path,
    judging: Judging,
) -> Outcome:
    """Judge, age, seal and commit."""
    chosen = judging.chosen
    results = _judge(audit_file, chosen, scan, config, judging.listeners)
    replay = replay_sha256(results)
    folder = staging / "scan"
    with duckdb.connect(str(staging / state.STORE)) as con:
        scan_no = state.scan_no(con, scan.id)
        scans.prior_states(con, folder / evidence.FOLDER / evidence.PRIOR)
        moment = waivers.Moment(scan_no, scan.as_of, config.timezone)
        results, applied = waivers.judge(
            judging.waivers, results, moment, store=con, audit=folder / "evidence" / "audit"
        )
        actions = runs.verified(runs.done(runs.intact_runs(config.state)), folder / "evidence" / "audit", scan.id)
        night = findings.Night(
            scan_no=scan_no,
            is_baseline=scan.is_baseline,
            results=results,
            rules=chosen,
            sources=sources,
            policies=stored_policies(audit_file),
            verified=runs.verified_fingerprints(actions),
        )
        results, resolved = findings.live(con, night, staging / "findings.ndjson")
        scan = replace(
            scan, finished_at=datetime.now(UTC).replace(microsecond=0), rules_sha256=rules.rules_sha256(chosen)
        )
        record = assemble(audit_file, config, scan, sources, chosen, results, judging.known, _login())
        record = replace(
            record,
            actions=actions,
            waivers=applied,
            suppressions=(*record.suppressions, *waivers.keep(con, scan_no, applied)),
            resolved=resolved,
            trend=history.trend(con, scan_no),
        )
        if config.waivers.file is not None:
            evidence.write_inputs(folder, {"waivers": config.waivers.file})
        evidence.write(folder, record, config.rules.paths)
        record = evidence.with_names(record, folder / evidence.FOLDER / "audit")
        attested = evidence.Attested(
            replay,
            _beside(config, folder, record),
            runs.heads(config.state),
            access_log.entries(config.state).head,
            judging.signer.fingerprint,
        )
        scan = _sealed(con, folder, scan, attested, judging.signer)
        con.execute(
            "update scans set finished_at = $finished, rules_sha256 = $rules, manifest_sha256 = $manifest"
            " where scan_no = $scan_no",
            {
                "finished": scan.finished_at.replace(tzinfo=None) if scan.finished_at else None,
                "rules": scan.rules_sha256,
                "manifest": scan.manifest_sha256,
                "scan_no": scan_no,
            },
        )
        con.execute("checkpoint")
    committed = state.commit(config.state, staging)
    try:
        timestamp.stamp(committed / evidence.FOLDER, config.evidence)
    except ReportError as exc:
        # The scan is stored; the timestamp of the next one covers it, as its manifest names this one.
        _log.warning("the manifest has no timestamp: %s", exc, extra={"scan": scan.id})
    return Outcome(scan, committed, sources, replace(record, scan=scan))


def _signer(config: Config) -> Signer:
    """Open what seals a scan; ConfigError before anything is collected that could not be sealed."""
    timestamp.available(config.evidence)
    return Signer(config.evidence)


def _beside(config: Config, folder: Path, record: Record) -> dict[str, str]:
    """Write the files for programs and spreadsheets; returns their hashes, which the manifest seals too."""
    written = {
        "findings.json": findings_json(record),
        "findings.csv": findings_csv(record, load_key(config.state, create=True)),
    }
    for name, data in written.items():
        evidence.write_file(folder / name, data)
    return {name: evidence.sha256(folder / name) for name in written}


def _sealed(
    con: duckdb.DuckDBPyConnection, folder: Path, scan: Scan, attested: evidence.Attested, signer: Signer
) -> Scan:
    """Seal the evidence at the end of the chain, and sign it if a key is configured."""
    link = evidence.Link(*scans.chain_end(con))
    data = evidence.seal(folder / evidence.FOLDER, scan, link, attested)
    if signature := signer.sign(data):
        evidence.write_file(folder / evidence.FOLDER / evidence.SIGNATURE, signature)
    return replace(scan, manifest_sha256=hashlib.sha256(data).hexdigest(), manifest_number=link.number)


def _login() -> str:
    """Return under whose login this runs; a number where the system knows no name for it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _judge(
    audit_file: Path, chosen: Sequence[Rule], scan: Scan, config: Config, listeners: Listeners
) -> tuple[RuleResult, ...]:
    return rule_runner.run(
        audit_file,
        chosen,
        as_of=scan.as_of,
        max_seconds=config.rules.max_seconds,
        memory_mb=config.rules.memory_mb,
        on_result=listeners.on_rule,
    )


def _known_answers(chosen: Sequence[Rule], config: Config) -> KnownAnswers:
    with Child(config.rules.memory_mb) as child:
        return run_known_answers(chosen, child)


def _new_scan(config: Config, as_of: datetime) -> Scan:
    started = datetime.now(UTC).replace(microsecond=0)
    return Scan(
        id=f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}",
        as_of=as_of,
        started_at=started,
        finished_at=None,
        complete=False,
        is_baseline=not scans.stored(config.state),
        tool_version=__version__,
        config_sha256=config.sha256,
    )


@contextlib.contextmanager
def _staged(folder: Path, scan_id: str) -> Iterator[Path]:
    """Give a staging folder that is gone afterwards, whether the scan was committed or came to nothing."""
    staging = state.new_staging(folder, scan_id)
    try:
        yield staging
    finally:
        if staging.exists() and not state.is_committed(folder, staging):
            state.discard(staging)


def _previous_rows(store: Path) -> Callable[[str], int | None]:
    """Return how many rows each source had in its last complete scan; nothing is known without a store."""
    if not store.exists():
        return lambda source_id: None
    with state.open_store(store) as con:
        known: dict[str, int] = dict(
            con.execute(
                "select source_id, max_by(collected, scan_no) from sources"
                " where verdict = 'complete' group by source_id"
            ).fetchall()
        )
    return known.get


def _policy_files(config: Config) -> dict[str, Path]:
    # What these two say is in the tables of the evidence whole; the files may be large.
    return {name: path for name, path in policy.files(config).items() if name not in ("sign_ins", "mfa")}


def latest_record(config: Config, name: str) -> tuple[Scan, Path, Record]:
    """Return a sealed scan, its folder and its record; raises ConfigError or StoreError."""
    scan = scans.get(config.state, name)
    if not scan.manifest_sha256:
        raise StoreError(f"the scan {scan.id} was collected but not checked; run `orphanscan check {scan.id}`")
    retention.refuse_purged(config.state, scan.id)
    folder = scans.scan_dir(config.state, scan.id)
    return scan, folder, evidence.read(folder, scan.manifest_sha256)
