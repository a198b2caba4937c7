"""A secret goes to the origins that took it first, and nowhere else until somebody acknowledges the change."""

import json
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from in_process import orphanscan

from scanner import bindings
from scanner.config import Application, Config, WriteSettings
from scanner.credentials import Auth, Secret
from scanner.errors import StoreError

TOKEN = "canary-9d41c7e2b8a650f3"
HERE = "https://crm.example"


def app(base_url: str, **more: object) -> Application:
    """Return an application whose secret lies in a variable."""
    auth = {"type": "bearer", "secret": Secret("env", "CRM_TOKEN"), **more}
    return Application("crm", "CRM", "scim", base_url=base_url, auth=Auth(**auth))  # type: ignore[arg-type]


def config(state: Path, *applications: Application) -> Config:
    """Return a configuration of these applications."""
    return Config(state / "orphanscan.toml", "", state, "Acme", "UTC", (), (), applications)


def test_the_credential_for_writing_is_bound_too(tmp_path: Path) -> None:
    """A scan that got in binds both secrets; a change of address holds up either."""
    write = WriteSettings(auth=Auth(type="bearer", secret=Secret("env", "CRM_WRITE")), own_accounts=())
    bindings.bind(config(tmp_path, replace(app(f"{HERE}/scim"), write=write)), {"crm"})

    acknowledged = app("https://evil.example/scim", acknowledged_origins=("https://evil.example",))
    said = bindings.refusals(config(tmp_path, replace(acknowledged, write=write)))["crm"]

    assert "the secret in env CRM_WRITE was first used with https://crm.example" in said


@pytest.mark.parametrize(
    "changed",
    [
        "https://crm.example.evil.example/scim",
        "https://evil.example/scim",
        "https://crm.example:8443/scim",
        "http://crm.example/scim",
    ],
)
def test_another_origin_is_refused_until_it_is_acknowledged(tmp_path: Path, changed: str) -> None:
    """The sentence names both origins and the key to set; once acknowledged and used, the origin is known."""
    bindings.bind(config(tmp_path, app(f"{HERE}/scim/v2")), {"crm"})
    assert bindings.refusals(config(tmp_path, app("https://CRM.example.:443/elsewhere"))) == {}

    said = bindings.refusals(config(tmp_path, app(changed)))["crm"]

    origin = changed.removesuffix("/scim")
    assert said == (
        f"base_url changed: the secret in env CRM_TOKEN was first used with {HERE}, and is not sent to {origin};"
        f' if the change is right, set acknowledged_origins = ["{origin}"] in its auth'
    )
    acknowledged = config(tmp_path, app(changed, acknowledged_origins=(f"{origin}/",)))
    assert bindings.refusals(acknowledged) == {}
    bindings.bind(acknowledged, {"crm"})
    assert bindings.refusals(config(tmp_path, app(changed))) == {}
    assert bindings.refusals(config(tmp_path, app(HERE))) == {}


def test_a_token_endpoint_is_bound_too(tmp_path: Path) -> None:
    """It gets the client secret, so it may not change unnoticed either."""
    oauth2 = {"type": "oauth2", "client_id": "me"}
    bindings.bind(config(tmp_path, app(HERE, token_url="https://id.example/token", **oauth2)), {"crm"})

    moved = app(HERE, token_url="https://evil.example/token", **oauth2)

    assert bindings.refusals(config(tmp_path, moved))["crm"].startswith("auth.token_url changed")


def test_an_origin_that_did_not_let_us_in_is_not_bound(tmp_path: Path) -> None:
    """A typing error in base_url can be put right without further ado."""
    bindings.bind(config(tmp_path, app("https://crn.example")), set())

    assert bindings.refusals(config(tmp_path, app(HERE))) == {}
    assert not (tmp_path / bindings.FILE).exists()


