"""`doctor`: what it finds on a machine, at live servers, and what it leaves behind."""

import json
import os
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cli_runs import run
from click.testing import CliRunner

from scanner.cli import main
from scanner.cli.checks import sources
from scanner.config import Application, Roster

TOKEN = "canary-51c2d84b6098"


class Server(BaseHTTPRequestHandler):
    """Answers like a small SCIM server whose clock may be wrong."""

    skew = 0.0
    users = 412

    def do_GET(self):
        """Answer one request."""
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(401, {"detail": "who are you?"})
        elif self.path.startswith("/scim/Users"):
            schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
            user = {"id": "1", "userName": "jo@acme.example"}
            self.answer(200, {"schemas": schemas, "totalResults": self.users, "startIndex": 1, "Resources": [user]})
        else:
            self.answer(404, {"detail": "no"})

    def answer(self, status, document):
        """Send a document with our own idea of the time."""
        body = json.dumps(document).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() + self.skew, usegmt=True))
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server():
    """Serve on loopback; yields the server, whose handler class may be changed."""
    handler = type("Handler", (Server,), {})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def work(tmp_path, server):
    """Return a folder with a configuration on which every check is good."""
    (tmp_path / "hr.csv").write_text("employee_number,status,hire_date,termination_date\n1,active,2020-01-01,\n")
    (tmp_path / "wiki.json").write_text('{"Resources": []}')
    config = tmp_path / "orphanscan.toml"
    config.write_text(f"""
[organization]
name = "Acme"
timezone = "UTC"
[[roster]]
id = "hr"
path = "hr.csv"
[[application]]
id = "crm"
type = "scim"
base_url = "http://127.0.0.1:{server.server_port}/scim"
auth = {{type = "bearer", token_env = "CRM_TOKEN"}}
limits = {{retries = 0, timeout_seconds = 5}}
[[application]]
id = "wiki"
type = "scim_file"
path = "wiki.json"
[[application]]
id = "vault"
type = "none"
owner = "jo@acme.example"
reason = "no interface"
""")
    config.chmod(0o644)
    return tmp_path


def examine(folder, **more):
    """Return exit code and the checks by name, as (result, detail)."""
    words = ["doctor", "-c", str(folder / "orphanscan.toml"), "--json"]
    done = CliRunner().invoke(main, words, env={"CRM_TOKEN": TOKEN, **more})
    document = json.loads(done.stdout)

    assert document["exit_code"] == done.exit_code, done.stderr
    assert TOKEN not in done.output
    return done.exit_code, {one["check"]: (one["result"], one["detail"]) for one in document["checks"]}


def listing(folder):
    """Return every path below a folder with size and time."""
    return sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_a_good_machine_passes_and_nothing_is_written(work):
    """Every part is told, the result is 0, and the folder is as it was."""
    before = listing(work)

    code, checks = examine(work)

    assert code == 0
    assert list(checks) == [
        "configuration",
        "policy inputs",
        "rules",
        "roster hr",
        "secret of crm",
        "application crm",
        "application wiki",
        "application vault",
        "state folder",
        "encryption",
        "store",
        "disk",
        "PDF",
        "fonts",
        "frameworks",
    ]
    assert checks["secret of crm"] == ("ok", "env CRM_TOKEN")
    assert checks["application crm"][0] == "ok"
    assert checks["application crm"][1].startswith("412 users stated, page size 100, paging by index, clock ")
    assert checks["application vault"] == ("note", "not connected, so not tested: no interface")
    assert checks["roster hr"][1] == f"{work}/hr.csv: 71 bytes, 0 minutes old, 4 columns known"
    assert listing(work) == before


def test_a_clock_that_is_wrong_is_a_warning(work, server):
    """Dates of sign-ins cannot be trusted where the clocks differ by minutes."""
    server.RequestHandlerClass.skew = 600.0

    code, checks = examine(work)

    assert code == 0
    assert checks["application crm"][0] == "warning"
    assert "set the clock of this machine or of that server" in checks["application crm"][1]


