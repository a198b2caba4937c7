"""The limited process in which rules run; the parent side of `rule_child`."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

MAX_FINDINGS = 2_000_000


class RuleError(Exception):
    """One rule failed; the message is the detail of its result."""


class Child:
    """The child process, started when needed and again after a kill."""

    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=8)

    def __enter__(self) -> "Child":
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._kill()

    def ask(
        self, file: Path, sql: str, values: Mapping[str, object], deadline: float
    ) -> Iterator[tuple[list[str], list[Any]]]:
        """Yield (columns, row) of a query; raises RuleError when it fails or is stopped."""
        process = self._running()
        request = {"file": str(file), "sql": sql, "values": dict(values)}
        try:
            if process.stdin is None:
                raise BrokenPipeError
            process.stdin.write(msgspec.json.encode(request) + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        rows: list[list[Any]] = []
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self._kill()
                raise RuleError("stopped: it did not end in time; raise max_seconds in [rules]") from None
            if not line:
                raise self._ended()
            message = msgspec.json.decode(line)
            if "error" in message:
                raise self._failed(message["error"])
            if "done" in message:
                yield from ((message["done"], row) for row in rows)
                return
            rows += message["rows"]
            if len(rows) > MAX_FINDINGS:
                self._kill()
                raise RuleError(f"stopped: it returned more than {MAX_FINDINGS:,} rows")

    def _failed(self, error: str) -> RuleError:
        if error == "memory":
            # What is left of the address space is unknown: the next rule gets a fresh process.
            self._kill()
            return RuleError(f"ran out of its {self._memory_mb} MB; raise memory_mb in [rules]")
        return RuleError(error)

    def _ended(self) -> RuleError:
        self._kill()
        return RuleError(
            f"its process ended, most likely for want of memory ({self._memory_mb} MB); see memory_mb in [rules]"
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # The child needs no environment: no secret of ours can reach a rule.
            environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
            # One malloc arena: each further one reserves address space that the limit would count.
            environment["MALLOC_ARENA_MAX"] = "2"
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scanner.rule_child", str(self._memory_mb)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
            self._lines = queue.Queue(maxsize=8)
            threading.Thread(target=_read, args=(self._process, self._lines), daemon=True).start()
        return self._process

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            # The reader may wait for room in the queue: empty it so that the thread ends.
            while not self._lines.empty():
                self._lines.get_nowait()
            self._process.wait()
            self._process = None


def _read(process: subprocess.Popen[bytes], lines: "queue.Queue[bytes]") -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(b"")
