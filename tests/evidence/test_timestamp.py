"""Timestamps of an authority: OpenSSL's own, asked over HTTP on loopback, and checked by OpenSSL too."""

import subprocess
from pathlib import Path

import authority
import pytest
from sealed_company import Company

from scanner.errors import ReportError
from scanner.evidence import timestamp
from scanner.evidence.manifest import MANIFEST, TIMESTAMP
from scanner.settings import EvidenceSettings


def test_common_tools_prove_the_timestamp_and_the_signature(
    company: Company, tsa: authority.Authority, tmp_path: Path
) -> None:
    """An auditor needs neither orphanscan nor a library of ours."""
    sealed = company.bundle / MANIFEST
    stamped = subprocess.run(
        ["openssl", "ts", "-verify", "-data", sealed, "-in", company.bundle / TIMESTAMP, "-CAfile", tsa.root],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Verification: OK" in stamped.stdout + stamped.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a manifest."""
    (tmp_path / MANIFEST).write_bytes(b"{}")
    return tmp_path


def test_the_answer_is_kept_only_if_it_stamps_this_manifest(folder: Path, tsa: authority.Authority) -> None:
    """Not the answer to another request, nor one of an authority that is not the trusted one."""
    settings = EvidenceSettings(timestamp_url=tsa.url, timestamp_ca_file=tsa.root)
    stamp = timestamp.stamp(folder, settings)
    assert stamp is not None
    assert stamp.is_trusted
    kept = (folder / TIMESTAMP).read_bytes()
    (folder / TIMESTAMP).unlink()

    tsa.answers.append(kept)  # a replayed answer: right manifest, wrong nonce
    with pytest.raises(ReportError, match="answers another request"):
        timestamp.stamp(folder, settings)
    assert not (folder / TIMESTAMP).exists()
    with pytest.raises(ValueError, match="something else"):
        timestamp.check(kept, b"{} ", ())


@pytest.mark.parametrize("answer", [500, 302, b"", b"no token", b"\x30\x80" * 1000, b"x" * 300_000])
def test_an_authority_that_misbehaves_is_told(folder: Path, tsa: authority.Authority, answer: bytes | int) -> None:
    """A status, nothing, rubbish, too much."""
    tsa.answers.append(answer)

    with pytest.raises(ReportError, match="http://127"):
        timestamp.stamp(folder, EvidenceSettings(timestamp_url=tsa.url))
    assert not (folder / TIMESTAMP).exists()


def test_another_authority_is_not_believed(folder: Path, tsa: authority.Authority, tmp_path: Path) -> None:
    """Its token is right in itself, and leads to another root."""
    with authority.running(tmp_path / "other") as other:
        timestamp.stamp(folder, EvidenceSettings(timestamp_url=other.url))
        token, sealed = (folder / TIMESTAMP).read_bytes(), (folder / MANIFEST).read_bytes()

        assert not timestamp.check(token, sealed, ()).is_trusted
        assert timestamp.check(token, sealed, (other.root.read_bytes(),)).is_trusted
        with pytest.raises(ValueError, match="does not lead to the trusted authority"):
            timestamp.check(token, sealed, (tsa.root.read_bytes(),))


def test_a_scan_whose_authority_is_dead_is_stored_and_says_so(company: Company, tmp_path: Path) -> None:
    """No timestamp, a warning, and the same exit code as ever."""
    copied = company.copy(tmp_path / "copy")
    config = copied.folder / "orphanscan.toml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("timestamp_url")]
    config.write_text("\n".join([*lines, 'timestamp_url = "http://127.0.0.1:9/"']) + "\n")
    code, told = copied.run("scan")

    assert code == 1, told
    assert "the manifest has no timestamp: http://127.0.0.1:9/ cannot be reached: ConnectError" in " ".join(
        told.split()
    )
    assert not (copied.bundle / TIMESTAMP).exists()
    assert "there is no timestamp of an outside authority" in " ".join(copied.run("verify", "latest")[1].split())
