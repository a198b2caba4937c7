"""The committed sample data is what the generator makes, and all of it is visibly invented."""

import csv
import io
import json
import re
from collections import Counter

import pytest
from openpyxl import load_workbook

from scanner import paths
from scanner.demo.generate import files
from scanner.demo.names import FIRST, LAST
from scanner.demo.world import ordinary_world

SAMPLE = paths.bundled("sample_data")
GENERATED = dict(files())


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_committed_file_is_the_generated_one(name):
    """Every generated file is committed, unchanged."""
    committed = (SAMPLE / name).read_bytes()

    if name.endswith(".xlsx"):
        # Another version of openpyxl may write other styles; the cells are what counts.
        assert cells(GENERATED[name]) == cells(committed)
    else:
        assert GENERATED[name] == committed


def cells(content: bytes) -> list[tuple[object, ...]]:
    """Return the values of the first sheet."""
    return list(load_workbook(io.BytesIO(content)).worksheets[0].values)


def test_generator_knows_no_clock():
    """Two runs give the same bytes, the Excel file included."""
    assert dict(files()) == GENERATED


def test_every_address_is_invented():
    """Every mail domain in the sample data lies under a name that cannot be registered."""
    text = "".join(file.read_text("utf-8-sig") for file in SAMPLE.rglob("*.*") if file.suffix not in (".xlsx", ".pyc"))

    domains = set(re.findall(r"@((?:[\w-]+\.)+\w+)", text))

    assert domains
    assert {domain for domain in domains if not domain.endswith(".example")} == set()


def test_roster_holds_leavers_of_the_last_month():
    """The roster is healthy: people leave, so that their absence never looks like a broken feed."""
    rows = list(csv.DictReader(io.StringIO(GENERATED["hr.csv"].decode("utf-8-sig")), delimiter=";"))

    recent = [row for row in rows if row["Austritt"].endswith((".11.2026", ".10.2026"))]

    assert len(rows) > 300
    assert len(recent) >= 4
    assert all(re.fullmatch(r"\d{6}", row["Personalnummer"]) for row in rows)


def test_addresses_are_shared_only_by_employments_of_one_person():
    """Two rows with the same address are two jobs of the same person."""
    people = ordinary_world().people
    owners = {(person.email, person.worker_id) for person in people}

    assert [email for email, count in Counter(email for email, _ in owners).items() if count > 1] == []


def test_name_pools_repeat_no_pair():
    """The two pools have sizes without a common divisor, as the walk through them needs."""
    assert (len(set(FIRST)), len(set(LAST))) == (61, 83)


def test_every_plant_names_an_account_that_exists():
    """A planted finding about an account is about one that is seeded, with its letter case."""
    for plant in json.loads(GENERATED["expected.json"])["findings"]:
        if plant["username"] is None:
            continue
        document = json.loads(GENERATED[f"applications/{plant['app']}.json"])
        names = {user.get("userName") for user in document.get("users", document.get("Resources"))}

        assert plant["username"] in names, plant


def test_no_plant_is_there_twice():
    """Each planted violation is listed once."""
    plants = json.loads(GENERATED["expected.json"])["findings"]
    keys = Counter((p["rule"], p["app"], p["username"], p["entitlement"], p["subject"]) for p in plants)

    assert max(keys.values()) == 1
