"""Renders the reports of a sealed scan into its reports folder; rewriting them touches nothing else."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TypeVar

from scanner import evidence, framework_files
from scanner.config import COUNTS_FORMATS
from scanner.errors import ConfigError, ReportError
from scanner.model import Record
from scanner.report import FILES, RENDERERS, WHOLE_RENDERERS
from scanner.report.background import Background
from scanner.report.content import build
from scanner.report.counts import PRIVACY, build_counts, counts_drawing, counts_html
from scanner.report.pdf_process import PdfProcess
from scanner.report.whole import build_whole

_Shown = TypeVar("_Shown")


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
    """Write one file per framework, or per scan, and format below `<folder>/reports`, and their manifest.

    Returns the files.

    `rule_folders` may hold further frameworks. A PDF that cannot be drawn within its limits is told to `on_trouble` and
    missing in the answer; so are characters that no font has, in a PDF that was written.
    """
    if privacy == PRIVACY and set(formats) - set(COUNTS_FORMATS):
        raise ConfigError(
            f"counts only (L0) are written as {' and '.join(COUNTS_FORMATS)}; leave the other formats out"
        )
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

    def write(name: str, kind: str, draw: Callable[[], tuple[bytes, Sequence[str]]]) -> None:
        path = folder / "reports" / FILES[kind].format(framework=name)
        try:
            data, warnings = draw()
        except ReportError as exc:
            on_trouble(path, f"not written: {exc}")
            return
        evidence.write_file(path, data)
        written.append(path)
        on_report(path)
        if missing := _undrawn(warnings):
            on_trouble(path, missing)

    with PdfProcess(memory_mb, max_seconds) as process:
        for name in wanted if any(kind in RENDERERS for kind in formats) else ():
            if privacy == PRIVACY:
                counts = build_counts(
                    record, known[name], key=key, prepared_by=prepared_by, generated_at=generated_at, manifest=sealed
                )
                for kind in formats:
                    if kind == "pdf":
                        write(name, kind, partial(process.draw, counts_drawing(counts)))
                    else:
                        write(name, kind, partial(_quiet, counts_html, counts))
                continue
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
                if kind == "pdf":
                    write(name, kind, partial(process.render, content))
                elif kind in RENDERERS:
                    write(name, kind, partial(_quiet, RENDERERS[kind], content))
    if any(kind in WHOLE_RENDERERS for kind in formats):
        chosen = [known[name] for name in wanted]
        whole = build_whole(record, chosen, privacy=privacy, key=key, recipient=recipient)
        for kind in formats:
            if kind in WHOLE_RENDERERS:
                write("", kind, partial(_quiet, WHOLE_RENDERERS[kind], whole))
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


def files(frameworks: Sequence[str], formats: Sequence[str]) -> int:
    """Return how many files `render` writes if nothing fails."""
    return sum(len(frameworks) if kind in RENDERERS else 1 for kind in formats)


def _quiet(draw: Callable[[_Shown], bytes], shown: _Shown) -> tuple[bytes, Sequence[str]]:
    return draw(shown), ()


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
