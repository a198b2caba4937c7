"""HR systems over their APIs, replayed from their documentation, and the traps that their lists set.

No Workday and no BambooHR was at hand. The answers follow what is public of Workday's reports as a service (one JSON
object, rows under Report_Entry, dates without a zone, fields as the customer calls them) and of BambooHR's list of
employees (data, meta.page.nextCursor, _restrictedFields).
"""

import base64
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from contract import CANARY
from replay import Answer, Reply, Request, refused, replay

from scanner.collectors import ROSTERS, http
from scanner.collectors.interface import Look, no_progress
from scanner.config import Config, Limits, Roster
from scanner.connections import RestSettings
from scanner.credentials import Auth, Secret
from scanner.model import Collected, Verdict
from scanner.policy import Policies
from scanner.store.load import load

COLUMNS = {
    "person_id": "Worker_ID",
    "employee_number": "Employee_ID",
    "full_name": "Worker",
    "email": "Email_-_Work",
    "status": "Worker_Status",
    "hire_date": "Hire_Date",
    "termination_date": "Termination_Date",
    "last_day_worked": "Last_Day_of_Work",
    "time_zone": "Time_Zone",
}
REPORT = RestSettings(path="/ccx/service/customreport2/acme/ISU_orphanscan/Workers")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HR_SECRET", CANARY)
    monkeypatch.setattr(http, "BACKOFF_SECONDS", 0.01)


def asked(answer: Answer, kind: str, what: Callable[[Roster], Any], **more: Any) -> Any:
    """Let `what` have a roster at a server."""
    auth = {
        "workday": Auth("basic", Secret("env", "HR_SECRET"), username="ISU_orphanscan@acme"),
        "bamboohr": Auth("api_key", Secret("env", "HR_SECRET")),
        "rest": Auth("bearer", Secret("env", "HR_SECRET")),
    }[kind]
    with replay(answer) as server:
        settings = {"limits": Limits(page_size=2, max_seconds=20, retries=2), **more}
        return what(Roster("hr", type=kind, base_url=server.origin, auth=auth, **settings))


def collect(folder: Path, answer: Answer, kind: str, **more: Any) -> Collected:
    """Collect a roster."""
    found = asked(answer, kind, lambda one: ROSTERS[kind].collect(one, folder / "staging", no_progress), **more)
    assert isinstance(found, Collected)
    assert CANARY not in repr(found)
    return found


def people(collected: Collected) -> list[dict[str, Any]]:
    """Return the staged rows."""
    return [json.loads(line) for line in collected.files["workers"].read_text().splitlines()]


def statuses(folder: Path, collected: Collected, as_of: datetime) -> dict[str, str]:
    """Return person -> status, as a scan would see it at a time."""
    roster = Roster("hr", type=collected.source.type)
    config = Config(folder / "orphanscan.toml", "", folder, "Acme", "UTC", (), (roster,), ())
    with duckdb.connect() as con:
        load(con, [collected], config, Policies(), as_of)
        return dict(con.execute("select worker_id, status::varchar from n_workers").fetchall())


def worker(number: str, **more: Any) -> dict[str, Any]:
    """Return a row of the report."""
    known = {"Worker_ID": f"P{number}", "Employee_ID": number, "Worker": f"Person {number}", "Hire_Date": "2020-01-01"}
    rest = {"Email_-_Work": f"p{number}@x.example", "Worker_Status": "Active", "Time_Zone": "Europe/Berlin"}
    return {**known, **rest, "Termination_Date": None, "Last_Day_of_Work": None, **more}


def workday(rows: list[dict[str, Any]], request: Request) -> Reply:
    """Answer as a report does."""
    assert request.query == {"format": "json"}
    pair = base64.b64encode(f"ISU_orphanscan@acme:{CANARY}".encode()).decode()
    if request.headers.get("authorization") != f"Basic {pair}":
        return refused(401, "invalid username or password")
    return Reply({"Report_Entry": rows})


def test_the_traps_of_a_workday_report(tmp_path: Path) -> None:
    """Future end, end in another zone, rehire, concurrent jobs: dates decide, and a person is who has any job."""
    melbourne = {"Time_Zone": "Australia/Melbourne"}
    rows = [
        worker("1", Termination_Date="2026-06-30"),  # will leave
        # The report runs in Pacific Time, where it is still the 30th: its status is late, the date is not.
        worker("2", Termination_Date="2026-03-30", **melbourne),
        worker("3", Worker_Status="Terminated", Termination_Date="2024-01-31"),
        worker("3", Employee_ID="93", Hire_Date="2025-05-01"),  # rehired under another number
        worker("4", Worker_Status="Terminated", Termination_Date="2026-01-31"),
        worker("4", Hire_Date="2021-01-01"),  # a second job that goes on
        worker("5", Worker_Status="Terminated", Termination_Date="2026-02-28", Last_Day_of_Work="2026-01-15"),
    ]
    collected = collect(tmp_path, lambda request: workday(rows, request), "workday", rest=REPORT, columns=COLUMNS)

    source = collected.source
    assert (source.verdict, source.detail, source.collected) == (Verdict.COMPLETE, "", 7)
    assert source.query == "GET /ccx/service/customreport2/acme/ISU_orphanscan/Workers?format=json"
    # 14:00 UTC on 30 March is 01:00 on the 31st in Melbourne, and 07:00 on the 30th in California.
    seen = statuses(tmp_path, collected, datetime(2026, 3, 30, 14, tzinfo=UTC))
    assert seen == {"P1": "active", "P2": "terminated", "P3": "active", "P4": "active", "P5": "terminated"}
    before = statuses(tmp_path, collected, datetime(2026, 1, 20, tzinfo=UTC))
    assert before["P5"] == "terminated"


