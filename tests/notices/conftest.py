"""What all tests of notices share: they find their helpers, pauses are short, and certificates are made once."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

sys.path += [str(Path(__file__).parent)]

from listeners import Http, http, server_context  # found by the line above
from post_office import PASSWORD, Mailbox, free_port, mail  # likewise

from scanner.notices import delivery


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def listener() -> Iterator[Http]:
    """Run an HTTP server that keeps what it is sent."""
    with http() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that only these tests know."""
    return trustme.CA()


@pytest.fixture
def post_office(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Mailbox, str]]:
    """Run a mail server with STARTTLS and a password; give its inbox and the receiver's settings."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    def judge(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode())

    box = Mailbox()
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), tls_context=server_context(authority), require_starttls=True,
        auth_required=True, authenticator=judge,
    )  # fmt: skip
    controller.start()
    try:
        yield box, mail(controller.port)
    finally:
        controller.stop()


@pytest.fixture
def chat(listener: Http, monkeypatch: pytest.MonkeyPatch) -> Http:
    """Return the server behind CHAT."""
    monkeypatch.setenv("CHAT_URL", f"{listener.url}/services/T000/canary-chat-77")
    return listener
