"""Collects the HR roster from a REST API that the configuration describes.

Rights needed: to read the list that the configuration names, all people in it and all fields that are mapped; only
GET is sent, and only to the origin of `base_url`. Covers the people whom that list shows: many HR systems show those
who work today unless they are asked for others, and leave out fields that the credential may not see, without an
error. So a field that is mapped and in no record makes the roster `short`, and a list in which nobody has left is
noted. The list is proven whole by its stated total or by a second reading. The rate limit that the server states is
kept to.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from scanner.collectors import records, rest_source
from scanner.collectors.accounts import RowFile
from scanner.collectors.interface import Look, Progress
from scanner.collectors.outcome import begun, ended
from scanner.collectors.rest_paging import Row
from scanner.collectors.rest_source import Lists, Record, line_of
from scanner.columns import ROSTER_COLUMNS
from scanner.config import Roster
from scanner.connections import RestSettings
from scanner.errors import OrphanscanError, SourceError, StoreError
from scanner.model import Collected, Source, Verdict

IDENTITY = ("employee_number", "person_id", "email")
_LEFT = ("termination_date", "last_day_worked")
_WORST_FIRST = (Verdict.FAILED, Verdict.CAPPED, Verdict.SHORT, Verdict.DRIFT, Verdict.UNKNOWN)
Note = Callable[[Record], None]
"""Is shown each record, to notice what is amiss."""


def collect_rest_roster(roster: Roster, into: Path, progress: Progress) -> Collected:
    """Leave workers.ndjson in `into`, with the verdict on the list; dates stay text."""
    return collect(roster, roster.rest, into, progress)


def look(roster: Roster) -> Look:
    """Ask for one person, as a scan would; raises SourceError where a scan would fail."""
    return look_at(roster, roster.rest)


def look_at(roster: Roster, settings: RestSettings) -> Look:
    """Ask for one person by given settings."""
    seen: set[str] = set()
    found, _ = rest_source.look(roster, settings, rows_of(roster, seen, lambda record: None))
    if missing := _missing(roster, seen):
        return replace(found, doubt=f"the first person has no {missing}: is that its name, and may this key see it?")
    if not {"status", *_LEFT} & seen:
        return replace(found, doubt="neither status nor termination_date is mapped: nobody can tell who has left")
    return found


def collect(
    roster: Roster,
    settings: RestSettings,
    into: Path,
    progress: Progress,
    note: Note = lambda record: None,
    doubts: Callable[[], list[str]] = list,
) -> Collected:
    """Read a roster by given settings. `note` sees each record; `doubts` then says what makes the roster short."""
    blank = begun(roster)
    file = into / "workers.ndjson"
    try:
        with rest_source.lists(roster, into, progress) as api:
            source = _read(roster, settings, api, blank, note, doubts)
            source = replace(source, detail=api.session.redactor.text(source.detail, 600))
    except StoreError:
        raise  # our disk, not their server
    except OrphanscanError as error:
        file.unlink(missing_ok=True)
        return ended(Collected(replace(blank, detail=str(error))))
    return ended(Collected(source, {"workers": file}))


def rows_of(roster: Roster, seen: set[str], note: Note) -> Row:
    """Return what makes rows of people of records, by the column map; columns that say something go to `seen`.

    A person may have several rows (employments, jobs): a row is the same as another only if its record is.
    """
    paths = {ours: roster.columns.get(ours, ours) for ours in ROSTER_COLUMNS}

    def row(record: Record) -> tuple[str, bytes] | None:
        found = {ours: records.at(record, path) for ours, path in paths.items()}
        told = {
            ours: "; ".join(records.texts(value, None)) or None if ours == "other_emails" else records.text(value)
            for ours, value in found.items()
            if value is not records.ABSENT
        }
        seen.update(told)
        note(record)
        if not any(told.get(ours) for ours in IDENTITY):
            return None
        identity = hashlib.sha256(line_of(record)).hexdigest()
        return identity, line_of({"id": identity, "row": told})

    return row


def _read(
    roster: Roster, settings: RestSettings, api: Lists, blank: Source, note: Note, doubts: Callable[[], list[str]]
) -> Source:
    seen: set[str] = set()
    somebody_left = False
    with RowFile(api.into / "workers.ndjson") as out:
        for one in api.all(settings, rows_of(roster, seen, note), "workers"):
            row = one["row"]
            somebody_left = somebody_left or any(row.get(ours) for ours in _LEFT)
            out.add({**row, "line": out.rows + 1})
    if not out.rows:
        why = "; ".join(why for _, why in api.doubts) or "it lists nobody"
        raise SourceError(f"{why}; an empty roster would turn everybody into a leaver")
    if out.rows < roster.min_rows:
        raise SourceError(f"it lists {out.rows:,} people, fewer than min_rows = {roster.min_rows:,}; check the list")
    if missing := _missing(roster, seen):
        api.doubts.append((Verdict.SHORT, f"no record holds {missing}: may this credential not see it?"))
    api.doubts += [(Verdict.SHORT, why) for why in doubts()]
    given = {verdict for verdict, _ in api.doubts}
    said = [why for _, why in api.doubts]
    if not {"status", *_LEFT} & seen:
        said.append("no column tells who has left: neither status nor termination_date is mapped")
    elif not somebody_left:
        said.append("nobody in it has an end date: if it shows those who work today only, leavers vanish from it")
    listing = api.main
    return replace(
        blank,
        verdict=next((one for one in _WORST_FIRST if one in given), Verdict.COMPLETE),
        detail="; ".join(said),
        query="; ".join(api.queries),
        pages=api.asker.pages,
        sha256=api.asker.digest.hexdigest(),
        collected=out.rows,
        stated=listing.stated if listing else None,
        duplicates=listing.duplicates if listing else 0,
        rejected=listing.rejected if listing else 0,
    )


def _missing(roster: Roster, seen: set[str]) -> str:
    return ", ".join(f"'{theirs}'" for ours, theirs in roster.columns.items() if ours not in seen)