def test_a_report_of_those_who_work_today_is_noted(tmp_path: Path) -> None:
    """Its data source is the wrong one; nothing in the answer says so, and leavers vanish from it."""
    rows = [worker("1"), worker("2")]
    collected = collect(tmp_path, lambda request: workday(rows, request), "workday", rest=REPORT, columns=COLUMNS)

    assert "nobody in it has an end date" in collected.source.detail


def test_a_field_that_is_trimmed_makes_a_roster_short(tmp_path: Path) -> None:
    """A domain of the security group was taken away: the column is gone, without an error."""
    rows = [{name: value for name, value in worker("1").items() if name != "Termination_Date"}]
    collected = collect(tmp_path, lambda request: workday(rows, request), "workday", rest=REPORT, columns=COLUMNS)

    assert collected.source.verdict is Verdict.SHORT
    assert "no record holds 'Termination_Date'" in collected.source.detail


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda request: Reply({"Report_Entry": []}), "an empty roster would turn everybody into a leaver"),
        (lambda request: refused(403, "task submitted is not authorized"), "may not read this"),
        (lambda request: Reply(b'{"Report_Entry": [{"Worker_ID": "P1"}'), "ends too early"),
        (lambda request: Reply(b"<html>maintenance</html>"), "a web page, not JSON"),
        (lambda request: Reply({"Report_Entry": [{"Worker_ID": None}]}), "1 rows among the workers"),
    ],
)
def test_a_report_that_cannot_be_used_fails(answer: Answer, words: str, tmp_path: Path) -> None:
    """Nobody becomes a leaver by it."""
    collected = collect(tmp_path, answer, "workday", rest=REPORT, columns=COLUMNS)

    assert collected.source.verdict is Verdict.FAILED
    assert words in collected.source.detail
    assert not collected.files


def test_a_report_that_changes_while_it_is_read_is_not_complete(tmp_path: Path) -> None:
    """It has no total, so it is read twice."""
    asked_for: list[Request] = []

    def changing(request: Request) -> Reply:
        asked_for.append(request)
        return workday([worker("1"), *([worker("2")] if len(asked_for) > 1 else [])], request)

    collected = collect(tmp_path, changing, "workday", rest=REPORT, columns=COLUMNS)

    assert collected.source.verdict is Verdict.DRIFT
    assert len(people(collected)) == 2


def employee(number: int, **more: Any) -> dict[str, Any]:
    """Return an employee of BambooHR."""
    known = {"employeeId": str(number), "employeeNumber": f"00{number}", "firstName": "Pat", "lastName": f"No{number}"}
    rest = {"workEmail": f"p{number}@x.example", "bestEmail": "pat@home.example", "status": "Active"}
    dates = {"hireDate": "2020-01-01", "terminationDate": None, "departmentName": "Sales", "jobTitleName": "Rep"}
    return {**known, **rest, **dates, "_restrictedFields": [], **more}


def bamboohr(rows: list[dict[str, Any]], request: Request) -> Reply:
    """Answer as the list of employees does."""
    if request.headers.get("authorization") != "Basic " + base64.b64encode(f"{CANARY}:x".encode()).decode():
        return refused(401)
    size, start = int(request.query.get("page[limit]", 250)), int(request.query.get("page[after]", 0))
    fields = {*request.query["fields"].split(","), "employeeId", "firstName", "lastName", "status", "jobTitleName"}
    page = [
        {name: value for name, value in row.items() if name in fields or name == "_restrictedFields"}
        for row in rows[start : start + size]
    ]
    after = str(start + size) if start + size < len(rows) else None
    return Reply({"data": page, "meta": {"page": {"nextCursor": after, "prevCursor": None}}})


