"""The limited process in which PDFs are drawn; the parent side of `pdf_child`."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

import msgspec

from scanner.errors import ReportError
from scanner.report.content import Content
from scanner.report.pdf import Drawing, drawing

Drawn = tuple[bytes, Sequence[str]]
"""A file, and the warnings of its renderer."""


class PdfProcess:
    """The child process, started when needed and again after it was ended."""

    def __init__(self, memory_mb: int, max_seconds: float) -> None:
        self._memory_mb = memory_mb
        self._max_seconds = max_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def __enter__(self) -> "PdfProcess":
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._kill()

    def stop(self) -> None:
        """End it for good: whoever waits for it in another thread is told of a ReportError."""
        self._is_stopped = True
        self._signal()

    def render(self, content: Content) -> tuple[bytes, tuple[str, ...]]:
        """Return a report as PDF and the warnings of the renderer; raises ReportError if it fails or is stopped."""
        return self.draw(drawing(content))

    def draw(self, wanted: Drawing) -> tuple[bytes, tuple[str, ...]]:
        """Return a page as PDF, as `render` does."""
        process = self._running()
        with self._timed() as late:
            line = _exchange(process, wanted)
        if not line:
            self._kill()
            raise ReportError(
                f"stopped: it was not drawn within {self._max_seconds:g} seconds; raise max_seconds in [report]"
                if late.is_set()
                else self._memory()
            )
        answer = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        if "error" in answer:
            self._kill()
            error = msgspec.json.decode(answer["error"], type=str)
            raise ReportError(self._memory() if error == "memory" else f"the renderer failed: {error}")
        warnings = msgspec.json.decode(answer["warnings"], type=tuple[str, ...])
        return msgspec.json.decode(answer["data"], type=bytes), warnings

    def _memory(self) -> str:
        return f"ran out of its {self._memory_mb} MB; raise memory_mb in [report], or print fewer rows_per_rule"

    @contextmanager
    def _timed(self) -> Iterator[threading.Event]:
        """Kill the process when its time is over; the event tells that it was."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._signal()

        timer = threading.Timer(self._max_seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # The child needs no environment: no secret of ours is in the process that draws hostile names.
            names = ("PATH", "PYTHONPATH", "LANG", "HOME", "XDG_CACHE_HOME", "FONTCONFIG_PATH", "FONTCONFIG_FILE")
            environment = {name: os.environ[name] for name in names if name in os.environ}
            # One malloc arena: each further one reserves address space that the limit would count.
            environment["MALLOC_ARENA_MAX"] = "2"
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scanner.pdf_child", str(self._memory_mb)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=environment,
            )
        if self._is_stopped:
            # Stopped while it was being started: there was nothing to signal yet.
            self._signal()
        return self._process

    def _signal(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _kill(self) -> None:
        if self._process is not None:
            self._signal()
            with contextlib.suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


class PdfProcesses:
    """Several such processes side by side, each with limits of its own."""

    def __init__(self, count: int, memory_mb: int, max_seconds: float) -> None:
        self._processes = [PdfProcess(memory_mb, max_seconds) for _ in range(count)]
        self._idle: SimpleQueue[PdfProcess] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(count)

    def __enter__(self) -> "PdfProcesses":
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, whatever they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.stop()
        self._threads.shutdown()
        for process in self._processes:
            process.__exit__()

    def results(self, draws: Iterable[Callable[[PdfProcess], Drawn]]) -> Iterator[Callable[[], Drawn]]:
        """Yield, in the order of `draws`, what returns each result or raises its ReportError.

        Few are begun before the first is taken, so that results do not pile up.
        """
        begun: deque[Future[Drawn]] = deque()
        for draw in draws:
            begun.append(self._threads.submit(self._draw, draw))
            if len(begun) > len(self._processes):
                yield begun.popleft().result
        while begun:
            yield begun.popleft().result

    def _draw(self, draw: Callable[[PdfProcess], Drawn]) -> Drawn:
        process = self._idle.get()
        try:
            return draw(process)
        finally:
            self._idle.put(process)


def _exchange(process: subprocess.Popen[bytes], wanted: Drawing) -> bytes:
    """Send a request and return the line of the answer; nothing if the process ended."""
    if process.stdin is None or process.stdout is None:
        return b""
    # The files follow the line as they are: as text in it, those of 100,000 findings would be held three times over.
    files = [file.data for file in wanted.attachments]
    emptied = replace(wanted, attachments=tuple(replace(file, data=b"") for file in wanted.attachments))
    request = msgspec.json.encode({"drawing": emptied, "sizes": [len(data) for data in files]})
    # A process that stops reading has answered, or ended.
    with contextlib.suppress(BrokenPipeError):
        for piece in (request, b"\n", *files):
            process.stdin.write(piece)
        process.stdin.flush()
    return process.stdout.readline()
