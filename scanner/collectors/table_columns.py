"""Finds our columns in the header of a table: by the configured map, else under our own names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from scanner.errors import SourceError


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file is expected to hold, and how it is written."""

    path: Path
    what: str
    """roster or account: whose columns these are."""
    columns: tuple[str, ...]
    """Ours."""
    identity: tuple[str, ...]
    """One of them must be there: without it, nobody could be told from anybody else."""
    ids: frozenset[str] = frozenset()
    """Columns of ids: text, whatever a spreadsheet made of them."""
    dates: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    """Our column -> theirs, where it has another name."""
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    date_format: str = "%Y-%m-%d"
    """In which dates that a workbook knows as such are written down."""
    header_row: int | None = None
    """Counted from 1. None: the first row that is not empty."""


def resolve(layout: Layout, header: Sequence[str]) -> Mapping[str, int]:
    """Return our column -> position in the header, or raise SourceError naming what is missing or doubtful."""
    unknown = sorted(set(layout.names) - set(layout.columns))
    if unknown:
        raise SourceError(
            f"the column map names '{unknown[0]}', which is no {layout.what} column; known: {', '.join(layout.columns)}"
        )
    names = [_folded(name) for name in header]
    positions = _mapped(layout, header, names)
    own = [_own(name) for name in names]
    for column in layout.columns:
        if column not in positions and column in own:
            positions[column] = own.index(column)
    _refuse_duplicates(positions, names, header)
    if not any(column in positions for column in layout.identity):
        near = next(filter(None, (_nearest(name, header) for name in layout.identity)), None)
        hint = f"; the nearest is '{near}'" if near else ""
        raise SourceError(
            f"none of the {len(header)} columns is {', '.join(layout.identity)}{hint}; name one of them in the column"
            " map (is the first row the header?)"
        )
    return positions


def known(layout: Layout, header: Sequence[str]) -> int:
    """Return how many of our columns the header holds."""
    names = {_folded(name) for name in header}
    mapped = {_folded(theirs) for theirs in layout.names.values()}
    return len(names & mapped) + len({_own(name) for name in names} & set(layout.columns))


def _mapped(layout: Layout, header: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    positions = {}
    for ours, theirs in layout.names.items():
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
