"""The text catalogue: every word that a report shows, by key, in one language."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError
from scanner.paths import bundled

LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue of one language. An unknown key is a programming error and raises KeyError."""

    language: str
    texts: Mapping[str, str]
    """Dotted key -> text; `{name}` in it is filled with a value."""

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of `key` with its placeholders filled; whole numbers get a thousands separator."""
        shown = {name: self.number(value) if isinstance(value, int) else value for name, value in values.items()}
        return self.texts[key].format_map(shown)

    def count(self, key: str, n: int, **values: object) -> str:
        """Return `key.one` or `key.other`, with `{n}` filled."""
        return self(f"{key}.one" if n == 1 else f"{key}.other", n=n, **values)

    def optional(self, key: str, fallback: str) -> str:
        """Return the text of `key`, or `fallback`: for words that come from outside and may be new to us."""
        return self.texts.get(key, fallback)

    def group(self, prefix: str) -> Mapping[str, str]:
        """Return the texts directly or deeper under `prefix`, in the order of the file, by the rest of their key."""
        start = f"{prefix}."
        return {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}

    def number(self, value: int) -> str:
        """Return a whole number with the separator of the language."""
        return f"{value:,}".replace(",", self.texts["format.thousands"])

    def join(self, items: list[str] | tuple[str, ...]) -> str:
        """Return `a, b and c`."""
        if len(items) < 2:
            return "".join(items)
        return self("format.and", first=", ".join(items[:-1]), last=items[-1])


def load(language: str = LANGUAGE) -> Words:
    """Read the catalogue of a language from the shipped templates."""
    path = bundled("templates") / "text" / f"{language}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"there is no text catalogue for the language {language!r}: {_known(path.parent)}") from exc
    return Words(language, dict(_flat(document)))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, str):
            yield f"{prefix}{key}", value
        else:
            yield from _flat(value, f"{prefix}{key}.")


def _known(folder: Path) -> str:
    return "shipped are " + ", ".join(sorted(path.stem for path in folder.glob("*.toml")))
