"""The bundle of a scan: what lies in its evidence folder, how it is written, and how it is read back."""

import json
import pwd
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import msgspec

from scanner import framework_files
from scanner.config import Config
from scanner.errors import ConfigError, StoreError
from scanner.evidence import manifest
from scanner.evidence.files import canonical, sha256, write_file
from scanner.model import ANSWERS
from scanner.model_record import Record
from scanner.policy import PolicyInput

FOLDER = "evidence"
RESULTS = "results.json"
COLLECTION = "collection"
"""One file per source that was read page by page: what was asked, and the hash of each answer."""
FRAMEWORKS = "frameworks"
PRIOR = "prior_states.parquet"
CONFIGURATION = "configuration.json"


def write_inputs(scan_folder: Path, files: Mapping[str, Path], read: Collection[PolicyInput] = ()) -> None:
    """Keep policy inputs; ConfigError if one is not what was read a moment ago, as findings would rest on both."""
    known = {item.name: item.sha256 for item in read}
    for name, path in files.items():
        kept = scan_folder / FOLDER / "policy" / f"{name}{path.suffix}"
        write_file(kept, path.read_bytes())
        if name in known and sha256(kept) != known[name]:
            raise ConfigError(f"{path} was changed while the scan began; scan again")


def write_configuration(scan_folder: Path, config: Config) -> None:
    """Keep what the configuration says, key by key and without secrets, and what the system knows of who changed it."""
    facts = config.path.stat()
    try:
        owner = pwd.getpwuid(facts.st_uid).pw_name
    except KeyError:  # in a container, a number without a name
        owner = f"uid {facts.st_uid}"
    document = {
        "schema": "orphanscan.configuration/1",
        "sha256": config.sha256,
        "modified_at": datetime.fromtimestamp(facts.st_mtime, UTC).isoformat(timespec="seconds"),
        "owner": owner,
        "keys": config.keys,
    }
    write_file(scan_folder / FOLDER / CONFIGURATION, canonical(document))


def write_collection(scan_folder: Path, sources: Path) -> None:
    """Keep what was noted of each answer of a server, from the folder in which the sources were collected."""
    for path in sorted(sources.glob(f"*/{ANSWERS}")):
        write_file(scan_folder / FOLDER / COLLECTION / f"{path.parent.name}.ndjson", path.read_bytes())


def write(scan_folder: Path, record: Record, rule_folders: Sequence[Path]) -> None:
    """Write results, rule and framework files, parameters and the collection log into the evidence folder."""
    folder = scan_folder / FOLDER
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
    # Families of several folders are added up in their order, which the number keeps.
    for number, place in enumerate(framework_files.places(rule_folders)):
        for path in sorted(place.glob("*.toml")):
            write_file(folder / FRAMEWORKS / f"{number:02}" / path.name, path.read_bytes())


def read(scan_folder: Path, manifest_sha256: str) -> Record:
    """Read a sealed scan back; raises StoreError if it is not sealed, damaged, or not what was sealed."""
    evidence = scan_folder / FOLDER
    sealed = manifest.sealing(evidence, manifest_sha256)
    record = results(evidence)
    if sha256(evidence / RESULTS) != sealed.hashes.get(RESULTS):
        raise StoreError(f"{evidence / RESULTS} was changed after the scan was sealed")
    scan = replace(record.scan, manifest_sha256=manifest_sha256, manifest_number=sealed.number or 0)
    return with_names(replace(record, scan=scan), evidence / "audit")


def results(evidence: Path) -> Record:
    """Return what the rules said, without names and without a look at the manifest; StoreError if it cannot be read."""
    try:
        return msgspec.json.decode((evidence / RESULTS).read_bytes(), type=Record)
    except FileNotFoundError as exc:
        raise StoreError(f"{exc.filename} is missing; was the scan collected but not checked?") from exc
    except (OSError, ValueError) as exc:
        raise StoreError(f"cannot read {evidence / RESULTS}: {exc}") from exc


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
    folder = scan_folder / FOLDER
    try:
        for path, digest in manifest.sealing(folder, manifest_sha256).hashes.items():
            if path.startswith(prefix) and sha256(folder / path) != digest:
                raise StoreError(f"{folder / path} was changed after the scan was sealed")
    except FileNotFoundError as exc:
        raise StoreError(f"{exc.filename} is missing from the evidence of the scan") from exc
    except OSError as exc:
        raise StoreError(f"cannot read the evidence in {folder}: {exc}") from exc
