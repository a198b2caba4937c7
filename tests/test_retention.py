"""`purge`: what is older than it may be kept goes, what proves the chain stays, and a legal hold wins."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from scanner.cli import main
from scanner.store import state, vault

RULES = ("orphaned-account", "leaver-still-active")
ROOT = Path(__file__).parents[1]


def run(folder: Path, *words: str, expect: int = 0) -> Result:
    """Run a command on the configuration of a folder."""
    done = CliRunner().invoke(main, [*words, "-c", str(folder / "orphanscan.toml")])
    assert done.exit_code == expect, done.output
    return done


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two old scans and a new one, in which a person and an account are gone; tests copy it."""
    tmp_path = tmp_path_factory.mktemp("retention") / "company"
    assert CliRunner().invoke(main, ["init", str(tmp_path)]).exit_code == 0
    others = [rule.stem for rule in (ROOT / "rules").rglob("*.sql") if rule.stem not in RULES]
    with (tmp_path / "orphanscan.toml").open("a") as file:
        file.write(f"[rules]\ndisable = {others}\n")
        file.write("[privacy.retention]\nevidence = 100\nhistory = 100\nplans = 100\nreports = 100\n")
    scan(tmp_path, "2026-01-31T06:00:00Z")
    users = json.loads((tmp_path / "users.json").read_text())
    users["Resources"] = [user for user in users["Resources"] if "hugo" not in user.get("userName", "")]
    users["totalResults"] = len(users["Resources"])
    (tmp_path / "users.json").write_text(json.dumps(users))
    lines = (tmp_path / "hr.csv").read_text().splitlines()
    (tmp_path / "hr.csv").write_text("\n".join(line for line in lines if "hugo.martin" not in line) + "\n")
    with (tmp_path / "orphanscan.toml").open() as file:
        text = file.read()
    (tmp_path / "orphanscan.toml").write_text(text.replace('id = "hr"', 'id = "hr"\nmax_shrink_percent = 50'))
    scan(tmp_path, "2026-02-28T06:00:00Z")
    scan(tmp_path, "2026-11-20T06:00:00Z")
    return tmp_path


@pytest.fixture
def company(scanned: Path, tmp_path: Path) -> Path:
    """Return a copy of the company."""
    return Path(shutil.copytree(scanned, tmp_path / "company"))


def sealed(folder: Path) -> Path:
    """Seal what a company keeps, and return its folder."""
    public = run(folder, "key", "new", str(folder / "age.key"), "--age").stdout.splitlines()[0]
    with (folder / "orphanscan.toml").open("a") as file:
        file.write(f'[encryption]\nrecipients = ["{public}"]\nidentity_file = "age.key"\n')
    run(folder, "key", "seal")
    return folder


def scan(folder: Path, as_of: str) -> None:
    """Collect and check, without reports."""
    run(folder, "collect", "--as-of", as_of)
    CliRunner().invoke(main, ["check", "-c", str(folder / "orphanscan.toml")])


def due(folder: Path, *words: str) -> dict[tuple[str, str], tuple[int, str]]:
    """Return what `purge` tells, by class and name of the thing."""
    items = json.loads(run(folder, "purge", "--json", *words).stdout)["items"]
    return {(one["class"], one["name"]): (one["count"], one["result"]) for one in items}


def texts(folder: Path) -> dict[str, bytes]:
    """Return every file below the state folder."""
    return {str(path): path.read_bytes() for path in (folder / "orphanscan-state").rglob("*") if path.is_file()}


