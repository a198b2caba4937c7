"""`waivers list`, `waivers add` and `waivers check`."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.config import Config
from scanner.errors import ConfigError
from scanner.model import Scan
from scanner.model_history import AppliedWaiver, WaiverStatus

_ORDER = (
    *("rule", "app", "account", "worker", "entitlement"),
    *("reason", "approver", "ticket", "compensating_control"),
)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def group() -> None:
    """List, add and check waivers: risks that somebody accepted for a time."""


@group.command("list", epilog=options.examples("orphanscan waivers list", "orphanscan waivers list --json"))
@options.config_options
@options.json_option
def list_waivers(config_path: Path, state: Path | None, as_json: bool) -> None:
    """List the waivers of the file as they stand today, with the findings of the latest scan that they accept."""
    config = options.read_config(config_path, state)
    scan, applied = _today(config)
    if as_json:
        echo_json({"file": str(config.waivers.file or ""), "scan_id": scan and scan.id, "waivers": _documents(applied)})
        return
    head = ("line", "status", "rule", "subject", "until", "accepts", "approver", "ticket", "reason")
    rows = [
        [
            *(one.line, _status(one), one.rule, subject(one), one.expires_on, len(one.fingerprints)),
            *(one.approver, one.ticket, one.reason),
        ]
        for one in applied
    ]
    click.echo(table(head, rows))
    click.echo(f"{len(applied)} waivers in {config.waivers.file}{_basis(scan)}", err=True)


@group.command(
    epilog=options.examples(
        "orphanscan waivers check",
        "orphanscan waivers check --within 14 --json",
    )
)
@options.config_options
@options.json_option
@click.option(
    "--within", type=click.IntRange(0, 366), default=30, show_default=True, help="Tell what ends in so many days."
)
def check(config_path: Path, state: Path | None, as_json: bool, within: int) -> int:
    """Check the file, and tell which waivers match nothing, have expired or lapsed, or end soon.

    Exit codes: 0 every waiver does what it is for, 1 one has expired, lapsed or matches nothing, 2 the file is wrong.
    """
    config = options.read_config(config_path, state)
    scan, applied = _today(config)
    soon = datetime.now(UTC).date() + timedelta(days=within)
    told = [(one, sentence) for one in applied for sentence in _problems(one, soon, has_scan=scan is not None)]
    code = 1 if any(_is_idle(one, has_scan=scan is not None) or one.lapsed for one in applied) else 0
    if as_json:
        problems = [{"id": one.id, "line": one.line, "problem": sentence} for one, sentence in told]
        echo_json(
            {"file": str(config.waivers.file), "scan_id": scan and scan.id, "waivers": len(applied)}
            | {"problems": problems, "exit_code": code}
        )
        return code
    for one, sentence in told:
        click.echo(printable(f"line {one.line}: {one.rule}, {subject(one)}: {sentence}"))
    click.echo(f"{len(applied)} waivers in {config.waivers.file}{_basis(scan)}: {len(told)} to look at", err=True)
    return code


@group.command(
    epilog=options.examples(
        "orphanscan waivers add --finding 3f9c2a71 --reason 'Migration until June' --approver jane@acme.example",
        "orphanscan waivers add --rule dormant-account --app crm --account 'svc-*' --days 90"
        " --reason 'Quarterly jobs' --approver jane@acme.example --ticket RISK-17",
    )
)
@options.config_options
@options.json_option
@click.option("--finding", metavar="HEX", help="Take rule and subject from this finding of the latest scan.")
@click.option("--rule", metavar="ID", help="Id of the rule, or a pattern.")
@click.option("--app", metavar="ID", help="Id of the application, or a pattern; * for all findings of the rule.")
@click.option("--account", metavar="TEXT", help="Id or user name of the account, or a pattern.")
@click.option("--worker", metavar="TEXT", help="Person id, employee number or e-mail, or a pattern.")
@click.option("--entitlement", metavar="TEXT", help="Id or name of the entitlement, or a pattern.")
@click.option("--exact", is_flag=True, help="Take the texts literally: * ? and [ are no patterns.")
@click.option("--reason", required=True, help="Why the risk is acceptable.")
@click.option("--approver", required=True, help="Who accepts it.")
@click.option("--ticket", help="Where it was decided.")
@click.option("--compensating-control", help="What limits the risk meanwhile.")
@click.option("--granted-on", type=_DAY, metavar="DATE", help="When it was accepted. Default: today.")
@click.option("--expires-on", type=_DAY, metavar="DATE", help="The last day. Default: 180 days after --granted-on.")
@click.option("--days", type=click.IntRange(1, 366), help="In place of --expires-on.")
def add(config_path: Path, state: Path | None, as_json: bool, finding: str | None, **said: Any) -> None:
    """Append a waiver to the file; what stands there stays as it is.

    The file as it would become is checked first, and nothing is written if it would be wrong. Commit the change, and
    let somebody review it.
    """
    from scanner import rules, waivers

    config = options.read_config(config_path, state)
    if config.waivers.file is None:
        raise ConfigError(f'{config.path}: name the file first, for instance:\n[waivers]\nfile = "waivers.toml"')
    values = _values(said, _named(config, finding) if finding else {}, _local_today(config))
    known = rules.ids(config.rules.paths)
    with _alone(config):
        made, _ = waivers.add(config.waivers.file, values, known, [app.id for app in config.applications])
    scan, applied = _today(config)
    entry = next(one for one in applied if one.id == made.id)
    if as_json:
        echo_json({"file": str(config.waivers.file), "waiver": _documents([entry])[0]})
        return
    click.echo(str(config.waivers.file))
    what = "no finding" if not entry.fingerprints else f"{len(entry.fingerprints)} findings"
    click.echo(
        printable(f"line {made.line}: {made.rule}, {subject(entry)}, until {made.expires_on}")
        + (f"; it accepts {what}{_basis(scan)}" if scan else ""),
        err=True,
    )


def subject(one: AppliedWaiver) -> str:
    """Return what a waiver is about, in a line."""
    named = {name: getattr(one, name) for name in ("app", "account", "worker", "entitlement")}
    return ", ".join(f"{name} {text}" for name, text in named.items() if text is not None)


def sentences(one: AppliedWaiver) -> list[str]:
    """Return what is to be told of a waiver after a scan; nothing of one that does what it is for."""
    told = []
    if one.status is WaiverStatus.EXPIRED:
        told.append(f"expired on {one.expires_on}; {_counted(len(one.fires_again))} again")
    elif one.status is WaiverStatus.UNMATCHED:
        told.append("matches no finding")
    elif one.status is WaiverStatus.NOT_YET:
        told.append(f"was granted for {one.granted_on}, which is still to come")
    if one.lapsed:
        told.append(f"no longer holds for {_counted(len(one.lapsed))[:-6]}: {one.lapsed[0].because}")
    return told


def _counted(n: int) -> str:
    return f"{n} finding fires" if n == 1 else f"{n} findings fire"


def _problems(one: AppliedWaiver, soon: date, *, has_scan: bool) -> list[str]:
    told = [] if not has_scan and one.status is WaiverStatus.UNMATCHED else sentences(one)
    if one.status is not WaiverStatus.EXPIRED and one.expires_on <= soon:
        told.append(f"ends on {one.expires_on}")
    return told


def _is_idle(one: AppliedWaiver, *, has_scan: bool) -> bool:
    return one.status in (WaiverStatus.EXPIRED, WaiverStatus.LAPSED) or (
        has_scan and one.status is WaiverStatus.UNMATCHED
    )


def _status(one: AppliedWaiver) -> str:
    return str(one.status).replace("_", " ")


def _basis(scan: Scan | None) -> str:
    return f", on the findings of scan {scan.id}" if scan else "; no scan was checked yet"


def _documents(applied: Sequence[AppliedWaiver]) -> list[Mapping[str, Any]]:
    from scanner.findings_json import waiver_json

    return [json.loads(json.dumps(waiver_json(one), default=str)) for one in applied]


def _today(config: Config) -> tuple[Scan | None, tuple[AppliedWaiver, ...]]:
    """Return the waivers of the file as they are today, applied to the findings of the latest scan that was checked."""
    from scanner import scan as scanning
    from scanner import waivers
    from scanner.store import scans

    if config.waivers.file is None:
        raise ConfigError(f"{config.path} names no waivers; set file in the table [waivers]")
    read = waivers.read(config)
    now = datetime.now(UTC)
    checked = [scan for scan in scans.stored(config.state) if scan.manifest_sha256]
    if not checked:
        return None, waivers.judge_stored(config, None, read, (), now)[1]
    scan, _, record = scanning.latest_record(config, checked[-1].id)
    return scan, waivers.judge_stored(config, scan, read, record.results, now)[1]


def _named(config: Config, prefix: str) -> dict[str, Any]:
    """Return rule and subject of a finding of the latest scan, by the beginning of its fingerprint."""
    from scanner import scan as scanning

    scan, _, record = scanning.latest_record(config, "latest")
    found = [one for result in record.results for one in result.findings if one.fingerprint.startswith(prefix)]
    if len(found) != 1:
        many = f"begins {len(found)} fingerprints" if found else "begins no fingerprint"
        raise ConfigError(f"--finding {prefix!r} {many} of scan {scan.id}; see `orphanscan findings --csv`")
    (one,) = found
    worker = one.worker_id if one.account_id is None else None
    named = {
        "rule": one.rule,
        "app": one.app,
        "account": one.account_id,
        "worker": worker,
        "entitlement": one.entitlement,
    }
    if one.app is None and worker is None:
        named["app"] = "*"
    literal = [text for text in named.values() if text not in (None, "*") and any(c in text for c in "*?[")]
    return named | ({"exact": True} if literal else {})


def _values(said: dict[str, Any], named: dict[str, Any], today: date) -> dict[str, Any]:
    """Return the keys of the new entry, in the order in which they are written."""
    days, exact = said.pop("days"), said.pop("exact")
    if days is not None and said["expires_on"] is not None:
        raise click.UsageError("choose one of --expires-on and --days")
    values = named | {key: value for key, value in said.items() if value is not None}
    if "rule" not in values:
        raise click.UsageError("say --rule, or take it from a finding with --finding")
    granted = values["granted_on"].date() if "granted_on" in values else today
    expires = values["expires_on"].date() if "expires_on" in values else granted + timedelta(days=days or 180)
    if granted > today:
        raise click.UsageError(f"--granted-on {granted} is still to come; nobody has accepted it yet")
    if expires < today:
        raise click.UsageError(f"--expires-on {expires} is over; the waiver would accept nothing")
    dates = {"granted_on": granted, "expires_on": expires}
    ordered = {key: values.get(key) for key in _ORDER} | dates
    return ({"exact": True} if exact or values.get("exact") else {}) | ordered


def _local_today(config: Config) -> date:
    return datetime.now(ZoneInfo(config.timezone)).date()


@contextlib.contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Keep other writers away while the file changes; where it is edited far from the store, there are none."""
    from scanner.store import state

    if not config.state.exists():
        yield
        return
    with state.writing(config.state, "waivers add"):
        yield
