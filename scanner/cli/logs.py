"""Messages on stderr, as text or as JSON lines: instant in UTC, level, message, fields."""

import json
import logging
import sys
from datetime import UTC, datetime

from scanner.cli.text import printable

_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}


class _Stderr(logging.Handler):
    """Writes to whatever stderr is at that moment: progress bars put themselves in between."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a closed stderr must not stop a scan."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Return what the caller gave as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


class _Text(logging.Formatter):
    """One line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; tracebacks are for the log of internal errors."""
        # Progress says in its sentence what its fields say to programs.
        shown = {} if record.name == "scanner.progress" else _fields(record)
        fields = "".join(f" {name}={value}" for name, value in shown.items())
        return printable(f"{_instant(record)} {record.levelname.lower()}: {record.getMessage()}{fields}")


class _Json(logging.Formatter):
    """One line for programs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, in ASCII so that no terminal or collector can misread it."""
        known = {"time": _instant(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(
            known | {name: value for name, value in _fields(record).items() if name not in known}, default=str
        )


def set_up(log_format: str = "text", verbose: int = 0) -> None:
    """Send our messages to stderr: warnings, with `-v` everything that matters, with `-vv` what libraries do as well.

    In JSON the messages of `-v` are always there: whoever asks for JSON collects them. Loggers are named after modules,
    `logging.getLogger(__name__)`; fields are given as `extra={"source": "crm"}`.
    """
    handler = _Stderr()
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    root = logging.getLogger()
    for old in [item for item in root.handlers if isinstance(item, _Stderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose > 1 else logging.ERROR)
    ours = logging.INFO if verbose or log_format == "json" else logging.WARNING
    logging.getLogger("scanner").setLevel(logging.DEBUG if verbose > 1 else ours)
    # Warnings of libraries (openpyxl, fontTools) are theirs to speak of, and ours only on demand.
    logging.captureWarnings(capture=True)
