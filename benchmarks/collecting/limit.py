"""The limit line: the same pages through the same HTTP client, json.loads on each, and nothing else."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from benchmarks.collecting.terms import TOKEN, Task, engine_main
from benchmarks.measure import Stages


def run(task: Task, out: Path, stages: Stages) -> int:
    """Read all pages of users; json.loads holds the interpreter, so that more connections help only the download."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with stages.stage("total"), httpx.Client(base_url=task.urls[0], headers=headers, timeout=60) as client:

        def read(start: int) -> int:
            answer = client.get(f"/Users?startIndex={start}&count={task.page_size}")
            return len(json.loads(answer.content)["Resources"])

        starts = range(1, task.users + 1, task.page_size)
        if task.connections == 1:
            seen = sum(map(read, starts))
        else:
            with ThreadPoolExecutor(task.connections) as pool:
                seen = sum(pool.map(read, starts))
    return seen


if __name__ == "__main__":
    engine_main(run)
