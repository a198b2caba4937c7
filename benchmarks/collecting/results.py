"""From single runs to the report: medians, ratios, goals, and whether all engines saw the same users."""

import os
import platform
import statistics
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

Runs = list[dict[str, Any]]


def report(runs: Runs, sizes: Any) -> dict[str, Any]:
    """Fold the runs to one document."""
    names = dict.fromkeys(f"{run['name']} ({run['connections']})" for run in runs)
    engines = {
        name: _engine([run for run in runs if f"{run['name']} ({run['connections']})" == name]) for name in names
    }
    same_list = [run for run in runs if run["users"] == sizes.users and run["digests"]]
    said = [source for run in runs if isinstance(run["said"], list) for source in run["said"]]
    return {
        "sizes": asdict(sizes),
        "equal": all(run["digests"] == same_list[0]["digests"] for run in same_list),
        "complete": all(one["verdict"] == "complete" and one["collected"] == one["stated"] for one in said),
        "found": {name: found[0] for name, found in same_list[0]["digests"].items()},
        "engines": engines,
        "goals": _goals(engines, sizes),
        "versions": {name: version(name) for name in ("duckdb", "httpx", "msgspec", "scim2-client", "dlt", "pyarrow")}
        | {"python": platform.python_version()},
        "machine": {"cpus": os.cpu_count(), "load_at_the_end": round(os.getloadavg()[1], 1)},
    }


def _engine(runs: Runs) -> dict[str, Any]:
    stages = runs[0]["wall"]
    wall = {stage: statistics.median(run["wall"][stage] for run in runs) for stage in stages}
    cpu = {stage: statistics.median(run["cpu"][stage] for run in runs) for stage in stages}
    wall["all"] = statistics.median(sum(run["wall"].values()) for run in runs)
    cpu["all"] = statistics.median(sum(run["cpu"].values()) for run in runs)
    return {
        "runs": len(runs),
        "users": runs[0]["users"],
        "wall": {name: round(value, 2) for name, value in wall.items()},
        "cpu": {name: round(value, 2) for name, value in cpu.items()},
        "peak_mb": round(max(run["peak_mb"] for run in runs)),
    }


def _goals(engines: dict[str, Any], sizes: Any) -> dict[str, Any]:
    ours = engines["orphanscan (8)"]
    limit = min((engines["limit (1)"], engines["limit (8)"]), key=lambda one: one["wall"]["all"])

    def goal(text: str, value: float) -> dict[str, Any]:
        sign, _, number = text.partition(" ")
        met = value <= float(number) if sign == "<=" else value >= float(number)
        return {"goal": text, "value": round(value, 2), "met": met}

    goals = {
        "time against download and json.loads, wall": goal("<= 1.5", ours["wall"]["all"] / limit["wall"]["all"]),
        "time against download and json.loads, cpu": {"value": round(ours["cpu"]["all"] / limit["cpu"]["all"], 2)},
    }
    for rival, least in (("scim2-client", 15), ("dlt", 10)):
        theirs = engines[f"{rival} (1)"]
        goals[f"faster than {rival}, wall"] = goal(f">= {least}", theirs["wall"]["all"] / ours["wall"]["all"])
        goals[f"faster than {rival}, cpu"] = {"value": round(theirs["cpu"]["all"] / ours["cpu"]["all"], 2)}
    many, one = engines["many applications (8)"], engines["one of many (8)"]
    return goals | {
        "peak in MB": goal("<= 400", ours["peak_mb"]),
        f"peak at {sizes.many:,} users against {sizes.users:,}": goal(
            "<= 1.2", engines["many users (8)"]["peak_mb"] / ours["peak_mb"]
        ),
        f"{sizes.applications} applications against one, collecting": goal(
            "<= 1.5", many["wall"]["collect"] / one["wall"]["collect"]
        ),
        **{
            f"8 at a time against one by one, {size:,} a page, collecting": goal(
                ">= 5", engines[f"{name} (1)"]["wall"]["collect"] / engines[f"{name} (8)"]["wall"]["collect"]
            )
            for name, size in (("slow", sizes.page), ("slow, half pages", sizes.half_page))
        },
    }


def table(document: dict[str, Any]) -> str:
    """Write the report for people."""
    lines = [
        f"{'(connections)':26}{'users':>11}{'wall s':>10}{'cpu s':>10}{'collect s':>11}{'load s':>9}{'peak MB':>9}"
    ]
    for name, engine in document["engines"].items():
        wall, cpu = engine["wall"], engine["cpu"]
        parts = "".join(f"{wall[part]:>{width}.2f}" if part in wall else " " * width for part, width in _PARTS)
        lines.append(
            f"{name:26}{engine['users']:>11,}{wall['all']:>10.2f}{cpu['all']:>10.2f}{parts}{engine['peak_mb']:>9,}"
        )
    lines += ["", f"{'':58}{'measured':>10}   goal"]
    for name, entry in document["goals"].items():
        verdict = "" if entry.get("met", True) else "   MISSED"
        lines.append(f"{name:58}{entry['value']:>10,}   {entry.get('goal', '')}{verdict}")
    lines += ["", "All engines saw the same accounts and grants." if document["equal"] else "The engines DISAGREE."]
    lines.append("Every list was proven complete." if document["complete"] else "A list was NOT proven complete.")
    return "\n".join(lines)


_PARTS = (("collect", 11), ("load", 9))
