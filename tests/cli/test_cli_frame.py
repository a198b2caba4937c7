"""The frame of the command line: help, exit codes, signals, errors of ours."""

import errno
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_runs import ORPHANSCAN, environment, run
from click.testing import CliRunner

from scanner import __version__, errors
from scanner.cli import COMMANDS, LazyGroup, main, worst
from scanner.cli.outcome import run as run_guarded

CONFIG = """
[organization]
name = "Acme"
timezone = "UTC"
[[roster]]
id = "hr"
path = "hr.csv"
[[application]]
id = "crm"
type = "scim"
base_url = "http://127.0.0.1:{port}/scim"
"""


def raising(error: BaseException):
    """Return a command that ends with an error."""

    def command() -> None:
        raise error

    return command


def test_help_is_quick(tmp_path):
    """Help costs less than 0.3 s of processor time, whatever the commands need."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(tmp_path, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert done.returncode == 0
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


def test_help_imports_nothing_but_click(tmp_path):
    """No command is imported to be listed."""
    code = "import sys, scanner.cli\nscanner.cli.main(['--help'], standalone_mode=False)\n"
    code += "print([name for name in ('duckdb', 'rich', 'pandas', 'weasyprint', 'httpx') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_is_listed_with_its_line(tmp_path):
    """The list names all commands in the order of a first day's work."""
    lines = run(tmp_path, "--help").stdout.split("Commands:\n")[1].splitlines()
    listed = [line.split(maxsplit=1) for line in lines if line.startswith("  ") and line.strip()][: len(COMMANDS)]

    assert listed == [[name, line] for name, (_, line) in COMMANDS.items()]


def paths_of(group: click.Group, *above: str) -> list[tuple[str, ...]]:
    """Return the words that lead to each command."""
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found += paths_of(command, *above, name)
        else:
            found.append((*above, name))
    return found


@pytest.mark.parametrize("words", paths_of(main), ids=" ".join)
def test_every_command_has_help_with_an_example(words):
    """Each command says what it does, names its options, and shows a line to copy."""
    done = CliRunner().invoke(main, [*words, "--help"])

    assert done.exit_code == 0
    assert "Example" in done.stdout
    assert f"  orphanscan {' '.join(words)}" in done.stdout


@pytest.mark.parametrize("words", [words for words in paths_of(main) if words[0] not in ("init", "demo")], ids=" ".join)
def test_every_command_takes_configuration_and_state(words):
    """`-c` and `--state` mean the same everywhere."""
    shown = CliRunner().invoke(main, [*words, "--help"]).stdout

    assert "-c, --config FILE" in shown
    assert "--state DIR" in shown
    assert "--json" in shown


