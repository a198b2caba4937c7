"""Collects all sources in parallel; a source that fails, hangs or lies never spoils the others."""

import contextlib
import ctypes
import gc
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from scanner.collectors import ROSTERS
from scanner.collectors.installed import application_type
from scanner.collectors.interface import Progress
from scanner.collectors.roster import shrunk
from scanner.config import Application, Config, Roster
from scanner.errors import StoreError
from scanner.model import Collected, Source, Verdict

_log = logging.getLogger(__name__)

GRACE_SECONDS = 15.0
"""How long a collector may overrun the total time before it is given up."""
_M_MMAP_THRESHOLD = -3
"""mallopt(3)"""
_LARGE_BYTES = 256 * 1024


def collect(
    config: Config,
    into: Path,
    progress: Progress,
    *,
    previous: Callable[[str], int | None],
    refused: Mapping[str, str] = MappingProxyType({}),
    on_source: Callable[[Source], None] = lambda source: None,
) -> tuple[Collected, ...]:
    """Read every roster and every connected application of the configuration into folders below `into`.

    `previous` tells how many rows a source had in its last complete scan; `refused`, by id, why an application must not
    be asked. The result is in the order of the
    configuration, rosters first, with exactly one entry per source, whatever happened.
    """
    sources: list[Roster | Application] = [
        *config.rosters,
        *(app for app in config.applications if app.type != "none"),
    ]
    _give_memory_back()
    deadline = time.monotonic() + config.scan.max_seconds
    waiting: queue.Queue[int] = queue.Queue()
    done: queue.Queue[tuple[int, Collected | StoreError]] = queue.Queue()
    for index in range(len(sources)):
        waiting.put(index)

    def work() -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            source = sources[index]
            reason = refused.get(source.id)
            done.put((index, _failed(source, reason) if reason else _collect_one(source, into, progress, deadline)))

    # Daemon threads: an interrupted scan ends at once instead of waiting for a slow server.
    for _ in range(max(1, min(config.scan.parallel, len(sources)))):
        threading.Thread(target=work, daemon=True).start()

    results: dict[int, Collected] = {}
    while len(results) < len(sources):
        try:
            index, collected = done.get(timeout=max(0.1, deadline + GRACE_SECONDS - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(collected, StoreError):
            # Our own disk: no other source would fare better, and no verdict about a source could say so.
            raise collected
        collected = _refuse_shrunken(sources[index], collected, previous)
        results[index] = collected
        on_source(collected.source)
    for index, source in enumerate(sources):
        if index not in results:
            results[index] = _failed(source, f"did not end within the {config.scan.max_seconds:g} s of the whole scan")
            on_source(results[index].source)
    gc.collect()  # walks, with the ids of all their rows, stand in cycles with errors that they met
    return tuple(results[index] for index in range(len(sources)))


def _give_memory_back() -> None:
    """Let large pages have their memory from the system and give it back at once.

    Else the C library's allocator keeps about 100 MB in the pools of threads that are long gone, for the whole scan.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library has no such setting
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _collect_one(
    source: Roster | Application, into: Path, progress: Progress, deadline: float
) -> Collected | StoreError:
    folder = into / source.id
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        return _failed(source, "was not started: the time of the whole scan was over; raise max_seconds in [scan]")
    try:
        folder.mkdir(parents=True, mode=0o700)
        limits = replace(source.limits, max_seconds=min(source.limits.max_seconds, remaining))
        if isinstance(source, Roster):
            return ROSTERS[source.type].collect(replace(source, limits=limits), folder, progress)
        return application_type(source.type).collect(replace(source, limits=limits), folder, progress)
    except StoreError as exc:
        return exc
    except OSError as exc:
        return StoreError(f"cannot write to {folder}: {exc.strerror}")
    except Exception as exc:
        # A fault of ours in one collector must not take the others down. Its text may hold anything: name its type.
        _log.debug("collector of %s failed", source.id, exc_info=True)
        return _failed(source, f"internal error in the collector ({type(exc).__name__}); please report it")


def _refuse_shrunken(
    source: Roster | Application, collected: Collected, previous: Callable[[str], int | None]
) -> Collected:
    """Fail a roster that lost many people at once: it would turn colleagues into leavers."""
    if not isinstance(source, Roster) or collected.source.verdict is not Verdict.COMPLETE:
        return collected
    before = previous(source.id)
    refusal = None if before is None else shrunk(before, collected.source.collected, source.max_shrink_percent)
    if refusal is None:
        return collected
    return Collected(replace(collected.source, verdict=Verdict.FAILED, detail=refusal))


def _failed(source: Roster | Application, detail: str) -> Collected:
    kind = "roster" if isinstance(source, Roster) else "application"
    return Collected(Source(id=source.id, kind=kind, type=source.type, verdict=Verdict.FAILED, detail=detail))
