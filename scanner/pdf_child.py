"""The child process that draws PDFs: without secrets, in a bounded address space; the parent ends it in time.

It reads requests on stdin: a line of JSON, and after it the files that belong inside, as they are. It answers each with
one line: the PDF and the warnings of the renderer, or an error, after which it ends. One process draws all PDFs of a
run, so that fonts are read once.
"""

import logging
import resource
import sys
from dataclasses import dataclass, replace

import msgspec

from scanner.report.pdf import Drawing, draw


@dataclass(frozen=True, slots=True)
class Request:
    """A page to draw."""

    drawing: Drawing
    sizes: tuple[int, ...]
    """Bytes of each file that follows, in the order of the attachments."""


class Warnings(logging.Handler):
    """Keeps what the renderer warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.told.append(record.getMessage())


def main() -> None:
    """Serve requests until stdin ends."""
    limit = int(sys.argv[1]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    handler = Warnings()
    logging.getLogger("weasyprint").addHandler(handler)
    failed = False
    while not failed and (line := sys.stdin.buffer.readline()):
        handler.told.clear()
        answer: dict[str, object]
        try:
            answer = {"data": draw(_request(line)), "warnings": handler.told}
        except MemoryError:
            answer = {"error": "memory"}
        except Exception as exc:
            # Whatever the renderer stumbles over: the scan is stored, and the parent tells what happened.
            answer = {"error": f"{type(exc).__name__}: {' '.join(str(exc).split())[:500]}"}
        failed = "error" in answer
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


def _request(line: bytes) -> Drawing:
    asked = msgspec.json.decode(line, type=Request)
    files = [sys.stdin.buffer.read(size) for size in asked.sizes]
    named = zip(asked.drawing.attachments, files, strict=True)
    return replace(asked.drawing, attachments=tuple(replace(file, data=data) for file, data in named))


if __name__ == "__main__":
    main()
