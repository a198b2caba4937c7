"""Secrets are read from where the reference points, and never shown."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from scanner import secrets
from scanner.credentials import Secret
from scanner.errors import ConfigError

CANARY = "canary-3b1f"


def command(code: str) -> Secret:
    """Return a reference to a command that runs Python code."""
    return Secret("command", (sys.executable, "-c", code))


@pytest.mark.parametrize(("stored", "expected"), [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), (" x y ", " x y ")])
def test_every_kind_gives_the_bare_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str, expected: str
) -> None:
    """One trailing newline is stripped, nothing else."""
    file = tmp_path / "token"
    file.write_bytes(stored.encode())
    file.chmod(0o600)
    monkeypatch.setenv("ORPHANSCAN_TEST_TOKEN", stored)

    assert secrets.read(Secret("file", str(file))) == expected
    assert secrets.read(Secret("env", "ORPHANSCAN_TEST_TOKEN")) == expected
    assert secrets.read(command(f"import sys; sys.stdout.buffer.write({stored.encode()!r})")) == expected


@pytest.mark.parametrize("stored", ["a\nb", "a\r\nX-Evil: 1", "a\tb", "a\x00b", "a\x85b", "", " ", "\n", "a\n\n"])
def test_control_characters_and_blanks_are_refused(tmp_path: Path, stored: str) -> None:
    """A secret cannot smuggle in further HTTP headers."""
    file = tmp_path / "token"
    file.write_bytes(stored.encode())
    file.chmod(0o600)

    with pytest.raises(ConfigError, match="token"):
        secrets.read(Secret("file", str(file)))


@pytest.mark.parametrize(
    ("mode", "is_fine"), [(0o600, True), (0o400, True), (0o640, True), (0o604, False), (0o620, False), (0o666, False)]
)
def test_files_open_to_others_are_refused(tmp_path: Path, mode: int, is_fine: bool) -> None:
    """Owner and group may read, nobody else, and only the owner may write."""
    file = tmp_path / "token"
    file.write_text(CANARY)
    file.chmod(mode)

    if is_fine:
        assert secrets.read(Secret("file", str(file))) == CANARY
    else:
        with pytest.raises(ConfigError, match="chmod 600"):
            secrets.read(Secret("file", str(file)))


def test_errors_name_the_reference_never_the_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong is told without a piece of the secret."""
    broken = tmp_path / "broken"
    broken.write_bytes(CANARY.encode() + b"\xff")
    broken.chmod(0o600)
    monkeypatch.delenv("ORPHANSCAN_TEST_UNSET", raising=False)
    failing = [
        (Secret("env", "ORPHANSCAN_TEST_UNSET"), "ORPHANSCAN_TEST_UNSET"),
        (Secret("file", str(tmp_path / "absent")), "absent"),
        (Secret("file", str(tmp_path)), "cannot be read"),
        (Secret("file", str(broken)), "not UTF-8"),
        (command(f"import sys; sys.stderr.write('{CANARY}'); print('{CANARY}'); sys.exit(3)"), "exit code 3"),
        (Secret("command", ("/does/not/exist", CANARY)), "could not be started"),
        (Secret("command", "echo hello"), "must be a list"),
        (Secret("keyring", "no-slash"), "service/user"),
        (Secret("vault", "x"), "unknown kind"),
    ]
    for secret, words in failing:
        with pytest.raises(ConfigError) as caught:
            secrets.read(secret)
        assert words in str(caught.value)
        assert CANARY not in str(caught.value)


def test_a_command_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command has its time, then the run goes on without it."""
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 0.2)

    with pytest.raises(ConfigError, match="no answer within"):
        secrets.read(command("import time; time.sleep(30)"))


def test_a_command_sees_no_shell(tmp_path: Path) -> None:
    """Arguments are passed as they are."""
    script = "import sys; print(sys.argv[1])"

    assert secrets.read(Secret("command", (sys.executable, "-c", script, "$HOME; ls"))) == "$HOME; ls"


def test_the_keyring_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the message says how to get it; with it the secret is read."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match="pip install keyring"):
        secrets.read(Secret("keyring", "crm/scanner"))

    keyring = ModuleType("keyring")
    stored = {("crm", "scanner"): CANARY}
    keyring.get_password = lambda service, user: stored.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)

    assert secrets.read(Secret("keyring", "crm/scanner")) == CANARY
    with pytest.raises(ConfigError, match="keyring set crm other"):
        secrets.read(Secret("keyring", "crm/other"))
