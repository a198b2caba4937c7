"""What `doctor` looks at, part by part; nothing here writes."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from enum import StrEnum
from io import StringIO
from pathlib import Path

from scanner import bindings, paths
from scanner.cli.text import age, size
from scanner.config import Application, Config, Roster
from scanner.errors import OrphanscanError

_STALE_HOURS = 48
_CLOCK_SECONDS = 120
_LEAST_FREE = 256 * 1024**2
_PROBE_SECONDS = 60.0
"""A scan waits longer for a slow server; somebody is watching this."""


class Result(StrEnum):
    """How a check came out, worst last."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    """A scan runs, but somebody should look."""
    FAILED = "failed"
    """A scan would not run, or not be complete."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: str
    result: Result
    detail: str


_Found = tuple[Result, str]


def machine() -> Iterator[Check]:
    """Check what every report needs, whatever the configuration says."""
    yield _guarded("PDF", _pdf)
    yield _guarded("fonts", _fonts)
    yield _guarded("frameworks", _frameworks)


def configured(config: Config) -> Iterator[Check]:
    """Check all that the configuration names."""
    try:
        refused = bindings.refusals(config)
    except OrphanscanError as error:
        yield Check("origins", Result.FAILED, str(error))
        refused = {app.id: "not asked: see origins" for app in config.applications}
    applications = _applications(config.applications, refused)  # they are asked while the rest is looked at
    yield _guarded("policy inputs", lambda: _policies(config))
    yield _guarded("rules", lambda: _rules(config))
    for roster in config.rosters:
        yield _guarded(f"roster {roster.id}", _later(_roster, roster))
    yield from applications()
    yield _guarded("state folder", lambda: _state(config.state))
    yield _guarded("store", lambda: _store(config.state))
    yield _guarded("disk", lambda: _disk(config.state))


def closely(config: Config, app: Application) -> Iterator[Check]:
    """Check one application as a whole; of a server, what a scan would meet."""
    refused = bindings.refusals(config)
    if app.type != "scim" or app.id in refused:
        yield from _application(app, refused)
        return
    from scanner.collectors.study import study

    secret = _secret(app)
    if secret is not None:
        yield secret
    if secret is not None and secret.result is Result.FAILED:
        return
    try:
        for remark in study(_briefly(app)):
            yield Check(remark.topic, Result.FAILED if remark.is_doubt else Result.OK, remark.text)
    except OrphanscanError as error:
        yield Check(f"application {app.id}", Result.FAILED, str(error))


def _briefly(app: Application) -> Application:
    return replace(app, limits=replace(app.limits, max_seconds=min(app.limits.max_seconds, _PROBE_SECONDS)))


def _later(look: Callable[[Roster], _Found], roster: Roster) -> Callable[[], _Found]:
    return lambda: look(roster)


