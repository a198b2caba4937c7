"""`replay`: runs the rules of a bundle again, without credentials and without the state folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner import __version__
from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.errors import StoreError
from scanner.settings import RuleSettings

if TYPE_CHECKING:
    from scanner.evidence.replay import Difference, Replay
    from scanner.evidence.verify import Subject

SHOWN = 50
"""Differences that are listed; --json has them all."""
_LIMITS = RuleSettings()


@click.command(
    epilog=options.examples(
        "orphanscan replay copy/evidence",
        "orphanscan replay latest",
        "orphanscan replay copy/evidence --rules my-rules",
    )
)
@options.config_options
@options.json_option
@click.argument("target", metavar="BUNDLE|SCAN")
@click.option(
    "--rules",
    "rules_folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Try these rules in place of those of the bundle, with its parameters.",
)
@click.option("--no-self-test", is_flag=True, help="Do not run the rules on the known-answer data set, too.")
@click.option("--max-seconds", type=click.FloatRange(1), default=_LIMITS.max_seconds, help="For one rule.")
@click.option("--memory-mb", type=click.IntRange(256), default=_LIMITS.memory_mb, help="For the process of the rules.")
def command(
    config_path: Path,
    state: Path | None,
    as_json: bool,
    target: str,
    rules_folder: Path | None,
    no_self_test: bool,
    max_seconds: float,
    memory_mb: int,
) -> int:
    """Run the rules of a bundle again on its tables, and compare what they find with what was found.

    BUNDLE is an evidence folder or a scan's folder, wherever it was copied to; it is verified first. Neither
    credentials nor the configuration nor the state folder are needed. Exit codes: 0 the same, 1 something differs,
    2 usage, 6 could not be read.
    """
    from scanner.evidence import replay as replaying
    from scanner.evidence import verify

    folder, place = _folder(target, config_path, state)
    subject = verify.bundle(folder, verify.Trust())
    if any(verify.walk(folder)[1]):
        raise StoreError(f"{folder} holds links or other things that no bundle holds; see `orphanscan verify`")
    found = replaying.replay(
        folder,
        rules_folder=rules_folder,
        max_seconds=max_seconds,
        memory_mb=memory_mb,
        self_test=not no_self_test,
        place=place,
    )
    known = found.known_answers
    # The data set is that of this version; rules of another one may give other answers, which is told and no mismatch.
    is_wrong = known is not None and not known.is_right and found.tool_version == __version__ and not rules_folder
    is_right = found.is_same and subject.is_right and not is_wrong
    if as_json:
        echo_json(_document(found, subject, is_right))
    else:
        _tell(found, subject)
    return 0 if is_right else 1


def _folder(target: str, config_path: Path, state: Path | None) -> tuple[Path, Path | None]:
    """Return the evidence, and where to work on it: what was opened for this does not leave staging."""
    from scanner.evidence.verify import evidence_folder
    from scanner.store import scans, vault

    if Path(target).is_dir():
        return evidence_folder(Path(target)), None
    config = options.read_config(config_path, state)
    folder = scans.scan_dir(config.state, scans.resolve(config.state, target)) / "evidence"
    return folder, vault.session(config.state) if vault.is_sealed(config.state) else None


def _tell(found: "Replay", subject: "Subject") -> None:
    for statement in subject.statements:
        if statement.grade == "mismatch":
            click.echo(printable(f"MISMATCH: {statement.sentence}"))
    click.echo(
        f"scan {printable(found.scan)}, as of {printable(found.as_of)}, by orphanscan {printable(found.tool_version)}"
    )
    click.echo(f"{found.rules} rules ran again and returned {found.findings} findings")
    if found.known_answers:
        click.echo(f"known answers: {found.known_answers}")
        for problem in found.known_answers.problems:
            click.echo(f"known answers: {printable(problem)}")
    click.echo(f"recorded  {printable(found.recorded_sha256)}")
    click.echo(f"replayed  {found.replayed_sha256}")
    for name in found.not_run:
        click.echo(f"not run: {printable(name)}")
    if found.differences:
        click.echo(f"{len(found.differences)} differences:")
        head = ("rule", "fingerprint", "field", "was", "is")
        click.echo(table(head, [_row(one) for one in found.differences[:SHOWN]]))
        if len(found.differences) > SHOWN:
            click.echo(f"... and {len(found.differences) - SHOWN} more; --json has them all")
    click.echo("the same" if found.is_same else "not the same")


def _row(one: "Difference") -> tuple[object, ...]:
    return one.rule, one.fingerprint[:16] or "-", one.field, one.was, one.now


def _document(found: "Replay", subject: "Subject", is_right: bool) -> dict[str, object]:
    known = found.known_answers
    return {
        "right": is_right,
        "same": found.is_same,
        "as_sealed": subject.is_right,
        "scan": found.scan,
        "as_of": found.as_of,
        "tool_version": found.tool_version,
        "rules": found.rules,
        "findings": found.findings,
        "recorded_sha256": found.recorded_sha256,
        "replayed_sha256": found.replayed_sha256,
        "known_answers": {"result": str(known), "problems": list(known.problems)} if known else None,
        "not_run": list(found.not_run),
        "differences": [
            {"rule": one.rule, "fingerprint": one.fingerprint, "field": one.field, "was": one.was, "is": one.now}
            for one in found.differences
        ],
    }
