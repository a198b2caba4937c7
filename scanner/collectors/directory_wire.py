"""The wire to a directory: Python connects, encrypts and ends it in time; the library speaks over a plain end of it.

OpenLDAP's library waits for ever where a server is silent while a connection is being encrypted, and goes by what files
and variables of the machine say of certificates. Here neither can happen: its end is a local pair of sockets, and what
it says travels over a connection of ours.
"""

import contextlib
import select
import socket
import ssl
import threading
import time

from scanner.collectors import connecting
from scanner.errors import SourceError

_START_TLS = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
"""Message 1: the extended operation StartTLS (RFC 4511, 4.14)."""
_AGREED = b"\x0a\x01\x00"
"""The result `success`, as it stands in the answer."""
_BYTES = 65_536
_LOOK_SECONDS = 0.5
"""Between two looks at the clock."""


class Wire:
    """An open connection to one server; close it when done."""

    def __init__(
        self, host: str, port: int, *, tls: bool, start_tls: bool, ca_file: str | None, seconds: float, until: float
    ) -> None:
        """Connect, and encrypt where that is asked for; raises SourceError.

        `seconds` is the longest that the server may be silent meanwhile, `until` the monotonic time at which all ends.
        """
        self._outer = _connected(host, port, seconds)
        try:
            if start_tls:
                _ask_for_tls(self._outer)
            if tls or start_tls:
                trust = connecting.trust(ca_file) if ca_file else ssl.create_default_context()
                self._outer = trust.wrap_socket(self._outer, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            self._outer.close()
            why = f"its certificate is not trusted ({error.verify_message})"
            raise SourceError(f"{why}; set ca_file for an authority of your own") from None
        except TimeoutError:
            self._outer.close()
            raise SourceError(f"it was silent for {seconds:g} s while the connection was being encrypted") from None
        except OSError as error:
            self._outer.close()
            raise SourceError(f"the connection cannot be encrypted: {error.strerror or error}") from None
        end, self._inner = socket.socketpair()
        self.end = end.detach()
        """File descriptor on which the library speaks, and which it closes."""
        self._until = until
        threading.Thread(target=self._carry, daemon=True).start()

    def close(self) -> None:
        """End the connection, whoever waits on it."""
        for one in (self._inner, self._outer):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _carry(self) -> None:
        """Carry bytes both ways until one side is gone or the time is over."""
        with contextlib.ExitStack() as ending, contextlib.suppress(OSError):
            ending.callback(self._ended)
            while time.monotonic() < self._until:
                waiting = isinstance(self._outer, ssl.SSLSocket) and self._outer.pending()
                ready, _, _ = select.select([self._inner, self._outer], [], [], 0 if waiting else _LOOK_SECONDS)
                for source, target in ((self._outer, self._inner), (self._inner, self._outer)):
                    if source not in ready and not (waiting and source is self._outer):
                        continue
                    data = source.recv(_BYTES)
                    if not data:
                        return
                    target.sendall(data)

    def _ended(self) -> None:
        for one in (self._inner, self._outer):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout=seconds)
    except TimeoutError:
        raise SourceError(f"it did not answer within {seconds:g} s") from None
    except OSError as error:
        raise SourceError(f"it cannot be connected to: {error.strerror or error}") from None


def _ask_for_tls(wire: socket.socket) -> None:
    """Ask the server to encrypt, and read no byte more than its answer."""
    wire.sendall(_START_TLS)
    head = _exactly(wire, 2)
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(_exactly(wire, length & 0x7F), "big")
    if head[0] != 0x30 or length > _BYTES:
        raise SourceError("what answers there is no directory")
    if _AGREED not in _exactly(wire, length):
        raise SourceError("it refuses to encrypt the connection (start_tls)")


def _exactly(wire: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = wire.recv(count - len(data))
        if not more:
            raise SourceError("it closed the connection when asked to encrypt it")
        data += more
    return data
