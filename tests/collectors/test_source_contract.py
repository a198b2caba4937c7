"""What every kind of source promises, whatever it reads."""

import importlib
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import rig_databases
import rig_directories
import rig_entra
import rig_files
import rig_installed
import rig_okta
import rig_rest
import rig_scim
from config_files import FRAME
from contract import CANARY, HOSTILE, IDS, Rig

from scanner import config_file
from scanner.collectors import SOURCES
from scanner.model import ANSWERS, Collected, Verdict

RIGS: dict[str, Rig] = {
    **rig_files.RIGS,
    **rig_databases.RIGS,
    **rig_directories.RIGS,
    **rig_installed.RIGS,
    **rig_entra.RIGS,
    **rig_okta.RIGS,
    **rig_rest.RIGS,
    **rig_scim.RIGS,
}
WITHOUT_STATUS = {"github": ("github", "github"), "aws_iam": ("aws_iam", "aws-iam")}
"""Kinds that write no word of a status, and so cannot show the contract's list: test_github and test_aws_iam hold them
to the rest of it. Kind -> module, page."""
PAGES = {kind: (rig.module, rig.page) for kind, rig in RIGS.items()} | WITHOUT_STATUS
DOCS = Path(__file__).parents[2] / "docs" / "sources"
ROW_E = (
    *("id", "user name", "e-mail", "employee number", "status", "created", "last sign-in", "MFA", "roles", "groups"),
)


def users(collected: Collected) -> dict[str, dict[str, Any]]:
    """Return the staged users by id."""
    return {one["id"]: one for one in map(json.loads, collected.files["users"].read_text().splitlines())}


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest) -> Rig:
    """Every kind of source."""
    return RIGS[request.param]


@pytest.fixture(autouse=True, scope="module")
def _package() -> None:
    """Install the package that brings a source."""
    rig_installed.kind()


@pytest.fixture(autouse=True)
def _nothing_leaks(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Any:
    """After each test the canary stands in no staged file, and was neither printed nor logged."""
    caplog.set_level("DEBUG")
    yield
    staged = [file for file in (tmp_path / "staging").rglob("*") if file.is_file()]
    assert not [file for file in staged if CANARY.encode() in file.read_bytes()]
    assert CANARY not in caplog.text
    assert CANARY not in "".join(capfd.readouterr())


def test_every_kind_of_source_is_held_to_the_contract() -> None:
    """Who adds a source adds a rig."""
    assert set(PAGES) == set(SOURCES) | set(rig_installed.RIGS)


def test_a_whole_list_is_complete(rig: Rig, tmp_path: Path) -> None:
    """Ids, status and grants arrive; what was asked is in the evidence, and no file of the work is left."""
    collected = rig.complete(tmp_path)
    source, found = collected.source, users(collected)

    assert source.verdict is Verdict.COMPLETE, source.detail
    assert (set(found), source.collected) == (set(IDS), 3)
    assert [found[one]["active"] for one in IDS] == [True, False, True]
    groups = found["007"].get("groups") or []
    assert [one["display"] or one["value"] for one in groups] == ["Admins"] or "groups" in collected.files
    assert source.query
    assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)
    assert source.started_at
    assert source.finished_at
    assert CANARY not in repr(collected)
    left = {file for file in (tmp_path / "staging").rglob("*") if file.is_file()} - set(collected.files.values())
    assert {file.name for file in left} <= {ANSWERS}
    assert all(file.stat().st_mode & 0o077 == 0 for file in collected.files.values())


@pytest.mark.parametrize("fault", ["cut", "denied", "duplicates", "unreadable"])
def test_what_is_not_whole_is_never_complete(rig: Rig, fault: str, tmp_path: Path) -> None:
    """The verdict has a sentence for people, without a secret and without a path of the machine."""
    collected = getattr(rig, fault)(tmp_path)

    assert collected.source.verdict is not Verdict.COMPLETE
    assert len(collected.source.detail) > 10
    assert "Traceback" not in collected.source.detail
    assert str(tmp_path) not in collected.source.detail + collected.source.query
    assert CANARY not in repr(collected)


WORDS = {kind: rig.odd_status for kind, rig in RIGS.items() if rig.odd_status is not None}
"""Kinds of sources that tell the status by a word."""


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_an_unknown_status_word_is_a_rejected_row(kind: str, tmp_path: Path) -> None:
    """Never a guess: the others are read, the list is short, and the word is named."""
    collected = WORDS[kind](tmp_path)

    assert (collected.source.verdict, collected.source.rejected) == (Verdict.SHORT, 1)
    assert set(users(collected)) == set(IDS)
    assert "Perhaps" in collected.source.detail


def test_ids_are_text(rig: Rig, tmp_path: Path) -> None:
    """Leading zeros are part of an id, and no id is a number."""
    assert all(isinstance(one, str) for one in users(rig.complete(tmp_path)))


def test_doctor_can_look_at_it(rig: Rig, tmp_path: Path) -> None:
    """It says what it saw, and nothing of it raises a doubt."""
    seen = rig.look(tmp_path)

    assert seen.detail
    assert seen.doubt == ""


def test_a_name_is_text_whatever_it_looks_like(rig: Rig, tmp_path: Path) -> None:
    """Markup, formulas, SQL and characters that turn the line round arrive as they are."""
    collected = rig.hostile(tmp_path)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert {one["userName"] for one in users(collected).values()} == set(HOSTILE)


@pytest.mark.parametrize("kind", sorted(PAGES))
def test_the_minimal_configuration_of_its_page_can_be_used(kind: str, tmp_path: Path) -> None:
    """One that is copied from the page loads as it stands there."""
    section = (DOCS / f"{PAGES[kind][1]}.md").read_text().split("## Minimal configuration")[1].split("\n## ")[0]
    found = [table for table in re.findall(r"```toml\n(.*?)```", section, re.DOTALL) if f'type = "{kind}"' in table]
    file = tmp_path / "orphanscan.toml"
    file.write_text(FRAME + found[0])
    file.chmod(0o600)

    assert [app.type for app in config_file.load(file).applications] == [kind]


@pytest.mark.parametrize("kind", sorted(PAGES))
def test_a_source_says_what_it_needs_and_what_it_cannot_see(kind: str) -> None:
    """In the module and on its page: rights, coverage, rate, and where each field comes from."""
    name, page_name = PAGES[kind]
    here = f"scanner.collectors.{name}"
    module = importlib.import_module(here if importlib.util.find_spec(here) else name)
    said = " ".join(str(module.__doc__).split())
    page = (DOCS / f"{page_name}.md").read_text()
    assert f"({page_name}.md)" in (DOCS / "README.md").read_text()

    assert all(word in said for word in ("Rights needed", "Covers", "rate limit"))
    assert all(heading in page for heading in ("## Minimal configuration", "## Credential", "## What it cannot see"))
    fields = re.findall(r"^\| ([^|]+?) \|", page.split("## Where each field comes from")[1], re.MULTILINE)
    assert [field for field in fields if field in ROW_E] == list(ROW_E)
