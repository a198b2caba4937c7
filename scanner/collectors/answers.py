"""The log of what a server was asked and answered, for the evidence."""

import hashlib
from pathlib import Path

import msgspec

from scanner.collectors.redact import Redactor


class AnswerLog:
    """One line for each answer: what was asked, how long the answer was, and its SHA-256. The answers are not kept."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self._path, self._redactor = path, redactor

    def note(self, target: str, body: bytes) -> None:
        """Append one line."""
        told = {
            "request": f"GET {self._redactor.text(target, 2000)}",
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(told) + b"\n")
