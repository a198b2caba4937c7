"""Renders the reports of a sealed scan into its reports folder; rewriting them touches nothing else."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TypeVar

from scanner import evidence, framework_files
from scanner.errors import ConfigError, ReportError
from scanner.frameworks import Framework
from scanner.model_record import Record
from scanner.report import FILES, RENDERERS, WHOLE_RENDERERS
from scanner.report.background import Background
from scanner.report.content import Content, build
from scanner.report.counts import PRIVACY, build_counts, counts_drawing, counts_html
from scanner.report.inputs import Inputs, gather
from scanner.report.management import build_management, management_drawing, management_html
from scanner.report.objectives import APPLICATION, MANAGEMENT, objectives, of_application
from scanner.report.pdf import Drawing, drawing
from scanner.report.pdf_process import Drawn, PdfProcess, PdfProcesses
from scanner.report.volumes import first_volume, split, volume_drawing
from scanner.report.whole import build_whole
from scanner.report.words import load
from scanner.settings import EVERY_APPLICATION, PRINTED

_Shown = TypeVar("_Shown")

Job = tuple[str, Callable[[PdfProcess], Drawn]]
"""The name of a file, and what draws it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents are asked for, and how they are told."""

    frameworks: Sequence[str]
    """Ids, each with a report of its own."""
    formats: Sequence[str]
    privacy: str
    rows_per_rule: int
    sheets: int
    prepared_by: str = ""
    recipient: str = ""
    """For whom identified documents are; printed on each page."""
    applications: Sequence[str] = ()
    """Ids, or EVERY_APPLICATION: a report of its own for the owner of each."""
    management: Sequence[str] = ()
    """Ids of frameworks that stand on one page together; none: no such page."""
    full: bool = False
    """Each PDF as numbered volumes with every finding; not the page for management."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a process that draws PDFs."""

    memory_mb: int
    max_seconds: float


@dataclass(frozen=True, slots=True)
class Listeners:
    """Whom to tell of each file, written or not."""

    on_report: Callable[[Path], None] = lambda path: None
    on_trouble: Callable[[Path, str], None] = lambda path, told: None


SILENT = Listeners()
MOST_PROCESSES = 4
"""That draw volumes side by side."""


@dataclass(frozen=True, slots=True)
class Made:
    """The files that were written, and how many there would be if nothing had failed."""

    files: tuple[Path, ...]
    asked: int


def render(
    record: Record,
    folder: Path,
    wanted: Wanted,
    limits: Limits,
    *,
    key: bytes,
    background: Background,
    rule_folders: Sequence[Path] = (),
    listeners: Listeners = SILENT,
) -> Made:
    """Write the files of each document below `<folder>/reports`, and their manifest.

    `rule_folders` may hold further frameworks. A PDF that cannot be drawn within its limits is told to the listener and
    missing in the answer; so are characters that no font has, in a PDF that was written.
    """
    if wanted.privacy == PRIVACY and set(wanted.formats) - set(PRINTED):
        raise ConfigError(f"counts only (L0) are written as {' and '.join(PRINTED)}; leave the other formats out")
    if wanted.privacy == PRIVACY and (wanted.applications or wanted.management or background.period):
        raise ConfigError("counts only (L0) are written for frameworks, as of one scan; leave everything else out")
    run = _Run(record, folder, wanted, key, background, rule_folders)
    written, asked = [], 0
    count = min(MOST_PROCESSES, len(os.sched_getaffinity(0))) if wanted.full else 1
    with PdfProcesses(count, limits.memory_mb, limits.max_seconds) as processes:
        # One document after the other, so that only one at a time is in memory.
        for jobs in _documents(run):
            asked += len(jobs)
            results = processes.results(draw for _, draw in jobs)
            for (name, _), result in zip(jobs, results, strict=True):
                path = folder / "reports" / name
                if _write(path, result, listeners):
                    written.append(path)
    reports = folder / "reports"
    told = {"privacy": wanted.privacy, "recipient": wanted.recipient}
    manifest = {
        "schema": "orphanscan.reports/1",
        "scan": record.scan.id,
        "evidence_manifest_sha256": record.scan.manifest_sha256,
        "generated_at": run.generated_at.isoformat(),
        "files": _listed(reports, {path.name: told for path in written}),
    }
    evidence.write_file(reports / evidence.MANIFEST, evidence.canonical(manifest))
    return Made(tuple(written), asked)


