"""`diff` and `history`: what changed between scans, from the store alone."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.errors import ConfigError
from scanner.model import Scan, Severity
from scanner.model_history import TrendPoint
from scanner.trend import CAUSES

if TYPE_CHECKING:
    from scanner.difference import Difference
    from scanner.history import Share

_MOST = 400


@click.command(epilog=options.examples("orphanscan diff", "orphanscan diff 20261120T06 latest --json"))
@options.config_options
@options.json_option
@click.argument("first", metavar="[A]", required=False)
@click.argument("second", metavar="[B]", default="latest")
def diff(config_path: Path, state: Path | None, as_json: bool, first: str | None, second: str) -> None:
    """Show what changed from scan A to scan B: findings, accounts, rules and waivers.

    Without names, from the scan before the latest to the latest. It names accounts, so that each use stands in the
    access log.
    """
    from scanner import access_log
    from scanner.difference import difference
    from scanner.store import state as stores

    folder = options.state_folder(config_path, state)
    before, after = _two(folder, first, second)
    with stores.open_store(folder / stores.STORE) as con:
        found = difference(con, stores.scan_no(con, before.id), stores.scan_no(con, after.id))
    access_log.record(folder, access_log.Access("diff", scan=after.id, count=len(found.findings)))
    if as_json:
        echo_json(
            {
                "schema": "orphanscan.diff/1",
                "from": _scan(before),
                "to": _scan(after),
                "counts": found.counts,
                **{name: [asdict(one) for one in getattr(found, name)] for name in _PARTS},
            }
        )
        return
    for block in _tables(found):
        click.echo(block + "\n")
    counted = ", ".join(f"{n} {event.replace('_', ' ')}" for event, n in found.counts.items() if n)
    click.echo(f"from {before.id} to {after.id}: {counted or 'no finding changed'}", err=True)
    for one in (before, after):
        if not one.complete:
            click.echo(f"{one.id} is not complete: what it could not test is told as unseen, not as resolved", err=True)


@click.command(
    epilog=options.examples("orphanscan history", "orphanscan history --by app --scans 90", "orphanscan history --json")
)
@options.config_options
@options.json_option
@click.option(
    "--scans", type=click.IntRange(1, _MOST), default=30, show_default=True, help="How many, back from the latest."
)
@click.option("--by", type=click.Choice(["app", "rule"]), help="Sum up by application or rule, in place of each scan.")
def history(config_path: Path, state: Path | None, as_json: bool, scans: int, by: str | None) -> None:
    """Show how many exceptions there were, scan by scan, why that changed, and how long it took to close them.

    Leads and findings that the data cannot decide are no exceptions, and waived ones stand beside them.
    """
    from scanner import history as past
    from scanner import trend
    from scanner.store import scans as stored
    from scanner.store import state as stores

    folder = options.state_folder(config_path, state)
    checked = [scan for scan in stored.stored(folder) if scan.manifest_sha256]
    if not checked:
        raise ConfigError(f"no scan in {folder} was checked yet; run `orphanscan scan` first")
    with stores.open_store(folder / stores.STORE) as con:
        last = stores.scan_no(con, checked[-1].id)
        points = trend.points(past.trend(con, last, scans))
        (total,) = past.shares(con, last, None, scans) or (None,)
        parts = past.shares(con, last, by, scans) if by else ()
    if as_json:
        document: dict[str, Any] = {
            "schema": "orphanscan.history/1",
            "scans": [asdict(point) for point in points],
            "total": total and asdict(total),
        }
        echo_json(document | ({f"by_{by}": [asdict(part) for part in parts]} if by else {}))
        return
    click.echo(_shares(by, parts) if by else _points(points))
    if total is not None:
        click.echo(_closing(total, len(points)), err=True)


_PARTS = ("findings", "population", "rules", "waivers")


def _two(folder: Path, first: str | None, second: str) -> tuple[Scan, Scan]:
    """Return two scans that were checked, the earlier one first."""
    from scanner.store import scans

    order = [scan.id for scan in scans.stored(folder) if scan.manifest_sha256]
    after = _checked(scans.get(folder, second))
    if first is None:
        if order[0] == after.id:
            raise ConfigError(f"{after.id} is the first scan that was checked; there is nothing to compare it with")
        return scans.get(folder, order[order.index(after.id) - 1]), after
    before = _checked(scans.get(folder, first))
    if before.id == after.id:
        raise ConfigError(f"both names stand for {after.id}")
    if order.index(before.id) > order.index(after.id):
        raise ConfigError(f"{before.id} is the later one; say `orphanscan diff {after.id} {before.id}`")
    return before, after


def _checked(scan: Scan) -> Scan:
    if not scan.manifest_sha256:
        raise ConfigError(f"{scan.id} was collected but not checked; run `orphanscan check {scan.id}`")
    return scan


def _scan(scan: Scan) -> dict[str, Any]:
    return {"id": scan.id, "as_of": scan.as_of, "complete": scan.complete}


def _tables(found: "Difference") -> list[str]:
    blocks = []
    if found.findings:
        head = ("what", "severity", "rule", "application", "account", "days", "reason")
        rows = [
            [
                *(one.event.replace("_", " "), one.severity if one.verdict == "fail" else f"{one.severity}, unknown"),
                *(one.rule, one.app, one.username or one.account_id or one.worker_id, f"{one.days:.1f}"),
                one.reason.replace("{account}", one.username or one.account_id or "-").replace(
                    "{worker}", one.worker_id or "-"
                ),
            ]
            for one in found.findings
        ]
        blocks.append(table(head, rows))
    columns = ("application", "accounts", "change", "came", "went", "active", "change", "verdict")
    blocks.append(
        table(
            columns,
            [
                [
                    *(one.app, one.accounts, f"{one.accounts - one.accounts_before:+d}", one.came, one.went),
                    *(one.active, f"{one.active - one.active_before:+d}", _verdict(one.verdict_before, one.verdict)),
                ]
                for one in found.population
            ],
        )
    )
    if found.rules:
        rows = [[one.rule, one.change, _values(one.before), _values(one.after)] for one in found.rules]
        blocks.append(table(("rule", "change", "before", "now"), rows))
    if found.waivers:
        rows = [[one.waiver, one.rule, one.before, one.after] for one in found.waivers]
        blocks.append(table(("waiver", "rule", "before", "now"), rows))
    return blocks


def _verdict(before: str | None, now: str | None) -> str:
    return str(now) if before == now else f"{before or 'not collected'} -> {now or 'not collected'}"


def _values(values: dict[str, object]) -> str:
    return ", ".join(f"{name} = {str(value)[:16]}" for name, value in values.items())


def _points(points: tuple[TrendPoint, ...]) -> str:
    head = ("scan", "as of", "exceptions", "new", "reopened", "resolved", "waived", "accounts", "why it changed")
    rows = [
        [
            *(point.scan, f"{point.as_of:%Y-%m-%d %H:%M}", _exceptions(point), point.events.get("new", 0)),
            *(point.events.get("reopened", 0), point.events.get("resolved", 0) + point.events.get("verified", 0)),
            *(point.waived, point.accounts, _why(point)),
        ]
        for point in points
    ]
    return table(head, rows)


def _exceptions(point: TrendPoint) -> str:
    worst = [f"{point.exceptions[one]} {one}" for one in (Severity.CRITICAL, Severity.HIGH) if point.exceptions[one]]
    total = sum(point.exceptions.values())
    return f"{total} ({', '.join(worst)})" if worst else str(total)


def _why(point: TrendPoint) -> str:
    told = [
        f"{cause} +{point.came.get(cause, 0)} -{point.went.get(cause, 0)}"
        for cause in CAUSES
        if point.came.get(cause) or point.went.get(cause)
    ]
    return ", ".join(told + ([] if point.complete else ["not complete"]))


def _shares(by: str, parts: "tuple[Share, ...]") -> str:
    head = (by, "open", "waived", "new", "reopened", "resolved", "verified", "closings", "mean days to close")
    rows = [
        [
            *(part.name, part.open, part.waived, part.new, part.reopened, part.resolved, part.verified, part.closed),
            None if part.mean_days_to_close is None else f"{part.mean_days_to_close:.1f}",
        ]
        for part in parts
    ]
    return table(head, rows)


def _closing(total: "Share", scans: int) -> str:
    if total.mean_days_to_close is None:
        return printable(
            f"{scans} scans; {total.resolved} exceptions were closed, none that began after the first scan"
        )
    return printable(
        f"{scans} scans; {total.mean_days_to_close:.1f} days from the first scan that showed an exception to the one"
        f" that closed it, over {total.closed} of {total.resolved} closings (the others were there at the first scan)"
    )
