"""`export`: hands out what orphanscan holds, for people and programs outside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.errors import ConfigError


@click.group()
def group() -> None:
    """Hand out what orphanscan holds, for people and programs outside."""


@group.command(
    "access-log", epilog=options.examples("orphanscan export access-log", "orphanscan export access-log --json")
)
@options.config_options
@options.json_option
def access_log(config_path: Path, state: Path | None, as_json: bool) -> None:
    """Print who was shown identified data, when, by which command and why.

    Reading proves the chain of the log: a line that was changed, added or taken out is an error. Lines cut off at its
    end do not show; note its head and length elsewhere now and then.
    """
    from scanner import access_log as log

    folder = options.state_folder(config_path, state)
    chain = log.entries(folder)
    if as_json:
        echo_json({"schema": "orphanscan.access-log/1", "head": chain.head, "entries": chain.entries})
        return
    head = ("at", "user", "command", "scan", "level", "count", "subject", "recipient", "reason")
    names = ("command", "scan", "privacy", "count", "subject", "recipient", "reason")
    rows = [
        [entry["at"], _person(entry), *(printable(entry.get(name, "")) for name in names)] for entry in chain.of("read")
    ]
    click.echo(table(head, rows))
    click.echo(f"{len(rows)} accesses, chain intact, head {chain.head}", err=True)


@group.command("scan", epilog=options.examples("orphanscan export scan --to audit-2026 --recipient 'A. Auditor'"))
@options.config_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
@click.option("--recipient", default="", metavar="TEXT", help="For whom; stands in the access log.")
@click.option("--reason", default="", metavar="TEXT", help="Why; stands in the access log.")
def scan(
    config_path: Path, state: Path | None, as_json: bool, name: str, target: Path, recipient: str, reason: str
) -> None:
    """Copy the folder of a scan, opened if it is sealed: evidence, findings and reports.

    What is written is identified data in plain text, for its owner's eyes only; nothing cares for it afterwards.
    """
    import shutil

    from scanner import access_log as log
    from scanner.store import scans

    folder = options.state_folder(config_path, state)
    scan_id = scans.resolve(folder, name)
    source = scans.scan_dir(folder, scan_id)
    files = sum(path.is_file() for path in source.rglob("*"))
    log.record(folder, log.Access("export scan", scan=scan_id, count=files, recipient=recipient, reason=reason))
    try:
        target.mkdir(mode=0o700)
    except OSError as error:
        raise ConfigError(f"{target} cannot be made: {error.strerror}; name a new folder") from None
    shutil.copytree(source, target, dirs_exist_ok=True)
    if as_json:
        echo_json({"scan_id": scan_id, "dir": str(target), "files": files})
    else:
        click.echo(str(target))


def _person(entry: Mapping[str, Any]) -> str:
    behind = f" (sudo by {entry['sudo_user']})" if entry.get("sudo_user") else ""
    return printable(f"{entry['user']}{behind}")


@group.command(
    "review",
    epilog=options.examples(
        "orphanscan export review --campaign 2026-Q4",
        "orphanscan export review --campaign 2026-Q4-erp --by owner --app erp --out /srv/reviews",
    ),
)
@options.config_options
@options.json_option
@click.argument("name", metavar="[SCAN]", default="latest")
@click.option("--campaign", required=True, metavar="NAME", help="Name of the review, such as 2026-Q4.")
@click.option(
    "--by", type=click.Choice(["manager", "owner"]), default="manager", show_default=True, help="Who decides."
)
@click.option("--app", "apps", multiple=True, metavar="ID", help="Only this application; may be repeated.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the workbooks go. Default: reviews/NAME in the state folder; needed with [encryption].",
)
def review(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    name: str,
    campaign: str,
    by: str,
    apps: tuple[str, ...],
    out: Path | None,
) -> None:
    """Write a workbook for each manager or application owner, with a decision to take for every access.

    The rows are the accounts of a scan that are not inactive, and each right that they hold. Nobody is asked about
    accounts of their own. The workbooks hold names: hand each to its reviewer only. `import review` takes them back.
    """
    from scanner.cli import reviewing

    config = options.read_config(config_path, state)
    written, items = reviewing.export(config, name, campaign, by, apps, out)
    if as_json:
        echo_json({"campaign": campaign, "items": items, "workbooks": [str(path) for path in written]})
        return
    for path in written:
        click.echo(str(path))
    click.echo(
        f"{items:,} items for {len(written):,} reviewers; `orphanscan import review FILE...` takes them back", err=True
    )


@group.command(
    "person",
    epilog=options.examples(
        "orphanscan export person 10432 --to request-17.json --recipient 'the person' --reason 'Access request 17'",
        "orphanscan export person ann.lee@acme.example --to ann.json --recipient DPO --reason 'Request 18'",
    ),
)
@options.config_options
@options.json_option
@click.argument("who", metavar="ID")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A new file."
)
@click.option("--recipient", required=True, metavar="WHO", help="For whom; stands in the access log and in the file.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; stands in the access log and in the file.")
def person(
    config_path: Path, state: Path | None, as_json: bool, who: str, target: Path, recipient: str, reason: str
) -> int:
    """Write all that is held of one person, as JSON: store, evidence of every scan, findings, reviews, plans and so on.

    ID is a person id, an employee number or an e-mail address; for a person whom no roster shows, also the user name
    of an account. Rows about others that name the person are counted only. Exit code 1: nothing is held under that ID.
    """
    from scanner import privacy
    from scanner.cli.people import asked

    folder = options.state_folder(config_path, state)
    found, said = asked(folder, "export person", who, recipient, reason)
    if found is None:
        click.echo(
            f"nothing is held under {printable(who)!r} in {folder}, neither in the store nor in kept evidence", err=True
        )
        return 1
    held, _ = privacy.of_person(folder, found)
    privacy.write(target, privacy.document(folder, found, held, said))
    if as_json:
        echo_json({"file": str(target), "entries": held.count, "scans": len(held.bundles)})
    else:
        click.echo(str(target))
        click.echo(f"{held.count:,} rows and entries, from the store and {len(held.bundles):,} scans", err=True)
    return 0
