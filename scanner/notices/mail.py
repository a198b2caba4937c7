"""E-mail over SMTP, encrypted, to a server whose certificate is checked."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.utils import format_datetime, localtime

from scanner.collectors.redact import Redactor
from scanner.errors import NoticeError
from scanner.notices import wire, wording
from scanner.notices.chat import Send
from scanner.notices.model import Notice, PassingError
from scanner.settings import Receiver

_PORTS = {"starttls": 587, "implicit": 465, "none": 25}
_SUBJECT = 200


@contextlib.contextmanager
def mail(receiver: Receiver) -> Iterator[Send]:
    """Give what sends notices over one connection, which is opened with the first."""
    redactor = Redactor()
    with contextlib.ExitStack() as stack:
        open_: list[smtplib.SMTP] = []

        def send(notice: Notice) -> Mapping[str, str]:
            with _told(receiver, redactor):
                if not open_:
                    open_.append(_connected(receiver, redactor, stack))
                try:
                    open_[0].send_message(message(receiver, notice))
                except smtplib.SMTPServerDisconnected:
                    open_.clear()
                    raise
            return {}

        yield send


def check(receiver: Receiver) -> str:
    """Connect and sign in, without sending anything."""
    redactor = Redactor()
    with contextlib.ExitStack() as stack, _told(receiver, redactor):
        _connected(receiver, redactor, stack)
    signed_in = " and the sign-in is accepted" if receiver.auth.type == "basic" else ""
    return f"{receiver.host} answers{signed_in}"


def message(receiver: Receiver, notice: Notice) -> EmailMessage:
    """Return the message; EmailMessage refuses line breaks in headers, and none comes this far."""
    mail = EmailMessage()
    mail["From"] = receiver.sender
    mail["To"] = notice.owner or ", ".join(receiver.to)
    mail["Subject"] = wording.subject(notice)[:_SUBJECT]
    mail["Date"] = format_datetime(localtime())
    # Equal for a message that is sent again, so that mail systems which know it drop the second.
    mail["Message-ID"] = f"<{notice.id}@{(receiver.sender or '').rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(wording.text(notice))
    return mail


def _connected(receiver: Receiver, redactor: Redactor, stack: contextlib.ExitStack) -> smtplib.SMTP:
    host, port = receiver.host or "", receiver.port or _PORTS[receiver.tls]
    trust = ssl.create_default_context(cafile=str(receiver.ca_file) if receiver.ca_file else None)
    if receiver.tls == "implicit":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=wire.SECONDS, context=trust)
    else:
        server = smtplib.SMTP(host, port, timeout=wire.SECONDS)
    stack.callback(server.close)
    if receiver.tls == "starttls":
        server.starttls(context=trust)
    if receiver.auth.type == "basic":
        password = wire.read(receiver.auth.secret, receiver)
        redactor.add(password)
        server.login(receiver.auth.username or "", password)
    return server


@contextlib.contextmanager
def _told(receiver: Receiver, redactor: Redactor) -> Iterator[None]:
    """Turn the errors of a mail server into sentences."""
    what = f"mail to {receiver.host}"
    try:
        yield
    except smtplib.SMTPNotSupportedError as error:
        raise NoticeError(
            f"{what}: {redactor.text(str(error))} Nothing is sent in clear; see tls of {receiver.id}"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refused(what, code, said, redactor) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(what, error.smtp_code, error.smtp_error, redactor) from None
    except ssl.SSLCertVerificationError as error:
        raise NoticeError(
            f"{what}: the certificate is not trusted ({error.verify_message}); set ca_file for an authority of your own"
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise PassingError(f"{what} could not be sent: {redactor.text(str(error), 120)}") from None
    except (UnicodeError, ValueError) as error:  # an address that no server can be told
        raise NoticeError(f"{what} could not be written: {redactor.text(str(error), 120)}") from None


def _refused(what: str, code: int, said: bytes | str, redactor: Redactor) -> NoticeError:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    sentence = f'{what}: the server says "{code} {redactor.text(text, 160)}"'
    return PassingError(sentence) if 400 <= code < 500 else NoticeError(sentence)
