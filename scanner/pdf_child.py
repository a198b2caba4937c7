"""The child process that draws PDFs: without secrets, in a bounded address space; the parent ends it in time.

It reads one JSON request a line on stdin and answers each with one line: the file and the warnings of the renderer, or
an error. One process draws all PDFs of a run, so that fonts are read once.
"""

import logging
import resource
import sys

import msgspec

from scanner.report.pdf import Drawing, draw


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
    for line in sys.stdin.buffer:
        handler.told.clear()
        answer: dict[str, object]
        try:
            answer = {"data": draw(msgspec.json.decode(line, type=Drawing)), "warnings": handler.told}
        except MemoryError:
            answer = {"error": "memory"}
        except Exception as exc:
            # Whatever the renderer stumbles over: the scan is stored, and the parent tells what happened.
            answer = {"error": f"{type(exc).__name__}: {' '.join(str(exc).split())[:500]}"}
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
