"""Whom a pseudonym of a report stands for: looked up in the evidence of a scan, with the key of the state folder."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from scanner.errors import StoreError
from scanner.model_record import Record
from scanner.report.pseudonyms import account_pseudonym, finding_reference, worker_pseudonym

_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What one pseudonym stands for."""

    pseudonym: str
    kind: str
    """person, account or finding."""
    application: str
    id: str
    """Person id, account id, or fingerprint of the finding."""
    name: str
    """Full name, user name, or rule."""
    email: str


def find(evidence: Path, record: Record, key: bytes, wanted: Collection[str]) -> Iterator[Identity]:
    """Yield what the pseudonyms stand for in one scan; those that it does not hold are left out.

    Every person and account has to be tried, as a keyed hash does not lead back. StoreError for damaged evidence.
    """
    kinds = {pseudonym[:2] for pseudonym in wanted}
    if "F-" in kinds:
        for finding in (finding for result in record.results for finding in result.findings):
            reference = finding_reference(key, finding.fingerprint)
            if reference in wanted:
                yield Identity(reference, "finding", finding.app or "", finding.fingerprint, finding.rule, "")
    try:
        with duckdb.connect() as con:
            if "P-" in kinds:
                yield from _people(con, evidence / "audit" / "workers.parquet", key, wanted)
            if "A-" in kinds:
                yield from _accounts(con, evidence / "audit" / "accounts.parquet", key, wanted)
    except duckdb.Error as exc:
        raise StoreError(f"cannot read the evidence in {evidence}: {str(exc).splitlines()[0]}") from exc


def _people(con: duckdb.DuckDBPyConnection, file: Path, key: bytes, wanted: Collection[str]) -> Iterator[Identity]:
    found = con.execute("select worker_id, full_name, email from read_parquet($file)", {"file": str(file)})
    while rows := found.fetchmany(_ROWS):
        for worker_id, name, email in rows:
            pseudonym = worker_pseudonym(key, worker_id)
            if pseudonym in wanted:
                yield Identity(pseudonym, "person", "", worker_id, name or "", email or "")


def _accounts(con: duckdb.DuckDBPyConnection, file: Path, key: bytes, wanted: Collection[str]) -> Iterator[Identity]:
    found = con.execute("select app, account_id, username, email from read_parquet($file)", {"file": str(file)})
    while rows := found.fetchmany(_ROWS):
        for app, account_id, name, email in rows:
            pseudonym = account_pseudonym(key, app, account_id)
            if pseudonym in wanted:
                yield Identity(pseudonym, "account", app, account_id, name or "", email or "")
