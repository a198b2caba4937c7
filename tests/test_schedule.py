"""What `schedule` prints, read by the parsers of those who will run it; and the Dockerfile."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from cronsim import CronSim
from dockerfile_parse import DockerfileParser
from in_process import orphanscan

ROOT = Path(__file__).parent.parent
CONFIG = """
[organization]
name = "Acme"
timezone = "Europe/Berlin"
[[roster]]
id = "hr"
path = "hr.csv"
[[application]]
id = "crm"
type = "scim"
base_url = "https://crm.example/scim/v2"
auth = { type = "bearer", token_env = "CRM_TOKEN" }
[application.write]
own_accounts = []
auth = { type = "bearer", token_env = "CRM_WRITE_TOKEN" }
[[application]]
id = "erp"
type = "scim"
base_url = "https://erp.example/scim/v2"
auth = { type = "bearer", token_file = "/run/credentials/orphanscan.service/erp-token" }
[[notify]]
id = "chat"
type = "slack"
url = { env = "CHAT_URL" }
[[notify]]
id = "prom"
type = "metrics"
path = "/var/lib/prometheus/orphanscan.prom"
"""
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="reads units with systemd-analyze")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a hard name and a configuration in it; its secret is in the environment."""
    folder = tmp_path / "a b%d'$HOME"
    folder.mkdir()
    (folder / "orphanscan.toml").write_text(CONFIG)
    (folder / "orphanscan.toml").chmod(0o644)
    monkeypatch.setenv("CRM_TOKEN", "canary-token")
    monkeypatch.chdir(folder)
    return folder


def schedule(*words: str) -> tuple[int, str, str]:
    """Run `orphanscan schedule`; return code, stdout and stderr."""
    done = orphanscan(Path.cwd(), "schedule", *words)
    assert "canary" not in done.stdout + done.stderr
    assert "CRM_WRITE_TOKEN" not in done.stdout
    return done.returncode, done.stdout, done.stderr


@needs_systemd
@pytest.mark.parametrize("state", ["/var/lib/orphanscan", "kept here"])
def test_systemd_reads_the_units_and_finds_little_exposure(state: str, folder: Path) -> None:
    """`verify` has nothing to say, and the service may touch little; a hard path arrives whole."""
    units = folder.parent / "units"
    assert schedule("systemd", "--state", state, "--dir", str(units))[0] == 0
    service = units / "orphanscan.service"

    verified = subprocess.run(
        ["systemd-analyze", "verify", service, units / "orphanscan.timer"], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15", service],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout[-300:]
    text = service.read_text()
    assert "LoadCredential=erp-token:/etc/orphanscan/credentials/erp-token\n" in text
    assert "# /etc/orphanscan/environment sets CHAT_URL, CRM_TOKEN;" in text
    assert "/var/lib/prometheus\n" in text
    config = str(folder / "orphanscan.toml").replace("%", "%%").replace("$", "$$")
    assert f'-c "{config}" --state' in text


@needs_systemd
def test_the_timer_runs_at_the_time_that_was_asked_for(folder: Path) -> None:
    """Read by systemd's own calendar."""
    printed = schedule("systemd", "--at", "3:05")[1]
    when = next(line for line in printed.splitlines() if line.startswith("OnCalendar=")).partition("=")[2]

    shown = subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, text=True, check=True).stdout
    assert "Normalized form: *-*-* 03:05:00" in shown


def test_cron_runs_the_line_as_it_stands(folder: Path, tmp_path: Path) -> None:
    """The time is read by a parser of Debian's cron; a shell that gets the command sees the very path."""
    printed = schedule("cron", "--at", "23:59", "--state", "state")[1]
    *_, line = printed.strip().splitlines()
    minute, hour, *rest, user, command = line.split(" ", 6)

    assert next(CronSim(" ".join([minute, hour, *rest]), datetime(2026, 11, 25, 12))) == datetime(2026, 11, 25, 23, 59)
    assert user == "orphanscan"
    assert "%" not in command.replace(r"\%", "")
    words = shlex.split(command.replace(r"\%", "%").split("set +a; ")[1])
    assert words[1:4] == ["scan", "-c", str(folder / "orphanscan.toml")]
    assert subprocess.run(["sh", "-n", "-c", command.replace(r"\%", "%")], check=False).returncode == 0


