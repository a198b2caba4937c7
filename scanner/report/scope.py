"""Which systems a report speaks about, and how complete the data of each of its sources are."""

import hashlib
from dataclasses import dataclass

from scanner.model import ApplicationFact, Source, Verdict
from scanner.report.inputs import Inputs, utc

SHORT_HASH = 16
FILES = ("csv", "excel", "json", "scim_file")
EMPTY = hashlib.sha256().hexdigest()
"""The hash of nothing: printed as such, it would look like evidence."""


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """One application of the framework's scope."""

    name: str
    app: str
    owner: str
    connection: str
    reason: str
    """Why it is not connected; empty if it is."""
    coverage: str
    verdict: str
    accounts: str
    sign_ins: str
    data: str
    is_connected: bool


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One collection, with the numbers behind its verdict."""

    name: str
    kind: str
    stated: str
    collected: int
    difference: str
    duplicates: int
    rejected: int
    groups: str
    is_complete: bool
    verdict: str
    meaning: str
    detail: str
    query: str
    hash: str
    times: str


def scope_rows(inputs: Inputs) -> tuple[ScopeRow, ...]:
    """Return the applications of the framework's scope, unconnected ones included."""
    return tuple(_scope_row(inputs, fact) for fact in inputs.in_scope)


def source_rows(inputs: Inputs) -> tuple[SourceRow, ...]:
    """Return the rosters and the connected applications of the scope."""
    return tuple(_source_row(inputs, source) for source in relevant_sources(inputs))


def relevant_sources(inputs: Inputs) -> tuple[Source, ...]:
    """Return the sources that the report rests on: every roster, and the applications of its scope."""
    apps = {fact.app for fact in inputs.in_scope}
    rosters = [source for source in inputs.record.sources if source.kind == "roster"]
    applications = [s for s in inputs.record.sources if s.kind != "roster" and s.id in apps and s.type != "none"]
    return tuple(sorted(rosters, key=lambda s: s.id) + sorted(applications, key=lambda s: inputs.application(s.id)))


def source_name(inputs: Inputs, source: Source) -> str:
    """Return the name of an application, or of a roster."""
    if source.kind == "roster":
        return inputs.words("source.roster", id=inputs.disclosure.text(source.id))
    return inputs.application(source.id)


def states_nothing(source: Source) -> bool:
    """Return whether a source is a file without a number of its own: read to the end, but complete by no proof."""
    return source.stated is None and source.type in FILES and source.verdict is Verdict.COMPLETE


def owner(inputs: Inputs, fact: ApplicationFact) -> str:
    """Return who answers for an application: as the configuration says, or the pseudonym of that person."""
    if fact.owner_worker_id and not inputs.disclosure.is_identified:
        return inputs.disclosure.worker(fact.owner_worker_id)
    return inputs.disclosure.text(fact.owner or "") or inputs.words("value.not_stated")


def sentence(text: str) -> str:
    """Return words of a collector or a server with a capital letter and a full stop; of no words nothing."""
    begun = text[:1].upper() + text[1:]
    return begun if not begun or begun.rstrip("\"”'").endswith((".", "!", "?")) else f"{begun}."


def _verdict(inputs: Inputs, source: Source) -> str:
    return inputs.words("verdict.read_to_end" if states_nothing(source) else f"verdict.{source.verdict}.word")


def _scope_row(inputs: Inputs, fact: ApplicationFact) -> ScopeRow:
    words, shown = inputs.words, inputs.disclosure.text
    connected = fact.type != "none"
    none = words("value.not_applicable")
    reason = shown(fact.unconnected_reason or "") or words("scope.no_reason")
    sign_ins = words("value.yes" if fact.has_sign_ins else "value.no")
    data = [words.optional(f"data.{kind}", kind) for kind in fact.data]
    accounts = words("scope.accounts", accounts=fact.accounts, active=fact.active_accounts)
    if fact.verdict == Verdict.FAILED and not fact.accounts:
        accounts = words("scope.not_read")
    source = next((s for s in inputs.record.sources if s.kind != "roster" and s.id == fact.app), None)
    verdict = _verdict(inputs, source) if source else words(f"verdict.{fact.verdict or Verdict.UNKNOWN}.word")
    return ScopeRow(
        name=shown(fact.name),
        app=shown(fact.app),
        owner=owner(inputs, fact),
        connection=words.optional(f"connection.{fact.type}", fact.type),
        reason="" if connected else reason,
        coverage=words.optional(f"coverage.{fact.coverage}", fact.coverage) if connected else none,
        verdict=verdict if connected else words("scope.not_tested"),
        accounts=accounts if connected else none,
        sign_ins=sign_ins if connected else none,
        data=", ".join(data),
        is_connected=connected,
    )


def _source_row(inputs: Inputs, source: Source) -> SourceRow:
    words, shown = inputs.words, inputs.disclosure.text
    is_roster = source.kind == "roster"
    none = words("value.not_applicable")
    return SourceRow(
        name=source_name(inputs, source),
        kind=words.optional(f"connection.{source.type}", source.type),
        stated=words("value.not_stated") if source.stated is None else words.number(source.stated),
        collected=source.collected,
        difference=none
        if source.stated is None
        else words.number(source.collected - source.stated).replace("-", "\u2212"),
        duplicates=source.duplicates,
        rejected=source.rejected,
        groups=none if is_roster else _groups(inputs, source),
        is_complete=source.verdict is Verdict.COMPLETE,
        verdict=_verdict(inputs, source),
        meaning=words(f"verdict.{source.verdict}.meaning"),
        detail=sentence(shown(source.detail)),
        query=shown(source.query) or words("value.not_stated"),
        hash=words("source.no_bytes") if source.sha256 in ("", EMPTY) else source.sha256[:SHORT_HASH],
        times=_times(inputs, source),
    )


def _groups(inputs: Inputs, source: Source) -> str:
    if source.groups_stated is None:
        return inputs.words.number(source.groups_collected)
    return inputs.words("source.groups", collected=source.groups_collected, stated=source.groups_stated)


def _times(inputs: Inputs, source: Source) -> str:
    if source.started_at is None:
        return inputs.words("source.not_started")
    end = utc(source.finished_at) or inputs.words("source.not_finished")
    return inputs.words.count("source.times", source.pages, start=utc(source.started_at), end=end)