def _guarded(what: str, look: Callable[[], _Found]) -> Check:
    try:
        result, detail = look()
    except OrphanscanError as error:
        return Check(what, Result.FAILED, str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return Check(what, Result.FAILED, f"{where}{error.strerror or error}")
    return Check(what, result, detail)


def _policies(config: Config) -> _Found:
    from scanner.policy import read_policies

    inputs = read_policies(config).inputs
    counted = ", ".join(f"{item.name} ({item.entries:,} {_entries(item.entries)})" for item in inputs)
    return (Result.OK, counted) if inputs else (Result.NOTE, "none supplied; rules that need one are unable to test")


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _rules(config: Config) -> _Found:
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


def _frameworks() -> _Found:
    from scanner import framework_files

    return Result.OK, ", ".join(framework_files.files())


def _roster(roster: Roster) -> _Found:
    """Read the header as a scan would, and none of the people."""
    from scanner.collectors.roster_columns import resolve
    from scanner.collectors.roster_csv import CsvTable
    from scanner.collectors.roster_excel import ExcelTable

    facts = roster.path.stat()
    sheet = ExcelTable(roster) if roster.type == "excel" else CsvTable(roster)
    try:
        columns = resolve(roster, sheet.header)
    finally:
        sheet.close()
    hours = (time.time() - facts.st_mtime) / 3600
    detail = f"{roster.path}: {size(facts.st_size)}, {age(hours)} old, {len(columns)} columns known"
    missing = [name for name in ("status", "termination_date", "hire_date") if name not in columns]
    if missing:
        return Result.WARNING, f"{detail}; without {', '.join(missing)} some leavers cannot be told"
    if hours > _STALE_HOURS:
        return Result.WARNING, f"{detail}; is the export still running?"
    return Result.OK, detail


def _applications(apps: Sequence[Application], refused: Mapping[str, str]) -> Callable[[], Iterator[Check]]:
    """Look at all applications at once, in threads that Ctrl-C need not wait for; return what yields the results."""
    found: dict[str, list[Check]] = {}

    def look(app: Application) -> None:
        found[app.id] = list(_application(app, refused))

    threads = [threading.Thread(target=look, args=(app,), daemon=True) for app in apps]
    for thread in threads:
        thread.start()

    def results() -> Iterator[Check]:
        for thread, app in zip(threads, apps, strict=True):
            thread.join()
            yield from found.get(app.id, [Check(f"application {app.id}", Result.FAILED, "internal error while asking")])

    return results


def _application(app: Application, refused: Mapping[str, str]) -> Iterator[Check]:
    what = f"application {app.id}"
    if app.type == "none":
        yield Check(what, Result.NOTE, f"not connected, so not tested: {app.reason}")
    elif app.type == "scim_file":
        yield _guarded(what, lambda: _export(app))
    else:
        secret = _secret(app)
        if secret is not None:
            yield secret
        if secret is not None and secret.result is Result.FAILED:
            yield Check(what, Result.FAILED, "not asked: its secret cannot be read")
        elif app.id in refused:
            yield Check(what, Result.FAILED, refused[app.id])
        else:
            yield _guarded(what, lambda: _probe(app))


def _secret(app: Application) -> Check | None:
    """Say whether the secret can be read; never what it is."""
    if app.auth.secret is None:
        return None
    from scanner import secrets

    try:
        secrets.read(app.auth.secret)
    except OrphanscanError as error:
        return Check(f"secret of {app.id}", Result.FAILED, str(error))
    return Check(f"secret of {app.id}", Result.OK, app.auth.secret.named)


def _export(app: Application) -> _Found:
    if app.path is None:
        return Result.FAILED, "no path"
    with app.path.open("rb") as file:
        begins = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    facts = app.path.stat()
    hours = (time.time() - facts.st_mtime) / 3600
    detail = f"{app.path}: {size(facts.st_size)}, {age(hours)} old"
    if begins[:1] not in (b"{", b"["):
        return Result.FAILED, f"{detail}; it does not begin as JSON does"
    return (Result.WARNING, f"{detail}; is it recent enough?") if hours > _STALE_HOURS else (Result.OK, detail)


def _probe(app: Application) -> _Found:
    from scanner.collectors.probe import probe

    seen = probe(_briefly(app))
    if not seen.reachable:
        return Result.FAILED, seen.detail
    skew = seen.clock_skew_seconds
    facts = [
        "it does not say how many users it holds" if seen.stated is None else f"{seen.stated:,} users stated",
        f"page size {seen.page_size}",
        "" if seen.paging is None else f"paging by {seen.paging}",
        "" if skew is None else f"clock {skew:+.0f} s",
        seen.detail,
    ]
    detail = ", ".join(fact for fact in facts if fact)
    if skew is not None and abs(skew) > _CLOCK_SECONDS:
        return Result.WARNING, f"{detail}; set the clock of this machine or of that server"
    return Result.OK, detail


def _pdf() -> _Found:
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


def _fonts() -> _Found:
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


def _state(state: Path) -> _Found:
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
    return Result.OK, f"{state}, private"


def _store(state: Path) -> _Found:
    from scanner.store import scans
    from scanner.store.state import STORE

    stored = scans.stored(state)
    leftovers = sorted((state / "staging").glob("*"))
    detail = "no scan yet"
    if stored:
        last = stored[-1]
        complete = "complete" if last.complete else "not complete"
        bytes_ = (state / STORE).stat().st_size
        detail = f"{len(stored)} in the store, {size(bytes_)}; the last is {last.id}, {complete}"
        detail += f"; folders of scans {size(_total(state / 'scans'))}"
    if leftovers:
        left = f"{len(leftovers)} in staging, {size(_total(state / 'staging'))}: under way, or swept by the next scan"
        return Result.NOTE, f"{detail}; {left}"
    return (Result.OK if stored else Result.NOTE), detail


def _disk(state: Path) -> _Found:
    from scanner.store.state import STORE

    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    # A scan works on a copy of the store and puts it in its place.
    store = state / STORE
    needed = _LEAST_FREE + (2 * store.stat().st_size if store.exists() else 0)
    if free < needed:
        return Result.FAILED, f"{size(free)} free at {place}; a scan needs about {size(needed)}"
    return Result.OK, f"{size(free)} free at {place}"


def _total(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
