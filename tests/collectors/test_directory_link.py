"""The way to a directory: whom to trust, what is never sent in clear, and when to give up."""

import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import slapd
from contract import CANARY
from ldap_between import between
from rig_directories import application, collect, person
from slapd import BASE, Directory

from scanner.config import Limits
from scanner.connections import LdapSettings
from scanner.credentials import Auth
from scanner.model import Verdict


@pytest.mark.parametrize("start_tls", [True, False])
def test_a_certificate_is_demanded_whatever_the_machine_says(
    start_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trusted with ca_file; without it the password is not sent, even where the environment asks for no proof."""
    monkeypatch.setenv("LDAPTLS_REQCERT", "never")
    with slapd.directory(person("ada"), CANARY) as served:
        settings = LdapSettings(url=served.url if start_tls else served.tls_url, start_tls=start_tls)
        trusted = collect(application(served, settings, ca_file=served.ca_file), tmp_path / "trusted")
        stranger = collect(application(served, settings), tmp_path / "stranger")

    assert trusted.source.verdict is Verdict.COMPLETE, trusted.source.detail
    assert stranger.source.verdict is Verdict.FAILED
    assert "set ca_file" in stranger.source.detail


def test_a_server_that_does_not_encrypt_is_not_signed_in_to(tmp_path: Path) -> None:
    """With start_tls a server, or a stranger in front of it, that refuses encryption never sees the password."""
    seen: list[bytes] = []

    def refuse(message: bytes) -> bytes:
        seen.append(message)
        return message.replace(b"1.3.6.1.4.1.1466.20037", b"1.3.6.1.4.1.1466.20038")

    with slapd.directory(person("ada"), CANARY) as served, between(served, ask=refuse) as url:
        found = collect(application(served, LdapSettings(url=url, start_tls=True), ca_file=served.ca_file), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert seen
    assert CANARY.encode() not in b"".join(seen)


def test_a_stale_or_unknown_reader_is_told(tmp_path: Path) -> None:
    """With the words of the server, without the password; one without a name reads what everybody may see."""
    everybody = "access to attrs=userPassword by anonymous auth\naccess to * by * read"
    with slapd.directory(person("ada"), CANARY, access=everybody) as served:
        auth = application(served).auth
        wrong = collect(application(served, auth=replace(auth, username=f"cn=nobody,{BASE}")), tmp_path / "wrong")
        nobody = collect(application(served, auth=Auth("none")), tmp_path / "nobody")
        silent = collect(application(served, auth=replace(auth, username="")), tmp_path / "silent")

    assert (wrong.source.verdict, wrong.source.collected) == (Verdict.FAILED, 0)
    assert "does not let us in: Invalid credentials" in wrong.source.detail
    assert "read without signing in" in nobody.source.detail
    assert silent.source.verdict is Verdict.FAILED, silent.source
    assert CANARY not in repr((wrong, nobody, silent))


@pytest.mark.parametrize(
    ("scheme", "start_tls", "said"),
    [("ldap", False, "no answer within"), ("ldap", True, "silent for"), ("ldaps", False, "silent for")],
)
def test_a_server_that_is_silent_is_given_up(scheme: str, start_tls: bool, said: str, tmp_path: Path) -> None:
    """After timeout_seconds, also while the connection is being encrypted."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings = LdapSettings(url=f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", start_tls=start_tls)
        limits = Limits(retries=0, timeout_seconds=0.3, max_seconds=5)
        found = collect(application(Directory("", "", tmp_path), settings, limits=limits), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert said in found.source.detail


def test_a_server_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    """A byte now and then resets every other clock; max_seconds ends it."""
    is_cut = threading.Event()

    def drip(listening: socket.socket) -> None:
        client, _ = listening.accept()
        try:
            for byte in b"\x30\x84\x00\xff\xff\xff" + bytes(10_000):
                client.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            is_cut.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        settings = LdapSettings(url=f"ldap://127.0.0.1:{listening.getsockname()[1]}")
        limits = Limits(retries=0, timeout_seconds=30, max_seconds=1)
        found = collect(application(Directory("", "", tmp_path), settings, limits=limits), tmp_path)
        assert is_cut.wait(30)

    assert found.source.verdict is Verdict.FAILED


def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    """Though an authority that is trusted made it."""
    with slapd.directory(person("ada"), CANARY) as served:
        settings = LdapSettings(url=served.tls_url.replace("127.0.0.1", "localhost"))
        found = collect(application(served, settings, ca_file=served.ca_file), tmp_path)

    assert found.source.verdict is Verdict.FAILED
    assert "its certificate is not trusted" in found.source.detail
