"""A report as PDF: the files inside against each other, its bundle, and whatever is no report of ours."""

import json
import shutil
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sealed_company import Company, orphanscan

from scanner.pdf_seal import holds, sealed


@pytest.fixture(scope="module")
def reported(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a company with one PDF."""
    copied = company.copy(tmp_path_factory.mktemp("reported") / "copy")
    assert copied.run("report", "--framework", "sox", "--format", "pdf")[0] == 0
    return copied


@pytest.fixture
def pdf(reported: Company, tmp_path: Path) -> Path:
    """Return a copy of the PDF, far from its bundle."""
    return Path(shutil.copy(reported.scan / "reports" / "sox.pdf", tmp_path / "mailed.pdf"))


def flat(text: str) -> str:
    """Return text without line breaks."""
    return " ".join(text.split())


def test_a_report_is_checked_against_the_bundle_beside_it(reported: Company) -> None:
    """Where it was written, the evidence is at hand."""
    code, told = orphanscan("verify", reported.scan / "reports" / "sox.pdf")

    assert code == 0, told
    assert "findings are among those of the evidence" in flat(told)
    assert "reports are as they were written, from this evidence" in flat(told)


def test_a_mailed_report_says_that_the_bundle_is_not_at_hand_or_is_checked_by_the_one_that_is_named(
    reported: Company, pdf: Path
) -> None:
    """By --bundle, or by the state folder of a configuration."""
    code, told = orphanscan("verify", pdf)
    assert code == 0, told
    assert "not proven Whether its findings are those of the evidence: name the bundle as --bundle." in flat(told)

    for words in (("--bundle", reported.scan), ("-c", reported.folder / "orphanscan.toml")):
        code, told = orphanscan("verify", pdf, *words)
        assert code == 0, told
        assert "findings are among those of the evidence" in flat(told)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7), change=st.sampled_from(["flip", "remove", "add", "cut"]))
@example(place=-1, bit=0, change="flip")
@example(place=-1, bit=0, change="remove")
def test_any_changed_byte_of_a_report_is_found_without_its_bundle(pdf: Path, place: int, bit: int, change: str) -> None:
    """On a page, in a font, in a file inside, in the hash itself, and behind the end."""
    before = pdf.read_bytes()
    at = place % len(before)
    changed = {
        "flip": before[:at] + bytes([before[at] ^ (1 << bit)]) + before[at + 1 :],
        "remove": before[:at] + before[at + 1 :],
        "add": before[:at] + b"0" + before[at:],
        "cut": before[:at],
    }[change]

    assert holds(before)
    assert not holds(changed)
    assert not holds(before + b"\n")


def test_every_byte_near_the_hash_counts(pdf: Path) -> None:
    """Where a flip could hide: the line that holds the hash, and what follows it."""
    before = pdf.read_bytes()
    start = before.rindex(b"% SHA-256 of this file")

    for at in range(start - 40, len(before)):
        for bit in range(8):
            assert not holds(before[:at] + bytes([before[at] ^ (1 << bit)]) + before[at + 1 :]), (at, bit)


def test_a_changed_page_is_told_in_words(pdf: Path) -> None:
    """The files inside are as they were, and still the report is not the one that was written."""
    data = pdf.read_bytes()
    at = data.index(b"stream") + 200
    pdf.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    code, told = orphanscan("verify", pdf)

    assert code == 1
    assert "MISMATCH The file was changed after it was written" in flat(told) or "MISMATCH Not checked" in flat(told)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("findings.json", lambda data: data.replace(b'"critical"', b'"low"', 1), "do not hold the same findings"),
        ("findings.csv", lambda data: data.replace(b"critical", b"info", 1), "do not hold the same findings"),
        ("findings.json", lambda data: b"[]", "findings.json is missing inside, or cannot be read"),
        ("manifest.json", lambda data: data.replace(b'"number":1', b'"number":2'), "name another manifest"),
        ("manifest.json", lambda data: data + b" ", "not in canonical JSON"),
    ],
)
def test_a_changed_file_inside_is_found(pdf: Path, name: str, change: object, said: str) -> None:
    """Without the bundle: they hold each other."""
    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        attached = document.attachments[name]
        data = attached.get_file().read_bytes()
        document.attachments[name] = pikepdf.AttachedFileSpec(document, change(data))  # type: ignore[operator]
        document.save(pdf)
    pdf.write_bytes(sealed(pdf.read_bytes()))
    code, told = orphanscan("verify", pdf)

    assert code == 1
    assert said in flat(told)


def test_findings_that_the_evidence_does_not_hold_are_found(reported: Company, pdf: Path) -> None:
    """Both files inside changed alike, which fits in itself."""
    with pikepdf.open(pdf, allow_overwriting_input=True) as document:
        for name in ("findings.json", "findings.csv"):
            data = document.attachments[name].get_file().read_bytes()
            changed = data.replace(b"critical", b"info")
            document.attachments[name] = pikepdf.AttachedFileSpec(document, changed)
        document.save(pdf)
    pdf.write_bytes(sealed(pdf.read_bytes()))

    assert orphanscan("verify", pdf)[0] == 0
    code, told = orphanscan("verify", pdf, "--bundle", reported.scan)
    assert code == 1
    assert "holds findings that the evidence does not" in flat(told)


def test_a_pdf_that_is_cut_foreign_or_none_is_told(pdf: Path, tmp_path: Path) -> None:
    """Exit 1 with a sentence, whatever it is; no traceback."""
    data = pdf.read_bytes()
    (tmp_path / "cut.pdf").write_bytes(data[: len(data) // 3])
    (tmp_path / "text.pdf").write_text("no PDF")
    (tmp_path / "empty.pdf").write_bytes(b"")
    with pikepdf.new() as foreign:
        foreign.add_blank_page()
        foreign.save(tmp_path / "foreign.pdf")
    for name in ("cut", "text", "empty", "foreign"):
        code, told = orphanscan("verify", tmp_path / f"{name}.pdf")
        assert code == 1, told
        assert "MISMATCH Not checked" in flat(told)
    assert "holds no evidence manifest" in flat(told)


def test_a_report_of_another_scan_is_not_taken_for_this_one(reported: Company, pdf: Path, tmp_path: Path) -> None:
    """The manifest inside names its own evidence."""
    other = tmp_path / "other"
    shutil.copytree(reported.bundle, other)
    document = json.loads((other / "manifest.json").read_bytes())
    document["as_of"] = "2020-01-01T00:00:00+00:00"
    (other / "manifest.json").write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    code, told = orphanscan("verify", pdf, "--bundle", other)

    assert code == 1
    assert "is not the evidence of this report" in flat(told)
