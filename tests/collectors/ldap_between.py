"""A stranger between a client and a directory, who cuts the connection or rewrites what is said."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1_modules import rfc2251
from slapd import Directory

Rewrite = Callable[[bytes], bytes]


def unchanged(message: bytes) -> bytes:
    """Leave a message as it is."""
    return message


@contextlib.contextmanager
def between(
    served: Directory,
    *,
    cut_after: int | None = None,
    ask: Rewrite = unchanged,
    answer: Rewrite = unchanged,
    at: str = "127.0.0.1",
) -> Iterator[str]:
    """Yield an address in front of a directory; the way back ends after so many bytes."""
    host, port = served.url.removeprefix("ldap://").split(":")

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection((host, int(port)))
                for way in ((client, server, ask, None), (server, client, answer, cut_after)):
                    threading.Thread(target=_carry, args=way, daemon=True).start()

    family, named = (socket.AF_INET6, f"[{at}]") if ":" in at else (socket.AF_INET, at)
    with socket.create_server((at, 0), family=family) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield f"ldap://{named}:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def _carry(source: socket.socket, target: socket.socket, rewrite: Rewrite, cut_after: int | None) -> None:
    left = cut_after
    with contextlib.suppress(OSError), source.makefile("rb") as stream:
        while message := _message(stream):
            out = rewrite(message)
            target.sendall(out if left is None else out[:left])
            left = None if left is None else left - len(out)
            if left is not None and left <= 0:
                break
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _message(stream: Any) -> bytes:
    """Read one message: a tag, a length, and so many bytes (X.690, 8.1)."""
    head: bytes = stream.read(2)
    if len(head) < 2:
        return b""
    length = head[1]
    if length & 0x80:
        more = stream.read(length & 0x7F)
        head, length = head + more, int.from_bytes(more, "big")
    return head + bytes(stream.read(length))


class Ranges:
    """Gives members a few at a time, as Active Directory gives 1,500 (MS-ADTS 3.1.1.3.1.3.3)."""

    def __init__(self, size: int, *, back: int = 0) -> None:
        """`back` is by how many the end that is told lies before that of the values."""
        self.size = size
        self.back = back
        self.asked: list[int] = []

    def ask(self, message: bytes) -> bytes:
        """Turn a question for a range into one for the attribute, and remember where it begins."""
        decoded, _ = decoder.decode(message, asn1Spec=rfc2251.LDAPMessage())
        if decoded["protocolOp"].getName() != "searchRequest":
            return message
        names = decoded["protocolOp"]["searchRequest"]["attributes"]
        for at, name in enumerate(map(str, names)):
            if ";range=" in name:
                self.asked.append(int(name.partition("=")[2].partition("-")[0]))
                names[at] = name.partition(";")[0]
        return bytes(encoder.encode(decoded))

    def answer(self, message: bytes) -> bytes:
        """Leave a part of the members of a group, and say which."""
        decoded, _ = decoder.decode(message, asn1Spec=rfc2251.LDAPMessage())
        if decoded["protocolOp"].getName() != "searchResEntry":
            return message
        for attribute in decoded["protocolOp"]["searchResEntry"]["attributes"]:
            if str(attribute["type"]) == "member":
                start = self.asked[-1] if self.asked else 0
                values = [bytes(one) for one in attribute["vals"]]
                is_last = start + self.size >= len(values)
                end = max(0, start + self.size - 1 - self.back)
                attribute["type"] = f"member;range={start}-{'*' if is_last else end}"
                attribute["vals"].clear()
                attribute["vals"].extend(values[start : start + self.size])
        return bytes(encoder.encode(decoded))
