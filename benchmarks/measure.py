"""What every engine does alike: time its stages, know its peak memory, hand over its results as Parquet."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

RULES = (
    "orphaned-account",
    "ambiguous-owner",
    "duplicate-accounts",
    "leaver-still-active",
    "dormant-account",
    "too-many-admins",
    "disabled-keeps-privilege",
    "peer-outlier",
)
AS_OF = datetime(2026, 6, 30)


@dataclass(slots=True)
class Stages:
    """Wall and CPU seconds of each stage of one run."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    """After the last stage, before the results are written for the comparison."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = time.perf_counter() - wall
        self.cpu[name] = time.process_time() - cpu
        self.peak_mb = peak_mb()


def peak_mb(process: str = "self") -> float:
    """Return the largest resident size of a process so far."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this benchmark needs /proc/self/status (Linux)")


def engine_main(run: Callable[[Path, Path, Stages, list[str]], None]) -> None:
    """Run one engine as a process of its own: arguments are the company, a folder for results, and options."""
    data, out, *options = sys.argv[1:]
    stages = Stages()
    run(Path(data), Path(out), stages, options)
    print(json.dumps({"wall": stages.wall, "cpu": stages.cpu, "peak_mb": stages.peak_mb}))
