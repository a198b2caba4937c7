"""The catalogue of words and the templates that use it."""

import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scanner import rules
from scanner.errors import ConfigError
from scanner.paths import bundled
from scanner.report.words import load

TEMPLATES = sorted(bundled("templates").glob("*.html"))
MODULES = sorted((Path(__file__).parents[2] / "scanner" / "report").glob("*.py"))
FORBIDDEN = re.compile(r"complian(t|ce)|certified|breach|material weakness", re.IGNORECASE)


class Visible(HTMLParser):
    """Collects the text and the spoken attributes of a template."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what is read aloud."""
        self.words += [value or "" for name, value in attrs if name in ("aria-label", "alt", "title", "placeholder")]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_holds_no_words_of_its_own(path: Path) -> None:
    """All visible text comes from the catalogue, so that a language can be added."""
    markup = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    parser = Visible()
    parser.feed(markup)

    assert not re.findall(r"[^\W\d_]{2,}", " ".join(parser.words))


def used_keys() -> list[re.Pattern[str]]:
    """Return what templates and modules name: whole keys, keys that they put together, and groups."""
    patterns = []
    for path in [*TEMPLATES, *(path for path in MODULES if path.name != "words.py")]:
        text = re.sub(r'" ~ \w+ ~ "', "{}", path.read_text(encoding="utf-8"))
        text = re.sub(r'" ~ \w+', '{}"', text)
        names = re.findall(r'"([a-z_{][\w{}]*(?:\.[\w{}]+)+)"', text)
        names += [f"framework.{{}}.{name}" for name in re.findall(r'\.text\(f?"([\w.{}]+)"', text)]
        groups = re.findall(r'\.group\("(\w+)"', text)
        groups += [f"framework.{{}}.{name}" for name in re.findall(r'\.texts\(f?"([\w{}]+)"', text)]
        for name in [*names, *(f"{group}.{{}}" for group in groups)]:
            fixed = [re.escape(part) for part in re.split(r"\{[^}]*\}", name)]
            patterns.append(re.compile(r"[\w.]+".join(fixed) + r"(\.one|\.other)?"))
    return patterns


def test_every_key_is_used() -> None:
    """No text is kept that no report can show."""
    patterns = used_keys()
    unused = [key for key in load().texts if not any(pattern.fullmatch(key) for pattern in patterns)]

    assert unused == []


def test_counts_have_both_forms() -> None:
    """A text for one has a text for more."""
    texts = load().texts
    ones = {key.removesuffix(".one") for key in texts if key.endswith(".one")}

    assert ones == {key.removesuffix(".other") for key in texts if key.endswith(".other")}
    for key in ones:
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(texts[f"{key}.{form}"]) if name}
            for form in ("one", "other")
        ]
        assert fields[0] | {"n"} == fields[1] | {"n"}


def test_every_population_of_a_shipped_rule_has_words() -> None:
    """A denominator says what was tested, so a rule over a new population needs words for it under [population]."""
    texts = load().texts

    assert {rule.population for rule in rules.find()} <= {
        key.split(".")[1] for key in texts if key.startswith("population.")
    }


def test_frameworks_say_the_same_things() -> None:
    """Each framework with words of its own has all of them."""
    texts = load().texts
    keys = {}
    for name in ("other", "sox", "hipaa", "gdpr"):
        own = [key.split(".", 2)[2] for key in texts if key.startswith(f"framework.{name}.")]
        keys[name] = {re.sub(r"^(limits|\w+_given|\w+_blanks)\..*", r"\1", key) for key in own}

    assert keys["other"] == keys["sox"] == keys["hipaa"] == keys["gdpr"]


def test_catalogue_draws_no_legal_conclusion() -> None:
    """A tool does not say these words; the closing sentence is the one place that names what it is not."""
    assert [key for key, text in load().texts.items() if FORBIDDEN.search(text)] == []


def test_catalogue_is_plain_text() -> None:
    """Texts hold no markup, which would be shown as such."""
    assert [key for key, text in load().texts.items() if re.search(r"[<>&]", text)] == []


def test_unknown_language_names_the_shipped_ones() -> None:
    """The message says what there is."""
    with pytest.raises(ConfigError, match="'xx': shipped are en"):
        load("xx")


def test_fonts_come_with_their_licence() -> None:
    """Every font file is open and small enough to ship."""
    folder = bundled("templates") / "fonts"

    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text(encoding="utf-8")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000
