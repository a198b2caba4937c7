"""`reidentify`: whom a pseudonym stands for, with a reason and a line in the access log."""

import re
from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.config import Config

_PSEUDONYM = re.compile(r"[PA]-[A-Z2-7]{16}|F-[A-Z2-7]{8}")


@click.command(
    epilog=options.examples(
        "orphanscan reidentify P-CX7TGQ4L2MZ5RK3A --reason 'Case 4711: told to the owner of payroll'",
        "orphanscan reidentify F-3KQ7ZB2A --scan 20261120T06 --reason 'Auditor traces sample 12'",
        "orphanscan reidentify --log",
    )
)
@options.config_options
@options.json_option
@click.argument("pseudonyms", metavar="[PSEUDONYM...]", nargs=-1)
@click.option("--reason", metavar="TEXT", default="", help="Why; goes into the access log. Required.")
@click.option("--recipient", metavar="WHO", default="", help="To whom you tell it, if not only yourself.")
@click.option("--scan", "name", metavar="SCAN", default="latest", show_default=True, help="Scan of the report.")
@click.option("--log", "show_log", is_flag=True, help="List who asked for what, when and why; shows no identity.")
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    pseudonyms: tuple[str, ...],
    reason: str,
    recipient: str,
    name: str,
    show_log: bool,
) -> int:
    """Print the person, account or finding that pseudonyms of reports (P-..., A-..., F-...) stand for.

    Needs the pseudonym key of the state folder. The access log has the question on disk before the answer is shown.
    Exit codes: 0 all found, 1 some stand for nobody in this scan, 2 usage, 6 key, log or evidence cannot be used.
    """
    config = options.read_config(config_path, state)
    if show_log:
        _show_log(config, as_json)
        return 0
    wanted = {pseudonym.strip().upper() for pseudonym in pseudonyms}
    if not wanted or (wrong := sorted(one for one in wanted if not _PSEUDONYM.fullmatch(one))):
        raise click.UsageError(
            f"{printable(wrong[0])!r} is no pseudonym such as P-CX7TGQ4L2MZ5RK3A" if wanted else "name a pseudonym"
        )
    if not reason.strip():
        raise click.UsageError("say why with --reason; it goes into the access log")
    return _show(config, wanted, name, reason.strip(), recipient.strip(), as_json)


def _show(config: Config, wanted: set[str], name: str, reason: str, recipient: str, as_json: bool) -> int:
    from dataclasses import asdict

    from scanner import access_log
    from scanner import reidentify as looking
    from scanner import scan as scanning
    from scanner.report.pseudonyms import load_key

    key = load_key(config.state, create=False)
    scan, folder, record = scanning.latest_record(config, name)
    # Before the search: a question counts, whatever comes of it.
    for pseudonym in sorted(wanted):
        access_log.record(
            config.state,
            access_log.Access("reidentify", scan.id, count=1, subject=pseudonym, recipient=recipient, reason=reason),
        )
    found = sorted(looking.find(folder / "evidence", record, key, wanted), key=lambda one: one.pseudonym)
    missing = sorted(wanted - {one.pseudonym for one in found})
    if as_json:
        echo_json({"scan": scan.id, "identities": [asdict(one) for one in found], "unknown": missing})
    else:
        head = ("pseudonym", "kind", "application", "id", "name", "email")
        click.echo(table(head, [tuple(asdict(one).values()) for one in found]))
    for pseudonym in missing:
        click.echo(f"{pseudonym} stands for nobody in scan {scan.id}; name the scan of the report as --scan", err=True)
    return 1 if missing else 0


def _show_log(config: Config, as_json: bool) -> None:
    from scanner import access_log

    chain = access_log.entries(config.state)
    asked = [entry for entry in chain.of("read") if entry.get("command") == "reidentify"]
    if as_json:
        echo_json({"head": chain.head, "entries": asked})
        return
    names = ("at", "user", "scan", "subject", "recipient", "reason")
    click.echo(table(names, [[entry.get(name, "") for name in names] for entry in asked]))
