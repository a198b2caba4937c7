"""The evidence of a scan: the bundle, the manifest that seals it, its signature, and how all of it is checked again."""

from scanner.evidence.bundle import (
    CONFIGURATION,
    FOLDER,
    FRAMEWORKS,
    PRIOR,
    check_sealed,
    read,
    with_names,
    write,
    write_collection,
    write_configuration,
    write_inputs,
)
from scanner.evidence.files import canonical, sha256, write_file
from scanner.evidence.manifest import MANIFEST, SIGNATURE, TIMESTAMP, Attested, Link, listing, seal

__all__ = [
    "CONFIGURATION",
    "FOLDER",
    "FRAMEWORKS",
    "MANIFEST",
    "PRIOR",
    "SIGNATURE",
    "TIMESTAMP",
    "Attested",
    "Link",
    "canonical",
    "check_sealed",
    "listing",
    "read",
    "seal",
    "sha256",
    "with_names",
    "write",
    "write_collection",
    "write_configuration",
    "write_file",
    "write_inputs",
]
