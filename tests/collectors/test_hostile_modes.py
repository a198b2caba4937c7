"""Each way to behave gets the verdict that it deserves, alone and all together."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest
from hostile_modes import MODES, Mode, many
from servers import TOKEN, Behaviour, HostileServer, group, hostile

from scanner.collectors import http
from scanner.collectors.envelope import key_of
from scanner.collectors.interface import no_progress
from scanner.collectors.scim import collect_scim
from scanner.config import Application, Limits
from scanner.credentials import Auth, Secret
from scanner.model import Source, Verdict

LIMITS = {"max_seconds": 60, "timeout_seconds": 2, "retries": 4, "max_page_bytes": 2_500_000, "page_size": 1000}
LARGE = frozenset({"group_of_100000"})
"""What needs a larger page."""
SLOW = frozenset({"drips_its_body", "drips_its_headers"})
"""What is to run out of time; the others have enough on the slowest machine."""


@pytest.fixture(scope="module")
def server() -> "contextlib.AbstractContextManager[HostileServer]":
    """Run a server whose behaviour each mode replaces."""
    with hostile() as running:
        yield running  # type: ignore[misc]


def _limits(name: str) -> dict[str, float]:
    if name in SLOW:
        return {**LIMITS, "max_seconds": 4}
    return {**LIMITS, "max_page_bytes": 20_000_000} if name in LARGE else dict(LIMITS)


@pytest.mark.parametrize("name", MODES)
def test_each_mode_alone(server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Verdict, counts and sentence are right, the rows of the staging files are distinct, and nobody sees the token."""
    mode = MODES[name]
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", TOKEN)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.001)
    server.behaviour = mode.fresh()
    app = Application(
        "crm",
        "CRM",
        "scim",
        base_url=server.base_url,
        auth=Auth("bearer", Secret("env", "ORPHANSCAN_TEST_TOKEN")),
        profile=mode.profile,
        limits=Limits(**_limits(name)),  # type: ignore[arg-type]
    )
    collected = collect_scim(app, tmp_path, no_progress)

    _check(collected.source, mode)
    for kind, count in (("users", collected.source.collected), ("groups", collected.source.groups_collected)):
        lines = collected.files[kind].read_bytes().splitlines() if kind in collected.files else []
        assert len({key_of(line) for line in lines}) == len(lines) == (count if lines else 0)
        assert TOKEN.encode() not in b"".join(lines)


def _check(source: Source, mode: Mode) -> None:
    if mode.verdict is None:
        assert source.verdict is not Verdict.COMPLETE, source.detail
    else:
        assert source.verdict is mode.verdict, source.detail
    assert mode.words in source.detail
    assert mode.users in (None, source.collected)
    assert mode.groups in (None, source.groups_collected)
    assert source.rejected == mode.rejected
    assert TOKEN not in source.detail
    assert source.detail.isprintable()


def test_there_are_enough_modes() -> None:
    """The catalogue does not shrink unnoticed."""
    assert len(MODES) >= 150


def _rows(file: Path) -> Iterator[str]:
    """Yield what is compressed in a file: the rows of a store and of Parquet."""
    with duckdb.connect(str(file) if file.suffix == ".duckdb" else ":memory:", config={"threads": 1}) as con:
        if file.suffix == ".duckdb":
            names = con.execute("select table_schema, table_name from information_schema.tables").fetchall()
            tables = [f'"{schema}"."{name}"' for schema, name in names]
        else:
            tables = [f"read_parquet('{file}')"] if file.suffix == ".parquet" else []
        for table in tables:
            yield from (text for (text,) in con.execute(f"select t::varchar from {table} t").fetchall())


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isascii() and character.isalnum())


