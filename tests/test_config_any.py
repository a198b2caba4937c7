"""Whatever a configuration holds, it loads or is refused in plain words."""

import random
import re
from pathlib import Path

import pytest
from config_files import EVERY_KEY
from hypothesis import given
from hypothesis import strategies as st

from scanner import config_file
from scanner.config_keys import Problems
from scanner.config_sources import read_application
from scanner.errors import ConfigError

KEYS = st.sampled_from(["id", "type", "path", "auth", "limits", "data", "base_url", "sso", "attributes", "token", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["scim", "none"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(raw=st.dictionaries(KEYS, VALUES))
def test_no_table_ends_in_anything_but_errors(raw):
    """Whatever stands in an application, it becomes an Application or a list of errors."""
    problems = Problems(Path("orphanscan.toml"))

    found = read_application(raw, "application[1]", Path("/srv"), str, problems)

    assert (found is None) == bool(problems.lines)


@given(text=st.text())
def test_any_text_is_refused_or_loads(text, tmp_path_factory):
    """No content of a file ends in anything but a ConfigError that names the file."""
    path = tmp_path_factory.mktemp("any") / "orphanscan.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    path.chmod(0o644)

    with pytest.raises(ConfigError, match=re.escape(str(path))):
        config_file.load(path)


ODD = (
    *("null", "true", "{}", "[]", '"', "{", "}", "[[", "]", "=", "\n", "-1", "1e999", "nan", "inf", "\0", "'''"),
    *("9" * 5000, "[" * 2000, "{a=" * 2000, "\\ud800", "1979-05-27", "07:32:00", '"%Q"', '"\\u0000"', "a.b.c=1\n"),
    *("[scan]\n", '""', '"../../../../x"', "0xffffffffffffffffffff", '"\\n"', "\ud800", "\x9b", "\u202e"),
)


def _mutated(text: str, chance: random.Random) -> str:
    """Return the text with one to three lines lost, repeated, exchanged, cut or spoilt."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 3)):
        at, other, odd = chance.randrange(len(lines)), chance.choice(lines), chance.choice(ODD)
        line = lines[at]
        place = chance.randrange(len(line) + 1)
        key = line.partition("=")[0]
        lines[at] = chance.choice(
            (
                "",
                f"{line}\n{other}",
                f"{key}= {odd}",
                f"{key}={other.partition('=')[2]}",
                line[:place] + odd + line[place:],
                line[:place] + line[place + chance.randint(1, 5) :],
            )
        )
    return "\n".join(lines)


def test_two_thousand_mutated_configurations_load_or_are_refused(write, tmp_path):
    """A file that was good once loads, or is refused with its name and what is wrong in it."""
    for name in ("links.csv", "privileged.toml", "register.toml", "domains.toml", "ca.pem"):
        (tmp_path / name).write_text("")
    (tmp_path / "rules").mkdir()
    refusals = []
    for seed in range(2000):
        path = write(_mutated(EVERY_KEY, random.Random(seed)).encode("utf-8", "surrogatepass"))
        try:
            assert config_file.load(path).path == path
        except ConfigError as error:
            refusals.append(str(error))
    assert 1000 < len(refusals) < 1900
    assert all(re.match(rf"{re.escape(str(path))}(:| cannot be used:\n  ).+", said) for said in refusals)
