"""Renders the reports of a sealed scan into its reports folder; rewriting them touches nothing else."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from scanner import evidence, framework_files
from scanner.errors import ConfigError
from scanner.model import Record
from scanner.report import RENDERERS
from scanner.report.content import build


def render(
    record: Record,
    folder: Path,
    *,
    wanted: Sequence[str],
    formats: Sequence[str],
    privacy: str,
    rows_per_rule: int,
    prepared_by: str,
    key: bytes,
    rule_folders: Sequence[Path] = (),
    on_report: Callable[[Path], None] = lambda path: None,
) -> tuple[Path, ...]:
    """Write one file per framework and format below `<folder>/reports`, and their manifest; returns the files.

    `rule_folders` may hold further frameworks.
    """
    known = {framework.id: framework for framework in framework_files.load(rule_folders)}
    for name in wanted:
        if name not in known:
            raise ConfigError(f"there is no framework '{name}'; there are {', '.join(known)}")
    generated_at = datetime.now(UTC).replace(microsecond=0)
    sealed = (folder / "evidence" / evidence.MANIFEST).read_bytes()
    written = []
    for name in wanted:
        content = build(
            record,
            known[name],
            privacy=privacy,
            key=key,
            rows_per_rule=rows_per_rule,
            prepared_by=prepared_by,
            manifest_sha256=record.scan.manifest_sha256,
            generated_at=generated_at,
            manifest=sealed,
        )
        for kind in formats:
            path = folder / "reports" / f"{name}.{kind}"
            evidence.write_file(path, RENDERERS[kind](content))
            written.append(path)
            on_report(path)
    manifest = {
        "schema": "orphanscan.reports/1",
        "scan": record.scan.id,
        "evidence_manifest_sha256": record.scan.manifest_sha256,
        "generated_at": generated_at.isoformat(),
        "files": evidence.listing(folder / "reports"),
    }
    evidence.write_file(folder / "reports" / evidence.MANIFEST, evidence.canonical(manifest))
    return tuple(written)
