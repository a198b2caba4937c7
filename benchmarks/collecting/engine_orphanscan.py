"""orphanscan itself: the shipped collectors and the shipped loading, as a scan runs them, with its default settings."""

import os
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.collecting.terms import TOKEN, Task, engine_main
from benchmarks.measure import Stages
from scanner import config_file
from scanner.collect import collect
from scanner.collectors.interface import no_progress
from scanner.config import Config
from scanner.policy import Policies
from scanner.store.build import working
from scanner.store.load import load


def run(task: Task, out: Path, stages: Stages) -> list[dict[str, object]]:
    """Collect and load; returns what each source says of itself."""
    config = _configured(task, out)
    with stages.stage("collect"):
        collected = collect(config, out / "sources", no_progress, previous=lambda source_id: None)
    with working(out, config.scan.memory_mb) as con:
        with stages.stage("load"):
            load(con, collected, config, Policies(), datetime(2026, 6, 30, tzinfo=UTC))
        con.execute(
            f"copy (select account_id, username, email, display_name, external_id, employee_number, is_active"
            f" from n_accounts) to '{out / 'accounts.parquet'}' (format parquet)"
        )
        con.execute(
            f"copy (select account_id, entitlement from n_grants) to '{out / 'grants.parquet'}' (format parquet)"
        )
    return [
        {"verdict": str(one.source.verdict), "collected": one.source.collected, "stated": one.source.stated}
        for one in collected
        if one.source.kind == "application"
    ]


def _configured(task: Task, out: Path) -> Config:
    """Write and read a configuration: an empty roster is none, so that one person works here."""
    os.environ["BENCHMARK_TOKEN"] = TOKEN
    (out / "hr.csv").write_text("employee_number,full_name,email,status\n1,Ada Blum,ada@corp.example,active\n")
    applications = [
        f'[[application]]\nid = "app-{number}"\nname = "Application {number}"\ntype = "scim"\nbase_url = "{url}"\n'
        'auth = {type = "bearer", token_env = "BENCHMARK_TOKEN"}\n'
        f"limits = {{page_size = {task.page_size}, parallel = {task.connections}}}\n"
        for number, url in enumerate(task.urls)
    ]
    head = '[organization]\nname = "Benchmark"\ntimezone = "UTC"\nemail_domains = ["corp.example"]\n'
    roster = '[[roster]]\nid = "hr"\ntype = "csv"\npath = "hr.csv"\n'
    (out / "orphanscan.toml").write_text(head + roster + "".join(applications))
    return config_file.load(out / "orphanscan.toml")


if __name__ == "__main__":
    engine_main(run)
