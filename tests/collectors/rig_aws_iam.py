"""Saved AWS credential reports as sources."""

from collections.abc import Sequence
from pathlib import Path

from contract import HOSTILE

from scanner.collectors import SOURCES
from scanner.collectors.interface import Look, no_progress
from scanner.config import Application
from scanner.connections import FileSettings
from scanner.model import Collected

HEADER = (
    *("user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed"),
    *("password_next_rotation", "mfa_active", "access_key_1_active", "access_key_1_last_rotated"),
    *("access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service"),
    *("access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date"),
    *("access_key_2_last_used_region", "access_key_2_last_used_service", "cert_1_active", "cert_1_last_rotated"),
    *("cert_2_active", "cert_2_last_rotated"),
)
"""As the documentation of IAM lists them."""


def line(user: str, arn: str, **more: str) -> str:
    """Return a line of a report."""
    usual = dict.fromkeys(HEADER, "N/A") | {"user": user, "arn": arn, "user_creation_time": "2020-01-02T03:04:05+00:00"}
    usual |= {"password_enabled": "false", "mfa_active": "false", "access_key_1_active": "false"}
    usual |= {"access_key_2_active": "false", "cert_1_active": "false", "cert_2_active": "false", **more}
    return ",".join('"' + usual[name].replace('"', '""') + '"' for name in HEADER)


def report(lines: Sequence[str]) -> str:
    """Return a report."""
    return "\n".join((",".join(HEADER), *lines)) + "\n"


def application(path: Path, **settings: object) -> Application:
    """Return the application that a report describes."""
    settings.setdefault("stable_seconds", 0)
    return Application("aws", "AWS", "aws_iam", path=path, file=FileSettings(**settings), time_zone="UTC")  # type: ignore[arg-type]


def collect(folder: Path, text: str | None, **settings: object) -> Collected:
    """Collect a report."""
    path = folder / "report.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return SOURCES["aws_iam"].collect(application(path, **settings), folder / "staging", no_progress)


def look(folder: Path, text: str | None) -> Look:
    """Let doctor look at a report."""
    path = folder / "report.csv"
    if text is not None:
        path.write_text(text)
    return SOURCES["aws_iam"].look(application(path))


def names() -> str:
    """Return a report of people with hostile names."""
    return report([line(name, f"h{at}", password_enabled="true") for at, name in enumerate(HOSTILE)])
