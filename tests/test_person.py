"""One person: what is held of them goes out whole, and goes, where no evidence rests on it."""

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from in_process import orphanscan

from scanner import privacy
from scanner.notices import delivery
from scanner.privacy import Traces
from scanner.store import person, person_rows, state, vault

ROOT = Path(__file__).parents[1]
RULES = ("contract-ended-still-active", "disabled-keeps-privilege")
WHO = "keiko.tanaka@tarnwick.example"
TRACES = (b"keiko", b"Keiko", b"hr:0011", b"2396751a-46d0")
"""Name, number and account id of the person, as any file would hold them."""
WHY = ("--reason", "Request 17")
CONFIG = """
[rules]
disable = {off}



[waivers]
file = "waivers.toml"
[[notify]]
id = "siem"
type = "syslog"
address = "tcp://127.0.0.1:9"
privacy = "L2"
"""
WAIVER = """[[waiver]]
rule = "contract-ended-still-active"
account = "keiko.tanaka"
reason = "Keiko Tanaka hands over until the spring"
approver = "jonas.weiss@tarnwick.example"
granted_on = 2026-11-01
"""


def run(folder: Path, *words: str, expect: int | tuple[int, ...] = 0) -> str:
    """Run a command, and return what it printed on stdout; its exit code is one that is expected."""
    done = orphanscan(folder, *words)
    assert done.returncode in ((expect,) if isinstance(expect, int) else expect), done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a company with two scans, a plan, a review and a notice that nobody took; tests copy it."""
    folder = tmp_path_factory.mktemp("people") / "company"
    run(folder.parent, "init", str(folder))
    off = [rule.stem for rule in (ROOT / "rules").rglob("*.sql") if rule.stem not in RULES]
    with (folder / "orphanscan.toml").open("a") as file:
        file.write(CONFIG.format(off=off))
    (folder / "waivers.toml").write_text(WAIVER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "BACKOFF_SECONDS", 0)
        run(folder, "collect", "--as-of", "2026-11-20T06:00:00Z")
        run(folder, "check", expect=(0, 1))
        (folder / "waivers.toml").write_text("")
        run(folder, "collect", "--as-of", "2026-11-21T06:00:00Z")
        run(folder, "check", expect=1)
    run(folder, "plan", expect=(0, 5))
    run(folder, "export", "review", "--campaign", "2026-Q4")
    return folder


@pytest.fixture
def company(scanned: Path, tmp_path: Path) -> Path:
    """Return a copy of the company."""
    return Path(shutil.copytree(scanned, tmp_path / "company"))


def files(folder: Path, *besides: str) -> dict[str, bytes]:
    """Return every file of the state folder, by its path in it, but those below some folders or of some names."""
    base = folder / "orphanscan-state"
    found = {str(path.relative_to(base)): path for path in base.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(besides)}


def left(folder: Path, *words: str) -> dict[tuple[str, str], tuple[int, str]]:
    """Return what `erase` tells: place and name -> entries and what becomes of them."""
    told = json.loads(run(folder, "erase", WHO, *WHY, "--json", *words))["left"]
    return {(one["place"], one["name"]): (one["count"], one["outcome"]) for one in told}


def exported(folder: Path, who: str = WHO) -> dict[str, Any]:
    """Return the export of a person."""
    run(folder, "export", "person", who, "--to", "out.json", "--recipient", "the person", *WHY)
    made: dict[str, Any] = json.loads((folder / "out.json").read_text())
    (folder / "out.json").unlink()
    return made


def test_an_export_holds_all_of_a_person_and_nobody_else(company: Path) -> None:
    """From the store, the evidence of each scan, findings, waivers, waiting notices, reviews and plans."""
    made = exported(company)

    scans = sorted(path.name for path in (company / "orphanscan-state" / "scans").iterdir())
    assert [row["full_name"] for row in made["store"]["worker_versions"]] == ["Keiko Tanaka"]
    assert {row["username"] for row in made["store"]["account_versions"]} == {"keiko.tanaka"}
    assert {row["rule"] for row in made["store"]["findings"]} == {"contract-ended-still-active"}
    assert set(made["store"]) >= {"grant_versions", "account_volatile"}
    (employment,) = made["evidence"]["employments"]
    assert (employment["first_scan"], employment["last_scan"]) == (scans[0], scans[1])
    assert employment["row"]["employee_number"] == "0011"
    assert {entry["row"]["fingerprint"] for entry in made["evidence"]["findings"]} == {
        row["fingerprint"] for row in made["store"]["findings"]
    }
    assert [one["waiver"]["reason"] for one in made["waivers"]] == ["Keiko Tanaka hands over until the spring"]
    assert len(made["notices_waiting"]["siem"]) == 1
    assert {item["account_id"] for item in made["reviews"]["2026-Q4"] if "account_id" in item} == {
        row["account_id"] for row in made["store"]["account_versions"]
    }
    assert len(made["plans"]) == 1
    assert list(made["evidence_read"]) == scans
    others = ("hugo", "fatima", "bjorn", "0010", "0012")
    assert not any(other in json.dumps(made["store"] | made["evidence"]).lower() for other in others)
    assert (made["recipient"], made["reason"]) == ("the person", "Request 17")
    # Asked for by any of their ids, the answer is the same.
    for who in ("0011", "KEIKO.TANAKA"):
        assert exported(company, who)["store"] == made["store"]


def test_who_answers_for_an_application_is_not_handed_what_it_says_about_others(company: Path) -> None:
    """Owners, approvers and managers are named in many rows: these are counted, and no notice of theirs is erased."""
    made = exported(company, "bjorn.dahlgren@tarnwick.example")

    assert made["store"]["worker_versions"]
    assert made["named_in_rows_of_others"]["applications.owner"] == 1
    assert not any(trace.decode() in json.dumps(made) for trace in TRACES)
    told = json.loads(run(company, "erase", "bjorn.dahlgren@tarnwick.example", *WHY, "--json"))["left"]
    assert not [one for one in told if one["place"] in ("notices", "plans")]


NAMESAKE = "keiko.tanaka2@tarnwick.example"


@pytest.fixture
def with_namesake(company: Path) -> Path:
    """Return the company after a third scan, with a namesake whose user name elsewhere is that of the person."""
    with (company / "hr.csv").open("a") as file:
        file.write(f"0099,Keiko,Tanaka,{NAMESAKE},active,contractor,2024-01-08,,2025-12-31,IT\n")
    with (company / "links.csv").open("a") as file:
        file.write(f"erp,u9,{NAMESAKE},bjorn.dahlgren@tarnwick.example,2026-11-01,Asked in person\n")
    user = {"id": "u9", "userName": "keiko.tanaka", "emails": [{"value": NAMESAKE}], "active": True}
    (company / "erp.json").write_text(json.dumps({"Resources": [user], "totalResults": 1}))
    with (company / "orphanscan.toml").open("a") as file:
        file.write('[[application]]\nid = "erp"\nname = "ERP"\ntype = "scim_file"\npath = "erp.json"\n')
    own = WAIVER.replace("account", 'app = "crm"\naccount').replace("hands over", "of CRM stays")
    others = WAIVER.replace("account", 'app = "erp"\naccount').replace("hands over", "of ERP stays")
    (company / "waivers.toml").write_text(own + others)
    run(company, "collect", "--as-of", "2026-11-22T06:00:00Z")
    run(company, "check", expect=1)
    (company / "waivers.toml").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "BACKOFF_SECONDS", 0)
        run(company, "collect", "--as-of", "2026-11-23T06:00:00Z")
        run(company, "check", expect=1)
    return company


def test_a_namesake_with_the_same_user_name_elsewhere_is_nobody_of_a_persons(with_namesake: Path) -> None:
    """Neither handed out nor erased: not their rows, the notice that waits about them, nor the waiver of theirs."""
    company = with_namesake
    kept = {WHO: ("of CRM stays", "of ERP stays"), NAMESAKE: ("of ERP stays", "of CRM stays")}
    for who, (own, others) in kept.items():
        made = exported(company, who)
        assert {row["app"] for row in made["store"]["account_versions"]} == {"crm" if who == WHO else "erp"}
        reasons = " ".join(one["waiver"]["reason"] for one in made["waivers"])
        assert (own in reasons, others in reasons) == (True, False), who
        # That their name once spoke for an account is told of both.
        made["evidence"].pop("match_candidates", None)
        parts = ("store", "evidence", "notices_waiting", "waivers", "plans")
        telling = [part for part in parts if "0099" in json.dumps(made[part]) or '"u9"' in json.dumps(made[part])]
        assert bool(telling) == (who == NAMESAKE), telling
        assert len(made["notices_waiting"]["siem"]) == 1, who

    left(company, "--apply")

    made = exported(company, NAMESAKE)
    assert {one["waiver"]["reason"] for one in made["waivers"]} == {"Keiko Tanaka of ERP stays until the spring"}
    assert len(made["notices_waiting"]["siem"]) == 1
    with state.open_store(vault.store_file(company / "orphanscan-state")) as con:
        texts = str(con.execute("select content from waiver_versions").fetchall())
    assert "erased of CRM stays" in texts
    assert "Keiko Tanaka hands over" not in texts


def told(*who: str, **node: object) -> list[bool]:
    """Return whether an object is about each of several people, of whom two share a name and two a user name."""
    with duckdb.connect() as con:
        con.execute(
            """
            create table people as
            from (values
                ('hr:1', ['1'], 'Ann Lee', 'ann.lee@a.example', []::varchar[]),
                ('hr:2', ['2'], 'Ann Lee', 'ann.lee2@a.example', []::varchar[]),
                ('hr:3', ['3'], 'Bo Ek', 'bo@a.example', []::varchar[]),
                ('hr:77', ['77'], 'Mary Bo Ek', 'mary@a.example', []::varchar[])
            ) as t (worker_id, employee_numbers, full_name, email, other_emails);
            create table holders as
            from (values
                ('crm', 'u1', 'ann', 'ann.lee@a.example', 'hr:1', 'certain'),
                ('crm', 'u2', 'ann2', 'ann.lee2@a.example', 'hr:2', 'certain'),
                ('crm', 'u3', 'admin', null, 'hr:3', 'certain'),
                ('erp', 'u9', 'admin', null, 'hr:77', 'certain'),
                ('erp', 'svc', 'backup', 'bo@a.example', null, 'none')
            ) as t (app, account_id, username, email, worker_id, match_confidence)
            """
        )
        found = [person._find(con, one) for one in who]
    return [Traces.of(one, None, []).tell_of(node) for one in found if one]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"app": "erp", "account_id": "u9", "username": "admin", "worker_id": "hr:77"}, [False, False, False]),
        ({"app": "crm", "account": "u2", "text": "account of Ann Lee (hr:2)"}, [False, True, False]),
        ({"app": "crm", "account": "ann", "reason": "Ann Lee asks Bo Ek"}, [True, False, False]),
        ({"app": "crm", "account": "admin", "worker_id": None}, [False, False, True]),
        ({"app": "erp", "account": "admin"}, [False, False, False]),
        ({"app": None, "account": "admin"}, [False, False, True]),
        ({"worker": "2", "reason": "bo@a.example asked"}, [False, True, False]),
        ({"text": "account of Ann Lee"}, [False, False, False]),
        ({"text": "Mary Bo Ek has left"}, [False, False, False]),
        ({"text": "the service of bo@a.example"}, [False, False, True]),
        ({"text": "told to ann.lee2@a.example"}, [False, True, False]),
        ({"username": "admin"}, [False, False, False]),
        ({"username": "ann"}, [True, False, False]),
    ],
)
def test_ids_decide_whom_an_object_is_about_and_words_only_where_it_has_none(
    node: dict[str, object], expected: list[bool]
) -> None:
    """A name or a user name that several bear tells of none of them."""
    assert told("hr:1", "hr:2", "hr:3", **node) == expected


def test_an_export_needs_a_reason_and_is_logged_before_anything_is_written(company: Path) -> None:
    """The log bears a pseudonym, also where nothing was found; an existing file is left alone."""
    words = ("export", "person", WHO, "--to", "out.json", "--recipient", "DPO")
    run(company, *words, expect=2)
    run(company, *words, "--reason", " ", expect=2)
    (company / "out.json").write_text("mine")
    run(company, *words, *WHY, expect=2)
    assert (company / "out.json").read_text() == "mine"
    run(company, "export", "person", "nobody@x.example", "--to", "n.json", "--recipient", "DPO", *WHY, expect=1)
    assert not (company / "n.json").exists()

    entries = json.loads(run(company, "export", "access-log", "--json"))["entries"]
    asked = [(one["count"], one["subject"][:2], one["reason"]) for one in entries if one["command"] == "export person"]
    assert asked == [(1, "P-", "Request 17"), (0, "", "Request 17")]
    assert not any(trace in (company / "orphanscan-state" / "access.ndjson").read_bytes() for trace in TRACES)


def test_erase_tells_first_and_then_leaves_the_person_in_evidence_alone(company: Path) -> None:
    """Counts and the age of findings stay; what stays of the person is said, place by place."""
    before = files(company, "access.ndjson", "lock", "staging")
    history = run(company, "history", "--json")

    told = left(company)

    assert files(company, "access.ndjson", "lock", "staging") == before
    scans = sorted(path.name for path in (company / "orphanscan-state" / "scans").iterdir())
    goes = {"store", "notices", "reviews"}
    assert {place for place, _ in told} == {*goes, "workbooks", "evidence", "plans", "access log", "source"}
    assert [name for place, name in told if place == "evidence"] == scans
    assert told["evidence", scans[0]][1].startswith("stays, never rewritten")
    assert {name for place, name in told if place == "source"} == {"crm", "roster"}

    left(company, "--apply")

    after = files(company, "scans", "plans", "reviews/2026-Q4/")
    assert {name for name, data in after.items() if any(trace in data for trace in TRACES)} == set()
    with state.open_store(vault.store_file(company / "orphanscan-state")) as con:
        for (table,) in con.execute("select table_name from duckdb_tables() where not temporary").fetchall():
            rows = str(con.execute(f"from {table}").fetchall()).encode()
            assert not any(trace in rows for trace in (*TRACES, b"'0011'")), table
    # The plan's page and workbooks are told as places that stay.
    assert {name for name in before if name.startswith("scans")} == {
        name for name in files(company) if name.startswith("scans")
    }
    assert run(company, "history", "--json") == history
    run(company, "verify")
    assert {place for place, _ in left(company)} == {"evidence", "plans", "access log"}
    noted = (company / "orphanscan-state" / "purged.ndjson").read_text()
    assert '"event":"erase"' in noted
    assert "Request 17" in noted


def test_a_person_whom_the_sources_still_show_is_collected_again_with_the_age_of_their_finding(company: Path) -> None:
    """And one whom they do not show does not come back as somebody who vanished."""
    left(company, "--apply")
    run(company, "collect", "--as-of", "2026-11-22T06:00:00Z")
    run(company, "check", expect=1)
    latest, first = (
        max((company / "orphanscan-state" / "scans").iterdir()),
        min((company / "orphanscan-state" / "scans").iterdir()),
    )

    (again,) = [
        one
        for one in json.loads((latest / "findings.json").read_text())["findings"]
        if one["rule"] == "contract-ended-still-active"
    ]
    assert (again["state"], again["first_seen"], again["username"]) == ("open", first.name, "keiko.tanaka")
    assert [row["full_name"] for row in exported(company)["store"]["worker_versions"]] == ["Keiko Tanaka"]

    lines = [line for line in (company / "hr.csv").read_text().splitlines() if "keiko" not in line]
    (company / "hr.csv").write_text("\n".join(lines) + "\n")
    users = json.loads((company / "users.json").read_text())
    users["Resources"] = [user for user in users["Resources"] if user.get("userName") != "keiko.tanaka"]
    users["totalResults"] = len(users["Resources"])
    (company / "users.json").write_text(json.dumps(users))
    config = company / "orphanscan.toml"
    config.write_text(config.read_text().replace('id = "hr"', 'id = "hr"\nmax_shrink_percent = 50'))
    left(company, "--apply")
    run(company, "collect", "--as-of", "2026-11-23T06:00:00Z")
    latest = max((company / "orphanscan-state" / "scans").iterdir())
    with duckdb.connect() as con:
        rows = con.execute(f"from read_parquet('{latest}/evidence/audit/workers.parquet')").fetchall()
    assert not any(trace.decode() in str(rows) for trace in (*TRACES, b"erased"))


def test_a_legal_hold_keeps_a_person(company: Path) -> None:
    """Refused for safety, before and at --apply, with the reference of the hold."""
    (company / "schedule.toml").write_text('[[hold]]\nworker = "0011"\nreason = "Matter 1"\n')
    config = company / "orphanscan.toml"
    config.write_text(config.read_text().replace("[policy]\n", '[policy]\nerasure_schedule = "schedule.toml"\n'))
    before = files(company, "access.ndjson", "lock")

    for words in ((), ("--apply",)):
        done = orphanscan(company, "erase", WHO, *WHY, *words)
        assert (done.returncode, "Matter 1" in done.stderr) == (5, True)
    assert files(company, "access.ndjson", "lock") == before


def test_an_erasure_that_was_killed_is_done_by_the_next_one(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store comes last, so that the person is found again."""
    with monkeypatch.context() as patch:
        patch.setattr(person_rows, "pseudonymise", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        run(company, "erase", WHO, *WHY, "--apply", expect=130)
    assert {"store", "source"} <= {place for place, _ in left(company)}

    left(company, "--apply")

    assert privacy.find(company / "orphanscan-state", WHO) is not None  # in evidence, which stays
    assert {place for place, _ in left(company)} == {"evidence", "plans", "access log"}


def test_a_sealed_company_answers_the_same_and_leaves_nothing_in_plain_text(company: Path) -> None:
    """Also notices and reviews; workbooks of a further review go to a folder of the user's."""
    before = exported(company)
    public = run(company, "key", "new", "age.key", "--age").strip()
    with (company / "orphanscan.toml").open("a") as file:
        file.write(f'[encryption]\nrecipients = ["{public}"]\nidentity_file = "age.key"\n')
    run(company, "key", "seal")
    plain = ("plans", "staging")

    assert {name for name, data in files(company, *plain).items() if any(trace in data for trace in TRACES)} == set()
    now = exported(company)
    for part in ("store", "evidence", "notices_waiting", "reviews", "plans", "waivers"):
        assert now[part] == before[part], part
    run(company, "export", "review", "--campaign", "2026-Q4-b", expect=2)
    run(company, "export", "review", "--campaign", "2026-Q4-b", "--out", "handed")
    assert len(list((company / "handed").iterdir())) > 0

    left(company, "--apply")

    assert {name for name, data in files(company, *plain).items() if any(trace in data for trace in TRACES)} == set()
    assert {place for place, _ in left(company)} == {"evidence", "plans", "access log"}
    run(company, "verify")


def test_a_full_disk_is_told_and_leaves_the_store_as_it_was(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 6 in one line; no half of a copy stays in staging, and with room again the rest is done."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        done = orphanscan(company, "erase", WHO, *WHY, "--apply")
    assert (done.returncode, "No space left on device" in done.stderr) == (6, True)
    assert not [name for name in files(company) if name.startswith("staging/erase")]
    assert {"store", "source"} <= {place for place, _ in left(company)}

    left(company, "--apply")

    assert {place for place, _ in left(company)} == {"evidence", "plans", "access log"}


def test_people_of_whom_accounts_alone_are_known_can_ask(company: Path) -> None:
    """By e-mail or user name of an account that matches nobody."""
    users = json.loads((company / "users.json").read_text())
    one = users["Resources"][0] | {"id": "x-1", "userName": "zoe", "emails": [{"value": "zoe@old.example"}]}
    one = {key: value for key, value in one.items() if key in ("schemas", "id", "userName", "emails", "active")}
    users["Resources"].append(one)
    users["totalResults"] += 1
    (company / "users.json").write_text(json.dumps(users))
    run(company, "collect", "--as-of", "2026-11-22T06:00:00Z")

    made = exported(company, "zoe@old.example")

    assert (made["subject"]["worker_id"], made["subject"]["accounts"]) == (None, [{"app": "crm", "account_id": "x-1"}])
    assert list(made["store"]) == ["account_volatile", "account_versions"]
