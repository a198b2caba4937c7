"""Account exports of systems without SCIM: CSV, workbooks and JSON."""

import json
import os
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from scanner.collectors import SOURCES
from scanner.collectors.interface import no_progress
from scanner.config import Application
from scanner.connections import FileSettings
from scanner.model import Collected, Verdict

FILE = FileSettings(stable_seconds=0)
PLAIN = "account_id,username,email,status,role\n007,ada,ada@acme.example,Active,AP Clerk\n008,bo,,Disabled,\n"


def collect(path: Path, content: str | bytes | None = None, **settings: Any) -> Collected:
    """Collect a file with these contents."""
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings.setdefault("file", FILE)
    kind = {".csv": "csv", ".xlsx": "excel", ".json": "json"}[path.suffix]
    app = Application("erp", "ERP", kind, path=path, **{"time_zone": "UTC", **settings})
    return SOURCES[kind].collect(app, path.parent / "staging", no_progress)


def users(collected: Collected) -> dict[str, dict[str, Any]]:
    """Return the staged users by id, without what is null."""
    lines = map(json.loads, collected.files["users"].read_text().splitlines())
    return {line["id"]: {key: value for key, value in line.items() if value is not None} for line in lines}


def held(user: Mapping[str, Any], kind: str) -> list[str]:
    """Return the values of a list of a user."""
    return [one["value"] for one in user.get(kind, [])]


