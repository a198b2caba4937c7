"""What `doctor` looks at, part by part; nothing here writes."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from scanner import bindings, paths
from scanner.cli.checks.check import Check, Found, Result, guarded
from scanner.cli.checks.protection import encryption, open_below
from scanner.cli.checks.receivers import receivers
from scanner.cli.checks.sources import applications, closely, roster
from scanner.cli.checks.writing import approvals, credentials
from scanner.cli.text import size
from scanner.config import Config
from scanner.errors import OrphanscanError

__all__ = ["Check", "Result", "closely", "configured", "machine"]

_LEAST_FREE = 256 * 1024**2


def machine() -> Iterator[Check]:
    """Check what every report needs, whatever the configuration says."""
    yield guarded("PDF", _pdf)
    yield guarded("fonts", _fonts)
    yield guarded("frameworks", _frameworks)


def configured(config: Config) -> Iterator[Check]:
    """Check all that the configuration names."""
    try:
        refused = bindings.refusals(config)
    except OrphanscanError as error:
        yield Check("origins", Result.FAILED, str(error))
        refused = {one.id: "not asked: see origins" for one in config.sources}
    asked = applications(config.applications, refused)  # they are asked while the rest is looked at
    yield guarded("policy inputs", lambda: _policies(config))
    yield guarded("rules", lambda: _rules(config))
    for one in config.rosters:
        yield from roster(one, refused)
    yield from asked()
    yield from credentials(config.applications, refused)
    yield from approvals(config)
    yield from receivers(config)
    yield guarded("state folder", lambda: _state(config.state))
    yield guarded("encryption", lambda: encryption(config))
    yield guarded("store", lambda: _store(config.state))
    yield guarded("disk", lambda: _disk(config.state))


def _policies(config: Config) -> Found:
    from scanner.policy import read_policies

    inputs = read_policies(config).inputs
    counted = ", ".join(f"{item.name} ({item.entries:,} {_entries(item.entries)})" for item in inputs)
    return (Result.OK, counted) if inputs else (Result.NOTE, "none supplied; rules that need one are unable to test")


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _rules(config: Config) -> Found:
    from scanner import framework_files, rules

    found = rules.find(config.rules.paths)
    for rule in found:
        rules.with_params(rule, config.rules.params.get(rule.id, {}))
    framework_files.load(config.rules.paths, found)
    open_files = [file for folder in config.rules.paths for file in folder.rglob("*.sql") if _others_may_write(file)]
    if open_files:
        return Result.WARNING, f"others may write {open_files[0]}; run: chmod go-w {open_files[0]}"
    return Result.OK, f"{len(found)} found, {len(config.rules.disable)} disabled"


def _others_may_write(file: Path) -> bool:
    return bool(file.stat().st_mode & 0o022)


def _frameworks() -> Found:
    from scanner import framework_files

    return Result.OK, ", ".join(framework_files.files())


def _pdf() -> Found:
    try:
        # It tells on stdout what is missing; stdout is for data.
        with redirect_stdout(StringIO()):
            import weasyprint
    except (OSError, ImportError) as error:
        return (
            Result.FAILED,
            f"WeasyPrint cannot be loaded ({error}); install Pango (libpango-1.0-0, libpangoft2-1.0-0)",
        )
    return Result.OK, f"WeasyPrint {weasyprint.__version__}"


def _fonts() -> Found:
    """Look for the fonts of the reports, and for one of the system that knows Chinese, Japanese and Korean."""
    bundled = list((paths.bundled("templates") / "fonts").glob("*.woff2"))
    if not bundled:
        return Result.FAILED, "the fonts of the reports are missing; install orphanscan again"
    program = shutil.which("fc-list")
    if program is None:
        return (
            Result.NOTE,
            f"{len(bundled)} bundled; fc-list is not there to look for Chinese, Japanese and Korean ones",
        )
    try:
        listed = [
            subprocess.run([program, f":lang={one}", "family"], capture_output=True, text=True, timeout=20, check=False)
            for one in ("zh-cn", "ja", "ko")
        ]
    except subprocess.TimeoutExpired:
        return Result.NOTE, f"{len(bundled)} bundled; fc-list gave no answer"
    if not all(answer.stdout.strip() for answer in listed):
        advice = "install Noto Sans CJK (fonts-noto-cjk) if people have Chinese, Japanese or Korean names"
        return Result.NOTE, f"{len(bundled)} bundled; {advice}"
    return Result.OK, f"{len(bundled)} bundled, and one of the system for Chinese, Japanese and Korean"


def _state(state: Path) -> Found:
    import os

    if not state.exists():
        parent = next(folder for folder in state.parents if folder.exists())
        if not os.access(parent, os.W_OK | os.X_OK):
            return Result.FAILED, f"{state} cannot be made: {parent} is not writable"
        return Result.NOTE, f"{state} will be made by the first scan"
    if not state.is_dir():
        return Result.FAILED, f"{state} is not a folder"
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        return Result.FAILED, f"{state} cannot be written by this user"
    mode = state.stat().st_mode & 0o777
    if mode & 0o077:
        return Result.WARNING, f"{state} holds personal data and is open to others (mode {mode:04o}): chmod 700 {state}"
    loose = open_below(state)
    if loose:
        advice = f"chmod -R go-rwx {state}"
        return Result.WARNING, f"{state} is private, but {len(loose)} in it are not, as {loose[0]}: {advice}"
    return Result.OK, f"{state}, private"


def _store(state: Path) -> Found:
    from scanner.store import scans, vault

    stored = scans.stored(state)
    leftovers = [folder for folder in sorted(vault.staging(state).glob("*")) if not vault.is_held(folder)]
    detail = "no scan yet"
    if stored:
        last = stored[-1]
        complete = "complete" if last.complete else "not complete"
        bytes_ = vault.stored_bytes(state)
        detail = f"{len(stored)} in the store, {size(bytes_)}; the last is {last.id}, {complete}"
        detail += f"; folders of scans {size(_total(state / 'scans'))}"
    if leftovers:
        total = size(_total(vault.staging(state)))
        left = f"{len(leftovers)} in staging, {total}: under way, or swept by the next scan"
        return Result.NOTE, f"{detail}; {left}"
    return (Result.OK if stored else Result.NOTE), detail


def _disk(state: Path) -> Found:
    from scanner.store import vault

    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    # A scan works on a copy of the store and puts it in its place.
    needed = _LEAST_FREE + 2 * vault.stored_bytes(state)
    if free < needed:
        return Result.FAILED, f"{size(free)} free at {place}; a scan needs about {size(needed)}"
    return Result.OK, f"{size(free)} free at {place}"


def _total(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
