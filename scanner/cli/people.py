"""What commands about one person share: the search, and the line in the access log before anything is shown."""

from pathlib import Path

import click

from scanner.errors import ConfigError
from scanner.store.person import Person


def asked(state: Path, command: str, who: str, recipient: str, reason: str) -> tuple[Person | None, dict[str, str]]:
    """Return whom an id stands for, and the words of who asked; the question is logged whatever comes of it."""
    from scanner import access_log, privacy
    from scanner.report.pseudonyms import load_key, worker_pseudonym
    from scanner.store import vault

    if not reason.strip():
        raise click.UsageError("say why with --reason; it goes into the access log")
    if not vault.has_store(state):
        raise ConfigError(f"there is no scan in {state} yet, so nothing is held of anybody")
    found = privacy.find(state, who)
    subject = ""
    if found is not None and found.worker_id is not None:
        subject = worker_pseudonym(load_key(state, create=True), found.worker_id)
    said = {"recipient": recipient.strip(), "reason": reason.strip()}
    count = 0 if found is None else 1
    access_log.record(state, access_log.Access(command, count=count, subject=subject, **said))
    return found, said
