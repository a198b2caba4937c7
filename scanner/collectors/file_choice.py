"""Chooses the export to read: the newest of a pattern, finished, standing still, and recent enough."""

import os
import time
from pathlib import Path

from scanner.collectors.table_csv import identity
from scanner.connections import FileSettings
from scanner.errors import SourceError

_WILD = frozenset("*?[")
_MARKER = ".done"


def choose(path: Path, settings: FileSettings, seconds: float) -> Path:
    """Return the file to read, once it stands still; waits for that no longer than `seconds`. Raises SourceError."""
    file = _newest(path, settings.newest_by) if _WILD & set(path.name) else path
    marker = file.with_name(file.name + _MARKER)
    if settings.done_marker and not marker.exists():
        raise SourceError(f"{marker.name} is not there: the upload of {file.name} has not been finished")
    _await_rest(file, settings.stable_seconds, seconds)
    return file


def too_old(file: Path, max_age_hours: float | None) -> str:
    """Return why a file proves nothing about today; empty if it does. Raises SourceError where it has gone."""
    hours = (time.time() - _facts(file).st_mtime) / 3600
    if max_age_hours is None or hours <= max_age_hours:
        return ""
    return (
        f"{file.name} is {hours:,.0f} hours old, and max_age_hours is {max_age_hours:g}: is the export still running?"
    )


def _newest(path: Path, by: str) -> Path:
    found = [one for one in path.parent.glob(path.name) if one.is_file() and one.suffix != _MARKER]
    if not found:
        raise SourceError(f"no file {path.name} in {path.parent.name or '/'}/")
    if by == "name":
        return max(found, key=lambda one: one.name)
    times = {one: _facts(one).st_mtime_ns for one in found}
    latest = max(times.values())
    newest = sorted(one for one, at in times.items() if at == latest)
    if len(newest) > 1:
        names = ", ".join(one.name for one in newest[:3])
        raise SourceError(
            f'{len(newest)} files are equally new ({names}): remove all but one, or set newest_by = "name"'
        )
    return newest[0]


def _await_rest(file: Path, stable_seconds: float, seconds: float) -> None:
    before = _facts(file)
    age = time.time() - before.st_mtime
    if not 0 <= age < stable_seconds:
        return  # a time in the future says nothing; that the file does not change while it is read is checked anyway
    time.sleep(min(stable_seconds - age, seconds))
    if identity(before) != identity(_facts(file)):
        raise SourceError(f"{file.name} is still being written; scan later, or let the export end with a .done marker")


def _facts(file: Path) -> os.stat_result:
    try:
        return file.stat()
    except FileNotFoundError:
        raise SourceError(f"{file.name} does not exist in {file.parent.name or '/'}/") from None
    except OSError as error:
        raise SourceError(f"{file.name} cannot be read: {error.strerror}") from None
