"""Takes a list response apart: raw slices on the fast path, row by row where a page is damaged or spelled oddly."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from scanner.collectors.redact import Redactor
from scanner.errors import SourceError

_BOM = b"\xef\xbb\xbf"
_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_DIGITS = 4000

_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_CANONICAL: Mapping[str, str] = {
    name.lower(): name
    for name in (
        *("schemas", "id", "externalId", "meta", "userName", "name", "displayName", "nickName", "profileUrl", "title"),
        *("userType", "preferredLanguage", "locale", "timezone", "active", "password", "emails", "phoneNumbers", "ims"),
        *("photos", "addresses", "groups", "entitlements", "roles", "x509Certificates", "members", _ENTERPRISE),
    )
}
_ENVELOPE = {"resources": "Resources", "totalresults": "totalResults", "nextcursor": "nextCursor"}


@dataclass(slots=True)
class Page:
    """The rows of one list response, each ready for the staging file, and its numbers."""

    keys: list[int] = field(default_factory=list)
    """The hash of each row's id, of 64 bits under a secret of this process: no server can make two ids collide."""
    lines: list[bytes] = field(default_factory=list)
    """The JSON object of each row on one line, without line feed."""
    rejected: int = 0
    """Elements that are no object or have no id."""
    junk: int = 0
    """Tells pages of nothing but rejected elements apart."""
    has_members: bool = False
    """Whether any row has the attribute members."""
    total: int | None = None
    next_cursor: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many elements the server sent."""
        return len(self.keys) + self.rejected

    def add(self, identifier: object, line: bytes, *, has_members: bool) -> None:
        """Add a row, or count it as rejected if its id is none; some servers send numbers."""
        if type(identifier) is not str:
            if isinstance(identifier, bool) or not isinstance(identifier, (int, float)):
                self.rejected += 1
                return
            identifier = str(identifier)
        elif not identifier or identifier.isspace():
            self.rejected += 1
            return
        self.keys.append(_hash(identifier))
        self.lines.append(line)
        if has_members:
            self.has_members = True


class _Envelope(msgspec.Struct):
    Resources: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    totalResults: Any = None  # noqa: N815  # as RFC 7644 spells it
    nextCursor: Any = None  # noqa: N815
    schemas: Any = None


class _Keys(msgspec.Struct):
    id: Any = None
    userName: Any = None  # noqa: N815
    displayName: Any = None  # noqa: N815
    members: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Named(_Keys):
    active: Any = None


class _Kind(_Keys):
    schemas: Any = None
    meta: Any = None


class _Row(msgspec.Struct):
    id: str | int
    userName: Any = None  # noqa: N815
    displayName: Any = None  # noqa: N815
    members: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Rows(msgspec.Struct):
    Resources: list[_Row]


_envelope = msgspec.json.Decoder(_Envelope)
_rows = msgspec.json.Decoder(_Rows)
_keys = msgspec.json.Decoder(_Keys)
_named = msgspec.json.Decoder(_Named)
_kinds = msgspec.json.Decoder(_Kind)
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])


def parse_page(body: bytes, redactor: Redactor | None = None) -> Page:
    """Return the rows and numbers of a list response, or raise SourceError, its subject left out, if it is none.

    With a `redactor`, no secret that it knows stands in the rows.
    """
    body = body.removeprefix(_BOM)
    if redactor is not None:
        body = redactor.body(body)
    if (body.isascii() or _is_utf8(body)) and (redactor is None or not redactor.is_disguised(body, is_valid=True)):
        try:
            # Half a surrogate pair, which DuckDB refuses, makes msgspec refuse the page too, also in skipped parts.
            document = _envelope.decode(body)
            if isinstance(document.Resources, list):
                page = _fast_page(document.Resources, body)
                if page is not None:
                    return _numbered(page, document.totalResults, document.nextCursor)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # the patient path below finds out what it is
    return page_of(decode(body, redactor))


def page_of(document: object) -> Page:
    """Return the page for a list response that is already decoded."""
    if not isinstance(document, dict):
        raise SourceError(f"is {_kind(document)}, not a SCIM list")
    spelled = {_ENVELOPE.get(str(name).lower(), name): value for name, value in reversed(document.items())}
    schemas = " ".join(map(str, spelled["schemas"])) if isinstance(spelled.get("schemas"), list) else ""
    if "Resources" not in spelled and (schemas.lower().endswith(":error") or "totalResults" not in spelled):
        raise SourceError("is an error or some other document, not a SCIM list")
    resources = spelled.get("Resources")
    if resources is not None and not isinstance(resources, list):
        raise SourceError(f"holds {_kind(resources)} where the list of resources belongs")
    return _numbered(rows_of(resources or []), spelled.get("totalResults"), spelled.get("nextCursor"))


def rows_of(resources: list[Any]) -> Page:
    """Return decoded resources as a page, in canonical spelling and without a stated total."""
    page = Page()
    for resource in resources:
        if not isinstance(resource, dict):
            page.rejected += 1
            continue
        # Where two spellings of one attribute occur, the canonical one wins.
        ordered = sorted(resource.items(), key=lambda pair: _CANONICAL.get(pair[0].lower()) == pair[0])
        spelled = {_CANONICAL.get(name.lower(), name): value for name, value in ordered}
        page.add(spelled.get("id"), encode(spelled), has_members="members" in spelled)
    return page


def decode(body: bytes, redactor: Redactor | None = None) -> object:
    """Return the JSON document, with U+FFFD in place of bytes that are not UTF-8, and without spelled-out secrets."""
    text = body.removeprefix(_BOM).decode("utf-8", "replace")
    try:
        document = LENIENT.decode(text)
        if redactor is not None and redactor.is_disguised(body, is_valid=False):
            return redactor.document(document)
        return document
    except RecursionError:
        raise SourceError("is nested too deeply") from None
    except ValueError:
        raise SourceError(_not_json(text)) from None


def encode(resource: object) -> bytes:
    """Return a decoded resource as one line, with U+FFFD in place of lone surrogates."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATES.sub("\ufffd", text).encode()


