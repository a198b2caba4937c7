"""What every engine is told and gives back: a task as JSON, its measures, accounts and grants as Parquet."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Stages

TOKEN = "benchmark-token-of-no-server"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be read, and how."""

    urls: tuple[str, ...]
    """One base address an application."""
    users: int
    """Of each application."""
    page_size: int
    connections: int
    """At a time, to one application."""

    def to_json(self) -> str:
        """Write it for the command line of an engine."""
        return json.dumps(asdict(self))


def engine_main(run: Callable[[Task, Path, Stages], object]) -> None:
    """Run one engine as a process of its own; imports are not timed. Arguments: the task, a folder for results."""
    told = json.loads(sys.argv[1])
    stages = Stages()
    said = run(Task(**{**told, "urls": tuple(told["urls"])}), Path(sys.argv[2]), stages)
    print(json.dumps({"wall": stages.wall, "cpu": stages.cpu, "peak_mb": stages.peak_mb, "said": said}))
