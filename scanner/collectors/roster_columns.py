"""Finds our columns in the header of a roster: by the configured map, else under our own names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from scanner.config import Roster
from scanner.errors import SourceError

COLUMNS = (
    "employee_number",
    "person_id",
    "full_name",
    "first_name",
    "last_name",
    "email",
    "other_emails",
    "status",
    "worker_type",
    "hire_date",
    "termination_date",
    "last_day_worked",
    "contract_end",
    "department",
    "job_title",
    "manager",
    "time_zone",
)
IDENTITY = ("employee_number", "person_id", "email")
"""One of them must be there: without it, nobody could be told from anybody else."""
IDS = frozenset({"employee_number", "person_id", "manager"})
DATES = frozenset({"hire_date", "termination_date", "last_day_worked", "contract_end"})


def resolve(roster: Roster, header: Sequence[str]) -> Mapping[str, int]:
    """Return our column -> position in the header, or raise SourceError naming what is missing or doubtful."""
    unknown = sorted(set(roster.columns) - set(COLUMNS))
    if unknown:
        raise SourceError(
            f"the column map names '{unknown[0]}', which is no roster column; known: {', '.join(COLUMNS)}"
        )
    names = [_folded(name) for name in header]
    positions = _mapped(roster, header, names)
    own = [_own(name) for name in names]
    for column in COLUMNS:
        if column not in positions and column in own:
            positions[column] = own.index(column)
    _refuse_duplicates(positions, names, header)
    if not any(column in positions for column in IDENTITY):
        near = _nearest(", ".join(IDENTITY), header) or _nearest("employee_number", header) or _nearest("email", header)
        hint = f"; the nearest is '{near}'" if near else ""
        raise SourceError(
            f"none of the {len(header)} columns is {', '.join(IDENTITY)}{hint}; name one of them in the column map"
            " (is the first row the header?)"
        )
    return positions


def known(roster: Roster, header: Sequence[str]) -> int:
    """Return how many of our columns the header holds."""
    names = {_folded(name) for name in header}
    mapped = {_folded(theirs) for theirs in roster.columns.values()}
    return len(names & mapped) + len({_own(name) for name in names} & set(COLUMNS))


def _mapped(roster: Roster, header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    positions = {}
    for ours, theirs in roster.columns.items():
        if _folded(theirs) not in names:
            near = _nearest(theirs, header)
            hint = f"; the nearest is '{near}'" if near else ""
            raise SourceError(f"there is no column '{theirs}', which the column map names for {ours}{hint}")
        positions[ours] = names.index(_folded(theirs))
    return positions


def _refuse_duplicates(positions: Mapping[str, int], names: Sequence[str], header: Sequence[str]) -> None:
    counts = Counter(names)
    for ours, position in positions.items():
        if counts[names[position]] > 1:
            raise SourceError(
                f"{counts[names[position]]} columns are called '{header[position].strip()}', which is needed for"
                f" {ours}; rename all but one"
            )


def _nearest(name: str, header: Sequence[str]) -> str | None:
    by_folded = {_folded(theirs): theirs.strip() for theirs in header if theirs.strip()}
    close = get_close_matches(_folded(name), by_folded, n=1, cutoff=0.5)
    return by_folded[close[0]] if close else None


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _own(folded: str) -> str:
    """Our names also match with blanks or hyphens in place of underscores."""
    return folded.replace(" ", "_").replace("-", "_")
