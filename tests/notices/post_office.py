"""A mail server on loopback, and the receiver that tells it."""

import socket
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

PASSWORD = "canary-smtp-93ab1cf0"


class Mailbox:
    """An SMTP server's inbox."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse one address, as a server does that knows nobody of that name."""
        if address.startswith("raj"):
            return "550 nobody here knows canary-smtp-93ab1cf0"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a message."""
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def messages(self) -> list[EmailMessage]:
        """What came, parsed."""
        parsed = (message_from_bytes(one.content or b"", policy=policy.default) for one in self.envelopes)
        return [one for one in parsed if isinstance(one, EmailMessage)]


class Wrapped(Controller):
    """A mail server behind TLS. It waits for its first connection, made here, as it does not know our authority."""

    def _trigger_server(self) -> None:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        with trusting.wrap_socket(socket.create_connection((self.hostname, self.port), 5)) as one:
            one.recv(1024)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def mail(port: int, tls: str = "starttls") -> str:
    """Return the receiver of a mail server on this machine."""
    auth = '{ type = "basic", username = "scan", password_env = "MAIL_PASSWORD" }'
    return f"""
[[notify]]
id = "mail"
type = "email"
host = "127.0.0.1"
port = {port}
tls = "{tls}"
sender = "scan@acme.example"
to = ["sec@acme.example"]
ca_file = "ca.pem"
auth = {auth if tls == "starttls" else '{ type = "none" }'}
"""
