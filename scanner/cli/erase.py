"""`erase`: takes one person out of the state folder, and says what stays."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.text import echo_json, printable, table
from scanner.config import Config

if TYPE_CHECKING:
    from scanner.privacy import Held, Left, Traces
    from scanner.store.person import Person


@click.command(
    epilog=options.examples(
        "orphanscan erase 10432 --reason 'Erasure request 17'",
        "orphanscan erase 10432 --reason 'Erasure request 17' --apply",
    )
)
@options.config_options
@options.json_option
@click.argument("who", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT", help="Why; stands in the access log and in purged.ndjson.")
@click.option("--apply", "is_applied", is_flag=True, help="Erase. Without this, only say what would go and what stays.")
def command(config_path: Path, state: Path | None, as_json: bool, who: str, reason: str, is_applied: bool) -> int:
    """Take one person out of the store, waiting notices and reviews, and say what stays and why.

    ID as for `export person`. Counts and the age of findings stay, under random ids. Sealed evidence, plans and
    journals are never rewritten, as they would prove nothing any more: `purge` removes them when their time is over.
    Exit codes: 0 done, 1 nothing is held under that ID, 5 a legal hold keeps it, 6 the state folder cannot be used.
    """
    from scanner import privacy
    from scanner.cli.people import asked
    from scanner.policy import read_policies
    from scanner.store import state as stored

    config = options.read_config(config_path, state)
    holds = [(hold.worker, hold.reason) for hold in read_policies(config).erasure_schedule.holds]
    found, said = asked(config.state, "erase", who, "", reason)
    if found is None:
        click.echo(f"nothing is held under {printable(who)!r} in {config.state}", err=True)
        return 1
    privacy.refuse_held(found, holds)
    if is_applied:
        with stored.writing(config.state, "erase"):
            held, traces = privacy.of_person(config.state, found)
            left = _left(config, found, held, traces)
            privacy.erase(config.state, found, traces, left, {"reason": said["reason"]})
    else:
        left = _left(config, found, *privacy.of_person(config.state, found))
    if as_json:
        echo_json({"applied": is_applied, "left": [asdict(one) for one in left]})
        return 0
    rows = [[one.place, one.name, f"{one.count:,}", one.outcome] for one in left]
    click.echo(table(("where", "what", "entries", ""), rows))
    _tell(left, is_applied)
    return 0


def _left(config: Config, who: "Person", held: "Held", traces: "Traces") -> tuple["Left", ...]:
    from scanner import policy, privacy
    from scanner.store import scans

    files = [*policy.files(config).values(), *([config.waivers.file] if config.waivers.file else [])]
    return privacy.left_of(
        config.state,
        who,
        held,
        traces,
        known=scans.stored(config.state),
        days=config.privacy.retention,
        files=files,
    )


def _tell(left: Sequence["Left"], is_applied: bool) -> None:
    sources = [one.name for one in left if one.place == "source"]
    if sources:
        click.echo(
            f"{', '.join(sources)} showed this person when last read, so the next scan collects them again:"
            " have them removed there first, scan, and erase again",
            err=True,
        )
    if not is_applied:
        click.echo("nothing was erased; say --apply to do so", err=True)
