"""Keys of approvers, as other tools make and show them."""

import subprocess
from pathlib import Path

import pytest

from scanner import keys
from scanner.errors import ConfigError


def made(folder: Path, kind: str, passphrase: str) -> Path:
    """Let OpenSSH make a key."""
    path = folder / f"id_{kind}"
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "dana", "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.mark.parametrize("passphrase", ["", "a longer secret"])
def test_a_key_made_by_openssh_signs_and_has_the_fingerprint_that_openssh_shows(
    tmp_path: Path, passphrase: str
) -> None:
    """Both halves are read as OpenSSH writes them, with and without a passphrase."""
    path = made(tmp_path, "ed25519", passphrase)
    public = keys.public(path.with_suffix(".pub").read_text())

    signature = keys.sign(keys.private(path, passphrase or None), b"plan")

    assert keys.is_signed(public, signature, b"plan")
    assert not keys.is_signed(public, signature, b"another plan")
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(path)], check=True, capture_output=True, text=True).stdout
    assert keys.fingerprint(public) in shown.split()


def test_other_kinds_wrong_passphrases_and_open_files_are_refused(tmp_path: Path) -> None:
    """Each refusal says what to do, and none quotes the file."""
    sealed = made(tmp_path, "ed25519", "a longer secret")
    with pytest.raises(ConfigError, match="passphrase is wrong"):
        keys.private(sealed, "guess")
    with pytest.raises(ConfigError, match="ORPHANSCAN_KEY_PASSPHRASE"):
        keys.private(sealed, None)

    other = made(tmp_path, "ecdsa", "")
    with pytest.raises(ConfigError, match="not an Ed25519 key"):
        keys.private(other, None)
    with pytest.raises(ValueError, match="not an Ed25519 key"):
        keys.public(other.with_suffix(".pub").read_text())

    other.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        keys.private(other, None)


def test_openssh_reads_the_key_that_we_make(tmp_path: Path) -> None:
    """A line of ours is one of OpenSSH's, and what the file signs the line proves."""
    line = keys.new(tmp_path / "dana.pem", "a longer secret")

    signature = keys.sign(keys.private(tmp_path / "dana.pem", "a longer secret"), b"plan")

    assert line.startswith("ssh-ed25519 ")
    assert keys.is_signed(keys.public(line), signature, b"plan")
