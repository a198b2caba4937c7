"""The tables of orphanscan.toml that say how a list is read over REST."""

import re
from pathlib import Path

import pytest
from config_files import FRAME

from scanner import config_file
from scanner.config import Config
from scanner.connections import GrantList
from scanner.errors import ConfigError

APP = """
[[application]]
id = "crm"
type = "rest"
base_url = "https://crm.example"
"""
COLUMNS = 'columns = { account_id = "id" }\n'
LIST = '[application.rest]\npath = "/users"\n'


def load(tmp_path: Path, text: str) -> Config:
    """Load a configuration."""
    file = tmp_path / "orphanscan.toml"
    file.write_text(FRAME + text)
    file.chmod(0o600)
    return config_file.load(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (APP + LIST, "columns: missing; type rest needs it"),
        (APP + 'columns = { status = "state" }\n' + LIST, "columns: must say where the id of an account is"),
        (APP + COLUMNS, "rest: missing; type rest needs it"),
        (APP + COLUMNS + "[application.rest]\n", "rest.path: missing"),
        (APP + COLUMNS + '[application.rest]\npath = "users"', "must be a path below base_url"),
        (APP + COLUMNS + '[application.rest]\npath = "/a/../b"', "must be a path below base_url"),
        (APP + COLUMNS + '[application.rest]\npath = "/users?x=1"', "parameters stand in query"),
        (APP + COLUMNS + LIST + 'paging = "cursor"', 'rest.next: missing; paging = "cursor" needs the place of it'),
        (APP + COLUMNS + LIST + 'paging = "link"\nnext = "x"', 'rest.next: does not apply to paging = "link"'),
        (APP + COLUMNS + LIST + 'count = "x"\ncount_header = "X-Y"', "does not go with count"),
        (APP + COLUMNS + LIST + 'query = { api_key = "c" }', "rest.query.api_key: a secret never stands in this file"),
        (APP + COLUMNS + LIST + 'query = { accessToken = "c" }', "rest.query.accessToken: a secret never stands in"),
        (APP + COLUMNS + LIST + "grants = 7", "must be tables"),
        (APP + COLUMNS + LIST + '[[application.rest.grants]]\npath = "/roles"', "table 1.account: missing"),
        (
            APP + COLUMNS + LIST + '[[application.rest.grants]]\npath = "/u/{id}/r"\naccount = "id"',
            "the path names the account by {id}",
        ),
        (APP + COLUMNS + LIST + '[[application.rest.grants]]\nroad = "/roles"', "table 1.road: unknown key"),
        (APP + COLUMNS + LIST + '[[application.rest.grants]]\npath = "/r"\nmembers = "/m"', "must hold {id} once"),
    ],
)
def test_what_is_wrong_with_a_list_is_told(text: str, words: str, tmp_path: Path) -> None:
    """With the key, and what it wants instead."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)

    assert words in str(caught.value)


def test_a_list_with_grants_is_read(tmp_path: Path) -> None:
    """As frozen values."""
    grants = '[[application.rest.grants]]\npath = "/roles"\nmembers = "/roles/{id}/users"\naccount = "user.id"\n'
    (app,) = load(tmp_path, APP + COLUMNS + LIST + 'query = { include = "inactive" }\n' + grants).applications

    assert app.rest.query == {"include": "inactive"}
    assert app.rest.grants == (GrantList("/roles", members="/roles/{id}/users", account="user.id"),)


@pytest.mark.parametrize("kind", ["workday", "bamboohr", "rest", "csv"])
def test_the_rosters_of_the_page_can_be_used(kind: str, tmp_path: Path) -> None:
    """Each as it stands there."""
    page = (Path(__file__).parent.parent / "docs" / "sources" / "hr.md").read_text()
    (table,) = [one for one in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if f'type = "{kind}"' in one]
    frame = FRAME[: FRAME.index("[[roster]]")] if "[[roster]]" in FRAME else FRAME
    file = tmp_path / "orphanscan.toml"
    file.write_text(frame + table + '[[application]]\nid = "x"\ntype = "none"\nowner = "a"\nreason = "b"\n')
    file.chmod(0o600)

    assert [roster.type for roster in config_file.load(file).rosters] == [kind]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('type = "workday"\npath = "x.csv"\n', "path: does not apply to type workday"),
        ('type = "bamboohr"\n', "base_url: missing; type bamboohr needs it"),
        ('type = "rest"\nbase_url = "https://x.example"\n', "rest: missing; type rest needs it"),
        ('type = "bamboohr"\nbase_url = "http://x.example"\n', "http sends secrets in clear"),
        (
            'type = "workday"\nbase_url = "https://x.example"\nrest = { path = "/r", items = "x" }\n',
            "rest.items: does not",
        ),
        (
            'type = "bamboohr"\nbase_url = "https://x.example"\nauth = { type = "api_key", key = "s3" }\n',
            "never stands in",
        ),
    ],
)
def test_what_is_wrong_with_a_roster_is_told(text: str, words: str, tmp_path: Path) -> None:
    """With the key, and what it wants instead."""
    file = tmp_path / "orphanscan.toml"
    frame = FRAME[: FRAME.index("[[roster]]")] if "[[roster]]" in FRAME else FRAME
    file.write_text(frame + '[[roster]]\nid = "hr"\n' + text)
    file.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        config_file.load(file)

    assert words in str(caught.value)
