"""Protection from outside: a sealed state folder through the command line, and what is kept of what sources send."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import duckdb
import pytest
from cli_runs import ORPHANSCAN, environment, run

ROOT = Path(__file__).parents[2]
RULE = "disabled-keeps-privilege"
"""The one that is run: it names hugo.martin, and is below what makes a scan end with 1."""
CLOCK = ("--as-of", "2026-11-20T06:00:00Z")
EXTRA = {
    "phoneNumbers": [{"value": "canary-phone"}],
    "addresses": [{"formatted": "canary-address", "type": "home"}],
    "photos": [{"value": "https://canary-photo.example/1.jpg"}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"costCenter": "canary-cost"},
    "urn:acme:1.0:User": {"terminationReason": "canary-dismissed", "leaveReason": "canary-illness"},
}
COLUMNS = {"leave_reason": "canary-parental", "termination_reason": "canary-gross", "salary": "canary-99000"}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Return a company with a key, whose sources send more than is asked for; scanned once in plain text."""
    folder = tmp_path_factory.mktemp("sealed")
    assert run(folder, "init").returncode == 0
    users = json.loads((folder / "users.json").read_text())
    for user in users["Resources"]:
        user.update({name: value for name, value in EXTRA.items() if name not in user})
    (folder / "users.json").write_text(json.dumps(users))
    head, *rows = (folder / "hr.csv").read_text().splitlines()
    lines = [",".join([head, *COLUMNS]), *(",".join([row, *COLUMNS.values()]) for row in rows)]
    (folder / "hr.csv").write_text("\n".join(lines) + "\n")
    config = folder / "orphanscan.toml"
    config.write_text(config.read_text().replace('fail_on = "high"', 'fail_on = "critical"'))
    with config.open("a") as file:
        others = [rule.stem for rule in (ROOT / "rules").rglob("*.sql") if rule.stem != RULE]
        file.write(f"[rules]\ndisable = {others}\n")
        file.write('[report]\nformats = ["html"]\nframeworks = ["gdpr"]\n')
    before = os.umask(0)
    done = run(folder, "scan", *CLOCK)
    os.umask(before)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def sealed(work, tmp_path_factory):
    """Return a copy of the same company with [encryption], scanned again."""
    folder = tmp_path_factory.mktemp("protected") / "company"
    shutil.copytree(work, folder)
    public = run(folder, "key", "new", "age.key", "--age").stdout.strip()
    assert run(folder, "key", "show", "age.key").stdout.strip() == public
    with (folder / "orphanscan.toml").open("a") as file:
        file.write(f'[encryption]\nrecipients = ["{public}"]\nidentity_file = "age.key"\n')
    done = run(folder, "scan", "--as-of", "2026-11-21T06:00:00Z")
    assert done.returncode == 0, done.stderr
    return folder


def kept(folder: Path) -> dict[str, str]:
    """Return all that lies in the state folder as text: Parquet and DuckDB files as their rows, and their bytes."""
    found = {}
    for path in sorted((folder / "orphanscan-state").rglob("*")):
        if not path.is_file():
            continue
        found[str(path)] = path.read_bytes().decode("latin-1")
        with duckdb.connect() as con:
            if path.suffix == ".parquet":
                found[str(path)] += str(con.execute("select * from read_parquet($p)", {"p": str(path)}).fetchall())
            elif path.suffix == ".duckdb":
                con.execute(f"attach '{path}' as it (read_only)")
                tables = con.execute("select table_name from duckdb_tables() where database_name = 'it'").fetchall()
                found[str(path)] += "".join(
                    str(con.execute(f"select * from it.{name}").fetchall()) for (name,) in tables
                )
    return found


def test_only_declared_fields_are_kept(work) -> None:
    """Neither a reason of leave or termination nor any other field that nobody declared is in a file of the state."""
    files = kept(work)

    assert any("hugo.martin" in text for path, text in files.items() if path.endswith(".parquet"))
    assert any("hugo.martin" in text for path, text in files.items() if path.endswith(".duckdb"))
    assert {path: re.findall("canary-[a-z0-9]+", text) for path, text in files.items() if "canary-" in text} == {}


def test_everything_is_private_whatever_the_umask(work) -> None:
    """Folders 0700, files 0600, also those that libraries write."""
    state = work / "orphanscan-state"

    assert {path: oct(path.stat().st_mode) for path in (state, *state.rglob("*")) if path.stat().st_mode & 0o077} == {}


def test_a_folder_that_was_opened_is_closed_by_the_next_writer_and_doctor_names_files(work) -> None:
    """The folder stops everybody at the door; modes below are told."""
    state = work / "orphanscan-state"
    state.chmod(0o755)
    (state / "pseudonym.key").chmod(0o640)
    try:
        assert run(work, "plan").returncode == 0
        assert state.stat().st_mode & 0o777 == 0o700
        assert "chmod -R go-rwx" in run(work, "doctor").stdout
    finally:
        (state / "pseudonym.key").chmod(0o600)


