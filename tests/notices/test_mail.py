"""Mail: who gets which, what a hostile name cannot do to it, and when nothing is sent."""

import re
from pathlib import Path

import pytest
import trustme
from aiosmtpd.controller import Controller
from listeners import server_context
from post_office import PASSWORD, Mailbox, Wrapped, free_port, mail
from world import MANIFEST, World, begun, evil, finding


def test_each_owner_gets_one_mail_and_what_has_no_owner_goes_to_the_others(
    post_office: tuple[Mailbox, str], tmp_path: Path
) -> None:
    """Over STARTTLS with a password; one refused address keeps no other mail back, and no secret is repeated."""
    box, receiver = post_office
    world = begun(tmp_path, receiver + "to_owners = true\n")
    world.scan([finding(1), finding(2), finding(3, app="wiki"), finding(4, app="erp")])
    delivery = world.tell()["mail"]

    told = [(one.rcpt_tos[0], str(m["Subject"])) for one, m in zip(box.envelopes, box.messages, strict=True)]
    assert told == [
        ("jane@acme.example", "orphanscan, Acme <&> *bold*: [high] 2 new"),
        ("sec@acme.example", "orphanscan, Acme <&> *bold*: [high] 1 new"),
    ]
    assert "550" in delivery.detail
    assert PASSWORD not in delivery.detail
    body = box.messages[0].get_content()
    assert body.count("- New, high: Title of leaver-still-active, crm.") == 2
    assert f"evidence manifest SHA-256 {MANIFEST}" in body
    assert "Scan 2 (" in body


def test_a_hostile_name_adds_no_header_to_a_mail(post_office: tuple[Mailbox, str], tmp_path: Path) -> None:
    """Line breaks are gone before anything is written, in the organisation's name too."""
    box, receiver = post_office
    world = begun(tmp_path, receiver + 'privacy = "L2"\n')
    world.scan([evil()])
    world.tell()

    (message,) = box.messages
    assert message["Bcc"] is None
    assert box.envelopes[0].rcpt_tos == ["sec@acme.example"]
    assert not re.search(r"^Bcc:", message.get_content(), re.MULTILINE)
    assert "\x1b" not in message.get_content()


def test_a_mail_server_is_trusted_by_its_certificate_only(
    post_office: tuple[Mailbox, str], authority: trustme.CA, tmp_path: Path
) -> None:
    """An authority that is not known, or a wrong name, ends it before the password is sent."""
    box, receiver = post_office
    world = begun(tmp_path, receiver.replace('ca_file = "ca.pem"\n', ""))
    world.scan([finding(1)])

    assert "certificate is not trusted" in world.tell()["mail"].detail
    assert box.envelopes == []


def test_a_server_without_encryption_gets_nothing_and_an_implicit_one_everything(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STARTTLS that is not offered is not left out; `implicit` begins with TLS."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    plain, wrapped = Mailbox(), Mailbox()
    clear = Controller(plain, hostname="127.0.0.1", port=free_port())
    secure = Wrapped(wrapped, hostname="127.0.0.1", port=free_port(), ssl_context=server_context(authority))
    world = World(tmp_path, "")
    world.scan()
    clear.start()
    try:
        world.receivers = mail(clear.port) + "include_existing = true\n"
        monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
        world.scan([finding(1)])
        assert "Nothing is sent in clear" in world.tell()["mail"].detail
    finally:
        clear.stop()
    secure.start()
    try:
        world.receivers = mail(secure.port, "implicit")
        assert world.tell()["mail"].detail == "1 notice sent"
    finally:
        secure.stop()

    assert plain.envelopes == []
    assert len(wrapped.envelopes) == 1