def test_bamboohr_gives_everybody_with_the_work_address(tmp_path: Path) -> None:
    """Somebody who will leave is Active until that day; the address at home is never asked for."""
    rows = [employee(1), employee(2, terminationDate="2026-06-30"), employee(3, status="Inactive")]
    rows[2]["terminationDate"] = "2026-01-31"
    collected = collect(tmp_path, lambda request: bamboohr(rows, request), "bamboohr")

    assert (collected.source.verdict, collected.source.detail) == (Verdict.COMPLETE, "")
    assert [one["email"] for one in people(collected)] == ["p1@x.example", "p2@x.example", "p3@x.example"]
    assert [one["employee_number"] for one in people(collected)] == ["001", "002", "003"]
    seen = statuses(tmp_path, collected, datetime(2026, 3, 31, tzinfo=UTC))
    assert seen == {"1": "active", "2": "active", "3": "terminated"}
    assert "home.example" not in collected.files["workers"].read_text()


def test_a_field_that_the_key_may_not_see_makes_a_roster_short(tmp_path: Path) -> None:
    """BambooHR answers with an empty value, and says so in a place that nobody reads."""
    rows = [employee(1), employee(2, terminationDate=None, _restrictedFields=["terminationDate", "payRate"])]
    collected = collect(tmp_path, lambda request: bamboohr(rows, request), "bamboohr")

    assert collected.source.verdict is Verdict.SHORT
    assert "of some people this key may not see terminationDate" in collected.source.detail
    assert "payRate" not in collected.source.detail


def test_a_key_that_dies_half_way_is_never_complete(tmp_path: Path) -> None:
    """And a server that is busy is asked again."""
    rows = [employee(number, terminationDate="2026-01-31") for number in range(1, 6)]
    seen: list[Request] = []

    def dying(request: Request) -> Reply:
        seen.append(request)
        if len(seen) == 1:
            return Reply({}, 503, {"Retry-After": "0"})
        return refused(401) if "page[after]" in request.query else bamboohr(rows, request)

    collected = collect(tmp_path, dying, "bamboohr")

    assert collected.source.verdict is Verdict.FAILED
    assert "the credential is missing, wrong or expired" in collected.source.detail


def test_any_list_of_people_can_be_described(tmp_path: Path) -> None:
    """Paging, places of the fields, and several addresses of one person."""
    rows = [
        {"key": "a", "mail": {"work": "a@x.example", "more": ["b@x.example", "c@x.example"]}, "end": "2026-01-31"},
        {"key": "b", "mail": {"work": "d@x.example", "more": []}, "end": None},
        {"key": "c", "mail": {"work": None, "more": None}, "end": None},
    ]
    settings = RestSettings(path="/people", items="rows", paging="offset", size_parameter="limit", count="total")
    columns = {"person_id": "key", "email": "mail.work", "other_emails": "mail.more", "termination_date": "end"}

    def answer(request: Request) -> Reply:
        start, size = int(request.query["offset"]), int(request.query["limit"])
        return Reply({"rows": rows[start : start + size], "total": len(rows)})

    collected = collect(tmp_path, answer, "rest", rest=settings, columns=columns)

    assert (collected.source.verdict, collected.source.stated) == (Verdict.COMPLETE, 3)
    assert [one.get("other_emails") for one in people(collected)] == ["b@x.example; c@x.example", None, None]


def test_doctor_looks_at_one_person(tmp_path: Path) -> None:
    """And says what is not there."""
    rows = [{name: value for name, value in worker("1").items() if name != "Hire_Date"}]
    seen = asked(
        lambda request: workday(rows, request), "workday", ROSTERS["workday"].look, rest=REPORT, columns=COLUMNS
    )

    assert isinstance(seen, Look)
    assert seen.detail == "1 of an unstated number read, paging by none"
    assert "the first person has no 'Hire_Date'" in seen.doubt


def test_a_drop_by_sftp_is_read_when_it_is_finished(tmp_path: Path) -> None:
    """The newest file of a pattern, with its marker; one that still grows is left for later."""
    head = "person_id,email,status,termination_date\n"
    (tmp_path / "hr-20260101.csv").write_text(f"{head}old,o@x.example,active,\n")
    os.utime(tmp_path / "hr-20260101.csv", (1_700_000_000,) * 2)
    new = tmp_path / "hr-20260102.csv"
    new.write_text(f"{head}new,n@x.example,active,\n")
    roster = Roster("hr", tmp_path / "hr-*.csv", done_marker=True)

    def drop(one: Roster, folder: str) -> Collected:
        (tmp_path / folder).mkdir()
        return ROSTERS["csv"].collect(one, tmp_path / folder, no_progress)

    early = drop(roster, "early")
    new.with_name(new.name + ".done").touch()
    ready = drop(roster, "ready")
    grower = threading.Timer(0.1, lambda: new.open("a").write("x,x@x.example,active,\n"))
    grower.start()
    growing = drop(replace(roster, stable_seconds=0.5), "growing")
    grower.join()

    assert "hr-20260102.csv.done is not there" in early.source.detail
    assert [one["person_id"] for one in people(ready)] == ["new"]
    assert ready.source.query.startswith("hr-20260102.csv")
    assert growing.source.verdict is Verdict.FAILED
    assert "is still being written" in growing.source.detail
