from datetime import datetime
from pathlib import Path
from typing import Any

from load_world import World, loaded, rows, values

from scanner.config import Roster

AS_OF = "2026-03-31T22:00:00Z"


def _row(number: str | None, **cells: str | None) -> dict[str, Any]:
    return {"line": 2, "employee_number": number, **cells}


def _statuses(folder: Path, people: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    """Load people of one roster; returns employee number -> status."""
    roster = Roster("hr", folder / "hr.csv", **settings)
    with loaded(folder, World(workers={"hr": people}, rosters=(roster,))) as con:
        return values(con, "n_employments", "employee_number", "status")


def _rejects(folder: Path, people: list[dict[str, Any]], **settings: Any) -> list[str]:
    """Load people of one roster; returns the reasons of rejected rows by line."""
    roster = Roster("hr", folder / "hr.csv", **settings)
    with loaded(folder, World(workers={"hr": people}, rosters=(roster,))) as con:
        assert con.execute("select bool_and(source_id = 'hr' and kind = 'workers') from n_rejects").fetchone() != (
            False,
        )
        return [reason for _, reason in rows(con, "n_rejects", "line", "reason")]


def test_plain_row_is_taken_over_whole(tmp_path: Path) -> None:
    """Every column lands where it belongs; dates become instants of the roster's time zone."""
    person = {
        "line": 7,
        "employee_number": "007",
        "person_id": "P-1",
        "full_name": "Zoë 李 é",
        "email": "Zoe@Acme.example",
        "other_emails": "z@home.example; zoe@acme.example,Z.Li@acme.example",
        "status": "Active",
        "worker_type": "Contingent-Worker",
        "hire_date": "01.02.2020",
        "termination_date": "30.06.2026",
        "last_day_worked": "15.06.2026",
        "contract_end": "31.12.2026",
        "department": "Sales",
        "job_title": "Clerk",
        "manager": "P-1",
    }
    roster = Roster("hr", tmp_path / "hr.csv", date_format="%d.%m.%Y", time_zone="Europe/Berlin")
    with loaded(tmp_path, World(workers={"hr": [person]}, rosters=(roster,))) as con:
        assert rows(con, "n_employments", "*") == [
            (
                *("P-1", "hr", 7, "007", "Zoë 李 é", "Zoe@Acme.example"),
                *(["Z.Li@acme.example", "z@home.example"], "active", "Active", "contractor"),
                *(datetime(2020, 1, 31, 23), datetime(2026, 6, 15, 21, 59, 59), datetime(2026, 12, 31, 22, 59, 59)),
                *("Sales", "Clerk", "P-1"),
            )
        ]
        assert rows(con, "n_workers", "*") == [
            (
                *(1, "P-1", ["007"], "Zoë 李 é", "Zoe@Acme.example", ["Z.Li@acme.example", "z@home.example"]),
                *("active", "contractor", datetime(2020, 1, 31, 23), datetime(2020, 1, 31, 23)),
                *(datetime(2026, 6, 15, 21, 59, 59), datetime(2026, 12, 31, 22, 59, 59), "Sales", "Clerk"),
                *(None, None),  # nobody is their own manager; seen in this scan
            )
        ]


def test_status_words(tmp_path: Path) -> None:
    """Words of the built-in vocabulary, in any letter case and with hyphens, mean what they say."""
    words = {
        "active": ["Active", "employed", "ENABLED", "a", "1", "true", "yes", "y", " Active ", None, ""],
        "on_leave": ["leave", "On Leave", "on_leave", "LOA", "parental  leave", "garden-leave", "suspended"],
        "pre_hire": ["pre-hire", "pre_hire", "Pending Start", "onboarding", "future"],
        "terminated": [
            "Terminated",
            "t",
            "inactive",
            "left",
            "Leaver",
            "former",
            "retired",
            "deceased",
            "0",
            "no",
            "N",
        ],
    }
    people, expected = [], {}
    for status, spellings in words.items():
        for word in spellings:
            number = f"n{len(people):02d}"
            people.append(_row(number, status=word))
            expected[number] = status
    assert _statuses(tmp_path, people) == expected


def test_configured_words_come_first(tmp_path: Path) -> None:
    """The roster's own words are added, and may overrule a built-in one."""
    people = [_row("1", status="Ausgetreten"), _row("2", status="INACTIVE"), _row("3", status="In Elternzeit")]
    found = _statuses(
        tmp_path, people, statuses={"ausgetreten": "terminated", "inactive": "on_leave", "in_elternzeit": "on_leave"}
    )
    assert found == {"1": "terminated", "2": "on_leave", "3": "on_leave"}


def test_dates_decide_over_words(tmp_path: Path) -> None:
    """Somebody whose last day has passed has left, somebody whose last day is ahead has not."""
    people = [
        _row("past, active", status="active", termination_date="2026-03-30"),
        _row("past, silent", termination_date="2026-03-30"),
        _row("today", status="active", termination_date="2026-03-31"),
        _row("future, terminated", status="terminated", termination_date="2026-04-30"),
        _row("future, leave", status="leave", termination_date="2026-04-30"),
        _row("no date", status="terminated"),
        _row("starts", status="active", hire_date="2026-05-01"),
        _row("starts, silent", hire_date="2026-05-01"),
        _row("never came", status="terminated", hire_date="2026-05-01"),
        _row("started", status="active", hire_date="2026-03-31"),
        _row("onboarding still", status="onboarding", hire_date="2026-03-01"),
    ]
    assert _statuses(tmp_path, people) == {
        "past, active": "terminated",
        "past, silent": "terminated",
        "today": "active",
        "future, terminated": "active",
        "future, leave": "on_leave",
        "no date": "terminated",
        "starts": "pre_hire",
        "starts, silent": "pre_hire",
        "never came": "terminated",
        "started": "active",
        "onboarding still": "pre_hire",
    }


def test_end_of_work(tmp_path: Path) -> None:
    """The earlier of both dates counts; a last day worked alone, or an end before the start, ends nothing."""
    people = [
        _row("1", termination_date="2026-02-28", last_day_worked="2026-02-10"),
        _row("2", termination_date="2026-02-10", last_day_worked="2026-02-28"),
        _row("3", last_day_worked="2026-02-10"),
        _row("4", hire_date="2026-01-01", termination_date="2020-12-31", last_day_worked="2020-12-01"),
        _row("5", hire_date="2026-01-01", termination_date="2026-02-28", last_day_worked="2020-12-01"),
        _row("6", hire_date="2026-02-01", termination_date="2026-02-01"),
        _row("7", status="active", contract_end="2026-01-31"),
    ]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        found = rows(con, "n_employments", "employee_number", "status", "terminated_at::date", "contract_ends_at::date")
    assert [(number, status, str(ended), str(contract)) for number, status, ended, contract in found] == [
        ("1", "terminated", "2026-02-10", "None"),
        ("2", "terminated", "2026-02-10", "None"),
        ("3", "active", "None", "None"),
        ("4", "active", "None", "None"),
        ("5", "terminated", "2026-02-28", "None"),
        ("6", "terminated", "2026-02-01", "None"),
        ("7", "active", "None", "2026-01-31"),
    ]


def test_end_of_the_local_day(tmp_path: Path) -> None:
    """A last day ends at the end of that day where the person works: west of UTC it is not over yet."""
    people = [
        _row(zone or "roster", termination_date="2026-03-31", hire_date="2020-07-01", time_zone=zone)
        for zone in (None, "Pacific/Kiritimati", "america/los_angeles", "Asia/Kolkata", "UTC")
    ]
    roster = Roster("hr", tmp_path / "hr.csv", time_zone="Europe/Berlin")
    with loaded(tmp_path, World(workers={"hr": people}, rosters=(roster,))) as con:
        assert rows(con, "n_employments", "employee_number", "status", "hired_at", "terminated_at") == [
            ("Asia/Kolkata", "terminated", datetime(2020, 6, 30, 18, 30), datetime(2026, 3, 31, 18, 29, 59)),
            ("Pacific/Kiritimati", "terminated", datetime(2020, 6, 30, 10), datetime(2026, 3, 31, 9, 59, 59)),
            ("UTC", "active", datetime(2020, 7, 1), datetime(2026, 3, 31, 23, 59, 59)),
            ("america/los_angeles", "active", datetime(2020, 7, 1, 7), datetime(2026, 4, 1, 6, 59, 59)),
            ("roster", "terminated", datetime(2020, 6, 30, 22), datetime(2026, 3, 31, 21, 59, 59)),
        ]


def test_time_zone_of_the_organisation_is_the_default(tmp_path: Path) -> None:
    """A roster without a time zone has that of the organisation."""
    people = [_row("1", hire_date="2020-01-01")]
    with loaded(tmp_path, World(workers={"hr": people}, timezone="Asia/Tokyo")) as con:
        assert rows(con, "n_workers", "hired_at") == [(datetime(2019, 12, 31, 15),)]


def test_rejected_rows_say_why(tmp_path: Path) -> None:
    """What cannot be read is rejected with a reason that repeats dates, but no text that may be a name."""
    people = [
        {"line": 2, "full_name": "Nobody"},
        {"line": 3, "employee_number": "000", "email": "no address"},
        {"line": 4, "employee_number": "N/A", "person_id": " - "},
        {"line": 5, "employee_number": "1", "termination_date": "31/02/2026"},
        {"line": 6, "employee_number": "2", "hire_date": "Ada Blum"},
        {"line": 7, "employee_number": "3", "hire_date": "2026-02-30"},
        {"line": 8, "employee_number": "4", "hire_date": "0026-01-01"},
        {"line": 9, "employee_number": "5", "time_zone": "Mars/Olympus"},
        {"line": 10, "employee_number": "6", "status": "beurlaubt"},
        {"line": 11, "employee_number": "7", "contract_end": "46112"},
        {"line": 12, "employee_number": "8"},
    ]
    assert _rejects(tmp_path, people) == [
        "there is no person id, employee number or e-mail",
        "there is no person id, employee number or e-mail",
        "there is no person id, employee number or e-mail",
        "termination_date '31/02/2026' does not match %Y-%m-%d",
        "hire_date with text does not match %Y-%m-%d",
        "hire_date '2026-02-30' does not match %Y-%m-%d",
        "hire_date '0026-01-01' does not match %Y-%m-%d",
        "time_zone 'Mars/Olympus' is not known",
        "status 'beurlaubt' is not known; add it to statuses of the roster",
        "contract_end '46112' does not match %Y-%m-%d",
    ]


def test_what_systems_write_for_no_date(tmp_path: Path) -> None:
    """Blank, N/A, zero dates and the ends of time mean that there is no date."""
    words = ["", "N/A", "-", "null", "0000-00-00", "0001-01-01", "1900-01-01", "9999-12-31", "9999-12-31T00:00:00Z"]
    people = [_row(f"n{at}", termination_date=word, status="active") for at, word in enumerate(words)]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        assert rows(con, "n_rejects", "*") == []
        assert set(rows(con, "n_employments", "status", "terminated_at")) == {("active", None)}


def test_times_behind_a_date_only_with_the_default_format(tmp_path: Path) -> None:
    """ISO timestamps are let pass where ISO dates are expected; any other format is taken at its word."""
    people = [_row("1", hire_date="2020-01-02T00:00:00.000Z"), _row("2", hire_date="2020-01-02 00:00:00")]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        assert set(rows(con, "n_workers", "hired_at")) == {(datetime(2020, 1, 2),)}
    assert _rejects(tmp_path, people[:1], date_format="%d.%m.%Y") == [
        "hire_date '2020-01-02T00:00:00.000Z' does not match %d.%m.%Y"
    ]
    assert _rejects(tmp_path, [_row("1", hire_date="12/31/26")], date_format="%m/%d/%y") == []


def test_worker_types(tmp_path: Path) -> None:
    """Types are read by word, also by the roster's own; an unknown one is unknown, not an error."""
    words = ["Employee", "Freelancer", "agency", "Trainee", "external", "Werkvertrag", "???", None]
    people = [_row(f"n{at}", worker_type=word) for at, word in enumerate(words)]
    roster = Roster("hr", tmp_path / "hr.csv", worker_types={"WERKVERTRAG": "contractor"})
    with loaded(tmp_path, World(workers={"hr": people}, rosters=(roster,))) as con:
        assert [kind for (kind,) in rows(con, "n_workers", "worker_type", by="worker_no")] == [
            *("employee", "contractor", "vendor", "intern", "external", "contractor", None, None)
        ]


def test_worker_ids(tmp_path: Path) -> None:
    """The person id, else roster and number, else roster and e-mail in lower case."""
    people = [
        {"line": 2, "person_id": "P1", "employee_number": "1", "email": "a@acme.example"},
        {"line": 3, "employee_number": "01", "email": "b@acme.example"},
        {"line": 4, "email": "C@Acme.example"},
        {"line": 5, "employee_number": "0", "email": "d@acme.example"},
        {"line": 6, "employee_number": "٣٤"},
        {"line": 7, "person_id": "李"},
    ]
    with loaded(tmp_path, World(workers={"hr": people, "ext": people[1:2]})) as con:
        assert rows(con, "n_workers", "worker_no", "worker_id", "employee_numbers") == [
            (1, "P1", ["1"]),
            (2, "ext:01", ["01"]),
            (3, "hr:01", ["01"]),
            (4, "hr:c@acme.example", []),
            (5, "hr:d@acme.example", []),
            (6, "hr:٣٤", ["٣٤"]),
            (7, "李", []),
        ]


def test_rehire_concurrent_jobs_and_conversion_are_one_person(tmp_path: Path) -> None:
    """Any active employment wins, over rosters too; all numbers and addresses stay known."""
    hr = [
        _row("1", person_id="P1", full_name="Ada", email="old@acme.example", hire_date="2010-01-01",
             termination_date="2015-12-31", status="left", department="Old"),
        _row("9", person_id="P1", full_name="Ada Blum", email="ada@acme.example", hire_date="2020-01-01",
             status="active", department="New", other_emails="a@home.example"),
        _row("2", person_id="P2", hire_date="2010-01-01", termination_date="2025-12-31"),
        _row("3", person_id="P3", hire_date="2020-01-01", status="on leave"),
        _row("4", person_id="P3", hire_date="2026-06-01", status="future"),
    ]  # fmt: skip
    ext = [_row("X2", person_id="P2", hire_date="2026-01-01", worker_type="contractor", email="p2@acme.example")]
    with loaded(tmp_path, World(workers={"hr": hr, "ext": ext})) as con:
        found = rows(
            con, "n_workers", "worker_id", "employee_numbers", "full_name", "email", "other_emails", "status",
            "worker_type", "hired_at::date::varchar", "first_hired_at::date::varchar", "terminated_at", "department",
        )  # fmt: skip
    assert found == [
        ("P1", ["1", "9"], "Ada Blum", "ada@acme.example", ["a@home.example", "old@acme.example"], "active", None,
         "2020-01-01", "2010-01-01", None, "New"),
        ("P2", ["2", "X2"], None, "p2@acme.example", [], "active", "contractor",
         "2026-01-01", "2010-01-01", None, None),
        ("P3", ["3", "4"], None, None, [], "on_leave", None, "2020-01-01", "2020-01-01", None, None),
    ]  # fmt: skip


def test_end_over_several_employments(tmp_path: Path) -> None:
    """A leaver's end is the last one known; somebody at work leaves when the last of the jobs ends, if all end."""
    people = [
        _row("1", person_id="left", hire_date="2010-01-01", termination_date="2015-12-31"),
        _row("2", person_id="left", hire_date="2016-01-01", termination_date="2025-06-30"),
        _row("1", person_id="left, unknown when", hire_date="2010-01-01", termination_date="2015-12-31"),
        _row("2", person_id="left, unknown when", hire_date="2016-01-01", status="left"),
        _row("1", person_id="leaves", hire_date="2010-01-01", termination_date="2026-12-31"),
        _row("2", person_id="leaves", hire_date="2016-01-01", termination_date="2026-06-30"),
        _row("1", person_id="stays", hire_date="2010-01-01"),
        _row("2", person_id="stays", hire_date="2016-01-01", termination_date="2026-06-30"),
    ]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        found = rows(con, "n_workers", "worker_id", "status", "terminated_at::date::varchar")
    assert found == [
        ("leaves", "active", "2026-12-31"),
        ("left", "terminated", "2025-06-30"),
        ("left, unknown when", "terminated", None),
        ("stays", "active", None),
    ]


def test_repeated_rows_collapse(tmp_path: Path) -> None:
    """The same employment twice is one and is noted; another number or date is another employment."""
    row = _row("1", person_id="P1", full_name="Ada", hire_date="2020-01-01")
    people = [row, {**row, "line": 3}, {**row, "line": 4, "department": "Sales"}, {**row, "hire_date": "2021-01-01"}]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        assert rows(con, "n_employments", "hired_at", "department") == [
            (datetime(2020, 1, 1), "Sales"),
            (datetime(2021, 1, 1), None),
        ]
        assert rows(con, "n_notes", "source_id", "note", "n") == [("hr", "duplicate rows", 2)]
        assert rows(con, "n_rejects", "*") == []


def test_one_number_on_two_people_is_rejected(tmp_path: Path) -> None:
    """Without a person id, people who share a number but no part of their names are never read as one."""
    two = "one employee number stands on rows with different names and e-mail addresses"
    shared = "one e-mail address stands on rows with different names, and no employee number tells them apart"
    people = [
        {"line": 2, "employee_number": "1", "full_name": "Ada Blum", "email": "ada@acme.example", "status": "left"},
        {"line": 3, "employee_number": "1", "full_name": "Bo Čapek", "email": "bo@acme.example"},
        {"line": 4, "employee_number": "2", "full_name": "Ada Blum", "email": "ada2@acme.example", "status": "left"},
        {"line": 5, "employee_number": "2", "full_name": "Ada Roth", "email": "roth@acme.example"},
        {"line": 6, "employee_number": "3", "full_name": "Li Ming", "email": "li@acme.example", "status": "left"},
        {"line": 7, "employee_number": "3", "full_name": "李明", "email": "li@acme.example"},
        {"line": 8, "full_name": "Cy Day", "email": "shop@acme.example", "status": "left"},
        {"line": 9, "full_name": "Di Eck", "email": "shop@acme.example"},
        {"line": 10, "employee_number": "4", "full_name": "BLUM, Éva", "email": "e@acme.example", "status": "left"},
        {"line": 11, "employee_number": "4", "full_name": "Eva Blum"},
    ]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        assert rows(con, "n_rejects", "line", "reason") == [(2, two), (3, two), (8, shared), (9, shared)]
        assert values(con, "n_workers", "worker_id", "status") == {
            "hr:2": "active",
            "hr:3": "active",
            "hr:4": "active",
        }


def test_managers(tmp_path: Path) -> None:
    """A manager is named by person id, own roster's number, number or e-mail; a name of two people names nobody."""
    hr = [
        {"line": 2, "person_id": "P1", "employee_number": "1", "email": "boss@acme.example"},
        {"line": 3, "employee_number": "2", "manager": "P1"},
        {"line": 4, "employee_number": "3", "manager": "BOSS@acme.example"},
        {"line": 5, "employee_number": "4", "manager": "1"},
        {"line": 6, "employee_number": "5", "manager": "hr:2"},
        {"line": 7, "employee_number": "6", "manager": "Ada Blum"},
        {"line": 8, "employee_number": "7", "manager": "twice@acme.example"},
        {"line": 9, "employee_number": "8", "email": "twice@acme.example"},
        {"line": 10, "employee_number": "9", "email": "Twice@acme.example"},
    ]
    ext = [
        {"line": 2, "employee_number": "1", "email": "ext@acme.example"},
        {"line": 3, "employee_number": "X", "manager": "1"},
        {"line": 4, "employee_number": "Y", "manager": "7"},
    ]
    with loaded(tmp_path, World(workers={"hr": hr, "ext": ext})) as con:
        found = values(con, "n_workers", "worker_id", "manager_id")
    assert {worker: manager for worker, manager in found.items() if manager} == {
        "hr:2": "P1",
        "hr:3": "P1",
        "hr:4": "P1",
        "hr:5": "hr:2",
        "ext:X": "ext:1",
        "ext:Y": "hr:7",
    }


def test_names_from_parts(tmp_path: Path) -> None:
    """A full name is made of first and last name where it is missing; the surname Null is a name."""
    people = [
        _row("1", first_name="Ada", last_name="Blum"),
        _row("2", last_name="Null"),
        _row("3", full_name="محمد بن علي", first_name="x"),
        _row("4"),
    ]
    with loaded(tmp_path, World(workers={"hr": people})) as con:
        assert values(con, "n_workers", "employee_numbers[1]", "full_name") == {
            "1": "Ada Blum",
            "2": "Null",
            "3": "محمد بن علي",
            "4": None,
        }