def test_a_sealed_state_holds_no_name_in_plain_text(sealed) -> None:
    """The scan sealed what was there before as well; plans, which are not sealed, are not made here."""
    for plan in (sealed / "orphanscan-state" / "plans").glob("*"):
        plan.unlink()
    names = ("hugo.martin", "Hugo Martin")

    assert {path for path, text in kept(sealed).items() if any(name in text for name in names)} == set()
    assert list((sealed / "orphanscan-state" / "staging").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["findings"], 0, "hugo.martin"),
        (["check"], 0, "/scans/2"),
        (["report", "--format", "html"], 0, "gdpr.html.age"),
        (["plan", "--json"], 0, '"plan"'),
    ],
)
def test_every_reader_opens_what_is_sealed(sealed, words, code, told) -> None:
    """And leaves nothing in staging."""
    done = run(sealed, *words)

    assert done.returncode == code, done.stderr
    assert told in done.stdout
    assert list((sealed / "orphanscan-state" / "staging").iterdir()) == []


def test_a_sealed_scan_is_handed_out_in_the_open_and_recorded(sealed, tmp_path) -> None:
    """With reports and evidence, into a private folder, never over another one."""
    words = ("export", "scan", "--to", str(tmp_path / "out"), "--recipient", "auditor", "--reason", "year end")
    assert run(sealed, *words).returncode == 0

    assert "<html" in (tmp_path / "out" / "reports" / "gdpr.html").read_text()
    assert (tmp_path / "out" / "evidence" / "results.json").stat().st_mode & 0o077 == 0
    entry = json.loads(run(sealed, "export", "access-log", "--json").stdout)["entries"][-1]
    assert (entry["command"], entry["recipient"], entry["reason"]) == ("export scan", "auditor", "year end")
    assert run(sealed, *words).returncode == 2


def test_without_the_key_nothing_is_collected_or_shown(sealed, tmp_path) -> None:
    """Exit 2 before anything is read from a source, and no folder of a scan more."""
    text = (sealed / "orphanscan.toml").read_text()
    before = sorted(path.name for path in (sealed / "orphanscan-state" / "scans").iterdir())
    for changed, told in (
        (text.replace('"age.key"', '"gone.key"'), "No such file"),
        (text[: text.index("[encryption]")], "is sealed, and no [encryption]"),
        (text.replace('recipients = ["age1', 'recipients = ["AGE-SECRET-KEY-1'), "must be a public key of age"),
    ):
        other = sealed / "other.toml"
        other.write_text(changed)
        done = run(sealed, "scan", "-c", "other.toml")
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert told in done.stderr
        assert "SECRET-KEY-1" not in done.stderr
    assert sorted(path.name for path in (sealed / "orphanscan-state" / "scans").iterdir()) == before


def test_a_scan_killed_in_the_middle_leaves_plain_text_in_staging_only_and_the_next_run_sweeps(sealed) -> None:
    """As a power cut would, at a moment when the store lies open in staging."""
    staging = sealed / "orphanscan-state" / "staging"
    with subprocess.Popen(
        [*ORPHANSCAN, "collect"], cwd=sealed, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        while running.poll() is None and not any(staging.glob("2*/store.duckdb")):
            time.sleep(0.002)
        os.kill(running.pid, signal.SIGKILL)
    assert any(staging.glob("2*/store.duckdb"))
    outside = [path for path in kept(sealed) if "/staging/" not in path and path.endswith((".duckdb", ".parquet"))]
    assert outside == []

    assert run(sealed, "key", "seal").returncode == 0
    assert list(staging.iterdir()) == []
    assert run(sealed, "findings").returncode == 0


def test_a_new_key_and_the_end_of_sealing(sealed, tmp_path) -> None:
    """`key rotate` needs the old key once more; `key unseal` leaves the files as they were."""
    sealed = shutil.copytree(sealed, tmp_path / "company")
    text = (sealed / "orphanscan.toml").read_text()
    public = run(sealed, "key", "new", "next.key", "--age").stdout.strip()
    config = sealed / "rotating.toml"
    changed = re.sub(r'recipients = \["\w+"\]\nidentity_file = "age.key"', f'recipients = ["{public}"]', text)
    config.write_text(f'{changed}identity_file = "next.key"\nprevious_identity_file = "age.key"\n')

    assert "key rotate" in run(sealed, "doctor", "-c", "rotating.toml").stdout
    assert "files sealed anew" in run(sealed, "key", "rotate", "-c", "rotating.toml").stdout
    config.write_text(f'{changed}identity_file = "next.key"\n')
    assert "hugo.martin" in run(sealed, "findings", "-c", "rotating.toml").stdout
    assert run(sealed, "findings").returncode == 6
    assert "files opened" in run(sealed, "key", "unseal", "-c", "rotating.toml").stdout
    assert not list((sealed / "orphanscan-state").rglob("*.age"))
    assert "hugo.martin" in run(sealed, "findings", "--state", "orphanscan-state").stdout
