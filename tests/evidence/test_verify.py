"""What `verify` finds: every change of every file, and what it says of the things that it cannot prove."""

import json
import os
import shutil
from pathlib import Path

import authority
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sealed_company import Company, orphanscan

from scanner import keys
from scanner.evidence import manifest, verify
from scanner.evidence.verify import Grade, Subject, Trust


def check(bundle: Path, company: Company) -> Subject:
    """Check a bundle with all that an auditor may know."""
    head = manifest.read(company.bundle).sha256
    return verify.bundle(bundle, Trust(company.public_key.read_text(), (), head), head)


def mismatches(subject: Subject) -> list[str]:
    """Return what does not fit."""
    return [one.sentence for one in subject.statements if one.grade is Grade.MISMATCH]


def test_a_scan_is_proven_with_its_chain_reports_signature_and_time(company: Company, tsa: authority.Authority) -> None:
    """Whoever knows key, authority and head learns that nothing was changed, added, removed or cut."""
    head = manifest.read(company.bundle).sha256
    code, told = company.run(
        "verify", "--key", company.public_key, "--timestamp-ca", tsa.root, "--head", head[:16], "--number", "1"
    )

    assert code == 0, told
    for words in (
        "are as the manifest names them, and no other is there",
        "signed by the trusted key SHA256:",
        "a trusted authority says so (CN=Test Authority)",
        "1 reports are as they were written, from this evidence",
        "All scans up to number 1",
        "Nothing is wrong.",
    ):
        assert words in " ".join(told.split())


