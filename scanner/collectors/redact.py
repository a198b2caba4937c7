"""Keeps secrets, control characters and endless text out of whatever a server makes us repeat."""

import base64
import re
import unicodedata
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[secret]"
_GRAM = 12
"""A piece of a secret of this length is masked too: servers like to quote the first characters of a token."""
_MIN_IN_ROWS = 8
"""Shorter secrets are not looked for in rows, where they would match ordinary words."""

_NOT_WORD = bytes(one for one in range(256) if not (one < 0x80 and chr(one).isalnum()))
_SPELLED = re.compile(rb"\\u00([2-7][0-9a-fA-F])")
_ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}|\\[bfnrt]")
# What a page must hold before a secret in it can be spelled by escapes, or have invisible characters strewn in. Most
# pages hold none of it, and are looked at no further: this is on the hot path.
_HIDING_ESCAPES = re.compile(rb"\\(?:[bfnrt/]|u(?:00[0-9aA]|06|18|2|[dD][bB]|[eEfF]))")
_HIDING_BYTES = (b"\xc2", b"\xd8\x9c", b"\xe1\xa0", b"\xe2\x80", b"\xe2\x81", b"\xee", b"\xef", b"\xf3")


class Redactor:
    """Knows the secrets of one source and removes them from text."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._raw: list[bytes] = []
        self._squeezed: set[str] = set()
        """Letters and digits of the secrets that are looked for in rows."""

    def add(self, secret: str) -> None:
        """Remember one more secret, in every form in which a server might repeat it."""
        if not secret:
            return
        self._forms |= _forms(secret)
        if len(secret) >= _MIN_IN_ROWS:
            # A shorter form may be part of a longer one: the longest goes first.
            self._raw = sorted({form.encode() for form in (secret, *_plain_forms(secret))} | set(self._raw), key=len)
            self._raw.reverse()
            squeezed = {_squeeze(form) for form in (secret, secret.encode().hex(), *_plain_forms(secret))}
            self._squeezed |= {form for form in squeezed if len(form) >= _MIN_IN_ROWS}

    def text(self, value: str, limit: int = 200) -> str:
        """Return `value` as one line of at most `limit` characters, without secrets and control characters."""
        visible = "".join(c for c in value[: limit * 40] if c in "\t\r\n" or _is_visible(c))
        masked = self._mask(" ".join(visible.split()))
        squeezed = re.sub(r"[^0-9A-Za-z]", "", masked.replace(MASK, "\ufffd")).casefold()
        if any(_squeeze(form) in squeezed for form in self._forms if len(_squeeze(form)) >= _MIN_IN_ROWS):
            return "(withheld: the text repeats a secret)"
        return masked if len(masked) <= limit else masked[: limit - 1] + "\u2026"

    def body(self, raw: bytes) -> bytes:
        """Return a page without verbatim copies of a secret."""
        for form in self._raw:
            if form in raw:
                raw = raw.replace(form, MASK.encode())
        return raw

    def is_disguised(self, raw: bytes, *, is_valid: bool) -> bool:
        """Return whether a page holds a secret in another spelling: `document` finds out where.

        `is_valid` says that the page is JSON to the letter, in which control characters do not stand as such.
        """
        if not self._squeezed or (is_valid and not _may_hide(raw)):
            return False
        spelled = _SPELLED.sub(lambda match: bytes.fromhex(match[1].decode()), raw)
        small = _ESCAPED.sub(b"", spelled).translate(None, _NOT_WORD).lower()
        return any(form.encode() in small for form in self._squeezed)

    def document(self, value: Any) -> Any:
        """Return a decoded document without the texts that spell a secret."""
        if isinstance(value, str):
            small = _squeeze(value)
            return MASK if any(form in small for form in self._squeezed) else value
        if isinstance(value, list):
            return [self.document(one) for one in value]
        if isinstance(value, dict):
            return {self.document(name): self.document(one) for name, one in value.items()}
        return value

    def _mask(self, value: str) -> str:
        hits = bytearray(len(value))
        folded = value.casefold() if len(value.casefold()) == len(value) else value
        for form in self._forms:
            size = min(_GRAM, len(form))
            grams = {form.casefold()[at : at + size] for at in range(len(form) - size + 1)}
            for at in range(len(folded) - size + 1):
                if folded[at : at + size] in grams:
                    hits[at : at + size] = b"\1" * size
        pieces = re.finditer(rb"\x01+|\x00+", bytes(hits))
        return "".join(MASK if hits[p.start()] else value[p.start() : p.end()] for p in pieces)


def _is_visible(character: str) -> bool:
    # Cc control, Cf invisible formatting (also right-to-left overrides), Cs lone surrogates, Co private use.
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _may_hide(raw: bytes) -> bool:
    if b"\x7f" in raw or (b"\\" in raw and _HIDING_ESCAPES.search(raw)):
        return True
    # Looking for one byte is twenty times as fast as for two.
    return not raw.isascii() and any(lead[:1] in raw and lead in raw for lead in _HIDING_BYTES)


def _squeeze(form: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", form).casefold()


def _plain_forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {quote(secret, safe=""), quote_plus(secret), encoded.rstrip("=")}


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret), secret.encode().hex()} | _plain_forms(secret)
    raw = secret.encode()
    for shift in range(3):
        # Base64 of a longer text that holds the secret: its inner characters depend only on the position modulo 3.
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        if len(inner) >= _MIN_IN_ROWS:
            forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms
