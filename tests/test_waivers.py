"""The waiver file: what it may say, what it accepts in a scan, and when it no longer holds."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import jsonschema
import pytest

from scanner import waivers
from scanner.errors import ConfigError
from scanner.model import Finding, RuleOutcome, RuleResult, Severity
from scanner.model_history import WaiverStatus
from scanner.paths import bundled
from scanner.policy.schemas import schema
from scanner.waivers import file as waiver_file

RULES = ("dormant-account", "orphaned-account", "duplicate-accounts")
APPS = ("crm", "erp")
STORE = bundled("rules").parent / "scanner" / "store" / "tables.sql"
NOW = datetime(2026, 6, 1, 6, tzinfo=UTC)
USUAL = """[[waiver]]
rule = "dormant-account"
app = "crm"
account = "svc-*"
reason = "Quarterly jobs"
approver = "jane@acme.example"
granted_on = 2026-05-01
"""


def read(folder: Path, text: str | bytes) -> tuple[waivers.Waiver, ...]:
    """Read a waiver file with this content."""
    path = folder / "waivers.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o644)
    return waivers.read_file(path, RULES, APPS)


def problems(folder: Path, text: str | bytes) -> list[str]:
    """Return the lines of what is wrong with a file, without its name."""
    with pytest.raises(ConfigError) as error:
        read(folder, text)
    return [line.strip() for line in str(error.value).replace(str(folder), "").splitlines()]


def test_an_entry_without_a_last_day_holds_for_180_days_from_the_day_it_was_granted(tmp_path: Path) -> None:
    """And one with a day may have a year at most, a leap year included."""
    (usual,) = read(tmp_path, USUAL)
    assert usual.expires_on == date(2026, 5, 1) + timedelta(days=180)

    (leap,) = read(tmp_path, USUAL.replace("2026-05-01", "2027-03-01\nexpires_on = 2028-03-01"))
    assert leap.expires_on == date(2028, 3, 1)
    assert problems(tmp_path, USUAL + "expires_on = 2027-05-03\n")[1:] == [
        "line 8: waiver[1].expires_on: is more than a year after granted_on (2026-05-01)"
    ]


def test_everything_that_is_wrong_is_told_at_once_with_its_line_and_key(tmp_path: Path) -> None:
    """Also behind a text of several lines, with CRLF, and for what is said twice."""
    text = f"""# accepted risks
{USUAL}
[[waiver]]
rule = "dormant-acount"
ap = "crm"
account = "x"
reason = \"\"\"
[[waiver]]
\"\"\"
approver = " X "
granted_on = "2026-05-01"
[[waiver]]
rule = "*"
app = "*"
reason = "All of it"
approver = "jane"
granted_on = 2026-05-01
expires_on = 2026-04-30
{USUAL}
[[waiver]]
rule = "orphaned-account"
app = "cmr"
reason = "Why not"
approver = ""
"""

    for ending in ("\n", "\r\n"):
        assert problems(tmp_path, text.replace("\n", ending).encode())[1:] == [
            "line 12: waiver[2].ap: unknown key; did you mean app?",
            "line 14: waiver[2].reason: must not hold line breaks or control characters",
            "line 18: waiver[2].granted_on: must be a date such as 2026-03-31, without quotes, not text",
            "line 11: waiver[2].rule: there is no rule dormant-acount; did you mean dormant-account?",
            "line 17: waiver[2].approver: is the account itself; nobody accepts a risk of their own",
            "line 19: waiver[3]: would accept every finding there is; name a rule, or a subject",
            "line 25: waiver[3].expires_on: lies before granted_on (2026-05-01)",
            "line 38: waiver[5].approver: must not be empty",
            "line 34: waiver[5].granted_on: missing",
            "line 36: waiver[5].app: there is no application cmr; did you mean crm?",
            "line 26: waiver[4]: says the same as waiver[1] (line 2); keep one of them",
        ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[waiver]]\nrule = \n", "not valid TOML: Invalid value (at line 2, column 8)"),
        ("waivers = 1\n", "line 1: waivers: unknown key; a waiver stands under [[waiver]]"),
        ("[waiver]\nrule = 'x'\n", "waiver: must be tables, each headed [[waiver]]"),
        (b"[[waiver]]\nrule = '\xff'\n", "line 2 is not UTF-8"),
        (USUAL.replace("2026-05-01", "9999-12-31"), "granted_on: lies too far ahead"),
        (USUAL.replace('app = "crm"\naccount = "svc-*"\n', ""), "says not what it is about"),
        (USUAL.replace('"dormant-account"', '"zzz*"'), "zzz* matches no rule"),
        (USUAL.replace('"crm"', '"zzz*"'), "zzz* matches no application"),
        (USUAL.replace("svc-*", "*" * 301), "must not be longer than 300 characters"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str | bytes, told: str) -> None:
    """Broken TOML, wrong shapes, odd bytes, days beyond the calendar, subjects that name nothing or too much."""
    assert told in " ".join(problems(tmp_path, text))


def test_a_file_that_is_not_there_or_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Whoever can write it can hide an account."""
    with pytest.raises(ConfigError, match="there is no such file"):
        waivers.read_file(tmp_path / "none.toml", RULES, APPS)
    path = tmp_path / "waivers.toml"
    path.write_text(USUAL)
    path.chmod(0o664)
    with pytest.raises(ConfigError, match="others may write this file"):
        waivers.read_file(path, RULES, APPS)


def test_adding_keeps_every_byte_mode_and_line_ending_and_refuses_nonsense(tmp_path: Path) -> None:
    """A comment, a missing end of line and CRLF survive; what would make the file wrong is not written."""
    path = tmp_path / "waivers.toml"
    before = ("# ours\r\n" + USUAL.replace("\n", "\r\n")).rstrip("\r\n") + "  # keep"
    path.write_bytes(before.encode())
    path.chmod(0o600)
    values = {
        "rule": "orphaned-account",
        "app": "erp",
        "account": 'a"\\[1]',
        "exact": True,
        "reason": "Grün",
        "approver": "jane",
        "ticket": None,
        "granted_on": date(2026, 5, 1),
    }

    made, found = waivers.add(path, values, RULES, APPS)

    assert path.read_bytes().startswith(before.encode() + b"\r\n\r\n[[waiver]]\r\n")
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    assert (made.account, made.line, len(found)) == ('a"\\[1]', 10, 2)
    assert path.stat().st_mode & 0o777 == 0o600
    kept = path.read_bytes()
    with pytest.raises(ConfigError, match=r"line 19: waiver\[3\]: says the same as waiver\[2\] \(line 10\)"):
        waivers.add(path, values, RULES, APPS)
    assert path.read_bytes() == kept
    assert [one.name for one in tmp_path.iterdir()] == ["waivers.toml"]


def test_the_schema_of_the_example_is_made_from_the_program_and_holds_it() -> None:
    """An editor that knows the schema says what the program would say."""
    import tomllib

    folder = bundled("sample_data") / "policy"
    stored = json.loads((folder / "waivers.schema.json").read_text())
    assert stored == schema(waivers.WAIVERS)
    example = tomllib.loads((folder / "waivers.toml").read_text())
    jsonschema.validate(json.loads(json.dumps(example, default=str)), stored)
    assert waiver_file.parse(
        (folder / "waivers.toml").read_bytes(), folder / "waivers.toml", [*RULES, "too-many-admins"], ["crm", "erp"]
    )


class World:
    """A store with row versions and the evidence of its last scan, written by hand."""

    def __init__(self, folder: Path) -> None:
        self.audit = folder / "audit"
        self.audit.mkdir()
        self.con = duckdb.connect(str(folder / "store.duckdb"))
        self.con.execute(STORE.read_text())
        for number in range(1, 7):
            at = datetime(2026, 4, 1, 6) + timedelta(days=10 * number)  # 11 April, 21 April, 1 May, 11 May ...
            self.con.execute(
                "insert into scans values (?, ?, ?, ?, ?, true, '1', '', '', 'm', '')",
                [number, f"s{number}", at, at, at],
            )
        self.accounts({"1": "svc-a", "2": "svc-b", "3": "SVC-C", "4": "bob[x]"})

    def accounts(self, names: Mapping[str, str], worker: str | None = "hr:1") -> None:
        """Write the Parquet tables that waivers look names up in."""
        self.con.execute(
            "create or replace temp table a as select unnest($ids) as account_id, unnest($names) as username,"
            " $worker::varchar as worker_id",
            {"ids": list(names), "names": list(names.values()), "worker": worker},
        )
        for table, sql in {
            "accounts": "select 'crm' as app, * from a",
            "entitlements": "select 'crm' as app, 'group:1' as entitlement, 'Payroll Admins' as name",
            "workers": "select 'hr:1' as worker_id, ['0042'] as employee_numbers, 'Ann@acme.example' as email,"
            " []::varchar[] as other_emails",
        }.items():
            self.con.execute(f"copy ({sql}) to '{self.audit}/{table}.parquet' (format parquet)")

    def version(
        self,
        account: str,
        start: int,
        end: int | None,
        *,
        active: bool = True,
        worker: str | None = "hr:1",
        ended_by: str | None = "changed",
    ) -> None:
        """Add a version of an account."""
        self.con.execute(
            "insert into account_versions (app, account_id, is_active, worker_id, valid_from_scan, valid_to_scan,"
            " ended_by) values ('crm', ?, ?, ?, ?, ?, ?)",
            [account, active, worker, start, end, ended_by if end else None],
        )

    def grant(
        self, account: str, entitlement: str, start: int, end: int | None = None, *, path: str = "direct"
    ) -> None:
        """Add a version of a grant."""
        self.con.execute(
            "insert into grant_versions values ('crm', ?, ?, ?, ?, ?, null)", [account, entitlement, path, start, end]
        )

    def judge(
        self, entries: tuple[waivers.Waiver, ...], found: tuple[Finding, ...], at: datetime = NOW
    ) -> tuple[dict[str, str | None], dict[int, waivers.Waiver]]:
        """Return which waiver accepts each finding, by line, and the waivers as applied, by line."""
        result = RuleResult("dormant-account", "", Severity.HIGH, RuleOutcome.EXCEPTIONS, 9, 9, 0, 0, found)
        (marked,), applied = waivers.judge(
            entries, (result,), waivers.Moment(6, at, "Europe/Berlin"), store=self.con, audit=self.audit
        )
        lines = {one.id: one.line for one in applied}
        return {one.fingerprint: one.waiver and lines[one.waiver] for one in marked.findings}, {
            one.line: one for one in applied
        }


