"""What `verify` looks at: one bundle, one PDF, one scan, or the whole state folder with its chain."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scanner import access_log, retention
from scanner.config import Config
from scanner.errors import ConfigError, OrphanscanError, StoreError
from scanner.evidence import chain, manifest, pdf, verify
from scanner.evidence.manifest import Manifest
from scanner.evidence.verify import Statement, Subject, Trust, left_open, mismatch, proven
from scanner.remediation import history
from scanner.store import scans


def of_bundle(path: Path, trust: Trust, number: int | None) -> list[Subject]:
    """Check a folder that may lie anywhere."""
    folder = verify.evidence_folder(path)
    subject = verify.bundle(folder, trust)
    subjects = [_with_head(subject, trust, number)]
    if folder.name == "evidence" and (reports := verify.reports(folder.parent / verify.REPORTS, subject.manifest)):
        subjects.append(reports)
    return subjects


def of_pdf(path: Path, trust: Trust, bundle: Path | None, config: Callable[[], Config]) -> list[Subject]:
    """Check a report against what lies inside it, and against its bundle where that is at hand."""
    report = pdf.read(path)
    subject = pdf.check(path.name, report)
    folder = verify.evidence_folder(bundle) if bundle else _at_hand(path, report, config)
    if folder is None:
        open_ = left_open("Whether its findings are those of the evidence: name the bundle as --bundle.")
        return [_with_head(replace(subject, statements=(*subject.statements, open_)), trust, None)]
    against = pdf.against(report, folder)
    subjects = [replace(subject, statements=(*subject.statements, *against)), verify.bundle(folder, trust)]
    if (path.parent / manifest.MANIFEST).exists() and (beside := verify.reports(path.parent, subjects[1].manifest)):
        subjects.append(beside)
    return [_with_head(subjects[0], trust, None), *subjects[1:]]


def _at_hand(path: Path, report: pdf.Embedded, config: Callable[[], Config]) -> Path | None:
    """Return the bundle beside the report, or in the state folder of a configuration that is there."""
    beside = path.resolve().parent.parent / "evidence"
    if (beside / manifest.MANIFEST).is_file():
        return beside
    try:
        settings = config()
        known = {scan.id for scan in scans.stored(settings.state)}
    except OrphanscanError:
        return None
    scan = report.manifest.scan if report.manifest else ""
    return scans.scan_dir(settings.state, scan) / "evidence" if scan in known else None


def of_state(config: Config, name: str | None, trust: Trust, number: int | None) -> list[Subject]:
    """Check one scan, or all of them, and in both cases the chain."""
    stored = [scan for scan in scans.stored(config.state) if scan.manifest_sha256]
    if not stored:
        raise ConfigError(f"there is no sealed scan in {config.state} yet; run `orphanscan scan` first")
    chosen = scans.get(config.state, name).id if name else None
    if chosen and chosen not in {scan.id for scan in stored}:
        raise StoreError(f"the scan {chosen} was collected but not checked; run `orphanscan check {chosen}`")
    runs, accesses = _journals(config.state), _accesses(config.state)
    subjects: list[Subject] = []
    manifests: list[Manifest] = []
    purged = retention.purged_scans(config.state, "evidence")
    gone = retention.purged_scans(config.state, "reports")
    for scan in stored:
        # Manifests are readable also where a scan is sealed: only what is looked at closely is opened.
        found = _manifest_of(scans.place_of(config.state, scan.id) / "evidence")
        if found is not None:
            manifests.append(found)
        if chosen in (None, scan.id) and scan.id in purged and found is not None:
            said = f"Its evidence was purged on {purged[scan.id]}; the manifest stays, and stands in the chain."
            subjects.append(Subject(f"scan {scan.id}", (left_open(said),), found))
        elif chosen in (None, scan.id):
            folder = scans.scan_dir(config.state, scan.id)
            subject = verify.bundle(folder / "evidence", trust, scan.manifest_sha256)
            more = [*_actions(subject.manifest, runs), *_access_log(subject.manifest, accesses)]
            subjects.append(replace(subject, name=f"scan {scan.id}", statements=(*subject.statements, *more)))
            if scan.id not in gone and (reports := verify.reports(folder / verify.REPORTS, subject.manifest)):
                subjects.append(replace(reports, name=f"reports of {scan.id}"))
    sealed = {scan.id: scan.manifest_sha256 for scan in stored}
    subjects.append(chain.check(manifests, sealed, stored[-1].manifest_sha256, chain.Expected(trust.head, number)))
    return subjects


def _manifest_of(folder: Path) -> Manifest | None:
    try:
        return manifest.read(folder)
    except StoreError:
        return None


def _with_head(subject: Subject, trust: Trust, number: int | None) -> Subject:
    """Compare a lone manifest with the hash and the number that were printed elsewhere."""
    found, said = subject.manifest, list[Statement]()
    if found is None:
        return subject
    if trust.head:
        same = verify.is_head(found, trust.head)
        said.append(
            proven("The manifest is the one that was told of elsewhere.")
            if same
            else mismatch(f"The manifest is {found.sha256}, and not the one that was told of elsewhere.")
        )
    if number is not None and found.number != number:
        said.append(mismatch(f"It is number {found.number or 'unknown'} of its chain, and not {number}."))
    return replace(subject, statements=(*subject.statements, *said))


def _journals(folder: Path) -> dict[str, frozenset[str]]:
    """Return run of remediation -> hashes of all lines of its journal, which may have grown since a scan."""
    found = {}
    for run in history.intact_runs(folder):
        hashes = {str(entry["prev"]) for entry in run.chain.entries}
        found[run.id] = frozenset(hashes | {run.chain.head})
    return found


def _accesses(folder: Path) -> frozenset[str] | None:
    """Return the hashes of all lines of the access log, and of none; None if the log was changed."""
    try:
        log = access_log.entries(folder)
    except StoreError:
        return None
    return frozenset({str(entry["prev"]) for entry in log.entries} | {log.head})


def _access_log(sealed: Manifest | None, known: frozenset[str] | None) -> list[Statement]:
    """Check the log of who was shown identified data, as far as a manifest names it."""
    if sealed is None or not sealed.access_log:
        return []
    if known is None:
        return [mismatch("The access log was changed: `orphanscan export access-log` names the line.")]
    if sealed.access_log not in known:
        return [mismatch("The access log was changed, or cut off, after the scan was sealed.")]
    return [proven("The access log is as it was up to then, or has grown since.")]


def _actions(sealed: Manifest | None, runs: dict[str, frozenset[str]]) -> list[Statement]:
    """Check the journals of remediation that a manifest names."""
    if sealed is None or not sealed.action_runs:
        return []
    said = []
    for run, head in sealed.action_runs.items():
        if head == "damaged":
            said.append(mismatch(f"The journal of {run} was damaged already when the scan was sealed."))
        elif head not in runs.get(run, ()):
            said.append(mismatch(f"The journal of {run} is missing or was changed after the scan was sealed."))
    if said:
        return said
    return [proven(f"The journals of {len(sealed.action_runs)} runs of changes are as they were, or have grown since.")]