def test_a_missing_secret_fails_and_nobody_is_asked(work):
    """The variable is named, and the application is not asked without its credential."""
    code, checks = examine(work, CRM_TOKEN="")

    assert code == 3
    assert checks["secret of crm"][0] == "failed"
    assert "CRM_TOKEN" in checks["secret of crm"][1]
    assert checks["application crm"] == ("failed", "not asked: its secret cannot be read")


def test_a_wrong_secret_fails(work):
    """An application that does not let us in is told, without the secret."""
    code, checks = examine(work, CRM_TOKEN="canary-wrong")

    assert code == 3
    assert checks["application crm"][0] == "failed"
    assert "401" in checks["application crm"][1]
    assert "canary" not in json.dumps(checks)


def test_all_that_is_missing_is_told_at_once(work):
    """Files that are not there, or not what they should be, fail one by one."""
    (work / "hr.csv").unlink()
    (work / "wiki.json").write_text("<html>")

    code, checks = examine(work)

    assert code == 3
    assert checks["roster hr"] == ("failed", f"{work}/hr.csv: No such file or directory")
    assert checks["application wiki"][0] == "failed"
    assert checks["application wiki"][1].endswith("it does not begin as JSON does")


@pytest.mark.parametrize(
    ("content", "result", "told"),
    [
        ("", "failed", "hr.csv is empty"),
        ("name,town\nJo,Ulm\n", "failed", "columns is"),
        ("employee_number,full_name\n1,Jo\n", "warning", "without status, termination_date, hire_date"),
    ],
)
def test_a_roster_is_read_to_its_header(work, content, result, told):
    """A header on which no scan could run is found before the night."""
    (work / "hr.csv").write_text(content)

    _, checks = examine(work)

    assert checks["roster hr"][0] == result
    assert told in checks["roster hr"][1]


def test_an_old_export_is_a_warning(work):
    """A roster that nobody has written for days is probably an export that has stopped."""
    five_days_ago = time.time() - 5 * 86400
    os.utime(work / "hr.csv", (five_days_ago, five_days_ago))

    _, checks = examine(work)

    assert checks["roster hr"] == (
        "warning",
        f"{work}/hr.csv: 71 bytes, 5 days old, 4 columns known; is the export still running?",
    )


def test_a_broken_configuration_fails_and_the_rest_is_still_checked(work):
    """The machine can be set up while the configuration is still wrong."""
    (work / "orphanscan.toml").write_text("[organisation]\n")

    code, checks = examine(work)

    assert code == 3
    assert list(checks) == ["configuration", "PDF", "fonts", "frameworks"]
    assert checks["configuration"] == (
        "failed",
        f"{work}/orphanscan.toml cannot be used:\n"
        "  organisation: unknown key; did you mean organization?\n"
        "  organization: missing\n  roster: missing\n  application: missing",
    )


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
def test_a_state_folder_that_is_open_to_others_is_a_warning(work):
    """It holds personal data."""
    state = work / "orphanscan-state"
    state.mkdir()
    state.chmod(0o755)

    _, checks = examine(work)

    assert checks["state folder"] == (
        "warning",
        f"{state} holds personal data and is open to others (mode 0755): chmod 700 {state}",
    )


def test_leftovers_and_a_damaged_store_are_told(work):
    """What a killed scan left is counted; a store that cannot be read fails."""
    state = work / "orphanscan-state"
    (state / "staging" / "20260331T000000Z-0000").mkdir(parents=True)
    state.chmod(0o700)

    assert examine(work)[1]["store"] == (
        "note",
        "no scan yet; 1 in staging, 0 bytes: under way, or swept by the next scan",
    )

    (state / "store.duckdb").write_text("no store")
    code, checks = examine(work)
    assert code == 3
    assert checks["store"][0] == "failed"


def test_people_see_a_table_and_the_count(work):
    """The table is on stdout, the count on stderr, long details unbroken for programs."""
    done = run(work, "doctor", CRM_TOKEN=TOKEN)

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == (
        f"ok       configuration      {work}/orphanscan.toml: 1 roster, 3 applications; only its owner may write it"
    )
    assert done.stderr.endswith(" 0 failed\n")


