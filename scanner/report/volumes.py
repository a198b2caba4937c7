"""A report with every finding in print, as numbered volumes: documents of their own, so that none grows past bounds.

The first volume is the report as every night writes it, with the contents of all; the others hold lists of findings.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from scanner.errors import StoreError
from scanner.report.attachments import manifest_file
from scanner.report.content import Content
from scanner.report.cover import Cover, identifier
from scanner.report.exceptions import PARTS, PAST, FindingList, RuleSection, finding_lists, section
from scanner.report.inputs import Inputs
from scanner.report.pdf import Drawing
from scanner.report.sheet import sheet_drawing

ROWS = 400
"""Findings in a volume: some hundred pages, which one process draws in little time and memory."""
_TEMPLATE = "volume.html"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one rule's list."""

    findings: FindingList
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Volume:
    """One of the files."""

    name: str
    """Of the file, without its ending; the id of the paper begins with it."""
    number: int
    total: int
    pieces: tuple[Piece, ...]
    """None in the first, which is the report itself."""


@dataclass(frozen=True, slots=True)
class VolumeLine:
    """What a volume holds of one rule, for the contents of all."""

    volume: int
    part: str
    title: str
    rows: str
    """In words: which of how many."""
    findings: int


@dataclass(frozen=True, slots=True)
class VolumesPart:
    """The contents of all volumes, for the first."""

    intro: str
    lines: tuple[VolumeLine, ...]
    total: int


def split(inputs: Inputs, name: str, rows: int = ROWS) -> tuple[Volume, ...]:
    """Return the volumes of a report: the first alone if it has room for every finding.

    Raises StoreError unless the further ones hold every finding that is not of the past once.

    Args:
        inputs: of the report, with its cap.
        name: of its file.
        rows: findings in each further volume.
    """
    lists = [one for part in PARTS for one in finding_lists(inputs, part)]
    is_capped = any(len(one.findings) > inputs.rows_per_rule for one in lists)
    held = [(), *(_split(lists, rows) if is_capped else ())]
    found = sum(piece.stop - piece.start for pieces in held for piece in pieces)
    every = sum(finding.state not in PAST for share in inputs.shares.values() for finding in share.findings)
    if is_capped and found != every:
        raise StoreError(f"the volumes do not add up: {found} findings in them, {every} in all; run check on this scan")
    return tuple(Volume(f"{name}-volume-{n:03}", n, len(held), pieces) for n, pieces in enumerate(held, 1))


def _split(lists: Sequence[FindingList], rows: int) -> Iterator[tuple[Piece, ...]]:
    kept: list[Piece] = []
    room = rows
    for one in lists:
        start = 0
        while start < len(one.findings):
            stop = min(len(one.findings), start + room)
            kept.append(Piece(one, start, stop))
            room -= stop - start
            start = stop
            if not room:
                yield tuple(kept)
                kept, room = [], rows
    if kept:
        yield tuple(kept)


def first_volume(content: Content, inputs: Inputs, volumes: Sequence[Volume]) -> Content:
    """Return the report as the first volume, with the contents of all after its exceptions."""
    place = content.sections.index("exceptions") + 1
    return replace(
        content,
        cover=replace(content.cover, subtitle=_subtitle(inputs, content.cover, volumes[0])),
        sections=(*content.sections[:place], "volumes", *content.sections[place:]),
        headings={**content.headings, "volumes": inputs.words("section.volumes")},
        volumes=_contents(inputs, volumes),
    )


def volume_drawing(inputs: Inputs, first: Cover, volume: Volume, manifest: bytes) -> Drawing:
    """Return what it takes to draw one of the further volumes; its findings are made readable only now.

    `first` is the cover of the report, `manifest` seals its scan.
    """
    words, report_id = inputs.words, identifier(inputs, volume.name)
    cover = replace(
        first,
        id=report_id,
        subtitle=_subtitle(inputs, first, volume),
        about=f"{inputs.framework.title}, {report_id}",
        facts=(),
        banner="",
        reader=words("volume.intro", report=first.id),
        note="",
    )
    values: Mapping[str, object] = {
        "parts": [(name, list(_sections(inputs, volume, name))) for name in PARTS],
        "number": words.number,
        "bar": False,
    }
    return sheet_drawing(_TEMPLATE, cover, values, manifest_file(words, manifest))


def _contents(inputs: Inputs, volumes: Sequence[Volume]) -> VolumesPart:
    """Return what stands where."""
    words = inputs.words
    lines = tuple(
        VolumeLine(
            volume=volume.number,
            part=words(f"section.{piece.findings.part}"),
            title=piece.findings.share.title,
            rows=_rows(inputs, piece),
            findings=piece.stop - piece.start,
        )
        for volume in volumes
        for piece in volume.pieces
    )
    intro = words("volume.contents", total=len(volumes)) if lines else words("volume.only")
    return VolumesPart(intro, lines, sum(line.findings for line in lines))


def _subtitle(inputs: Inputs, cover: Cover, volume: Volume) -> str:
    told = inputs.words("volume.of", number=volume.number, total=volume.total)
    return inputs.words("volume.subtitle", subtitle=cover.subtitle, volume=told)


def _sections(inputs: Inputs, volume: Volume, part: str) -> Iterator[RuleSection]:
    for piece in volume.pieces:
        if piece.findings.part == part:
            told = section(inputs, piece.findings, piece.start, piece.stop)
            yield replace(told, shown_sentence=_rows(inputs, piece))


def _rows(inputs: Inputs, piece: Piece) -> str:
    total = len(piece.findings.findings)
    if piece.stop - piece.start == total:
        return inputs.words.count("volume.all_rows", total)
    return inputs.words("volume.rows", first=piece.start + 1, last=piece.stop, total=total)
