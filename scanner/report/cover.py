"""The first page of a paper, and what is printed on each of its pages."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from scanner.frameworks import Framework
from scanner.report.disclosure import clean, shorten
from scanner.report.inputs import Inputs, utc
from scanner.report.words import Words

LONGEST_NAME = 60
"""Characters of an application's name in a title."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A term and what is said about it."""

    term: str
    value: str
    is_code: bool = False
    """Set in the fixed-width face: ids and hashes."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What the head, the first page and the margins of every paper say."""

    id: str
    title: str
    subtitle: str
    organization: str
    about: str
    """One line for those who look for the file."""
    classification: str
    is_draft: bool
    """True until people have signed; printed on each page."""
    created_at: datetime
    seal: str
    """What the paper is bound to, short enough for the margin of each page."""
    facts: tuple[Fact, ...]
    banner: str = ""
    """A sentence across the page, for a framework that is not in force."""
    reader: str = ""
    note: str = ""


def cover(
    inputs: Inputs,
    *,
    name: str = "",
    subtitle: str,
    prepared_by: str,
    manifest_sha256: str,
    generated_at: datetime,
    recipient: str = "",
) -> Cover:
    """Return the cover of a report. `name` is what its id begins with: that of its framework, if nothing is said."""
    words, framework, privacy = inputs.words, inputs.framework, inputs.disclosure.privacy
    report_id = identifier(inputs, name or framework.id)
    application = inputs.application(inputs.in_scope[0].app) if len(inputs.in_scope) == 1 else ""
    return Cover(
        id=report_id,
        # Only the report of one application names it in its title.
        title=inputs.text("title", application=shorten(application, LONGEST_NAME)),
        subtitle=subtitle,
        organization=inputs.disclosure.text(inputs.record.organization),
        about=f"{framework.title}, {report_id}",
        classification=classification(words, privacy, recipient),
        is_draft=True,
        created_at=generated_at,
        seal=f"{words('document.manifest')} {manifest_sha256[:16] or words('cover.not_sealed')}",
        facts=_facts(inputs, report_id, prepared_by, manifest_sha256, generated_at, recipient),
        banner="" if framework.status == "in_force" else words("cover.not_in_force", status=framework.status),
        reader=inputs.text("reader"),
        note=framework.note,
    )


def identifier(inputs: Inputs, name: str) -> str:
    """Return the id of the paper whose file has this name."""
    return f"{name.upper()}-{inputs.record.scan.id}-{inputs.disclosure.privacy}"


def _facts(
    inputs: Inputs, report_id: str, prepared_by: str, manifest_sha256: str, generated_at: datetime, recipient: str
) -> tuple[Fact, ...]:
    words, record, framework = inputs.words, inputs.record, inputs.framework
    local = record.scan.as_of.astimezone(ZoneInfo(record.timezone))
    edition = words("cover.edition_value", title=framework.title, edition=framework.edition)
    facts = {
        "organization": (inputs.disclosure.text(record.organization), False),
        "framework": (edition, False),
        "mapping": (mapping_version(framework), True),
        "as_of": (utc(record.scan.as_of.astimezone(UTC)), False),
        "as_of_local": (f"{local:%Y-%m-%d %H:%M:%S} {record.timezone}", False),
        "classification": (words(f"classification.{inputs.disclosure.privacy}.long"), False),
        # The author's own name is a signature, not data about an account: it is shown in every profile.
        "prepared_by": (prepared_by or words("value.not_stated"), False),
        "report_id": (report_id, True),
        "scan_id": (record.scan.id, True),
        "tool": (words("cover.tool_value", version=record.scan.tool_version), False),
        "generated": (utc(generated_at.astimezone(UTC)), False),
        "manifest": (manifest_sha256 or words("cover.not_sealed"), True),
    }
    if record.scan.manifest_number:
        facts["number"] = (words("cover.number_value", n=record.scan.manifest_number), False)
    if recipient:
        facts["recipient"] = (clean(recipient), False)
    return tuple(Fact(words(f"cover.{name}"), value, is_code) for name, (value, is_code) in facts.items())


def classification(words: Words, privacy: str, recipient: str) -> str:
    """Return the words that stand on each page; an identified report says for whom it is."""
    short = words(f"classification.{privacy}.short")
    return words("classification.for", short=short, recipient=clean(recipient)) if recipient else short


def mapping_version(framework: Framework) -> str:
    """Return the first 12 hex digits of the SHA-256 of the mapping as loaded, families included."""
    text = json.dumps(dataclasses.asdict(framework), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