def test_kubernetes_takes_the_cron_job(folder: Path) -> None:
    """Judged by the schema of Kubernetes, strictly: an unknown key would be an error."""
    code, printed, _ = schedule("kubernetes", "--state", "/var/lib/orphanscan", "--image", "reg.example/o:1")
    job = yaml.safe_load(printed)
    kubernetes_validate.validate(job, "1.30", strict=True)

    assert code == 0
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "reg.example/o:1"
    assert [one["name"] for one in container["env"]] == ["CHAT_URL", "CRM_TOKEN"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["args"][2] == str(folder / "orphanscan.toml")
    assert schedule("kubernetes")[0] == 2


def test_github_takes_the_workflow(folder: Path) -> None:
    """Judged by the schema of workflows; secrets are named, and no permission is asked for."""
    path = folder / "workflow.yml"
    path.write_text(schedule("github")[1])
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", path],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["scan"]["steps"][0]["env"]["CRM_TOKEN"] == "${{ secrets.CRM_TOKEN }}"


def test_what_cannot_be_installed_is_refused_and_what_differs_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written for want of root, of a cluster or of a repository, or over a file that says something else."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for target in ("systemd", "cron", "kubernetes", "github"):
        code, printed, said = schedule(target, "--install", "--state", "/var/lib/orphanscan")
        assert (code, printed) == (2, ""), said
    (folder / ".git").mkdir()
    assert schedule("github", "--install")[:2] == (0, ".github/workflows/orphanscan.yml\n")
    assert schedule("github", "--install")[0] == 0
    code, printed, said = schedule("github", "--install", "--at", "4:00")

    assert (code, printed) == (2, "")
    assert "says something else" in said
    assert schedule("github", "--install", "--at", "4:00", "--force")[0] == 0
    assert "0 4 * * *" in (folder / ".github/workflows/orphanscan.yml").read_text()


@pytest.mark.parametrize(
    "words", [["--at", "24:00"], ["--at", "2"], ["--user", "a b"], ["--user", "x\nExecStart=/bin/sh"]]
)
def test_a_wrong_time_or_user_is_a_usage_error(words: list[str], folder: Path) -> None:
    """No text of the command line becomes a line of a unit."""
    assert schedule("systemd", *words)[:2] == (2, "")


def test_the_image_is_built_in_two_stages_and_runs_as_nobody_in_particular() -> None:
    """The last stage copies what the first built and installs no build tools; all that the wheel needs is copied."""
    instructions = json.loads(DockerfileParser(str(ROOT)).json)
    pairs = [next(iter(one.items())) for one in instructions if "COMMENT" not in one]
    last = max(number for number, (name, _) in enumerate(pairs) if name == "FROM")
    first_stage, last_stage = pairs[:last], pairs[last:]
    copied = {source for name, value in first_stage if name == "COPY" for source in value.split()[:-1]}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert {*needed["packages"], *needed["force-include"], "pyproject.toml", "README.md"} == copied == kept
    assert all((ROOT / source).exists() for source in copied)
    assert ("USER", "10001:10001") in last_stage
    assert [value for name, value in last_stage if name == "COPY"] == ["--from=build /opt/orphanscan /opt/orphanscan"]
    assert not any(
        word in value for name, value in last_stage if name == "RUN" for word in ("gcc", "build-essential", "-dev")
    )
    assert last_stage[-2:] == [("ENTRYPOINT", '["orphanscan"]'), ("CMD", '["--help"]')]


def test_json_holds_the_files_as_they_would_be_printed_and_names_what_was_written(folder: Path) -> None:
    """One document on stdout, for programs that put the files in place themselves."""
    code, out, _ = schedule("systemd", "--state", "/var/lib/orphanscan", "--json")
    files = json.loads(out)["files"]
    assert code == 0
    assert [Path(file["path"]).name for file in files] == ["orphanscan.service", "orphanscan.timer"]
    assert all("[Unit]" in file["text"] for file in files)

    written = json.loads(schedule("cron", "--dir", str(folder / "out"), "--json")[1])["written"]
    assert [Path(path).read_text() for path in written] == [schedule("cron")[1].removesuffix("\n")]
