"""The hash that a PDF carries of itself: whoever holds the file alone sees whether a byte was changed by accident.

It stands in a comment, which PDF allows between any two tokens (ISO 32000-1, 7.2.4), before the last `startxref`, so
that nothing follows the end of the file (ISO 19005-3, 6.1.3). Whoever changes a file on purpose can write a new hash.
"""

import hashlib

_END = b"startxref\n"
_LINE = b"% SHA-256 of this file without this line: "
_LENGTH = len(_LINE) + 64 + 1


def sealed(data: bytes) -> bytes:
    """Return a PDF with its hash inside."""
    body, end, rest = data.rpartition(_END)
    return b"".join((body, _LINE, hashlib.sha256(data).hexdigest().encode(), b"\n", end, rest))


def holds(data: bytes) -> bool:
    """Return whether a PDF carries its hash, and every byte is as it was when that was written."""
    at = data.rfind(_LINE)
    return at >= 0 and sealed(data[:at] + data[at + _LENGTH :]) == data