def test_one_application_is_looked_at_closely(work, server):
    """`doctor --app` explains how one server pages, and says what a scan will make of it."""
    words = ["doctor", "-c", str(work / "orphanscan.toml"), "--app", "crm", "--json"]
    done = CliRunner().invoke(main, words, env={"CRM_TOKEN": TOKEN})
    checks = {one["check"]: one["detail"] for one in json.loads(done.stdout)["checks"]}

    assert done.exit_code == 3
    assert checks["total"] == "412 users stated"
    assert "see next page" in checks["a scan"]


def test_an_unknown_application_is_a_usage_error(work):
    """`doctor --app` names the applications that there are."""
    done = CliRunner().invoke(main, ["doctor", "-c", str(work / "orphanscan.toml"), "--app", "crn"])

    assert done.exit_code == 2
    assert "crm" in done.stderr


def writing(work, extra=""):
    """Give the CRM a credential for writing, and approvers."""
    config = work / "orphanscan.toml"
    table = """limits = {retries = 0, timeout_seconds = 5}
[application.write]
auth = {type = "bearer", token_env = "CRM_WRITE"}
own_accounts = []
"""
    text = config.read_text().replace("limits = {retries = 0, timeout_seconds = 5}\n", table, 1)
    config.write_text(text + extra)


@pytest.mark.parametrize(
    ("token", "status", "result", "words"),
    [
        (TOKEN, 401, "ok", "accepted; whether it may change accounts shows only when one is changed"),
        ("wrong-7d1f", 401, "failed", "401"),
        ("other-7d1f", 403, "note", "not allowed to list users"),
    ],
)
def test_the_credential_for_writing_is_tried_without_writing(work, server, token, status, result, words):
    """A wrong one fails; one that may not read is told apart from it."""
    writing(work)
    asked = []
    handler = server.RequestHandlerClass

    def answer_get(self):
        asked.append(self.command)
        if self.headers["Authorization"] not in (f"Bearer {TOKEN}", None) and status == 403:
            self.answer(403, {"detail": "not you"})
        else:
            Server.do_GET(self)

    handler.do_GET = answer_get
    code, checks = examine(work, CRM_WRITE=token)

    assert checks["writing to crm"][0] == result
    assert words in checks["writing to crm"][1]
    assert "wrong-7d1f" not in str(checks)
    assert code == (3 if result == "failed" else 0)
    assert set(asked) == {"GET"}


def test_a_missing_secret_for_writing_and_missing_approvers_are_told(work):
    """Plans can be made without approvers; a file with fewer than are needed fails."""
    writing(work)
    code, checks = examine(work)

    assert (code, checks["writing to crm"][0], checks["approvals"][0]) == (3, "failed", "note")
    assert "CRM_WRITE" in checks["secret for writing to crm"][1]

    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsNOwgMWbrIs6dcQTfHHGnXHq9wSmwzZcNVd4+d3Lcs"
    approvers = work / "approvers.toml"
    approvers.write_text(f'[[approver]]\nname = "Dana Reyes"\nworker = "1"\npublic_key = "{public}"\n')
    approvers.chmod(0o644)
    config = work / "orphanscan.toml"
    config.write_text(config.read_text() + '[remediation]\napprovers = "approvers.toml"\n')
    assert examine(work)[1]["approvals"][0] == "warning"
    config.write_text(config.read_text() + "approvals = 2\n")
    assert examine(work)[1]["approvals"][0] == "failed"


def test_a_fault_of_ours_names_its_type_and_no_more(monkeypatch, capfd):
    """In the thread of an application and for a roster; the others are looked at all the same."""

    def broken(*words):
        raise KeyError(TOKEN)

    monkeypatch.setattr(sources, "briefly", broken)
    apps = [Application("crm", "CRM", "scim"), Application("tel", "Telephones", "none", reason="no interface")]

    told = [*sources.roster(Roster("hr", Path("hr.csv")), {}), *sources.applications(apps, {})()]

    assert [(one.what, one.result.value) for one in told] == [
        ("roster hr", "failed"),
        ("application crm", "failed"),
        ("application tel", "note"),
    ]
    assert {one.detail for one in told[:2]} == {"internal error while asking (KeyError); please report it"}
    assert capfd.readouterr() == ("", "")
