"""Who is meant by an id, and how documents of the state folder tell of them."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scanner.report.pseudonyms import account_pseudonym, finding_reference, worker_pseudonym
from scanner.store import person, scans, vault
from scanner.store.person import Person

ERASED = "erased"
_WORKER_KEYS = ("worker_id", "worker")
_ACCOUNT_KEYS = ("account_id", "account")
_ID_KEYS = (*_WORKER_KEYS, "account", "username", "email")
"""Keys whose value may be an id: elsewhere, a short one could mean anything."""
_ROLES = ("owner", "approver", "approved_by", "granted_by", "reviewer", "manager_id", "by")
"""Keys by which something about others says who answered for it, or decided."""


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
class _Words:
    """Ids, and what names somebody within a text."""

    ids: frozenset[str]
    phrases: re.Pattern[str] | None

    @classmethod
    def of(cls, words: Collection[str], further: Collection[str]) -> "_Words":
        said = [word for word in words if "@" in word or " " in word] + [one.lower() for one in further]
        pattern = "|".join(re.escape(one) for one in sorted(said, key=len, reverse=True))
        whole = re.compile(rf"(?<![\w.+-])(?:{pattern})(?![\w-]|\.\w)", re.IGNORECASE) if said else None
        return cls(frozenset(words), whole)

    def say(self, text: str) -> bool:
        """Whether a text names the person."""
        return bool(self.phrases and self.phrases.search(text))


@dataclass(frozen=True, slots=True)
class Traces:
    """All by which a document can tell of a person."""

    own: _Words
    """That nobody else bears."""
    known: _Words
    """All of theirs: a name that others bear too tells of them only where something else does."""
    accounts: frozenset[tuple[str, str]]
    logins: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, who: Person, key: bytes | None, fingerprints: Collection[str]) -> "Traces":
        """Return the traces of a person, with their pseudonyms if the key is known."""
        further = list(fingerprints)
        if key is not None:
            further += [worker_pseudonym(key, who.worker_id)] if who.worker_id else []
            further += [account_pseudonym(key, *pair) for pair in who.accounts]
            further += [finding_reference(key, one) for one in fingerprints]
        words = {*who.words, *(number.lower() for number in who.numbers)}
        return cls(
            _Words.of(words - set(who.shared), further),
            _Words.of(words, further),
            frozenset(who.accounts),
            frozenset(who.logins),
        )

    def tell_of(self, node: Mapping[str, Any]) -> bool:
        """Whether an object itself, not one within it, is about the person.

        Where it names an account or a person by an id, ids alone say whom it is about; else the words do.
        """
        if any(isinstance(node.get(key), str) for key in (*_WORKER_KEYS, *_ACCOUNT_KEYS)):
            return self._is_account(node) or any(self._names(key, node.get(key)) for key in _WORKER_KEYS)
        return any(self._names(key, value) for key, value in node.items())

    def _is_account(self, node: Mapping[str, Any]) -> bool:
        # A waiver may name the application by a pattern, or not at all; and the account by its user name.
        app, name = node.get("app"), node.get("account")
        pattern = app if isinstance(app, str) and app else "*"
        places = [place for place, mine in self.accounts if mine in (node.get("account_id"), name)]
        if isinstance(name, str):
            places += [place for place, login in self.logins if login == name.lower()]
        return any(fnmatchcase(place, pattern) for place in places)

    def within(self, document: object) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of a document that are about the person; of one that names them, what it says itself.

        What lies within such a one may be about others, such as the actions of a plan with their name in its title.
        """
        if isinstance(document, Mapping):
            if self._is_account(document):
                yield document
                return
            if self.tell_of(document):
                yield {key: value for key, value in document.items() if not isinstance(value, Mapping | list | tuple)}
            document = list(document.values())
        if isinstance(document, list | tuple):
            for one in document:
                yield from self.within(one)

    def roles(self, document: object) -> Iterator[str]:
        """Yield the key each time that a document says that the person answered for something, or decided."""
        if isinstance(document, Mapping):
            for key, value in document.items():
                if key in _ROLES and isinstance(value, str) and (value.lower() in self.own.ids or self.own.say(value)):
                    yield key
            document = list(document.values())
        if isinstance(document, list | tuple):
            for one in document:
                yield from self.roles(one)

    def may_name(self, text: str) -> bool:
        """Whether a text names the person, or somebody of the same name."""
        return self.known.say(text)

    def without(self, content: str) -> str:
        """Return a JSON document that is not about the person; that they answered for something stays."""
        found = json.loads(content)
        return json.dumps(self._without(found), ensure_ascii=False) if any(self.within(found)) else content

    def _names(self, key: str, value: object) -> bool:
        if key in _ROLES:
            return False
        if isinstance(value, list | tuple):
            return any(self._names(key, one) for one in value if isinstance(one, str))
        return isinstance(value, str) and ((key in _ID_KEYS and value.lower() in self.own.ids) or self.own.say(value))

    def _without(self, value: object) -> object:
        if isinstance(value, dict):
            if self.tell_of(value):
                return self._blanked("", value)
            return {name: self._without(one) for name, one in value.items()}
        return [self._without(one) for one in value] if isinstance(value, list) else value

    def _blanked(self, key: str, value: object) -> object:
        if key in _ROLES:
            return value
        if isinstance(value, dict):
            return {name: self._blanked(name, one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._blanked(key, one) for one in value]
        if isinstance(value, str):
            is_account = key in _ACCOUNT_KEYS and any(value == mine for _, mine in self.accounts)
            if is_account or (key in _ID_KEYS and value.lower() in self.known.ids):
                return ERASED
            return self.known.phrases.sub(ERASED, value) if self.known.phrases else value
        return value
