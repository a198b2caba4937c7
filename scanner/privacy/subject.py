"""Who is meant by an id, and how documents of the state folder tell of them."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.report.pseudonyms import account_pseudonym, finding_reference, worker_pseudonym
from scanner.store import person, scans, vault
from scanner.store.person import Person

ERASED = "erased"
_ID_KEYS = ("worker_id", "worker", "manager_id", "reviewer", "approver", "approved_by", "owner", "subject", "account")
"""Keys whose value may be an id: elsewhere, a short one could mean anything."""


def find(state: Path, who: str) -> Person | None:
    """Return whom an id stands for: in the store, or else in the newest evidence that knows them; None if nobody."""
    found = person.in_store(state, who)
    if found is not None:
        return found
    for scan in reversed(scans.stored(state)):
        with opened(state, scan.id) as folder:
            audit = folder / "evidence" / "audit"
            found = person.in_evidence(audit, who) if audit.is_dir() else None
        if found is not None:
            return found
    return None


def opened(state: Path, scan_id: str) -> AbstractContextManager[Path]:
    """Give the readable folder of a scan; what was opened of a sealed one goes again, as a year of them is much."""
    return vault.opened(state, lambda: scans.scan_dir(state, scan_id))


@dataclass(frozen=True, slots=True)
class Traces:
    """All by which a document can tell of a person."""

    ids: frozenset[str]
    phrases: re.Pattern[str] | None
    accounts: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, who: Person, key: bytes | None, fingerprints: Collection[str]) -> "Traces":
        """Return the traces of a person, with their pseudonyms if the key is known."""
        said = [word for word in who.words if "@" in word or " " in word]
        said += [one.lower() for one in fingerprints]
        if key is not None:
            said += [worker_pseudonym(key, who.worker_id).lower()] if who.worker_id else []
            said += [account_pseudonym(key, *pair).lower() for pair in who.accounts]
            said += [finding_reference(key, one).lower() for one in fingerprints]
        pattern = "|".join(re.escape(one) for one in sorted(said, key=len, reverse=True))
        return cls(
            frozenset(who.words)
            | {number.lower() for number in who.numbers}
            | {pair[1].lower() for pair in who.accounts},
            re.compile(rf"(?<![\w.+-])(?:{pattern})(?![\w-]|\.\w)", re.IGNORECASE) if said else None,
            frozenset(who.accounts),
        )

    def tell_of(self, node: Mapping[str, Any]) -> bool:
        """Whether an object itself, not one within it, is about the person."""
        if (node.get("app"), node.get("account_id", node.get("account"))) in self.accounts:
            return True
        return any(self._names(key, value) for key, value in node.items())

    def within(self, document: object) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of a document that are about the person."""
        if isinstance(document, Mapping):
            if self.tell_of(document):
                yield document
                return
            document = list(document.values())
        if isinstance(document, list | tuple):
            for one in document:
                yield from self.within(one)

    def says(self, text: str) -> bool:
        """Whether a text names the person."""
        return bool(self.phrases and self.phrases.search(text))

    def without(self, content: str) -> str:
        """Return a JSON document in which nothing names the person."""
        return json.dumps(self._without("", json.loads(content)), ensure_ascii=False)

    def _names(self, key: str, value: object) -> bool:
        if isinstance(value, list | tuple):
            return any(self._names(key, one) for one in value if isinstance(one, str))
        return isinstance(value, str) and ((key in _ID_KEYS and value.lower() in self.ids) or self.says(value))

    def _without(self, key: str, value: object) -> object:
        if isinstance(value, dict):
            return {name: self._without(name, one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._without(key, one) for one in value]
        if isinstance(value, str):
            if key in _ID_KEYS and value.lower() in self.ids:
                return ERASED
            return self.phrases.sub(ERASED, value) if self.phrases else value
        return value