def workbook(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write a workbook."""
    pd.DataFrame(rows).to_excel(path, header=False, index=False)


def test_a_plain_export_becomes_scim_resources(tmp_path: Path) -> None:
    """Ids keep their zeros, status words become yes and no, and nothing else is left in the folder."""
    collected = collect(tmp_path / "erp.csv", PLAIN)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert users(collected) == {
        "007": {
            "id": "007",
            "userName": "ada",
            "active": True,
            "emails": [{"value": "ada@acme.example", "type": "work", "primary": "true"}],
            "roles": [{"value": "AP Clerk", "display": None}],
        },
        "008": {"id": "008", "userName": "bo", "active": False},
    }
    assert [one.name for one in (tmp_path / "staging").iterdir()] == ["users.ndjson"]
    assert collected.files["users"].stat().st_mode & 0o777 == 0o600


SAME = [
    {"account_id": "007", "username": "ada", "status": "A", "role": ["Clerk", "Buyer"]},
    {"account_id": "008", "username": "bo", "status": "0", "role": []},
]
JSON_SHAPES = {
    "an array": json.dumps(SAME),
    "an array over several lines, with a mark": "\ufeff" + json.dumps(SAME, indent=1),
    "an object a line": "\r\n".join(map(json.dumps, SAME)) + "\r\n\r\n",
    "in a document": json.dumps({"data": {"users": SAME}, "status": "ok"}),
}


@pytest.mark.parametrize("shape", JSON_SHAPES)
def test_every_shape_of_json_is_read(tmp_path: Path, shape: str) -> None:
    """NDJSON, an array, or an array in a document."""
    place = "data.users" if "document" in shape else None
    collected = collect(tmp_path / "erp.json", JSON_SHAPES[shape], file=replace(FILE, records=place))

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert held(users(collected)["007"], "roles") == ["Buyer", "Clerk"]
    assert [one["active"] for one in users(collected).values()] == [True, False]


def test_json_paths_go_into_objects_and_through_lists(tmp_path: Path) -> None:
    """A path that no object holds is an error, as a missing column is."""
    row = {"id": 7, "who": {"mail": "a@x.example"}, "on": True, "groups": [{"name": "Admins"}, {"name": "Staff"}]}
    columns = {"account_id": "id", "email": "who.mail", "status": "on", "group": "groups.name"}

    found = users(collect(tmp_path / "erp.json", json.dumps([row]), columns=columns))["7"]
    missing = collect(tmp_path / "erp.json", json.dumps([row]), columns={**columns, "mfa": "factors"})

    assert (found["emails"][0]["value"], found["active"]) == ("a@x.example", True)
    assert held(found, "groups") == ["Admins", "Staff"]
    assert missing.source.verdict is Verdict.FAILED
    assert "no object holds 'factors'" in missing.source.detail


def test_a_workbook_is_read_with_dates_and_ids(tmp_path: Path) -> None:
    """Dates that Excel knows as such need no format; an id that it keeps as a number is text again."""
    rows = [["account_id", "status", "last_sign_in_at"], [123, "Active", pd.Timestamp("2026-03-01 08:30")]]
    workbook(tmp_path / "erp.xlsx", rows)

    collected = collect(tmp_path / "erp.xlsx", time_zone="Europe/Berlin")

    assert users(collected)["123"]["last_sign_in_at"] == "2026-03-01T07:30:00Z"
    assert "stored as numbers" in collected.source.detail


def test_several_rows_of_an_account_are_one_account_with_several_grants(tmp_path: Path) -> None:
    """Rows of one account add up; a row that repeats another one is a duplicate and no harm."""
    rows = "id,st,role,grp\n1,A,Clerk,g1\n1,A,Buyer;Clerk,g1;g2\n1,A,Clerk,g1\n2,A,Clerk,\n"
    columns = {"account_id": "id", "status": "st", "role": "role", "group": "grp"}

    collected = collect(tmp_path / "erp.csv", rows, columns=columns, separator=";")

    assert held(users(collected)["1"], "roles") == ["Buyer", "Clerk"]
    assert held(users(collected)["1"], "groups") == ["g1", "g2"]
    source = collected.source
    assert (source.verdict, source.collected, source.duplicates) == (Verdict.COMPLETE, 2, 1), source.detail


def test_an_id_of_several_users_is_never_called_complete(tmp_path: Path) -> None:
    """Nobody is guessed: neither user is loaded, and the verdict says why."""
    rows = "account_id,username,status\n1,ada,A\n1,bo,A\n2,cy,A\n"

    collected = collect(tmp_path / "erp.csv", rows)

    assert set(users(collected)) == {"2"}
    assert collected.source.verdict is Verdict.UNKNOWN
    assert "1 ids each stand for several users" in collected.source.detail


def test_an_account_that_is_active_and_not_counts_as_active(tmp_path: Path) -> None:
    """An account that may be open is tested, and the list is not called complete."""
    collected = collect(tmp_path / "erp.csv", "account_id,status\n1,A\n1,disabled\n")

    assert users(collected)["1"]["active"] is True
    assert collected.source.verdict is Verdict.UNKNOWN


def test_usual_status_words_are_known_in_any_letter_case(tmp_path: Path) -> None:
    """Words for yes and words for no; a blank cell says nothing."""
    yes = ["Active", "ENABLED", "a", "1", "True", "Y", "yes", "on"]
    no = ["inactive", "Disabled", "I", "0", "FALSE", "n", "No", "off", "suspended"]
    rows = [f"{number},{word}\n" for number, word in enumerate([*yes, *no, ""])]

    found = users(collect(tmp_path / "erp.csv", "account_id,status\n" + "".join(rows)))

    said = [found[str(number)].get("active") for number in range(len(rows))]
    assert said == [True] * len(yes) + [False] * len(no) + [None]


def test_an_unknown_status_word_is_a_rejected_row_until_somebody_explains_it(tmp_path: Path) -> None:
    """It is named, with its line; words of the configuration come first, also before the built-in ones."""
    rows = "account_id,status\n1,A\n2,gesperrt\n3,0\n4,\n"

    guessed = collect(tmp_path / "erp.csv", rows)
    told = collect(tmp_path / "erp.csv", rows, statuses={"Gesperrt": "inactive", "0": "active", "": "unknown"})

    assert (guessed.source.verdict, guessed.source.rejected) == (Verdict.SHORT, 1)
    assert "'gesperrt': name them in statuses; line 3" in guessed.source.detail
    assert told.source.verdict is Verdict.COMPLETE, told.source.detail
    assert {one["id"]: one.get("active") for one in users(told).values()} == {
        "1": True,
        "2": False,
        "3": True,
        "4": None,
    }


def test_words_of_a_wrong_status_column_are_not_repeated(tmp_path: Path) -> None:
    """A column of names or secrets mapped by mistake stays out of the verdict."""
    rows = "account_id,status\n1,ada@acme.example\n2,x$9canary!\n"

    source = collect(tmp_path / "erp.csv", rows).source

    assert source.verdict is Verdict.SHORT
    assert "is this the column of the status?" in source.detail
    assert "canary" not in source.detail


def test_dates_are_read_in_their_format_and_zone(tmp_path: Path) -> None:
    """A date that does not match is a rejected row; what systems write for never is no date."""
    rows = "account_id,status,last_sign_in_at\n1,A,31.03.2026 08:00\n2,A,never\n3,A,2026-03-31\n4,A,01.07.2026 08:00\n"

    collected = collect(tmp_path / "erp.csv", rows, date_format="%d.%m.%Y %H:%M", time_zone="Europe/Berlin")

    assert {one["id"]: one.get("last_sign_in_at") for one in users(collected).values()} == {
        "1": "2026-03-31T06:00:00Z",
        "2": None,
        "4": "2026-07-01T06:00:00Z",
    }
    assert collected.source.verdict is Verdict.SHORT
    assert "1 row with a date in last_sign_in_at that cannot be read (line 4)" in collected.source.detail


def test_without_a_format_dates_are_iso_or_seconds(tmp_path: Path) -> None:
    """With an offset, without one in the zone of the source, and since 1970."""
    dates = ["2026-01-01T10:00:00+02:00", "2026-01-01 10:00", "2026-01-01T10:00:00.5Z", "1767261600", "1767261600000"]
    rows = "".join(f"{number},A,{date}\n" for number, date in enumerate(dates))

    found = users(collect(tmp_path / "erp.csv", "account_id,status,created_at\n" + rows, time_zone="Asia/Tokyo"))

    assert [one["created_at"] for one in found.values()] == [
        "2026-01-01T08:00:00Z",
        "2026-01-01T01:00:00Z",
        "2026-01-01T10:00:00Z",
        "2026-01-01T10:00:00Z",
        "2026-01-01T10:00:00Z",
    ]


TOTALS = {
    "a trailer": ("account_id,status\n1,A\n2,A\nTRAILER,2\n", r"TRAILER (\d+)", None, Verdict.COMPLETE),
    "a trailer of three cells": ("account_id,status\n1,A\nEND,rows,1\n", r"END rows (\d+)", None, Verdict.COMPLETE),
    "a header": ("HDR;20260331;2\naccount_id,status\n1,A\n2,A\n", r"HDR;\d+;(\d+)", 2, Verdict.COMPLETE),
    "a trailer that is not there": ("account_id,status\n1,A\n", r"TRAILER (\d+)", None, Verdict.SHORT),
    "another number": ("account_id,status\n1,A\nTRAILER,2\n", r"TRAILER (\d+)", None, Verdict.SHORT),
}


@pytest.mark.parametrize("case", TOTALS)
def test_a_control_total_proves_that_the_file_is_whole(tmp_path: Path, case: str) -> None:
    """A file cut off between two rows looks whole; its total does not."""
    content, pattern, header_row, verdict = TOTALS[case]
    settings = replace(FILE, control_total=pattern, header_row=header_row)

    source = collect(tmp_path / "erp.csv", content, file=settings).source

    assert source.verdict is verdict, source.detail
    assert source.stated == (source.collected if verdict is Verdict.COMPLETE else source.stated)


def test_a_number_stated_by_hand_is_held_against_the_rows(tmp_path: Path) -> None:
    """Also where rows are not accounts: then the source states no number of accounts."""
    rows = "account_id,status,role\n1,A,x\n1,A,y\n"

    met = collect(tmp_path / "erp.csv", rows, file=replace(FILE, expected_rows=2)).source
    missed = collect(tmp_path / "erp.csv", rows, file=replace(FILE, expected_rows=3)).source

    assert (met.verdict, met.stated, met.collected) == (Verdict.COMPLETE, None, 1)
    assert "the stated 2 rows were read" in met.detail
    assert missed.verdict is Verdict.SHORT


def test_the_newest_file_of_a_pattern_is_read(tmp_path: Path) -> None:
    """By its time, or by its name; two that are equally new are nobody's choice."""
    for day, at in (("0301", 2000), ("0302", 1000)):
        (tmp_path / f"erp-{day}.csv").write_text(PLAIN.replace("ada", f"user{day}"))
        os.utime(tmp_path / f"erp-{day}.csv", (at, at))
    pattern = tmp_path / "erp-*.csv"

    assert users(collect(pattern))["007"]["userName"] == "user0301"
    assert users(collect(pattern, file=replace(FILE, newest_by="name")))["007"]["userName"] == "user0302"
    os.utime(tmp_path / "erp-0302.csv", (2000, 2000))
    assert "2 files are equally new (erp-0301.csv, erp-0302.csv)" in collect(pattern).source.detail
    assert "no file crm-*.csv" in collect(tmp_path / "crm-*.csv").source.detail


def test_an_old_export_proves_nothing_about_today(tmp_path: Path) -> None:
    """It is read, and the verdict says that the export no longer runs."""
    path = tmp_path / "erp.csv"
    path.write_text(PLAIN)
    os.utime(path, (time.time() - 50 * 3600,) * 2)

    source = collect(path, file=replace(FILE, max_age_hours=36)).source

    assert (source.verdict, source.collected) == (Verdict.UNKNOWN, 2)
    assert "erp.csv is 50 hours old, and max_age_hours is 36" in source.detail


def test_an_upload_that_is_not_finished_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither without its marker, nor while it still grows."""
    path = tmp_path / "erp.csv"
    marked = replace(FILE, done_marker=True)
    assert "has not been finished" in collect(path, PLAIN, file=marked).source.detail
    (tmp_path / "erp.csv.done").touch()
    assert collect(path, file=marked).source.verdict is Verdict.COMPLETE

    def grow(seconds: float) -> None:
        with path.open("a") as growing:
            growing.write("009,cy,,Active,\n")

    monkeypatch.setattr(time, "sleep", grow)
    source = collect(path, PLAIN, file=replace(FILE, stable_seconds=600)).source
    assert source.verdict is Verdict.FAILED
    assert "still being written" in source.detail


def test_a_catalogue_names_entitlements_and_says_which_are_privileged(tmp_path: Path) -> None:
    """What it says goes to staging beside the accounts; a word that is neither yes nor no is refused with its line."""
    catalogue = tmp_path / "roles.csv"
    catalogue.write_text("entitlement,name,privileged\nR1,Pays invoices,yes\nR2,Reads invoices,no\n")
    rows = "account_id,status,role\n1,A,R1\n2,A,R2\n"

    collected = collect(tmp_path / "erp.csv", rows, entitlements=catalogue)

    assert users(collected)["1"]["roles"] == [{"value": "R1", "display": "Pays invoices"}]
    assert [json.loads(line) for line in collected.files["entitlements"].read_text().splitlines()] == [
        {"entitlement": "role:R1", "name": "Pays invoices", "is_privileged": True},
        {"entitlement": "role:R2", "name": "Reads invoices", "is_privileged": False},
    ]
    catalogue.write_text("entitlement,privileged\nR1,perhaps\n")
    assert (
        "roles.csv, line 2: privileged must be yes or no"
        in collect(tmp_path / "erp.csv", entitlements=catalogue).source.detail
    )


def test_cells_may_hold_anything(tmp_path: Path) -> None:
    """Newlines, quotes, delimiters, formulas, markup and control characters are text."""
    names = ['=HYPERLINK("http://x")', "a\nb", 'say ""hi""', "x;y,z", "<script>", "Zo\u00eb\u202e", "a\0b"]
    quoted = [name.replace('"', '""') if '""' not in name else name for name in names]
    rows = "".join(f'{number},A,"{name}"\n' for number, name in enumerate(quoted))

    collected = collect(tmp_path / "erp.csv", "account_id,status,display_name\n" + rows)

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert [one["displayName"] for one in users(collected).values()] == [
        *names[:2], 'say "hi"', *names[3:6], "ab",
    ]  # fmt: skip


def test_many_rows_are_not_held_in_memory(tmp_path: Path) -> None:
    """Python holds a batch at a time, whatever the number of rows."""
    path = tmp_path / "erp.csv"
    with path.open("w") as out:
        out.write("account_id,username,status,role\n")
        out.writelines(f"{number:06},user{number},A,role{number % 7}\n" for number in range(30_000))
    tracemalloc.start()
    try:
        collected = collect(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (collected.source.verdict, collected.source.collected) == (Verdict.COMPLETE, 30_000)
    assert peak < 6_000_000
