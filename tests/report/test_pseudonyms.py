"""Pseudonyms and their key."""

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from scanner.errors import StoreError
from scanner.report.pseudonyms import account_pseudonym, finding_reference, load_key, worker_pseudonym

KEY = b"k" * 32


def test_worker_pseudonym_is_the_first_80_bits_of_the_hmac() -> None:
    """A pseudonym can be computed again by whoever holds the key."""
    digest = hmac.new(KEY, b"hr:1001", hashlib.sha256).digest()

    assert f"P-{base64.b32encode(digest[:10]).decode()}" == worker_pseudonym(KEY, "hr:1001")


def test_account_pseudonym_keeps_applications_apart() -> None:
    """The same id in two applications gives two pseudonyms, and the border between app and id counts."""
    pseudonyms = {account_pseudonym(KEY, app, account) for app, account in [("a", "bc"), ("ab", "c"), ("b", "bc")]}

    assert len(pseudonyms) == 3
    assert all(one.startswith("A-") and len(one) == 18 for one in pseudonyms)


def test_another_key_gives_other_pseudonyms() -> None:
    """Without the key nobody can guess."""
    assert worker_pseudonym(KEY, "x") != worker_pseudonym(b"o" * 32, "x")


def test_short_key_is_refused() -> None:
    """An empty key would make pseudonyms that anyone can compute."""
    with pytest.raises(ValueError, match="32 bytes"):
        worker_pseudonym(b"", "x")


def test_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    """The key file is 0600, 32 bytes, and stays the same."""
    first = load_key(tmp_path, create=True)
    path = tmp_path / "pseudonym.key"

    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first == load_key(tmp_path, create=True) == load_key(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == [path]


def test_missing_key_is_named(tmp_path: Path) -> None:
    """Reading never makes a key."""
    with pytest.raises(StoreError, match=r"pseudonym\.key: the pseudonym key is missing"):
        load_key(tmp_path, create=False)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("size", "mode", "message"), [(31, 0o600, "32 bytes"), (33, 0o600, "32 bytes"), (32, 0o640, "chmod 600")]
)
def test_bad_key_is_refused(tmp_path: Path, size: int, mode: int, message: str) -> None:
    """A cut key or one that others can read is not used."""
    path = tmp_path / "pseudonym.key"
    path.write_bytes(b"x" * size)
    path.chmod(mode)

    with pytest.raises(StoreError, match=message):
        load_key(tmp_path, create=True)


def test_link_in_place_of_the_key_is_refused(tmp_path: Path) -> None:
    """Nobody can point the tool to a key that they know."""
    known = tmp_path / "known"
    known.write_bytes(KEY)
    known.chmod(0o600)
    (tmp_path / "pseudonym.key").symlink_to(known)

    with pytest.raises(StoreError, match="cannot be read"):
        load_key(tmp_path, create=False)


def test_a_reference_needs_the_key() -> None:
    """Whoever guesses an id and computes its fingerprint cannot tell whether it is in the report."""
    fingerprint = hashlib.sha256(b'["leaver-still-active","crm","jane@acme.example",null,null,null]').hexdigest()

    assert finding_reference(KEY, fingerprint) != finding_reference(b"x" * 32, fingerprint)
    assert len(finding_reference(KEY, fingerprint)) == len("F-") + 8
