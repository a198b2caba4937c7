"""Reads a response body under a byte limit that holds after decompression."""

import zlib
from collections.abc import Iterable, Iterator

from scanner.errors import SourceError

_STEP = 256 * 1024
_WINDOW = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
ACCEPT_ENCODING = "gzip, deflate"


class CutError(Exception):
    """The body ended before its end."""


def inflated(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the decoded body in small pieces: a compression bomb never unfolds in memory at once."""
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        yield from chunks
        return
    if coding not in _WINDOW:
        raise SourceError("the answer is compressed in a way that was not asked for")
    unpack = zlib.decompressobj(_WINDOW[coding])
    try:
        for chunk in chunks:
            data, piece = chunk, b""
            while (data or len(piece) == _STEP) and not unpack.eof:
                piece = unpack.decompress(data, _STEP)
                yield piece
                data = unpack.unconsumed_tail
    except zlib.error:
        raise CutError("its compression is damaged") from None
    if not unpack.eof:
        raise CutError("its compressed body ends too early")


def bounded(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Yield the pieces, and refuse to go on past `limit` bytes."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise SourceError(f"one answer is larger than {limit:,} bytes (limits.max_page_bytes)")
        yield piece