def test_a_bundle_alone_says_what_it_does_not_prove(bundle: Path) -> None:
    """Without a key, a root and a hash from elsewhere a signature shows its holder, and the manifest hangs free."""
    code, told = orphanscan("verify", bundle)
    flat = " ".join(told.split())

    assert code == 0, told
    assert "is signed by the holder of SHA256:" in flat
    assert "not proven Whose key SHA256:" in flat
    assert "not proven That this manifest is the one of the scan" in flat
    assert "not proven That the manifest existed at" in flat
    assert "does not show that a source told the truth" in flat


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flipped_removed_or_added_byte_of_any_file_is_found(
    company: Company, bundle: Path, data: st.DataObject
) -> None:
    """Of every sealed file, the manifest and its signature."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != manifest.TIMESTAMP)
    path = data.draw(st.sampled_from(files))
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    change = data.draw(st.sampled_from(["flip", "remove", "add", "cut", "delete"]))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = {
        "flip": before[:place] + bytes([before[place] ^ bit]) + before[place + 1 :],
        "remove": before[:place] + before[place + 1 :],
        "add": before[:place] + b"0" + before[place:],
        "cut": before[:place],
    }
    try:
        path.unlink() if change == "delete" else path.write_bytes(changed[change])
        assert not check(bundle, company).is_right
    finally:
        path.write_bytes(before)
    assert check(bundle, company).is_right


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_signature_is_found_without_any_other_knowledge(
    bundle: Path, place: int, bit: int
) -> None:
    """Neither JSON nor base64 nor the key line has a second spelling that passes."""
    path = bundle / manifest.SIGNATURE
    before = path.read_bytes()
    at = place % len(before)
    try:
        path.write_bytes(before[:at] + bytes([before[at] ^ (1 << bit)]) + before[at + 1 :])
        assert not verify.bundle(bundle, Trust()).is_right
    finally:
        path.write_bytes(before)


def test_an_added_file_a_link_and_a_pipe_are_found(company: Company, bundle: Path) -> None:
    """None of them is opened."""
    (bundle / "rules" / "more.sql").write_text("select 1")
    (bundle / "audit" / "secret.parquet").symlink_to("/etc/passwd")
    os.mkfifo(bundle / "pipe")

    assert mismatches(check(bundle, company)) == [
        "audit/secret.parquet is a link, which no bundle holds.",
        "pipe is no plain file, which no bundle holds.",
        "rules/more.sql was added after the scan was sealed.",
    ]


def test_a_file_replaced_by_a_link_to_the_same_content_is_found(company: Company, bundle: Path) -> None:
    """What it leads to may change after the check."""
    path = bundle / "results.json"
    path.rename(bundle.parent / "elsewhere.json")
    path.symlink_to(bundle.parent / "elsewhere.json")

    assert mismatches(check(bundle, company)) == ["results.json is a link, which no bundle holds."]


def test_half_a_bundle_names_each_file_that_is_missing(company: Company, bundle: Path) -> None:
    """A copy that was interrupted is no evidence, and says what it lacks."""
    shutil.rmtree(bundle / "audit")
    missing = mismatches(check(bundle, company))

    assert "audit/accounts.parquet is missing." in missing
    assert all(sentence.startswith("audit/") for sentence in missing)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "audit/../../x", "a//b", "", "a\\b", "manifest.json"]
)
def test_a_path_that_leads_out_of_the_bundle_is_refused(bundle: Path, path: str) -> None:
    """A manifest from a stranger opens nothing outside."""
    document = json.loads((bundle / manifest.MANIFEST).read_bytes())
    document["files"].append({"path": path, "bytes": 1, "sha256": "0" * 64})
    (bundle / manifest.MANIFEST).write_bytes(verify.canonical(document))
    code, told = orphanscan("verify", bundle)

    assert code == 1
    assert "leads out of the bundle" in " ".join(told.split())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"schema":"orphanscan.manifest/9"}'])
def test_a_manifest_that_is_none_is_told_and_not_a_crash(bundle: Path, data: bytes) -> None:
    """Whatever lies there instead."""
    (bundle / manifest.MANIFEST).write_bytes(data)
    code, told = orphanscan("verify", bundle)

    assert code == 1
    assert "no evidence manifest of orphanscan" in " ".join(told.split())


def test_a_huge_file_is_hashed_in_pieces_and_a_huge_manifest_is_not_read(company: Company, bundle: Path) -> None:
    """Two sparse gigabytes take no memory: the size tells already that the file is not the sealed one."""
    with (bundle / "results.json").open("r+b") as file:
        file.truncate(2 * 1024**3)
    assert mismatches(check(bundle, company)) == ["results.json was changed after the scan was sealed."]

    with (bundle / manifest.MANIFEST).open("r+b") as file:
        file.truncate(2 * 1024**3)
    assert "larger than any manifest" in mismatches(check(bundle, company))[0]


def test_another_key_than_the_trusted_one_is_a_mismatch(bundle: Path, tmp_path: Path) -> None:
    """So is a signature that was taken away, as the manifest names its key."""
    other = tmp_path / "other.pub"
    other.write_text(keys.new(tmp_path / "other.pem", None))

    code, told = orphanscan("verify", bundle, "--key", other)
    assert code == 1
    assert "signed by another key" in " ".join(told.split())

    (bundle / manifest.SIGNATURE).unlink()
    code, told = orphanscan("verify", bundle)
    assert code == 1
    assert "MISMATCH The signature is missing; SHA256:" in " ".join(told.split())


def test_a_bundle_of_before_is_read_and_says_less(company: Company, bundle: Path) -> None:
    """A manifest without number, replay hash and key, as older versions wrote it."""
    document = json.loads((bundle / manifest.MANIFEST).read_bytes())
    for name in ("number", "replay_sha256", "beside", "access_log", "signing_key"):
        del document[name]
    (bundle / manifest.MANIFEST).write_bytes(verify.canonical(document))
    for name in (manifest.SIGNATURE, manifest.TIMESTAMP):
        (bundle / name).unlink()
    code, told = orphanscan("verify", bundle, "--json")

    assert code == 0, told
    (subject,) = json.loads(told)["subjects"]
    assert subject["number"] is None
    assert {one["grade"] for one in subject["statements"]} == {"proven", "not proven"}


def test_reports_and_files_beside_the_evidence_are_checked(company: Company, tmp_path: Path) -> None:
    """A changed report, an added one, and a changed findings.json of a scan's folder."""
    copied = company.copy(tmp_path / "copy")
    (copied.scan / "reports" / "sox.html").write_text("all is well")
    (copied.scan / "reports" / "more.html").write_text("more")
    (copied.scan / "findings.json").write_text("{}")
    code, told = copied.run("verify")
    flat = " ".join(told.split())

    assert code == 1
    assert "MISMATCH sox.html was changed after it was written." in flat
    assert "MISMATCH more.html is not in the manifest of the reports." in flat
    assert "MISMATCH findings.json beside the evidence was changed" in flat


def test_usage_errors_are_told_apart_from_mismatches(company: Company, tmp_path: Path) -> None:
    """A scan that is not there, a hash that is none, a key that is none: 2. A PDF that is not there: 6."""
    (tmp_path / "no.pub").write_text("no key")

    assert company.run("verify", "20990101")[0] == 2
    assert company.run("verify", "--head", "xyz")[0] == 2
    assert company.run("verify", "--key", tmp_path / "no.pub")[0] == 2
    assert company.run("verify", tmp_path / "none.pdf")[0] == 6
