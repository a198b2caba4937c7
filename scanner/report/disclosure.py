"""What a reader may see of a person: pseudonyms in L1, names and ids in L2. Everything shown passes through here."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from scanner.model import Finding
from scanner.model_record import Record
from scanner.model_rules import Rule
from scanner.report.pseudonyms import account_pseudonym, finding_reference, worker_pseudonym
from scanner.report.words import Words

_SHORTEST = 3
"""Shorter names and ids stand in too many words to be taken for somebody."""
LONGEST = 120
"""Characters of a value that are shown; findings.csv has the whole of it."""

_AT = r"@\uff20\ufe6b"
_WORD = rf'[^\s{_AT}<>()\[\]",;:]'
# Begins where a word begins and never gives back: a name of 100,000 letters is looked at once, not from each of them.
_EMAIL = re.compile(rf'(?:"[^"]*+"|(?<!{_WORD}){_WORD}++) ?[{_AT}] ?(?:\[[^\]]*+\]|{_WORD}++)')
_ESCAPED = re.compile(rf"(?<!{_WORD}){_WORD}*?%40{_WORD}+")
"""An address as it stands in the parameters of a request."""
_SIGNS = ("@", "\uff20", "\ufe6b", "%40")
"""No address is without one of these."""
_BLANK = re.compile(r"  +")
_INVISIBLE = frozenset("\u00ad\u061c\u180e\u200b\u200e\u200f\u2060\ufeff")
"""Format characters that can hide or turn text; the joiners that Persian and Indic scripts need are kept."""


def clean(text: str) -> str:
    """Return text without control, direction and other invisible characters, lone surrogates and unassigned ones."""
    if text.isascii() and text.isprintable():
        return text.strip()
    spaced = (" " if char.isspace() else char for char in text)
    kept = (char for char in spaced if char in "\u200c\u200d" or not _is_hidden(char))
    return _BLANK.sub(" ", "".join(kept)).strip()


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return a long text as its beginning and its end, so that ids stay recognisable."""
    if len(text) <= longest:
        return text
    tail = longest // 4
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def _is_hidden(char: str) -> bool:
    return char in _INVISIBLE or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co")


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Turns people, accounts and free text into what the privacy profile lets a reader see."""

    privacy: str
    key: bytes
    words: Words
    names: Mapping[tuple[str, str], str]
    workers: Mapping[str, str]
    hidden: Mapping[tuple[str | None, str], str] = field(default_factory=dict)
    """In L1: (app, or None for people; id or name known to the record) -> pseudonym."""
    withheld: frozenset[str] = frozenset()
    """In L1: every id and name known to the record, of whatever application."""

    @property
    def is_identified(self) -> bool:
        """Whether names may be shown."""
        return self.privacy == "L2"

    def account(self, app: str, account_id: str, username: str | None = None) -> str:
        """Return the pseudonym of an account, or its user name and id."""
        if not self.is_identified:
            return account_pseudonym(self.key, app, account_id)
        name = clean(username or self.names.get((app, account_id)) or "")
        shown = shorten(clean(account_id))
        return self.words("person.named", name=shorten(name), id=shown) if name and name != shown else shown

    def worker(self, worker_id: str) -> str:
        """Return the pseudonym of a person, or their name and id."""
        if not self.is_identified:
            return worker_pseudonym(self.key, worker_id)
        name, shown = clean(self.workers.get(worker_id) or ""), shorten(clean(worker_id))
        return self.words("person.named", name=shorten(name), id=shown) if name else shown

    def reference(self, finding: Finding) -> str:
        """Return what leads from the report to the full entry in findings.csv, and tells nothing without that file."""
        return finding_reference(self.key, finding.fingerprint)

    def text(self, value: str) -> str:
        """Return free text that is safe to show: cleaned, and in L1 without anything that looks like an e-mail."""
        shown = clean(value)
        # Most texts hold no address: four looks for a sign are cheaper than two searches for a pattern.
        if self.is_identified or not any(sign in shown for sign in _SIGNS):
            return shown
        withheld = self.words("person.email_withheld")
        return _ESCAPED.sub(withheld, _EMAIL.sub(withheld, shown))

    def written(self, value: str) -> str:
        """Return what somebody wrote about people: in L1 also without the names and ids that the record knows."""
        shown = self.text(value)
        if self.is_identified:
            return shown
        folded = shown.casefold()
        present = [text for text in self.withheld if len(text) >= _SHORTEST and text.casefold() in folded]
        for text in sorted(present, key=len, reverse=True):
            shown = re.sub(
                rf"(?<!\w){re.escape(text)}(?!\w)", self.words("person.withheld"), shown, flags=re.IGNORECASE
            )
        return shown

    def reason(self, finding: Finding) -> tuple[tuple[str, bool], ...]:
        """Return the reason of a finding in pieces: text, and whether it stands for a person or an account."""
        account = self.words("person.an_account")
        if finding.app is not None and finding.account_id is not None:
            account = self.account(finding.app, finding.account_id, finding.username)
        worker = self.worker(finding.worker_id) if finding.worker_id else self.words("person.a_worker")
        manager_id = finding.evidence.get("manager_id")
        manager = self.worker(str(manager_id)) if manager_id else self.words("person.the_manager")
        filled = {"account": account, "worker": worker, "manager": manager}
        # Even parts are the rule's own words, odd ones the names of placeholders.
        parts = re.split(r"\{(account|worker|manager)\}", self.text(finding.reason))
        return tuple((filled[part], True) if n % 2 else (part, False) for n, part in enumerate(parts) if part)

    def evidence(self, finding: Finding, rule: Rule | None) -> tuple[tuple[str, str], ...]:
        """Return label and value of the evidence columns that may be shown."""
        personal = () if self.is_identified or rule is None else rule.personal
        own = {} if self.is_identified else self._own(finding)
        shown = []
        for column, value in finding.evidence.items():
            if column in personal or value is None or value == "" or value == []:
                continue
            label = self.words.optional(f"evidence.{column}", clean(column).replace("_", " "))
            told = self.words.optional(f"evidence_value.{column}.{value}", self._value(value, finding.app, own))
            shown.append((label, shorten(told)))
        return tuple(shown)

    def _value(self, value: object, app: str | None, own: Mapping[str, str]) -> str:
        if isinstance(value, bool):
            return self.words("value.yes" if value else "value.no")
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            return f"{value:.10g}"
        if isinstance(value, (list, tuple)):
            return ", ".join(self._value(item, app, own) for item in value)
        if isinstance(value, Mapping):
            return ", ".join(f"{clean(str(name))}: {self._value(item, app, own)}" for name, item in value.items())
        text = str(value)
        if self.is_identified:
            return self.text(_instant(text))
        known = own.get(text) or self.hidden.get((app, text)) or self.hidden.get((None, text))
        if known:
            return known
        if text in self.withheld:
            # The same id in another application: whose pseudonym it would be is not certain.
            return self.words("person.withheld")
        for secret, stand_in in own.items():
            if len(secret) > 3:
                text = text.replace(secret, stand_in)
        return self.text(_instant(text))

    def _own(self, finding: Finding) -> dict[str, str]:
        """Return what names the subject of a finding -> its pseudonym, longest first."""
        own: dict[str, str] = {}
        if finding.worker_id:
            stand_in = self.worker(finding.worker_id)
            own |= {text: stand_in for text in (finding.worker_id, self.workers.get(finding.worker_id)) if text}
        if finding.app is not None and finding.account_id is not None:
            stand_in = self.account(finding.app, finding.account_id)
            name = finding.username or self.names.get((finding.app, finding.account_id))
            own |= {text: stand_in for text in (finding.account_id, name) if text}
        return dict(sorted(own.items(), key=lambda pair: -len(pair[0])))


def disclosure(record: Record, words: Words, *, privacy: str, key: bytes) -> Disclosure:
    """Return the rules of what may be shown of one record."""
    if privacy == "L2":
        return Disclosure(privacy, key, words, record.names, record.workers)
    hidden: dict[tuple[str | None, str], str] = {}
    for worker_id, name in record.workers.items():
        stand_in = worker_pseudonym(key, worker_id)
        hidden |= {(None, text): stand_in for text in (worker_id, name) if text}
    for (app, account_id), name in record.names.items():
        stand_in = account_pseudonym(key, app, account_id)
        hidden |= {(app, text): stand_in for text in (account_id, name) if text}
    withheld = frozenset(text for _, text in hidden)
    return Disclosure(privacy, key, words, record.names, record.workers, hidden, withheld)


def _instant(text: str) -> str:
    """Return `2026-10-01T06:00:00+00:00` as `2026-10-01 06:00 UTC`; any other text as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|\+00:?00)?", text)
    return f"{found[1]} {found[2]} UTC" if found else text