def _write(path: Path, draw: Callable[[], Drawn], listeners: Listeners) -> bool:
    """Draw and write one file; tell and return False if it could not be drawn."""
    try:
        data, warnings = draw()
    except ReportError as exc:
        listeners.on_trouble(path, f"not written: {exc}")
        return False
    evidence.write_file(path, data)
    listeners.on_report(path)
    if missing := _undrawn(warnings):
        listeners.on_trouble(path, missing)
    return True


class _Run:
    """What all documents of a run have in common."""

    def __init__(
        self,
        record: Record,
        folder: Path,
        wanted: Wanted,
        key: bytes,
        background: Background,
        rule_folders: Sequence[Path],
    ) -> None:
        self.record, self.wanted, self.key, self.background = record, wanted, key, background
        # The time of the scan, not of the rendering: the same scan gives the same bytes whenever it is rendered again.
        self.generated_at = (record.scan.finished_at or record.scan.started_at).astimezone(UTC).replace(microsecond=0)
        self.manifest = (folder / evidence.FOLDER / evidence.MANIFEST).read_bytes()
        kept = folder / evidence.FOLDER / evidence.FRAMEWORKS
        self.frameworks = {framework.id: framework for framework in framework_files.load(rule_folders)}
        self.families = framework_files.load_families(rule_folders)
        if kept.is_dir():
            # As they were when the scan was sealed; a framework that came later is taken as it is now.
            self.frameworks |= {framework.id: framework for framework in framework_files.load(kept=kept)}
            self.families = framework_files.load_families(kept=kept)
        for name in (*wanted.frameworks, *wanted.management):
            if name not in self.frameworks:
                raise ConfigError(f"there is no framework '{name}'; there are {', '.join(self.frameworks)}")

    def objectives(self, name: str) -> Framework:
        """Return the control objectives as a framework."""
        return objectives(name, self.families.values(), self.record.scan.tool_version)

    def inputs(self, record: Record, framework: Framework) -> Inputs:
        """Gather what the lists of a report are made of."""
        wanted = self.wanted
        return gather(
            record,
            framework,
            load(),
            privacy=wanted.privacy,
            key=self.key,
            rows_per_rule=wanted.rows_per_rule,
        )

    def content(self, name: str, record: Record, framework: Framework) -> Content:
        """Compute a report in full."""
        return build(
            record,
            framework,
            name=name,
            privacy=self.wanted.privacy,
            key=self.key,
            rows_per_rule=self.wanted.rows_per_rule,
            prepared_by=self.wanted.prepared_by,
            manifest_sha256=record.scan.manifest_sha256,
            generated_at=self.generated_at,
            manifest=self.manifest,
            most_sheets=self.wanted.sheets,
            background=self.background,
            recipient=self.wanted.recipient,
        )


def _documents(run: _Run) -> Iterator[list[Job]]:
    """Yield the files of each document that is asked for; of a period those for reading alone."""
    wanted, record, period = run.wanted, run.record, run.background.period
    printed = [kind for kind in wanted.formats if kind in PRINTED]
    per_document = printed if period else [kind for kind in wanted.formats if kind in RENDERERS]
    suffix = f"-{period.first.isoformat()}-{period.last.isoformat()}" if period else ""
    for name in wanted.frameworks if per_document else ():
        framework = run.frameworks[name]
        if wanted.privacy == PRIVACY:
            yield _counts(run, framework)
        else:
            yield _report(run, name + suffix, record, framework, per_document)
    every = EVERY_APPLICATION in wanted.applications
    apps = [fact.app for fact in record.applications] if every else wanted.applications
    for app in apps if printed else ():
        name = f"{APPLICATION}-{app}{suffix}"
        yield _report(run, name, of_application(record, app), run.objectives(APPLICATION), printed)
    if not period:
        if wanted.management and printed:
            yield _management(run, printed)
        yield _whole(run)