def test_refused_groups_leave_the_users_usable_and_rules_about_grants_unable(
    server: HostileServer, tmp_path: Path
) -> None:
    """Orphans among the users are found, the verdict says what is missing, and no rule about grants reads as clean."""
    server.behaviour = Behaviour(many(3), [group(1, ["u-001"])], frozenset(["groups_refused"]))
    (tmp_path / "hr.csv").write_text("employee_number,email,status\n1,user001@corp.example,active\n")
    (tmp_path / "power.toml").write_text('[[entitlement]]\napp = "crm"\nentitlement = "*"\n')
    config = tmp_path / "orphanscan.toml"
    config.write_text(
        '[organization]\nname = "Acme"\ntimezone = "UTC"\n[[roster]]\nid = "hr"\npath = "hr.csv"\n'
        f'[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "{server.base_url}"\n'
        'auth = {type = "bearer", token_env = "SCIM_TOKEN"}\n[policy]\nprivileged_entitlements = "power.toml"\n'
        '[report]\nformats = ["html"]\nframeworks = ["sox"]\n'
    )
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    command = [sys.executable, "-m", "scanner", "scan", "-c", str(config), "--json"]
    done = subprocess.run(
        command, env={**os.environ, "SCIM_TOKEN": TOKEN}, capture_output=True, timeout=120, check=False
    )

    assert done.returncode == 3, done.stderr
    found = json.loads((Path(json.loads(done.stdout)["dir"]) / "findings.json").read_text())
    crm = next(source for source in found["sources"] if source["id"] == "crm")
    assert (crm["verdict"], crm["collected"]) == ("short", 3)
    assert "memberships are missing: GET /Groups answered 403" in crm["detail"]
    orphans = {one["account_id"] for one in found["findings"] if one["rule"] == "orphaned-account"}
    assert orphans == {"u-000", "u-002"}
    results = {rule["id"]: rule["result"] for rule in found["rules"]}
    assert {results[name] for name in ("too-many-admins", "disabled-keeps-privilege", "on-leave-privileged")} == {
        "unable_to_test"
    }


def test_all_modes_in_one_scan(tmp_path: Path) -> None:
    """One scan over all of them: the good ones are complete, the bad ones are named, exit 3, within bounds."""
    with ExitStack() as stack:
        (tmp_path / "hr.csv").write_text("employee_number,email,status\n1,user001@corp.example,active\n")
        parts = ['[organization]\nname = "Acme"\ntimezone = "UTC"\n[scan]\nparallel = 16\n']
        parts.append('[[roster]]\nid = "hr"\npath = "hr.csv"\n')
        names = {name.replace("_", "-"): name for name in MODES}
        for app_id, name in names.items():
            running = stack.enter_context(hostile())
            running.behaviour = MODES[name].fresh()
            limits = ", ".join(f"{key} = {value}" for key, value in _limits(name).items())
            parts.append(
                f'[[application]]\nid = "{app_id}"\ntype = "scim"\nbase_url = "{running.base_url}"\n'
                f'profile = "{MODES[name].profile}"\nlimits = {{{limits}}}\n'
                'auth = {type = "bearer", token_env = "SCIM_TOKEN"}\n'
            )
        config = tmp_path / "orphanscan.toml"
        config.write_text("".join(parts))
        config.chmod(0o600)
        before = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "scanner", "collect", "-c", str(config), "--json"],
            env={**os.environ, "SCIM_TOKEN": TOKEN},
            capture_output=True,
            timeout=240,
            check=False,
        )
        took = time.monotonic() - before
    assert done.returncode == 3, done.stderr[-2000:]
    assert took < 180
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2_000_000
    found = {one["id"]: one for one in json.loads(done.stdout)["sources"]}
    wrong = {
        name: (found[app_id]["verdict"], found[app_id]["detail"])
        for app_id, name in names.items()
        if (MODES[name].verdict or "complete") != found[app_id]["verdict"] and MODES[name].verdict is not None
    }
    assert not wrong
    assert not any(found[app_id]["verdict"] == "complete" for app_id, name in names.items() if not MODES[name].verdict)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
        assert not (kept := [row for row in _rows(file) if _letters(TOKEN) in _letters(row)]), kept
    assert TOKEN.encode() not in done.stdout + done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
