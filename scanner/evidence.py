"""The evidence of a scan: what lies in its folder, the manifest that seals it, and how it is read back.

The manifest holds the SHA-256 of every evidence file and of the manifest before it, so that neither a file nor a scan
can be changed or left out unnoticed. A hash proves that nothing changed since; it does not prove truth at the source.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import msgspec

from scanner.errors import StoreError
from scanner.model import Record

RESULTS = "results.json"
MANIFEST = "manifest.json"


def write_inputs(scan_folder: Path, policy_files: Mapping[str, Path]) -> None:
    """Keep the policy inputs as they were when the accounts were judged by them."""
    for name, path in policy_files.items():
        write_file(scan_folder / "evidence" / "policy" / f"{name}{path.suffix}", path.read_bytes())


def write(scan_folder: Path, record: Record) -> None:
    """Write results, rule files, parameters and collection log into the evidence folder."""
    folder = scan_folder / "evidence"
    # Names are in the Parquet tables already; they are joined again when the record is read.
    bare = replace(record, names={}, workers={}, entitlements={})
    write_file(folder / RESULTS, msgspec.json.encode(bare))
    write_file(folder / "collection.json", msgspec.json.format(msgspec.json.encode(record.sources), indent=1))
    parameters = {
        rule.id: {p.name: {"value": p.value, "default": p.default, "source": p.source} for p in rule.params}
        for rule in record.rules
    }
    write_file(folder / "parameters.json", canonical(parameters))
    write_file(folder / "waivers.json", msgspec.json.format(msgspec.json.encode(record.waivers), indent=1))
    for rule in record.rules:
        write_file(folder / "rules" / rule.theme / f"{rule.id}.sql", rule.text.encode())


def seal(scan_folder: Path, record: Record, previous: str | None, action_runs: Mapping[str, str] | None = None) -> str:
    """Write the manifest over all evidence files, chained to the one before and to the runs of remediation.

    Args:
        scan_folder: of the scan.
        record: what it says.
        previous: SHA-256 of the manifest before.
        action_runs: run id -> SHA-256 of the last line of its journal.

    Returns the SHA-256 of the manifest.
    """
    folder = scan_folder / "evidence"
    data = canonical(
        {
            "schema": "orphanscan.manifest/1",
            "scan": record.scan.id,
            "as_of": record.scan.as_of.isoformat(),
            "tool_version": record.scan.tool_version,
            "config_sha256": record.scan.config_sha256,
            "rules_sha256": record.scan.rules_sha256,
            "previous_manifest_sha256": previous,
            "action_runs": dict(action_runs or {}),
            "files": listing(folder),
        }
    )
    write_file(folder / MANIFEST, data)
    return hashlib.sha256(data).hexdigest()


def listing(folder: Path) -> list[dict[str, object]]:
    """Return path, size and SHA-256 of every file below `folder` except its manifest, in the order of their names."""
    return [
        {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    ]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: object) -> bytes:
    """Return JSON with sorted keys and no blanks, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def write_file(path: Path, data: bytes) -> None:
    """Write a file for its owner's eyes only; a crash leaves the old file or the new one, not half."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.chmod(0o600)
    part.replace(path)


def read(scan_folder: Path, manifest_sha256: str) -> Record:
    """Read a sealed scan back; raises StoreError if it is not sealed, damaged, or not what was sealed."""
    evidence = scan_folder / "evidence"
    try:
        if sha256(evidence / MANIFEST) != manifest_sha256:
            raise StoreError(f"{evidence / MANIFEST} is not the manifest that sealed this scan: it was changed since")
        sealed = {file["path"]: file["sha256"] for file in json.loads((evidence / MANIFEST).read_bytes())["files"]}
        if sha256(evidence / RESULTS) != sealed[RESULTS]:
            raise StoreError(f"{evidence / RESULTS} was changed after the scan was sealed")
        record = msgspec.json.decode((evidence / RESULTS).read_bytes(), type=Record)
    except FileNotFoundError as exc:
        raise StoreError(f"{exc.filename} is missing; was the scan collected but not checked?") from exc
    except (OSError, ValueError, KeyError) as exc:
        raise StoreError(f"cannot read the evidence in {evidence}: {exc}") from exc
    record = replace(record, scan=replace(record.scan, manifest_sha256=manifest_sha256))
    return with_names(record, evidence / "audit")


def with_names(record: Record, audit: Path) -> Record:
    """Add the names of the accounts, people and entitlements that the findings speak of, from the Parquet tables."""
    findings = [finding for result in record.results for finding in result.findings]
    accounts = {(f.app, f.account_id) for f in findings if f.account_id is not None}
    accounts |= {(action.app, action.account_id) for action in record.actions}
    grants = {(f.app, f.entitlement) for f in findings if f.entitlement is not None}
    workers = {f.worker_id for f in findings if f.worker_id is not None}
    with duckdb.connect() as con:
        try:
            con.execute("set TimeZone = 'UTC'")
            names = _lookup(con, audit / "accounts.parquet", "app, account_id", "username", accounts)
            entitlements = _lookup(con, audit / "entitlements.parquet", "app, entitlement", "name", grants)
            people = _lookup(con, audit / "workers.parquet", "worker_id", "full_name", {(w,) for w in workers})
        except duckdb.Error as exc:
            raise StoreError(f"cannot read the evidence in {audit}: {str(exc).splitlines()[0]}") from exc
    return replace(
        record,
        names={(key[0], key[1]): name for key, name in names.items()},
        entitlements={(key[0], key[1]): name for key, name in entitlements.items()},
        workers={key[0]: name for key, name in people.items()},
    )


def _lookup(
    con: duckdb.DuckDBPyConnection, table: Path, keys: str, value: str, wanted: Collection[tuple[str | None, ...]]
) -> dict[tuple[str, ...], str]:
    """Return key -> value for the rows of a Parquet table whose keys are wanted; the table may be large."""
    names = keys.split(", ")
    structure = json.dumps([dict.fromkeys(names, "varchar")])
    rows = con.execute(
        f"""
        select {keys}, {value}
        from read_parquet($file)
        semi join (select unnest(from_json($wanted, '{structure}'), recursive := true)) using ({keys})
        where {value} is not null
        """,
        {"file": str(table), "wanted": json.dumps([dict(zip(names, key, strict=True)) for key in wanted])},
    ).fetchall()
    return {row[:-1]: row[-1] for row in rows}


def check_sealed(scan_folder: Path, manifest_sha256: str, prefix: str) -> None:
    """Raise StoreError unless every sealed file below `prefix` is there and as it was sealed."""
    folder = scan_folder / "evidence"
    try:
        if sha256(folder / MANIFEST) != manifest_sha256:
            raise StoreError(f"{folder / MANIFEST} is not the manifest that sealed this scan: it was changed since")
        for file in json.loads((folder / MANIFEST).read_bytes())["files"]:
            if file["path"].startswith(prefix) and sha256(folder / file["path"]) != file["sha256"]:
                raise StoreError(f"{folder / file['path']} was changed after the scan was sealed")
    except FileNotFoundError as exc:
        raise StoreError(f"{exc.filename} is missing from the evidence of the scan") from exc
    except (OSError, ValueError, KeyError) as exc:
        raise StoreError(f"cannot read the evidence in {folder}: {exc}") from exc
