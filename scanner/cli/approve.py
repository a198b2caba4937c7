"""`approve`: a named person signs a plan."""

from datetime import UTC, datetime
from pathlib import Path

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable


@click.command(
    epilog=options.examples(
        "orphanscan approve latest --key dana.pem", "orphanscan approve plan-20261120T0612 --key ~/.ssh/id_ed25519"
    )
)
@options.config_options
@options.json_option
@click.argument("name", metavar="[PLAN]", default="latest")
@click.option(
    "--key",
    "key_path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Your private Ed25519 key (PEM or OpenSSH).",
)
def command(config_path: Path, state: Path | None, as_json: bool, name: str, key_path: Path) -> None:
    """Sign a plan with your key, so that `apply` may carry it out.

    The key decides who you are: its public half stands in the file of approvers. Who is a subject of the plan may not
    approve it. The plan is made again from the evidence first: what was changed in the file is not signed. Exit code 5:
    refused (changed, expired, not of the latest scan, over budget, unknown key, a subject).
    """
    from scanner import keys
    from scanner.cli.apply import record_of
    from scanner.cli.key import passphrase
    from scanner.remediation import approve, gates, plan_file
    from scanner.remediation.rendering import headline
    from scanner.store import scans
    from scanner.store import state as stored

    config = options.read_config(config_path, state)
    key_file = key_path.expanduser()
    path = plan_file.find(config.state, name)
    known = approve.approvers(config.remediation.approvers)
    key = keys.private(key_file, passphrase())
    with stored.writing(config.state, "approve"):
        plan, sha256 = plan_file.read(path)
        now = datetime.now(UTC)
        gates.check(config, plan, record_of(config, plan.scan_id), now)
        people = approve.with_people(known, scans.scan_dir(config.state, plan.scan_id) / "evidence" / "audit")
        signed = approve.approve(path, plan, sha256, people, key, now)
    have = len({one.approver for one in approve.read(path) if one.plan_sha256 == sha256})
    if as_json:
        echo_json({"plan": plan.id, "sha256": sha256, "approver": signed.approver, "approvals": have})
        return
    click.echo(printable(f"{signed.approver} approved {plan.id} (SHA-256 {sha256}): {headline(plan)}"))
    missing = plan.approvals_needed - have
    click.echo(f"next: {f'{missing} more approval(s)' if missing > 0 else f'`orphanscan apply {plan.id}`'}", err=True)