def finding(account: str | None, *, rule: str = "dormant-account", app: str | None = "crm", **more: str) -> Finding:
    """Return a finding about an account."""
    name = f"{rule}/{app}/{account}/{more}"
    given = {"entitlement": None, "worker_id": None, "subject": None} | more
    return Finding(name, rule, Severity.HIGH, "fail", app, account, reason="Because.", evidence={}, **given)


def entry(**values: object) -> str:
    """Return an entry of the file."""
    usual: dict[str, object] = {
        "rule": "dormant-account",
        "reason": "r",
        "approver": "jane",
        "granted_on": date(2026, 5, 1),
    }
    return "[[waiver]]\n" + "".join(f"{key} = {waiver_file._toml(value)}\n" for key, value in (usual | values).items())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a store and evidence."""
    made = World(tmp_path)
    yield made
    made.con.close()


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ({"app": "crm", "account": "1"}, ["1"]),
        ({"account": "SVC-A"}, ["1"]),
        ({"account": "svc-*"}, ["1", "2", "3"]),
        ({"account": "svc-[ac]"}, ["1", "3"]),
        ({"account": "bob[x]"}, []),
        ({"account": "bob[x]", "exact": True}, ["4"]),
        ({"account": "bob[[]x]"}, ["4"]),
        ({"app": "erp"}, []),
        ({"app": "*"}, ["1", "2", "3", "4", "none"]),
        ({"rule": "dormant-*", "app": "c?m"}, ["1", "2", "3", "4"]),
        ({"rule": "orphaned-account", "app": "*"}, []),
        ({"worker": "0042"}, ["1", "2", "3", "4"]),
        ({"worker": "ann@*"}, ["1", "2", "3", "4"]),
        ({"worker": "hr:2"}, []),
        ({"entitlement": "payroll*"}, ["3"]),
        ({"entitlement": "group:1", "account": "svc-c"}, ["3"]),
    ],
)
def test_a_waiver_accepts_what_each_of_its_texts_names(
    world: World, tmp_path: Path, said: dict[str, object], accepted: list[str]
) -> None:
    """Ids keep their letter case and names do not; what an entry does not say does not matter; null matches nothing."""
    found = {one: finding(one) for one in "124"} | {
        "3": finding("3", entitlement="group:1"),
        "none": finding(None, app=None),
    }

    marked, _ = world.judge(read(tmp_path, entry(**said)), tuple(found.values()))

    assert [name for name, one in found.items() if marked[one.fingerprint]] == sorted(accepted, key="1243none".index)


def test_waivers_hold_from_their_first_to_the_end_of_their_last_day_where_the_organisation_is(
    world: World, tmp_path: Path
) -> None:
    """An expired one names what fires again; one to come accepts nothing yet."""
    entries = read(tmp_path, entry(account="1", granted_on=date(2026, 5, 1), expires_on=date(2026, 5, 31)))
    found = (finding("1"),)

    moments = {
        datetime(2026, 4, 30, 21, 59, tzinfo=UTC): WaiverStatus.NOT_YET,
        datetime(2026, 4, 30, 22, 0, tzinfo=UTC): WaiverStatus.IN_FORCE,
        datetime(2026, 5, 31, 21, 59, tzinfo=UTC): WaiverStatus.IN_FORCE,
        datetime(2026, 5, 31, 22, 0, tzinfo=UTC): WaiverStatus.EXPIRED,
    }
    for at, status in moments.items():
        marked, applied = world.judge(entries, found, at)
        assert applied[1].status is status
        assert bool(marked[found[0].fingerprint]) is (status is WaiverStatus.IN_FORCE)
        assert bool(applied[1].fires_again) is (status is WaiverStatus.EXPIRED)


def test_of_several_waivers_the_one_that_lasts_longest_is_shown_and_an_expired_one_then_frees_nothing(
    world: World, tmp_path: Path
) -> None:
    """Nothing fires again that another waiver accepts; one that matches nothing says so."""
    text = (
        entry(account="1", expires_on=date(2026, 5, 20))
        + entry(account="svc-a", expires_on=date(2026, 7, 1))
        + entry(account="svc-[a]", expires_on=date(2026, 8, 1))
        + entry(account="nobody")
    )

    marked, applied = world.judge(read(tmp_path, text), (finding("1"),))

    assert list(marked.values()) == [15]
    assert {line: str(one.status) for line, one in applied.items()} == {
        1: "expired",
        8: "in_force",
        15: "in_force",
        22: "unmatched",
    }
    assert applied[1].fires_again == ()


def test_a_waiver_lapses_for_an_account_that_gained_a_privilege_came_back_or_changed_hands(
    world: World, tmp_path: Path
) -> None:
    """Compared with the last scan by the end of the day on which it was granted (here the third, of 1 May)."""
    names = ("kept", "had", "path", "gained", "ordinary", "back", "returned", "closed", "other", "new", "early")
    world.accounts({name: name for name in names}, worker=None)
    world.con.execute("insert into entitlement_versions values ('crm', 'admin', 'A', 'role', true, 1, null, null)")
    world.con.execute("insert into entitlement_versions values ('crm', 'user', 'U', 'role', false, 1, null, null)")
    for name in ("kept", "had", "path", "gained", "ordinary"):
        world.version(name, 1, None)
    world.grant("had", "admin", 3)
    world.grant("path", "admin", 1, 5)
    world.grant("path", "admin", 5, path="group")
    world.grant("gained", "admin", 4, 5)
    world.grant("ordinary", "user", 5)
    world.version("back", 1, 5, active=False)
    world.version("back", 5, None)
    world.version("returned", 1, 4, ended_by="absent")
    world.version("returned", 6, None)
    world.version("closed", 1, 5)
    world.version("closed", 5, None, active=False)
    world.version("other", 1, 5)
    world.version("other", 5, None, worker="hr:2")
    world.version("new", 5, None)
    world.version("early", 1, 2, active=False)
    world.version("early", 2, None)
    found = tuple(finding(name) for name in names)

    marked, applied = world.judge(read(tmp_path, entry(app="crm", account="*")), found)

    lapsed = {one.fingerprint.split("/")[2]: one.because for one in applied[1].lapsed}
    assert lapsed == {
        "gained": "The account holds a privileged entitlement since 2026-05-11 that it did not hold before.",
        "back": "The account is active again since 2026-05-21.",
        "returned": "The account is active again since 2026-05-31.",
        "other": "The account belongs to somebody else since 2026-05-21.",
    }
    assert {name.split("/")[2] for name, line in marked.items() if line} == set(names) - set(lapsed)

    again, applied = world.judge(
        read(tmp_path, entry(account="gained", granted_on=date(2026, 5, 15))), (finding("gained"),)
    )
    assert list(again.values()) == [1], "granted anew, with the privilege known"


def test_nobody_accepts_a_risk_of_their_own(world: World, tmp_path: Path) -> None:
    """Also where the entry names the account, and the approver is its person by another name."""
    marked, applied = world.judge(read(tmp_path, entry(account="1", approver="ANN@acme.example")), (finding("1"),))

    assert list(marked.values()) == [None]
    assert applied[1].status is WaiverStatus.LAPSED
    assert applied[1].lapsed[0].because == "Its approver is the person whom it is about."


def test_thousands_of_waivers_meet_thousands_of_findings_and_patterns_made_to_explode(
    world: World, tmp_path: Path
) -> None:
    """Every literal is found, and a pattern full of stars ends."""
    count = 1_000
    world.accounts({f"id{n}": f"user{n:05}{'a' * 40}" for n in range(count)}, worker=None)
    bomb = "*a" * 100 + "b"
    head = entry(account=bomb) + entry(account="*" * 200 + "z") + entry(account="user0000[0-4]*")
    text = head + "".join(entry(account=f"id{n}") for n in range(count))
    found = tuple(finding(f"id{n}") for n in range(count))
    marked, applied = world.judge(read(tmp_path, text), found)

    assert all(marked.values())
    assert applied[1].status is WaiverStatus.UNMATCHED
    assert len(applied) == count + 3
