"""One run of the demo, from empty servers to the comparison."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scanner import paths
from scanner.demo.compare import compare, table
from scanner.demo.proxy import misbehave
from scanner.demo.seed import seed
from scanner.demo.servers import Server, require_extra, serve
from scanner.errors import ConfigError, OrphanscanError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
Say = Callable[[str], None]

LIVE = ("directory", "crm", "erp", "ehr", "code", "wiki")
"""Served by real SCIM servers."""
BEHIND_PROXY = "wiki"
BY_CURSOR = "ehr"
"""Pages by cursor, the others by index."""
EXPIRED = "code"
"""The scan gets a token that this server no longer accepts."""

_MARKER = ".orphanscan-demo"
_INCOMPLETE = 3
"""Exit code of the scan, which must not call a short and a refused list complete."""


def run_demo(workdir: Path, *, say: Say) -> int:
    """Run the demo in a folder of its own and return 0 if the scan found exactly what was planted, else 1.

    Args:
        workdir: is created, or emptied if an earlier demo made it. Everything is kept there afterwards.
        say: is given each line for people.
    """
    require_extra()
    workdir = workdir.resolve()
    sample = paths.bundled("sample_data")
    _prepare(workdir, sample)
    expected = json.loads((sample / "expected.json").read_text(encoding="utf-8"))
    with ExitStack() as stack:
        servers = _start(stack, sample, say)
        _write_config(workdir, sample, servers)
        say(f"Scanning as of {expected['as_of']}: orphanscan scan -c {workdir / 'orphanscan.toml'}")
        scan = _scan(workdir, servers, expected["as_of"])
    folder = Path(scan["dir"])
    findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    comparison = compare(findings["findings"], expected["findings"])
    _tell(say, scan, findings, folder)
    for line in table(comparison):
        say(line)
    right_code = scan["exit_code"] == _INCOMPLETE
    if not right_code:
        say(f"The scan ended with {scan['exit_code']}; {_INCOMPLETE} (incomplete) is right here.")
    is_right = comparison.is_equal and right_code
    say("The scan found exactly what was planted." if is_right else "The scan did NOT find exactly what was planted.")
    return 0 if is_right else 1


def _prepare(workdir: Path, sample: Path) -> None:
    """Make the folder and copy into it what the scan reads, apart from the live servers."""
    if workdir.exists() and any(workdir.iterdir()):
        if not (workdir / _MARKER).is_file():
            raise ConfigError(f"{workdir} holds files that are not of the demo; name another folder with --dir.")
        shutil.rmtree(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    (workdir / _MARKER).write_text("This folder is emptied at the start of each demo.\n", encoding="utf-8")
    names = [file.name for file in sample.iterdir() if file.suffix in (".csv", ".xlsx", ".toml")]
    for name in (*names, "applications/helpdesk.json"):
        target = workdir / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((sample / name).read_bytes())
        # A scan refuses inputs that others may write, whatever the umask is.
        target.chmod(0o600)


def _start(stack: ExitStack, sample: Path, say: Say) -> dict[str, Server]:
    """Start and seed the servers; what is returned is what the scan is told, right or wrong."""
    servers = {}
    for app in LIVE:
        begun = time.monotonic()
        document = json.loads((sample / "applications" / f"{app}.json").read_text(encoding="utf-8"))
        server = stack.enter_context(serve(app, secrets.token_urlsafe(24), by_cursor=app == BY_CURSOR))
        users, groups = seed(server, document)
        note = ""
        if app == BEHIND_PROXY:
            server = stack.enter_context(misbehave(server, document["withheld"]))
            note = ", behind a proxy that throttles, resets, repeats rows and withholds some"
        if app == EXPIRED:
            server = Server(app, server.base_url, secrets.token_urlsafe(24))
            note = ", with an expired token"
        servers[app] = server
        took = time.monotonic() - begun
        say(f"{app:<10} {server.base_url}  {users} users, {groups} groups, seeded in {took:.1f} s{note}")
    return servers


def _write_config(workdir: Path, sample: Path, servers: Mapping[str, Server]) -> None:
    """Fill the addresses into the configuration."""
    text = (sample / "orphanscan.toml").read_text(encoding="utf-8")
    for app, server in servers.items():
        text = text.replace(f"@{app}@", server.base_url)
    (workdir / "orphanscan.toml").write_text(text, encoding="utf-8")


def _scan(workdir: Path, servers: Mapping[str, Server], as_of: str) -> dict[str, Any]:
    """Run the scan as a user would and return what it printed; the tokens go through the environment alone."""
    tokens = {f"DEMO_{app.upper()}_TOKEN": server.token for app, server in servers.items()}
    config = str(workdir / "orphanscan.toml")
    command = [sys.executable, "-m", "scanner", "scan", "-c", config, "--as-of", as_of, "--json"]
    # A signal in the midst of starting would lose the process, which would then scan on alone: it waits its turn.
    noted: list[int] = []
    before = {one: signal.signal(one, lambda number, _: noted.append(number)) for one in _SIGNALS}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | tokens) as process:
        try:
            for one, handler in before.items():
                signal.signal(one, handler)
            for number in noted[:1]:
                signal.raise_signal(number)
            printed, _ = process.communicate()
        except BaseException:
            # The scan leaves its store as it was when it is stopped; the servers must not go first.
            process.terminate()
            process.wait(timeout=20)
            raise
    try:
        answer: dict[str, Any] = json.loads(printed)
        answer["dir"], answer["exit_code"]
    except (ValueError, KeyError, TypeError):
        raise OrphanscanError(
            f"The scan of the demo ended with {process.returncode} and printed no summary. What it said is"
            f" above; its inputs are in {workdir}."
        ) from None
    return answer


def _tell(say: Say, scan: Mapping[str, Any], findings: Mapping[str, Any], folder: Path) -> None:
    """Say what the scan could rely on, and where everything lies."""
    for source in findings["sources"]:
        stated = "not stated" if source["stated"] is None else source["stated"]
        read = f"{source['collected']} read, stated: {stated}"
        say(f"{source['id']:<11} {source['verdict']:<9} {read}. {source['detail']}".rstrip())
    untested = [
        f"{rule['id']} {rule['unable']} of {rule['population']}" for rule in findings["rules"] if rule["unable"]
    ]
    if untested:
        say(f"Unable to test, and said so instead of 'no exceptions': {', '.join(untested)}")
    say(f"Scan {scan['scan_id']}: {folder}")
    for report in sorted((folder / "reports").glob("*")):
        if report.suffix in (".pdf", ".html"):
            say(f"  {report}")
