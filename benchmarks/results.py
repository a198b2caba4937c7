"""From single runs to the report: medians, ratios, goals, and whether all engines said the same."""

import os
import platform
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import Any

STAGES = ("load", "match", "fill", "rules")
Runs = list[dict[str, Any]]


def differences(runs: Runs) -> list[str]:
    """Name every result in which two runs of one scale differ."""
    found = []
    for scale in sorted({run["scale"] for run in runs}):
        first, *others = [run for run in runs if run["scale"] == scale]
        found += [
            f"{name}: {run['engine']} and {first['engine']} differ"
            f" ({run['counts'][name]:,} and {first['counts'][name]:,} rows)"
            for run in others
            for name in first["digests"]
            if run["digests"][name] != first["digests"][name]
        ]
    return sorted(set(found))


def report(runs: Runs, scale: float, differing: list[str]) -> dict[str, Any]:
    """Fold the runs to one document."""
    here = [run for run in runs if run["scale"] == scale]
    engines = {name: _engine([run for run in here if run["engine"] == name]) for name in _names(here)}
    small = [run for run in runs if run["scale"] != scale]
    goals = _goals(engines)
    if small:
        tenth = _engine(small)
        grown = engines["orphanscan"]["wall"]["without load"] / tenth["wall"]["without load"]
        goals["time from a tenth of the accounts to all, divided by 10"] = {
            "goal": "<= 1.0",
            "value": round(grown / 10, 2),
        }
        engines[f"orphanscan, scale {small[0]['scale']:g}"] = tenth
    return {
        "scale": scale,
        "workers": int(1_000_000 * scale),
        "accounts": int(5_000_000 * scale),
        "grants": int(20_000_000 * scale),
        "equal": not differing,
        "differences": differing,
        "engines": engines,
        "goals": goals,
        "results": here[0]["counts"],
        "versions": {name: version(name) for name in ("duckdb", "polars", "pandas", "numpy")}
        | {"python": platform.python_version(), "arrow text in pandas": _has("pyarrow")},
        "machine": {"cpus": os.cpu_count(), "memory_gb": _memory_gb(), "system": platform.system()},
        "notes": [
            "Without load: everything between tables in memory (or in the database) and findings.",
            "fill: orphanscan alone writes the audit file on disk; the rivals keep their result in memory.",
            "The rivals return keys, verdict and severity of each finding; orphanscan also its sentence and evidence.",
        ],
    }


def _names(runs: Runs) -> list[str]:
    return list(dict.fromkeys(run["engine"] for run in runs))


def _engine(runs: Runs) -> dict[str, Any]:
    wall = {stage: statistics.median(run["wall"].get(stage, 0.0) for run in runs) for stage in STAGES}
    cpu = {stage: statistics.median(run["cpu"].get(stage, 0.0) for run in runs) for stage in STAGES}
    for seconds in (wall, cpu):
        seconds["match and rules"] = seconds["match"] + seconds["rules"]
        seconds["without load"] = seconds["match"] + seconds["fill"] + seconds["rules"]
    return {
        "runs": len(runs),
        "wall": {name: round(value, 2) for name, value in wall.items()},
        "cpu": {name: round(value, 2) for name, value in cpu.items()},
        "peak_mb": round(max(run["peak_mb"] for run in runs)),
    }


def _goals(engines: dict[str, Any]) -> dict[str, Any]:
    ours = engines["orphanscan"]
    goals: dict[str, Any] = {}
    for rival, goal in (("polars", 2), ("pandas", 4)):
        theirs = engines[rival]
        ratio = theirs["wall"]["match and rules"] / ours["wall"]["match and rules"]
        goals[f"{rival}: match and rules, wall"] = {"goal": f">= {goal}", "value": round(ratio, 2)}
        ratio = theirs["cpu"]["match and rules"] / ours["cpu"]["match and rules"]
        goals[f"{rival}: match and rules, cpu"] = {"value": round(ratio, 2)}
        ratio = theirs["wall"]["without load"] / ours["wall"]["without load"]
        goals[f"{rival}: match and rules, and our evidence written to disk, wall"] = {"value": round(ratio, 2)}
        goals[f"{rival}: peak memory"] = {"value": round(theirs["peak_mb"] / ours["peak_mb"], 2)}
    goals["peak in MB"] = {"goal": "<= 2500", "value": ours["peak_mb"]}
    goals["peak in MB at a limit of 1 GB"] = {"goal": "<= 1300", "value": engines["orphanscan, 1 GB"]["peak_mb"]}
    return goals


def table(document: dict[str, Any]) -> str:
    """Write the report for people."""
    columns = ("load", "match", "fill", "rules", "match and rules", "without load")
    lines = [
        f"{document['workers']:,} workers, {document['accounts']:,} accounts, {document['grants']:,} grants;"
        f" {document['machine']['cpus']} CPUs; median seconds, CPU seconds in brackets",
        "",
        f"{'':24}" + "".join(f"{name:>18}" for name in columns) + f"{'peak MB':>10}{'runs':>6}",
    ]
    for name, engine in document["engines"].items():
        cells = "".join(f"{engine['wall'][c]:>10.2f} ({engine['cpu'][c]:>5.1f})" for c in columns)
        lines.append(f"{name:24}{cells}{engine['peak_mb']:>10,}{engine['runs']:>6}")
    lines += ["", f"{'':64}{'measured':>10}   goal"]
    lines += [f"{name:64}{entry['value']:>10,}   {entry.get('goal', '')}" for name, entry in document["goals"].items()]
    lines += ["", "All engines gave the same results." if document["equal"] else "The engines DISAGREE:"]
    return "\n".join(lines + document["differences"])


def _memory_gb() -> int:
    return round(int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2)


def _has(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return "not installed"
