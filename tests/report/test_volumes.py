"""A report in full: numbered volumes, each a valid PDF of its own, that hold every finding once."""

import io
import re
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pikepdf
import pytest
import report_samples as samples
from pypdf import PdfReader

from scanner.errors import ReportError, StoreError
from scanner.model_record import Record
from scanner.report.content import Content, build
from scanner.report.inputs import Inputs, gather
from scanner.report.listing import listed
from scanner.report.pdf import Drawing, draw
from scanner.report.pdf_process import PdfProcesses
from scanner.report.volumes import Volume, first_volume, split, volume_drawing
from scanner.report.words import load

ROWS = 20
CAP = 5


def inputs_of(record: Record, cap: int = CAP, **changes: str) -> Inputs:
    """Gather the sample."""
    arguments = {"privacy": "L1", "key": samples.KEY, "rows_per_rule": cap}
    return gather(record, samples.framework(), load(), **(arguments | changes))


def first_of(inputs: Inputs, volumes: tuple[Volume, ...]) -> Content:
    """Return the first volume."""
    content = build(
        inputs.record,
        samples.framework(),
        name=volumes[0].name,
        privacy=inputs.disclosure.privacy,
        key=samples.KEY,
        rows_per_rule=inputs.rows_per_rule,
        prepared_by="Night scheduler",
        manifest_sha256=samples.MANIFEST,
        generated_at=samples.GENERATED,
        manifest=samples.SEALED,
    )
    return first_volume(content, inputs, volumes)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """Gather the sample, with its hostile names."""
    return inputs_of(samples.record(30))


@pytest.fixture(scope="module")
def first(inputs: Inputs) -> Content:
    """Return the first volume of the sample."""
    return first_of(inputs, split(inputs, "gdpr", ROWS))


@pytest.fixture(scope="module")
def further(inputs: Inputs, first: Content) -> list[bytes]:
    """Return the other volumes as PDF."""
    cover = replace(first.cover, subtitle="Who can reach personal data")
    _, *others = split(inputs, "gdpr", ROWS)
    return [draw(volume_drawing(inputs, cover, volume, samples.SEALED)) for volume in others]


@cache
def text_of(data: bytes) -> str:
    """Return the text of a PDF, blanks made alike."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages))


def test_every_finding_stands_in_exactly_one_further_volume(inputs: Inputs, further: list[bytes]) -> None:
    """Read back from the pages: the references of the volumes are those of the list of all findings."""
    printed = Counter(found for data in further for found in re.findall(r"\bF-[A-Z2-7]{8}\b", text_of(data)))
    expected = Counter(row.reference for row in listed(inputs) if row.state not in ("resolved", "verified"))

    assert printed == expected
    assert set(printed.values()) == {1}


def test_the_contents_in_the_first_volume_add_up(inputs: Inputs, first: Content) -> None:
    """Over rules, over volumes and in all; the last row of one stretch is followed by the first of the next."""
    part = first.volumes
    assert part is not None
    per_volume = Counter[int]()
    for line in part.lines:
        per_volume[line.volume] += line.findings
    sizes = [per_volume[number] for number in sorted(per_volume)]

    assert part.total == sum(row.state not in ("resolved", "verified") for row in listed(inputs))
    assert sizes[:-1] == [ROWS] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= ROWS
    assert [line.rows for line in part.lines if line.title == "Leaver whose account still works"][:2] == [
        "1 to 20 of 30",
        "21 to 30 of 30",
    ]
    assert first.sections.index("volumes") == first.sections.index("exceptions") + 1
    assert f"Volume 1 of {len(sizes) + 1}" in first.cover.subtitle


def test_each_volume_is_a_tagged_archive_file_that_says_which_it_is(further: list[bytes], first: Content) -> None:
    """With an id of its own, the manifest inside, bookmarks and header cells; no warning of the renderer."""
    for number, data in enumerate(further, 2):
        text = text_of(data)
        with pikepdf.open(io.BytesIO(data)) as document:
            with document.open_metadata() as metadata:
                assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
            assert list(document.attachments) == ["manifest.json"]
            assert document.Root.get("/StructTreeRoot") is not None
            assert document.Root.get("/Outlines") is not None
        assert f"Volume {number} of {len(further) + 1}" in text
        assert f"GDPR-VOLUME-{number:03}-20261001T060000Z-1a2b-L1" in text
        assert first.cover.id in text.replace("- ", "-")


def test_nobody_is_named_in_a_pseudonymised_volume(further: list[bytes]) -> None:
    """Names, addresses and ids of accounts stand in none, also where the row is set with fewer boxes."""
    text = " ".join(text_of(data) for data in further)

    assert not [name for name in samples.PEOPLE.values() if name in text]
    assert "@acme.example" not in text
    assert "partner.example" not in text
    assert not re.search(r"\bacc-\d{5}\b", text)


def test_hostile_names_are_text_in_an_identified_volume() -> None:
    """Markup is shown, not run; what cannot be printed is gone; the recipient stands on each page."""
    inputs = inputs_of(samples.record(1), cap=1, privacy="L2")
    volumes = split(inputs, "gdpr", ROWS)
    markup = volume_drawing(inputs, first_of(inputs, volumes).cover, volumes[1], samples.SEALED).markup

    assert "<script" not in markup
    assert "&lt;script&gt;" in markup
    assert "<bdi>" in markup
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", markup)


def test_a_report_that_shows_everything_has_one_volume() -> None:
    """Nothing is printed twice for its own sake."""
    inputs = inputs_of(samples.record(3, hostile=False), cap=20)
    volumes = split(inputs, "gdpr", ROWS)
    part = first_of(inputs, volumes).volumes

    assert [volume.name for volume in volumes] == ["gdpr-volume-001"]
    assert part is not None
    assert (part.lines, part.total) == ((), 0)
    assert part.intro == "This volume is the only one: every finding stands in it."


def test_volumes_that_lose_a_finding_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is printed of which the sums do not agree."""
    monkeypatch.setattr("scanner.report.volumes.PARTS", ("exceptions", "leads"))

    with pytest.raises(StoreError, match="the volumes do not add up"):
        split(inputs_of(samples.record(30)), "gdpr", ROWS)


