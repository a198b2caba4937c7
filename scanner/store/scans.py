"""Which scans a store holds, and where their folders lie."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from scanner.errors import ConfigError
from scanner.model import Scan
from scanner.store import vault
from scanner.store.state import PENDING, STORE, is_real, open_store

_COLUMNS = """
select
    scan_id,
    as_of,
    started_at,
    finished_at,
    complete,
    scan_no = (select min(scan_no) from scans),
    tool_version,
    config_sha256,
    coalesce(rules_sha256, ''),
    coalesce(manifest_sha256, '')
from scans
order by scan_no
"""


def stored(state: Path) -> tuple[Scan, ...]:
    """Return all scans of the store, oldest first; empty if there is no store yet."""
    if not vault.has_store(state):
        return ()
    with open_store(state / STORE) as con:
        rows = con.execute(_COLUMNS).fetchall()
    return tuple(
        Scan(
            id=row[0],
            as_of=_utc(row[1]),
            started_at=_utc(row[2]),
            finished_at=None if row[3] is None else _utc(row[3]),
            complete=row[4],
            is_baseline=row[5],
            tool_version=row[6],
            config_sha256=row[7],
            rules_sha256=row[8],
            manifest_sha256=row[9],
        )
        for row in rows
    )


def numbers(state: Path) -> dict[str, int]:
    """Return the number of every stored scan, by its id; the first scan of a store has number 1."""
    if not vault.has_store(state):
        return {}
    with open_store(state / STORE) as con:
        return dict(con.execute("select scan_id, scan_no from scans").fetchall())


def resolve(state: Path, name: str) -> str:
    """Return the full id of `latest`, an id, or a unique prefix of one; raises ConfigError otherwise."""
    ids = [scan.id for scan in stored(state)]
    if not ids:
        raise ConfigError(f"there is no scan in {state} yet; run `orphanscan scan` first")
    if name == "latest":
        return ids[-1]
    found = [scan_id for scan_id in ids if scan_id.startswith(name)]
    if name in ids:
        return name
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"'{name}' begins the ids of {len(found)} scans: {', '.join(found[:5])}")
    raise ConfigError(f"there is no scan '{name}' in {state}; the latest is {ids[-1]}")


def get(state: Path, name: str) -> Scan:
    """Return one stored scan, by the same names as `resolve`."""
    scan_id = resolve(state, name)
    return next(scan for scan in stored(state) if scan.id == scan_id)


def scan_dir(state: Path, scan_id: str) -> Path:
    """Return where a committed scan can be read, opened if it is sealed.

    Also in the moment before it has been moved out of staging.
    """
    place = place_of(state, scan_id)
    pending = state / PENDING / scan_id
    if is_real(pending):
        return vault.scan_folder(state, scan_id, place, pending / "scan")
    waiting = state / "staging" / scan_id / "scan"
    if waiting.is_dir() and not (place / "evidence").is_dir() and vault.keys_of(state) is None:
        return waiting
    return vault.scan_folder(state, scan_id, place)


def place_of(state: Path, scan_id: str) -> Path:
    """Return where the folder of a scan lies; what is in it may be sealed."""
    return state / "scans" / scan_id


def keep(state: Path, scan_id: str, readable: Path, written: Path) -> Path:
    """Put a file that was written into the folder of `scan_dir` where it belongs; returns where it lies then."""
    return vault.keep(state, place_of(state, scan_id), readable, written)


def chain_end(con: duckdb.DuckDBPyConnection) -> tuple[str | None, int]:
    """Return the SHA-256 of the manifest that was sealed last, and the number that the next one has in the chain."""
    row = con.execute(
        "select max_by(manifest_sha256, scan_no), count(*) + 1 from scans where manifest_sha256 is not null"
    ).fetchone()
    return row or (None, 1)


def prior_states(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write what the store knew of findings before a scan, as Parquet: their states in the scan follow from it."""
    file = str(path).replace("'", "''")
    con.execute(
        f"""
        copy (
            select
                f.fingerprint,
                f.rule,
                v.state,
                v.severity,
                v.verdict,
                v.waiver,
                s.scan_id as since_scan
            from findings f
            join finding_versions v on v.finding_no = f.finding_no and v.valid_to_scan is null
            join scans s on s.scan_no = v.valid_from_scan
            order by f.rule, f.fingerprint
        ) to '{file}' (format parquet, compression zstd)
        """
    )


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)