def test_applications_that_share_a_secret_from_the_start_share_its_origins(tmp_path: Path) -> None:
    """What stands side by side at first use is bound together; what comes later is asked about."""
    second = Application("erp", "ERP", "scim", base_url="https://erp.example", auth=app(HERE).auth)
    third = Application("hub", "Hub", "scim", base_url="https://hub.example", auth=app(HERE).auth)
    bindings.bind(config(tmp_path, app(HERE), second), {"crm", "erp"})

    assert set(bindings.refusals(config(tmp_path, app(HERE), second, third))) == {"hub"}


def test_the_file_is_private_and_tells_nothing(tmp_path: Path) -> None:
    """Origins stand in it; secrets, and the words that lead to them, do not."""
    secret = Secret("command", ("vault", "read", TOKEN))
    bindings.bind(config(tmp_path, app(HERE, secret=secret)), {"crm"})

    file = tmp_path / bindings.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert HERE in file.read_text()
    assert TOKEN not in file.read_text()
    assert "vault" not in file.read_text()
    said = bindings.refusals(config(tmp_path, app("https://evil.example", secret=secret)))["crm"]
    assert "command vault was" in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"origins": {}}', '{"key": "xyz", "origins": {}}', '{"key": "00", "origins": 1}'],
)
def test_a_damaged_file_is_no_clean_slate(tmp_path: Path, content: str) -> None:
    """Whoever can spoil the file must not thereby free the token."""
    (tmp_path / bindings.FILE).write_text(content)

    with pytest.raises(StoreError, match=r"origins\.json is damaged.*backup"):
        bindings.refusals(config(tmp_path, app(HERE)))


class _Handler(BaseHTTPRequestHandler):
    """An application without users that remembers what it was sent."""

    server: "_Server"

    def do_GET(self) -> None:
        """Answer one request."""
        self.server.seen.append(self.headers["Authorization"])
        body = b'{"totalResults": 0, "Resources": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str | None] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def servers() -> Iterator[tuple[_Server, _Server]]:
    """Run two servers: the right one and another."""
    running = _Server(), _Server()
    yield running
    for one in running:
        one.shutdown()
        one.server_close()


def test_a_scan_and_doctor_keep_the_token_from_a_changed_address(
    tmp_path: Path, servers: tuple[_Server, _Server]
) -> None:
    """The source fails with both origins in its sentence, exit 3, and the other server never hears from us."""
    right, other = servers
    (tmp_path / "hr.csv").write_text("employee_number,email,status\n1,jo@acme.example,active\n")
    file = tmp_path / "orphanscan.toml"

    def run(port: int, *words: str, more: str = "") -> tuple[int, str]:
        file.write_text(
            '[organization]\nname = "Acme"\ntimezone = "UTC"\n[[roster]]\nid = "hr"\npath = "hr.csv"\n'
            f'[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "http://127.0.0.1:{port}/scim"\n'
            f'auth = {{type = "bearer", token_env = "CRM_TOKEN"{more}}}\n'
        )
        file.chmod(0o600)
        done = orphanscan(tmp_path, *words, "--json", CRM_TOKEN=TOKEN)
        return done.returncode, done.stdout

    assert run(right.server_port, "collect")[0] == 0
    for words in (["collect"], ["doctor"], ["doctor", "--app", "crm"]):
        code, said = run(other.server_port, *words)
        assert code == 3, said
        assert f"is not sent to http://127.0.0.1:{other.server_port}; if the change is right" in said
    source = {one["id"]: one for one in json.loads(run(other.server_port, "collect")[1])["sources"]}["crm"]
    assert source["verdict"] == "failed"
    assert other.seen == []
    assert f"Bearer {TOKEN}" in right.seen

    acknowledged = f', acknowledged_origins = ["http://127.0.0.1:{other.server_port}"]'
    assert run(other.server_port, "collect", more=acknowledged)[0] == 0
    assert f"Bearer {TOKEN}" in other.seen
    assert run(other.server_port, "collect")[0] == 0
