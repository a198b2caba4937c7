"""Fetches ahead of the reader, several requests at a time, and hands the answers over in the order they are asked for.

Whoever reads decides what to ask next, as if there were no prefetching. A request that was not foreseen, or an answer
that went wrong, ends the plan, and everything after it is asked one by one: speed never changes what is read.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator

from scanner.collectors.http import Answer

_log = logging.getLogger(__name__)
Fetch = Callable[[str], Answer]


class _Slot:
    """One request that was made ahead."""

    __slots__ = ("answer", "done", "target")

    def __init__(self, target: str) -> None:
        self.target = target
        self.answer: Answer | None = None
        """None after the request is done: it failed."""
        self.done = threading.Event()


class Prefetch:
    """The requests of one list."""

    def __init__(self, fetch: Fetch, parallel: int) -> None:
        """Fetch at most `parallel` answers at a time; twice as many are under way or wait to be read."""
        self._fetch = fetch
        self._parallel = parallel
        self._plan: Iterator[str] = iter(())
        self._slots: deque[_Slot] = deque()
        self._work: queue.SimpleQueue[_Slot | None] | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether a plan is being followed."""
        return self._work is not None

    def foresee(self, targets: Iterator[str]) -> None:
        """Start to fetch `targets`, which will be asked for in this order."""
        self.drop()
        if self._parallel < 2:
            return
        self._plan, self._work = targets, queue.SimpleQueue()
        for _ in range(self._parallel):
            self._extend()
            self._extend()
            # Daemons: an interrupted scan ends at once instead of waiting for a slow server.
            threading.Thread(target=_serve, args=(self._work, self._fetch), daemon=True).start()

    def get(self, target: str) -> Answer:
        """Return the answer to `target`; errors are those of the fetch itself."""
        if self._slots and self._slots[0].target == target:
            slot = self._slots.popleft()
            slot.done.wait()
            if slot.answer is not None:
                self._extend()
                return slot.answer
        self.drop()
        return self._fetch(target)

    def drop(self) -> None:
        """Forget the plan; what is under way ends by itself, unseen."""
        if self._work is not None:
            self._plan = iter(())
            for slot in self._slots:
                slot.target = ""
            self._slots.clear()
            for _ in range(self._parallel):
                self._work.put(None)
            self._work = None

    def _extend(self) -> None:
        target = next(self._plan, None)
        if target is not None and self._work is not None:
            slot = _Slot(target)
            self._slots.append(slot)
            self._work.put(slot)


def _serve(work: "queue.SimpleQueue[_Slot | None]", fetch: Fetch) -> None:
    while (slot := work.get()) is not None:
        try:
            if slot.target:
                slot.answer = fetch(slot.target)
        except Exception as error:
            # The reader asks again, and meets the error itself; or it has gone, and the session is closed.
            _log.debug("a request made ahead failed: %s", type(error).__name__)
        finally:
            slot.done.set()