def _report(run: _Run, name: str, record: Record, framework: Framework, kinds: Sequence[str]) -> list[Job]:
    """Return the files of one report in full."""
    volumes = _volumes(run, name, record, framework) if run.wanted.full and "pdf" in kinds else []
    others = [kind for kind in kinds if not volumes or kind != "pdf"]
    if not others:
        return volumes
    content = run.content(name, record, framework)
    draws: dict[str, Callable[[PdfProcess], Drawn]] = {
        kind: partial(_pdf, partial(drawing, content)) if kind == "pdf" else partial(_plain, RENDERERS[kind], content)
        for kind in others
    }
    return [*volumes, *((FILES[kind].format(framework=name), draw) for kind, draw in draws.items())]


def _volumes(run: _Run, name: str, record: Record, framework: Framework) -> list[Job]:
    """Return the volumes of one report."""
    inputs = run.inputs(record, framework)
    first, *further = split(inputs, name)
    content = run.content(first.name, record, framework)
    drawings = [partial(drawing, first_volume(content, inputs, (first, *further)))]
    drawings += [partial(volume_drawing, inputs, content.cover, volume, run.manifest) for volume in further]
    names = [FILES["pdf"].format(framework=volume.name) for volume in (first, *further)]
    return [(own, partial(_pdf, draw)) for own, draw in zip(names, drawings, strict=True)]


def _counts(run: _Run, framework: Framework) -> list[Job]:
    counts = build_counts(
        run.record,
        framework,
        key=run.key,
        prepared_by=run.wanted.prepared_by,
        generated_at=run.generated_at,
        manifest=run.manifest,
    )
    return _printed(framework.id, run.wanted.formats, partial(counts_drawing, counts), partial(counts_html, counts))


def _management(run: _Run, kinds: Sequence[str]) -> list[Job]:
    page = build_management(
        run.record,
        run.objectives(MANAGEMENT),
        [run.frameworks[name] for name in run.wanted.management],
        name=MANAGEMENT,
        privacy=run.wanted.privacy,
        key=run.key,
        prepared_by=run.wanted.prepared_by,
        generated_at=run.generated_at,
        manifest=run.manifest,
        recipient=run.wanted.recipient,
    )
    return _printed(MANAGEMENT, kinds, partial(management_drawing, page), partial(management_html, page))


def _printed(name: str, kinds: Sequence[str], draw: Callable[[], Drawing], html: Callable[[], bytes]) -> list[Job]:
    """Return the files of a paper that is for reading only."""
    return [
        (FILES[kind].format(framework=name), partial(_pdf, draw) if kind == "pdf" else lambda _: (html(), ()))
        for kind in kinds
    ]


def _whole(run: _Run) -> list[Job]:
    """Return the files that speak about the scan as a whole."""
    wanted = run.wanted
    kinds = [kind for kind in wanted.formats if kind in WHOLE_RENDERERS]
    if not kinds:
        return []
    chosen = [run.frameworks[name] for name in wanted.frameworks]
    whole = build_whole(run.record, chosen, privacy=wanted.privacy, key=run.key, recipient=wanted.recipient)
    return [(FILES[kind], partial(_plain, WHOLE_RENDERERS[kind], whole)) for kind in kinds]


def _pdf(draw: Callable[[], Drawing], process: PdfProcess) -> Drawn:
    return process.draw(draw())


def _plain(draw: Callable[[_Shown], bytes], shown: _Shown, _: PdfProcess) -> Drawn:
    return draw(shown), ()


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
        f"some characters are printed as their numbers, as no font here has them ({len(points)}: {some}); install"
        " one that has, for Chinese, Japanese and Korean for instance fonts-noto-cjk, and run `orphanscan report`"
    )