def key_of(line: bytes) -> int:
    """Return the key of a staged line."""
    return _hash(id_of(line))


def id_of(line: bytes) -> str:
    """Return the id of a staged line."""
    return str(_keys.decode(line).id)


def username_of(line: bytes) -> str:
    """Return the user name of a staged line, trimmed; empty without one."""
    return str(_keys.decode(line).userName or "").strip()


def has_members(line: bytes) -> bool:
    """Return whether a staged line has the attribute members."""
    return _keys.decode(line).members is not msgspec.UNSET


def name_key(line: bytes) -> int:
    """Return the hash of the name that a staged user or group goes by, and whether it is active."""
    named = _named.decode(line)
    name = str(named.displayName if named.userName is None else named.userName).strip().casefold()
    return _hash(f"{name}\0{str(named.active).casefold()}")


def kind_of(line: bytes) -> str:
    """Tell what a staged line is: user, group or other."""
    named = _kinds.decode(line)
    schemas = named.schemas if isinstance(named.schemas, list) else []
    resource_type = named.meta.get("resourceType") if isinstance(named.meta, dict) else None
    words = {str(schema).lower().rpartition(":")[2] for schema in schemas} | {str(resource_type or "").lower()}
    for kind in ("group", "user"):
        if kind in words:
            return kind
    if named.userName is not None:
        return "user"
    if named.members is not msgspec.UNSET or named.displayName is not None:
        return "group"
    return "other" if words - {""} else "user"


def _fast_page(lines: list[msgspec.Raw], body: bytes) -> Page | None:
    """Return the rows, or None if they need the patient path: nothing here is done row by row in Python."""
    # A server spells all its rows alike: looking closely at three of them is enough.
    for sample in lines[:1] + lines[len(lines) // 2 :][:1] + lines[-1:]:
        if not _is_canonical(sample):
            return None
    rows = _rows.decode(body).Resources
    for row, line in zip(rows, lines, strict=True):
        if row.userName is None and row.displayName is None and not _is_canonical(line):
            return None
    ids = [str(row.id) for row in rows]
    if not all(map(str.strip, ids)):
        return None
    has_members = any(row.members is not msgspec.UNSET for row in rows)
    if b"\n" in body or b"\r" in body:
        # In valid JSON a raw line break stands only between tokens.
        flat = [bytes(line).replace(b"\n", b" ").replace(b"\r", b" ") for line in lines]
        return Page(list(map(hash, ids)), flat, has_members=has_members)
    return Page(list(map(hash, ids)), list[bytes](lines), has_members=has_members)


def _numbered(page: Page, total: object, cursor: object) -> Page:
    page.total, page.notes = total_of(total)
    page.next_cursor = _cursor(cursor)
    return page


def _is_canonical(resource: msgspec.Raw) -> bool:
    if bytes(resource)[:1] != b"{":
        return True
    return all(_CANONICAL.get(name.lower(), name) == name for name in _names.decode(resource))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _hash(text: str) -> int:
    return hash(_SURROGATES.sub("\ufffd", text))  # as it will be staged


def total_of(value: object) -> tuple[int | None, tuple[str, ...]]:
    """Return the number of rows that a list states, and what is to be noted of it."""
    if value is None:
        return None, ()
    # Some servers send "12" or 12.0; true and -1 are no numbers of rows.
    text = "" if isinstance(value, bool) else str(value).strip().removesuffix(".0")
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text), ()
    return None, ("its stated total is not a number of rows",)


def _cursor(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _MAX_DIGITS else digits


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a bare array"
    if isinstance(value, dict):
        return "an object"
    return "a bare text" if isinstance(value, str) else "a bare value"


def _not_json(text: str) -> str:
    start = text.lstrip()[:200].lower()
    if not start:
        return "is empty"
    if start.startswith("<"):
        return "is a web page, not JSON; a log-in page or a proxy may stand before the server"
    return "is not JSON, or ends too early"


LENIENT = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_number, parse_constant=lambda _: None)
"""Takes what other parsers of JSON let pass: control characters, NaN, numbers beyond all bounds."""
