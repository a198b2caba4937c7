"""Renders the reports of a sealed scan into its reports folder; rewriting them touches nothing else."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from scanner import evidence, framework_files
from scanner.errors import ConfigError, ReportError
from scanner.model import Record
from scanner.report import RENDERERS
from scanner.report.background import Background
from scanner.report.content import build
from scanner.report.pdf_process import PdfProcess


def render(
    record: Record,
    folder: Path,
    *,
    wanted: Sequence[str],
    formats: Sequence[str],
    privacy: str,
    recipient: str = "",
    rows_per_rule: int,
    prepared_by: str,
    key: bytes,
    rule_folders: Sequence[Path] = (),
    memory_mb: int,
    max_seconds: float,
    most_sheets: int,
    background: Background,
    on_report: Callable[[Path], None] = lambda path: None,
    on_trouble: Callable[[Path, str], None] = lambda path, told: None,
) -> tuple[Path, ...]:
    """Write one file per framework and format below `<folder>/reports`, and their manifest; returns the files.

    `rule_folders` may hold further frameworks. A PDF that cannot be drawn within its limits is told to `on_trouble` and
    missing in the answer; so are characters that no font has, in a PDF that was written.
    """
    kept = folder / evidence.FOLDER / evidence.FRAMEWORKS
    known = {framework.id: framework for framework in framework_files.load(rule_folders)}
    if kept.is_dir():
        # As they were when the scan was sealed; a framework that came later is taken as it is now.
        known |= {framework.id: framework for framework in framework_files.load(kept=kept)}
    for name in wanted:
        if name not in known:
            raise ConfigError(f"there is no framework '{name}'; there are {', '.join(known)}")
    # The time of the scan, not of the rendering: the same scan gives the same bytes whenever it is rendered again.
    generated_at = (record.scan.finished_at or record.scan.started_at).astimezone(UTC).replace(microsecond=0)
    sealed = (folder / "evidence" / evidence.MANIFEST).read_bytes()
    written = []
    with PdfProcess(memory_mb, max_seconds) as process:
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
                most_sheets=most_sheets,
                background=background,
                recipient=recipient,
            )
            for kind in formats:
                path = folder / "reports" / f"{name}.{kind}"
                try:
                    data, warnings = process.render(content) if kind == "pdf" else (RENDERERS[kind](content), ())
                except ReportError as exc:
                    on_trouble(path, f"not written: {exc}")
                    continue
                evidence.write_file(path, data)
                written.append(path)
                on_report(path)
                if missing := _undrawn(warnings):
                    on_trouble(path, missing)
    reports = folder / "reports"
    manifest = {
        "schema": "orphanscan.reports/1",
        "scan": record.scan.id,
        "evidence_manifest_sha256": record.scan.manifest_sha256,
        "generated_at": generated_at.isoformat(),
        "files": _listed(reports, {path.name: {"privacy": privacy, "recipient": recipient} for path in written}),
    }
    evidence.write_file(reports / evidence.MANIFEST, evidence.canonical(manifest))
    return tuple(written)


def _listed(folder: Path, now: Mapping[str, Mapping[str, str]]) -> list[dict[str, object]]:
    """Return what lies there, with profile and recipient: of what was written now, and as told before of the rest."""
    try:
        before = json.loads((folder / evidence.MANIFEST).read_bytes())["files"]
        told = {file["path"]: {name: file[name] for name in ("privacy", "recipient")} for file in before}
    except (OSError, ValueError, KeyError, TypeError):
        told = {}
    files = evidence.listing(folder)
    return [file | dict(now.get(str(file["path"])) or told.get(file["path"], {})) for file in files]


def _undrawn(warnings: Sequence[str]) -> str:
    """Return which characters no font has, in a sentence; empty if there are none."""
    points = sorted({point for told in warnings if "notdef" in told for point in re.findall(r"U\+[0-9A-F]+", told)})
    if not points:
        return ""
    some = ", ".join(points[:5]) + (" ..." if len(points) > 5 else "")
    return (
        f"some characters are drawn as empty boxes, as no font here has them ({len(points)}: {some}); install one that"
        " has, for Chinese, Japanese and Korean for instance fonts-noto-cjk, and run `orphanscan report`"
    )
