"""`doctor`: whether a scan can run here, checked part by part; writes nothing."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json, table
from scanner.config import Application, Config, Roster
from scanner.errors import OrphanscanError

_OK, _NOTE, _FAILED = "ok", "note", "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    what: str
    result: str
    detail: str


@click.command(epilog=options.examples("orphanscan doctor", "orphanscan doctor --json"))
@options.config_options
@options.json_option
def command(config_path: Path, state: Path | None, as_json: bool) -> int:
    """Check configuration, rules, sources, credentials, clock, fonts and disk. Exit 3 if a check failed."""
    config = options.read_config(config_path, state)
    checks = list(_checks(config))
    if as_json:
        echo_json([{"check": c.what, "result": c.result, "detail": c.detail} for c in checks])
    else:
        click.echo(table(["check", "result", "detail"], [[c.what, c.result, c.detail] for c in checks]))
    return 3 if any(check.result == _FAILED for check in checks) else 0


def _checks(config: Config) -> Iterator[Check]:
    yield Check("configuration", _OK, str(config.path))
    yield _guarded("policy inputs", lambda: _policies(config))
    yield _guarded("rules", lambda: _rules(config))
    for roster in config.rosters:
        yield _roster(roster)
    for app in config.applications:
        yield _guarded(f"application {app.id}", lambda app=app: _application(app))  # type: ignore[misc]
    yield _guarded("PDF", _pdf)
    yield _fonts()
    yield _guarded("store", lambda: _store(config))
    yield _disk(config.state)


def _guarded(what: str, look: Callable[[], tuple[str, str]]) -> Check:
    try:
        result, detail = look()
    except (OrphanscanError, OSError) as exc:
        return Check(what, _FAILED, str(exc))
    return Check(what, result, detail)


def _policies(config: Config) -> tuple[str, str]:
    from scanner.policy import read_policies

    inputs = read_policies(config).inputs
    return _OK, ", ".join(f"{item.name} ({item.entries})" for item in inputs) or "none supplied"


def _rules(config: Config) -> tuple[str, str]:
    from scanner.scan import chosen_rules

    return _OK, f"{len(chosen_rules(config))} rules, {len(config.rules.disable)} disabled"


def _roster(roster: Roster) -> Check:
    what = f"roster {roster.id}"
    try:
        facts = roster.path.stat()
        with roster.path.open("rb") as file:
            file.read(1)
    except OSError as exc:
        return Check(what, _FAILED, f"cannot read {roster.path}: {exc.strerror}")
    if facts.st_size == 0:
        return Check(what, _FAILED, f"{roster.path} is empty")
    hours = (time.time() - facts.st_mtime) / 3600
    return Check(what, _OK, f"{roster.path.name}, {facts.st_size:,} bytes, {hours:.0f} hours old")


def _application(app: Application) -> tuple[str, str]:
    if app.type == "none":
        return _NOTE, f"not connected: {app.reason}"
    if app.type == "scim_file":
        size = app.path.stat().st_size if app.path else 0
        return _OK, f"{app.path}, {size:,} bytes"
    from scanner.collectors.probe import probe

    seen = probe(app)
    if not seen.reachable:
        return _FAILED, seen.detail
    skew = seen.clock_skew_seconds
    clock = "" if skew is None else f", clock {skew:+.0f} s"
    wrong_clock = skew is not None and abs(skew) > 300
    stated = "unstated number of" if seen.stated is None else f"{seen.stated:,}"
    return _NOTE if wrong_clock else _OK, f"{stated} users, page size {seen.page_size}{clock} {seen.detail}".rstrip()


def _pdf() -> tuple[str, str]:
    try:
        import weasyprint
    except OSError as exc:
        return _FAILED, f"WeasyPrint cannot load its system libraries ({exc}); install Pango"
    return _OK, f"WeasyPrint {weasyprint.__version__}"


def _fonts() -> Check:
    from scanner.paths import bundled

    fonts = sorted((bundled("templates") / "fonts").rglob("*.*f*2")) or sorted(
        (bundled("templates") / "fonts").rglob("*.ttf")
    )
    if not fonts:
        return Check("fonts", _FAILED, "the bundled fonts are missing; install orphanscan again")
    return Check("fonts", _OK, f"{len(fonts)} bundled; Chinese, Japanese and Korean names need a system font")


def _store(config: Config) -> tuple[str, str]:
    from scanner.store import scans

    stored = scans.stored(config.state)
    if not stored:
        return _NOTE, f"no scan in {config.state} yet"
    left = len(list((config.state / "staging").glob("*")))
    size = (config.state / "store.duckdb").stat().st_size
    leftovers = f", {left} unfinished scans to be swept" if left else ""
    return _OK, f"{len(stored)} scans, the last {stored[-1].id}, {size:,} bytes{leftovers}"


def _disk(state: Path) -> Check:
    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    result = _FAILED if free < 200 * 1024**2 else _OK
    return Check("disk", result, f"{free // 1024**2:,} MB free for {state}")