def test_version(tmp_path):
    """The version is told on stdout."""
    assert run(tmp_path, "--version").stdout == f"orphanscan, version {__version__}\n"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], 0),
        ([0, 0], 0),
        ([1, 3], 3),
        ([3, 4, 1], 4),
        ([1, 5, 4], 5),
        ([6, 5], 6),
        ([6, 2, 1], 2),
        ([3, 130], 130),
    ],
)
def test_worst_code_wins(codes, expected):
    """Several outcomes end with the code that comes first in 2, 6, 5, 4, 3, 1."""
    assert worst(codes) == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["dctor"], "Error: there is no command 'dctor'; did you mean doctor?"),
        (["xyz"], "Error: there is no command 'xyz'."),
        (["--frobnicate"], "Error: No such option"),
        (["doctor", "--frobnicate"], "Error: No such option"),
        (["findings", "--severity", "bad"], "Error: Invalid value for '--severity': 'bad' is not one of"),
        (["findings", "--json", "--csv"], "Error: choose one of --json and --csv"),
        (["rules", "show"], "Error: Missing argument 'RULE'."),
        (
            ["findings"],
            "error: there is no orphanscan.toml in this folder; "
            "write one with `orphanscan init`, or name yours with -c FILE",
        ),
        (["findings", "-c", "no.toml"], "error: {}/no.toml: there is no such file"),
    ],
)
def test_usage_and_configuration_errors_end_with_2(tmp_path, words, told):
    """A wrong word or a missing configuration is told on stderr; stdout stays empty."""
    done = run(tmp_path, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(told.replace("{}", str(tmp_path)))


def test_configuration_errors_are_shown_whole(tmp_path):
    """All errors of a file come in one message, a line each."""
    path = tmp_path / "orphanscan.toml"
    path.write_text(CONFIG.replace("base_url", "base_ulr") + "[scan]\nfail_on = 'hihg'\n")
    path.chmod(0o644)

    done = run(tmp_path, "scan")

    assert done.returncode == 2
    assert done.stderr == (
        f"error: {path} cannot be used:\n"
        "  application[1] (crm).base_ulr: unknown key; did you mean base_url?\n"
        "  application[1] (crm).base_url: missing; type scim needs it\n"
        '  scan.fail_on: "hihg" is not one of critical, high, medium, low, info\n'
    )


def test_no_words_show_the_help(tmp_path):
    """Without a command, usage is shown and nothing is done."""
    done = run(tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (errors.ConfigError("a is wrong"), 2, "error: a is wrong\n"),
        (errors.SourceError("short"), 3, "error: short\n"),
        (errors.RefusedError("stale"), 5, "error: stale\n"),
        (errors.LockedError("held"), 6, "error: held\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (click.UsageError("no"), 2, "Error: no\n"),
        (click.ClickException("no"), 2, "Error: no\n"),
        (click.exceptions.Exit(4), 4, ""),
        (
            OSError(errno.ENOSPC, "No space left on device", "/srv/x"),
            6,
            "error: no space left on the disk for /srv/x; free some\n",
        ),
        (errors.ConfigError("a\x1b[31m\n  b\u202e"), 2, "error: a[31m\n  b\n"),
    ],
)
def test_each_error_has_its_code(capsys, error, code, told):
    """The table of exit codes holds for every way to end; no terminal is coloured by what an error says."""
    assert run_guarded(raising(error)) == code
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("swallow", [KeyError, KeyboardInterrupt, None])
def test_an_interrupt_that_a_library_swallows_is_still_one(capsys, number, swallow):
    """A library may turn the interrupt into an error of its own, or go on; the code says interrupted all the same."""

    def command() -> int:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            if swallow:
                raise swallow from None
        return 0

    assert run_guarded(command) == 130
    assert capsys.readouterr().err == ("interrupted\n" if swallow else "")


@pytest.mark.parametrize(("result", "code"), [(None, 0), (3, 3), (True, 0), ("x", 0)])
def test_a_command_returns_its_code(result, code):
    """What a command returns is its exit code; anything but a number is 0."""
    assert run_guarded(lambda: result) == code


def test_an_internal_error_is_one_line_and_a_log(capsys, tmp_path, monkeypatch):
    """An error of ours shows no traceback; it lies in a file that only its owner may read."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert run_guarded(raising(ZeroDivisionError("division\nby zero"))) == 6

    (log,) = tmp_path.iterdir()
    assert capsys.readouterr().err == f"internal error: ZeroDivisionError: division by zero; details are in {log}\n"
    assert log.read_text().startswith("Traceback")
    assert log.stat().st_mode & 0o777 == 0o600


def test_codes_arrive_through_click_as_well():
    """The same codes come from the test runner of click and from the entry point."""
    assert CliRunner().invoke(main, ["dctor"]).exit_code == 2
    assert main(["--version"], standalone_mode=False) == 0
    assert isinstance(main, LazyGroup)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_waiting_command_at_once(tmp_path, name):
    """A command that waits for a slow server ends with 130, without a traceback."""
    (tmp_path / "hr.csv").write_text("employee_number,status\n1,active\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        config = tmp_path / "orphanscan.toml"
        config.write_text(CONFIG.format(port=server.getsockname()[1]))
        config.chmod(0o644)
        process = subprocess.Popen(
            [*ORPHANSCAN, "doctor"],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=20)
        connection.close()

    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    """`orphanscan rules show ... | head -1` is quiet."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [*ORPHANSCAN, "rules", "list"],
            cwd=tmp_path,
            env=environment(),
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "encoding",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}],
    ids=lambda one: one["PYTHONIOENCODING"],
)
def test_a_terminal_without_unicode_is_no_error(tmp_path, encoding):
    """What a terminal cannot show is escaped."""
    (tmp_path / "規則").mkdir()

    done = run(tmp_path, "findings", "--state", "規則", **encoding)

    assert done.returncode == 2
    assert "there is no scan in" in done.stderr


def test_python_m_scanner_is_orphanscan(tmp_path):
    """Both ways to start show the same name."""
    script = Path(sys.executable).with_name("orphanscan")
    if not script.exists():
        pytest.skip("not installed as a command")
    shown = subprocess.run([str(script), "--help"], capture_output=True, text=True, env=environment(), check=True)

    assert shown.stdout == run(tmp_path, "--help").stdout


def test_json_is_one_document_on_stdout(tmp_path):
    """Programs read stdout whole; nothing else is printed there."""
    done = run(tmp_path, "rules", "list", "--json")

    assert [rule["id"] for rule in json.loads(done.stdout)] == sorted(rule["id"] for rule in json.loads(done.stdout))
    assert done.stderr == ""