def test_a_dry_run_tells_and_removes_nothing_and_then_what_is_due_goes(company: Path) -> None:
    """The chain verifies afterwards, and says which bundles were purged; the latest scan is as it was."""
    first, second, latest = sorted(path.name for path in (company / "orphanscan-state" / "scans").iterdir())
    before = texts(company)
    told = due(company)
    assert {("evidence", first), ("evidence", second)} <= set(told)
    assert {kind for kind, _ in told} == {"evidence", "history"}
    assert ("evidence", latest) not in told
    assert told["history", "worker_versions"] == (1, "due")
    assert texts(company) == before

    applied = due(company, "--apply")
    assert {key: count for key, (count, _) in applied.items()} == {key: count for key, (count, _) in told.items()}

    after = texts(company)
    gone = [path for path in before if f"/{first}/" in path and path not in after]
    assert any(path.endswith("accounts.parquet") for path in gone)
    assert any(path.endswith("findings.json") for path in gone)
    kept = {path.rsplit("/", 1)[1] for path in after if f"/{first}/" in path}
    assert {"manifest.json", "parameters.json"} <= kept
    assert {path: data for path, data in after.items() if f"/{latest}/" in path} == {
        path: data for path, data in before.items() if f"/{latest}/" in path
    }
    assert not any(b"hugo.martin" in data for path, data in after.items() if "/scans/" not in path)
    assert due(company) == {}
    assert run(company, "verify").stdout.count("was purged on") == 2
    assert "was purged on" in run(company, "findings", first, expect=6).stderr
    run(company, "findings", latest)
    scan(company, "2026-11-21T06:00:00Z")


def test_a_legal_hold_wins(company: Path) -> None:
    """All bundles stay, as they hold the data of everybody; of the rows those of the person."""
    sql = "select employee_numbers[1] from worker_versions where full_name ilike 'hugo%'"
    with duckdb.connect(str(company / "orphanscan-state" / "store.duckdb"), read_only=True) as con:
        number = (con.execute(sql).fetchone() or ("",))[0]
    hold = f'[[hold]]\nworker = "{number}"\nreason = "Matter 1"\n'
    (company / "schedule.toml").write_text(hold)
    config = company / "orphanscan.toml"
    config.write_text(config.read_text().replace("[policy]\n", '[policy]\nerasure_schedule = "schedule.toml"\n'))

    told = due(company, "--apply")

    assert {result for (kind, _), (_, result) in told.items() if kind == "evidence"} == {"kept: 1 legal holds"}
    assert ("history", "worker_versions") not in told
    with state.open_store(vault.store_file(company / "orphanscan-state")) as con:
        assert con.execute("select count(*) from worker_versions where full_name ilike 'hugo%'").fetchone() == (1,)


KILLED = """
import os, signal, sys
from pathlib import Path
left = [int(sys.argv[2])]
def counted(call):
    def step(*args, **values):
        is_store = args[-1].parent.name == "orphanscan-state" and args[-1].name.startswith("store.duckdb")
        left[0] -= is_store or sys.argv[1] == "unlink"
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **values)
    return step
setattr(Path, sys.argv[1], counted(getattr(Path, sys.argv[1])))
from scanner.cli import main
main(sys.argv[3:])
"""


@pytest.mark.parametrize("is_sealed", [False, True])
@pytest.mark.parametrize(("call", "number"), [("unlink", 30), ("replace", 1)])
def test_a_purge_that_was_killed_is_finished_by_the_next_one(
    company: Path, call: str, number: int, is_sealed: bool
) -> None:
    """Among the files, and before the store is replaced; sealed or not, nothing is lost or told twice."""
    if is_sealed:
        sealed(company)
    before = {path.name for path in (company / "orphanscan-state" / "scans").iterdir()}
    words = ["purge", "--apply", "-c", str(company / "orphanscan.toml")]
    done = subprocess.run([sys.executable, "-c", KILLED, call, str(number), *words], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr

    assert due(company, "--apply")

    assert due(company) == {}
    assert {path.name for path in (company / "orphanscan-state" / "scans").iterdir()} == before
    assert run(company, "verify").stdout.count("was purged on") == 2
    lines = [json.loads(line) for line in (company / "orphanscan-state" / "purged.ndjson").read_text().splitlines()]
    evidence = [(line["kind"], line["name"]) for line in lines if line["kind"] == "evidence"]
    assert len(evidence) == len(set(evidence)) == 2
    in_clear = {path for path, data in texts(company).items() if b"hugo.martin" in data and "/staging/" not in path}
    assert {path for path in in_clear if "/scans/" not in path} == set()
    if is_sealed:
        assert in_clear == set()
        assert not list((company / "orphanscan-state").rglob("store.duckdb.part"))
        run(company, "findings", "latest")
