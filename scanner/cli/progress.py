"""What is being read right now: bars on a terminal, else a line per source when it begins and when it ends."""

import logging
import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from scanner.model import Source, Verdict

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_log = logging.getLogger("scanner.progress")


class ProgressDisplay:
    """A `collectors.interface.Progress` for the length of a `with` block; any thread may call it.

    `finished` ends the line or bar of a source with its verdict; a source for which it is never called ends with the
    block.
    """

    def __init__(self, log_format: str = "text") -> None:
        self._lock = threading.Lock()
        self._on_terminal = log_format == "text" and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last: dict[str, dict[str, int]] = {}
        self._ended: set[str] = set()

    def __enter__(self) -> Self:
        """Show the bars, where there is a terminal."""
        if self._on_terminal:
            self._bars = _make_bars()
            self._bars.start()
        else:
            _log.setLevel(logging.INFO)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bars away; the lines stay."""
        if self._bars:
            self._bars.stop()
            return
        for source_id in [item for item in self._last if item not in self._ended]:
            self._end(source_id, "stopped" if error else "read")

    def __call__(self, source_id: str, what: str, done: int, total: int | None) -> None:
        """Say that `done` of `total` rows of `what` have been read."""
        with self._lock:
            is_first = source_id not in self._last
            self._last.setdefault(source_id, {})[what] = done
            if self._bars:
                self._show(self._bars, source_id, what, done, total)
            elif is_first:
                _log.info("%s: reading", source_id, extra={"source": source_id})

    def finished(self, source: Source) -> None:
        """Say that a source has been read, with its verdict."""
        with self._lock:
            if not self._bars:
                self._last.setdefault(source.id, {})
                detail = f" ({source.detail})" if source.detail and source.verdict is not Verdict.COMPLETE else ""
                self._end(source.id, f"{source.verdict}{detail}", verdict=str(source.verdict))
            elif source.id in self._tasks:
                self._bars.update(self._tasks[source.id], what=str(source.verdict), total=source.collected or 1)
                self._bars.update(self._tasks[source.id], completed=source.collected or 1)

    def _show(self, bars: "Bars", source_id: str, what: str, done: int, total: int | None) -> None:
        if source_id not in self._tasks:
            self._tasks[source_id] = bars.add_task(source_id, total=total, what=what)
        bars.update(self._tasks[source_id], completed=done, total=total, what=what)

    def _end(self, source_id: str, how: str, **fields: str) -> None:
        self._ended.add(source_id)
        counts = self._last[source_id]
        numbers = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        extra: dict[str, object] = {"source": source_id, **fields, **counts}
        _log.info("%s: %s%s", source_id, how, f": {numbers}" if numbers else "", extra=extra)


def _make_bars() -> "Bars":
    """Import rich, which takes longer than a short command, only where there is something to see."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:,} {task.fields[what]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=False,
    )