def page(text: str) -> Drawing:
    """Return a page that is drawn fast."""
    return Drawing(f"<!doctype html><html lang=en><title>{text}</title><p>{text}", text)


def test_processes_draw_side_by_side_and_answer_in_order() -> None:
    """The bytes are those of one process, whoever drew them; nothing runs afterwards."""
    texts = [f"page {n}" for n in range(5)]
    with PdfProcesses(2, memory_mb=3072, max_seconds=300) as processes:
        several = [lambda process, text=text: process.draw(page(text)) for text in texts]
        made = [result()[0] for result in processes.results(several)]
        children = children_of_this_process()

    assert len(children) == 2
    assert made == [draw(page(text)) for text in texts]
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_few_are_begun_before_the_first_is_taken() -> None:
    """So that results do not pile up in memory while the first is written."""
    begun: list[int] = []
    enough = threading.Event()

    def one(number: int) -> tuple[bytes, tuple[str, ...]]:
        begun.append(number)
        enough.set()
        return b"", ()

    with PdfProcesses(2, memory_mb=64, max_seconds=1) as processes:
        results = processes.results((lambda _, n=n: one(n)) for n in range(50))
        next(results)()
        enough.wait(10)
        assert len(begun) <= 3
        assert len([result() for result in results]) == 49


def test_one_that_cannot_be_drawn_does_not_stop_the_others() -> None:
    """Its error is raised where its result is asked for."""
    with PdfProcesses(1, memory_mb=3072, max_seconds=300) as processes:
        one, other = processes.results([lambda p: fail(), lambda p: p.draw(page("fine"))])
        with pytest.raises(ReportError, match="too large"):
            one()
        assert other()[0] == draw(page("fine"))


def fail() -> tuple[bytes, tuple[str, ...]]:
    """Raise as a process does that ran out of memory."""
    raise ReportError("too large")


def test_an_interrupt_ends_what_is_being_drawn() -> None:
    """Nobody waits for a volume that nobody wants any more."""
    endless = Drawing("<!doctype html><title>x</title>" + "<p>many words " * 200_000, "x")

    with pytest.raises(KeyboardInterrupt):
        interrupted(endless)
    assert not children_of_this_process()


def interrupted(drawing: Drawing) -> None:
    """Begin to draw, and be interrupted."""
    with PdfProcesses(1, memory_mb=3072, max_seconds=300) as processes:
        waiting = processes.results([lambda process: process.draw(drawing)])
        threading.Thread(target=lambda: next(waiting), daemon=True).start()
        while not children_of_this_process():
            time.sleep(0.01)
        raise KeyboardInterrupt


def children_of_this_process() -> list[str]:
    """Return the ids of processes that draw PDFs for this one."""
    found = [pid for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()]
    return [pid for pid in found if b"pdf_child" in Path(f"/proc/{pid}/cmdline").read_bytes()]
