"""One frame for every source that lists accounts as rows: the source reads, and this writes, folds and judges.

What a source has to do is in `Reading`: give each account, say how many there are, and say what could not be read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from scanner import secrets
from scanner.collectors import accounts, records
from scanner.collectors.accounts import Entry, Folded, RowFile, fold
from scanner.collectors.catalogue import read_catalogue
from scanner.collectors.interface import Progress
from scanner.collectors.outcome import begun, ended
from scanner.collectors.redact import Redactor
from scanner.config import Application
from scanner.errors import ConfigError, SourceError
from scanner.model import Collected, Source, Verdict

_STEP = 1000
"""Accounts between two signs of life."""
_WORST_FIRST = (Verdict.FAILED, Verdict.CAPPED, Verdict.SHORT, Verdict.DRIFT, Verdict.UNKNOWN)


@dataclass(slots=True)
class Reading:
    """What a source has said so far."""

    app: Application
    rows: RowFile
    grants: RowFile
    groups: RowFile
    redactor: Redactor
    """Knows the secret of the source; texts of a server go through it before they are told."""
    progress: Progress
    query: str = ""
    """What was asked, exactly, for the evidence."""
    coverage: str = "unknown"
    """What the source shows, where the configuration does not say."""
    stated: int | None = None
    """How many accounts there are, where the source says so."""
    stated_rows: int | None = None
    """How many rows there are, where the source counts those."""
    sha256: str = ""
    """Over the bytes of the source; without it, over the rows that it gave."""
    pages: int = 0
    groups_stated: int | None = None
    sign_in_grain_days: int = 0
    """How many days later than told a last sign-in may have been."""
    catalogue: list[Entry] = field(default_factory=list)
    """What the source itself says of roles and groups."""
    doubts: list[tuple[Verdict, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader should know, though the list is whole."""
    columns: dict[str, None] = field(default_factory=dict)
    """Ours, those of which any account said something."""

    def account(self, row: Mapping[str, object], line: int | None = None) -> None:
        """Take one account, or one of its rows: our column -> value; None where the source did not say.

        `line` is its place in the source, from 1, for whoever looks for a rejected row.
        """
        taken: dict[str, object] = {"line": line or self.rows.rows + 1}
        for name, value in row.items():
            said = records.plain(value, self.app.date_format)
            taken[name] = records.texts(said, self.app.separator) if name in accounts.LISTS else records.text(said)
        self.columns.update(dict.fromkeys(row))
        self.rows.add(taken)
        if self.rows.rows % _STEP == 0:
            self.progress(self.app.id, "users", self.rows.rows, self.stated)

    def grant(
        self,
        account_id: str | None,
        entitlement: str | None,
        kind: str = "role",
        *,
        name: str | None = None,
        path: str = "direct",
    ) -> None:
        """Take what an account holds: a role, group or entitlement, direct or nested."""
        held = {"account_id": account_id, "entitlement": entitlement, "kind": kind, "name": name, "path": path}
        self.grants.add(held)

    def group(self, group_id: str, name: str | None, members: Sequence[tuple[str, str]]) -> None:
        """Take a group with its members, each by id and as User or Group; groups within groups are followed later."""
        listed = [{"value": member, "type": kind} for member, kind in members]
        self.groups.add({"id": group_id, "displayName": name, "members": listed})

    def doubt(self, why: str, verdict: Verdict = Verdict.SHORT) -> None:
        """Note why the list is not complete; what was read of it counts all the same."""
        self.doubts.append((verdict, why))


def collect_accounts(app: Application, into: Path, progress: Progress, read: Callable[[Reading], None]) -> Collected:
    """Leave users.ndjson and, where there are any, groups.ndjson and entitlements.ndjson in `into`, with the verdict.

    `read` gives what the source says to a `Reading`. Where it ends in a SourceError the source is `failed`, and the
    accounts that it gave until then are kept.
    """
    blank = begun(app)
    redactor = Redactor()
    try:
        if app.auth.secret is not None:
            redactor.add(secrets.read(app.auth.secret))
        listed = read_catalogue(app.entitlements, "role") if app.entitlements else ()
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (
            RowFile(into / "rows.ndjson") as rows,
            RowFile(into / "grants.ndjson") as grants,
            RowFile(into / "groups.ndjson") as groups,
        ):
            reading = Reading(app, rows, grants, groups, redactor, progress)
            _read(reading, read)
        reading.catalogue += listed
        collected = _judged(reading, blank)
    except (SourceError, ConfigError) as error:
        collected = Collected(replace(blank, detail=redactor.text(str(error), 400)))
    return ended(collected)


def _read(reading: Reading, read: Callable[[Reading], None]) -> None:
    try:
        read(reading)
    except (SourceError, ConfigError) as error:
        told = reading.redactor.text(str(error), 400)
        read_so_far = f"; {reading.rows.rows:,} accounts were read" if reading.rows.rows else ""
        reading.doubt(f"{told}{read_so_far}", Verdict.FAILED)


def _judged(reading: Reading, blank: Source) -> Collected:
    app = reading.app
    source = replace(
        blank,
        coverage=app.coverage or reading.coverage,
        query=reading.redactor.text(reading.query, 4000),
        pages=reading.pages,
        groups_stated=reading.groups_stated,
        groups_collected=reading.groups.rows,
        sign_in_grain_days=reading.sign_in_grain_days,
        sha256=reading.sha256 or reading.rows.sha256,
    )
    if not reading.rows.rows and (reading.doubts or reading.stated != 0):
        for file in (reading.rows, reading.grants, reading.groups):
            file.path.unlink(missing_ok=True)
        why = "; ".join(why for _, why in reading.doubts)
        return Collected(replace(source, detail=why or "no account was listed; may this credential see them?"))
    columns = tuple(reading.columns) or ("account_id", "status")
    folded = fold(app, reading.rows, columns, catalogue=reading.catalogue, grants=reading.grants)
    verdict, detail = _verdict(reading, folded)
    files = dict(folded.files)
    if reading.groups.rows:
        files["groups"] = reading.groups.path
    else:
        reading.groups.path.unlink(missing_ok=True)
    is_of_accounts = reading.stated is None and folded.rows == folded.accounts
    return Collected(
        replace(
            source,
            verdict=verdict,
            stated=reading.stated_rows if is_of_accounts else reading.stated,
            detail=reading.redactor.text(detail, 1000),
            collected=folded.accounts,
            duplicates=folded.duplicates,
            rejected=folded.rejected,
        ),
        files,
    )


def _verdict(reading: Reading, folded: Folded) -> tuple[Verdict, str]:
    own, detail = folded.judge()
    doubts = list(reading.doubts)
    accounts_found = folded.accounts + folded.names_several + folded.rejected
    if all(verdict is not Verdict.FAILED for verdict, _ in doubts):
        doubts += _compared(reading.stated, accounts_found, "accounts")
        doubts += _compared(reading.stated_rows, reading.rows.rows, "rows")
    given = {own, *(verdict for verdict, _ in doubts)}
    verdict = next((one for one in _WORST_FIRST if one in given), Verdict.COMPLETE)
    return verdict, "; ".join(filter(None, (*(why for _, why in doubts), detail, *reading.notes)))


def _compared(stated: int | None, found: int, what: str) -> Iterator[tuple[Verdict, str]]:
    if stated is not None and found != stated:
        told = f"the source counts {stated:,} {what} but lists {found:,}"
        if found < stated:
            yield Verdict.SHORT, told
        else:
            yield Verdict.UNKNOWN, f"{told}: which is right cannot be told"
