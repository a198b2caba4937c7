"""The configuration file: what loads, and how errors are told."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from config_files import APPLICATION, DESIGN, EVERY_KEY, FRAME, errors, refusal

from scanner import config_file, paths
from scanner.config import Application, Config, Limits, Roster
from scanner.config_keys import Problems, read_table
from scanner.credentials import Auth, Secret
from scanner.settings import EvidenceSettings, KindPattern, Matching, Policy


def test_example_of_the_documentation_loads(write):
    """The example becomes the values that it shows, with defaults for all it leaves out."""
    path = write(DESIGN)
    folder = path.parent

    config = config_file.load(path)

    assert config == Config(
        path=path,
        sha256=config.sha256,
        state=folder / "orphanscan-state",
        organization="Acme",
        timezone="Europe/Berlin",
        email_domains=("acme.example",),
        rosters=(Roster("hr", folder / "hr.csv"),),
        applications=(
            Application(
                id="crm",
                name="CRM",
                type="scim",
                data=("personal", "financial", "ephi"),
                owner="jane@acme.example",
                base_url="https://crm.example/scim/v2",
                auth=Auth("bearer", Secret("env", "CRM_TOKEN")),
            ),
        ),
    )
    assert re.fullmatch("[0-9a-f]{64}", config.sha256)


def test_every_key_reaches_its_value(write, tmp_path):
    """A file that sets every key loads, and every value arrives."""
    for name in ("links.csv", "privileged.toml", "register.toml", "domains.toml", "ca.pem"):
        (tmp_path / name).write_text("")
    (tmp_path / "rules").mkdir()
    path = write(EVERY_KEY)

    config = config_file.load(path)

    hr, people = config.rosters
    erp, vault = config.applications
    assert config.state == tmp_path / "data"
    assert config.email_domains == ("acme.example", "acme.example.net")
    assert hr == Roster(
        "hr",
        Path("/srv/hr.csv"),
        delimiter="\t",
        encoding="cp1252",
        date_format="%d.%m.%Y",
        columns={"employee_number": "Emp No", "full_name": "Name"},
        statuses={"Aktiv": "active"},
        worker_types={"Extern": "contractor"},
        time_zone="Europe/Berlin",
        max_shrink_percent=2.5,
        min_rows=10,
        done_marker=True,
    )
    assert people == Roster("people", tmp_path.parent / "people.xlsx", type="excel", sheet="Staff")
    assert erp == Application(
        id="erp",
        name="erp",
        type="scim",
        base_url="http://erp.example:8080/scim",
        allow_http=True,
        auth=Auth(
            "oauth2",
            Secret("file", str(tmp_path / "s")),
            token_url="https://sso.example/t",
            client_id="me",
            scope="a b",
            acknowledged_origins=("https://sso.example",),
        ),
        ca_file=tmp_path / "ca.pem",
        coverage="provisioned_only",
        sso=False,
        external_id="person_id",
        attributes={"last_sign_in_at": "urn:acme:1.0:User:lastLogin", "mfa": "mfa.enabled"},
        limits=Limits(max_seconds=60, timeout_seconds=5, retries=0, page_size=50),
    )
    assert (vault.owner, vault.reason, vault.data) == ("jo@acme.example", "no interface", ("personal",))
    assert (config.scan.fail_on, config.scan.parallel, config.scan.memory_mb) == ("low", 2, 512)
    assert (config.rules.paths, config.rules.disable) == ((tmp_path / "rules",), ("dormant-account",))
    assert config.rules.params == {"leaver-still-active": {"sla_hours": 8}}
    assert config.policy == Policy(tmp_path / "privileged.toml", tmp_path / "register.toml", tmp_path / "domains.toml")
    assert config.matching == Matching(
        links=tmp_path / "links.csv",
        domain_aliases={"old.example": "acme.example"},
        kinds=(KindPattern("svc-*", "service"), KindPattern("room-*", "shared", "erp")),
    )
    assert (config.report.frameworks, config.report.formats, config.report.privacy) == (("sox",), ("html",), "L2")
    assert config.evidence == EvidenceSettings(
        Secret("command", ("pass", "evidence")),
        Secret("env", "EVIDENCE_PASSPHRASE"),
        "http://timestamp.example/",
        tmp_path / "ca.pem",
        5,
    )


def test_state_of_the_command_line_outranks_the_file(write, tmp_path, monkeypatch):
    """`--state` is relative to where the command runs, not to the file."""
    path = write('state = "inside"\n' + DESIGN)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert config_file.load(path, state=Path("mine")).state == elsewhere / "mine"
    assert config_file.load(path).state == tmp_path / "inside"


def test_all_errors_are_told_at_once(write):
    """One message names the file, and every error with its place and the nearest known key."""
    path = write("""
stat = "x"
[organization]
name = 3
timezone = "Europe/Berln"
email_domains = ["@acme", "a.example", "A.example"]
[polici]
level = 1
[[roster]]
id = "hr"
columns = {employe_number = "No", email = 3}
sheet = "Staff"
[[application]]
id = "hr"
type = "none"
base_url = "https://x.example"
[[application]]
id = "crm"
type = "scim"
base_ulr = "https://crm.example/scim/v2"
attributes = {last_signin = "x"}
limits = {page_size = "a", retris = 3}
[scan]
fail_on = "hihg"
parallel = true
max_seconds = nan
[rules]
disable = ["dormant-acount"]
[[matching.kinds]]
pattern = "svc-*"
kind = "servic"
app = "cmr"
""")

    assert errors(path) == [
        "stat: unknown key; did you mean state?",
        "polici: unknown key; did you mean policy?",
        "roster[1] (hr).columns.employe_number: unknown key; did you mean employee_number?",
        "roster[1] (hr).columns.email: must be text, not a whole number",
        "roster[1] (hr).sheet: does not apply to type csv",
        "roster[1] (hr).path: missing; type csv needs it",
        "application[1] (hr).id: hr is taken by roster[1]",
        "application[1] (hr).base_url: does not apply to type none",
        "application[1] (hr).owner: missing; type none needs it",
        "application[1] (hr).reason: missing; type none needs it",
        "application[2] (crm).base_ulr: unknown key; did you mean base_url?",
        "application[2] (crm).attributes.last_signin: unknown key; did you mean last_sign_in_at?",
        "application[2] (crm).base_url: missing; type scim needs it",
        "application[2] (crm).limits.page_size: must be a whole number, not text",
        "application[2] (crm).limits.retris: unknown key; did you mean retries?",
        'scan.fail_on: "hihg" is not one of critical, high, medium, low, info',
        "scan.parallel: must be a whole number, not true or false",
        "scan.max_seconds: must be from 1 to 604800",
        "rules.disable: item 1: there is no rule dormant-acount; did you mean dormant-account?",
        "organization.name: must be text, not a whole number",
        'organization.timezone: "Europe/Berln" is not a time zone such as Europe/Berlin; did you mean Europe/Berlin?',
        'organization.email_domains: item 1 "@acme" is not a domain such as acme.example',
        'matching.kinds[1].kind: "servic" is not one of human, service, shared, break_glass, external',
        "matching.kinds[1].app: there is no application cmr; did you mean crm?",
    ]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[siem]\nkey = 'x'", "siem: unknown key"),
    ],
)
def test_tables_of_later_versions_are_unknown(write, table, told):
    """A table that this version does not know is refused rather than ignored."""
    (line,) = errors(write(DESIGN + table))

    assert line.startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["organization: missing", "roster: missing", "application: missing"]),
        ("application = []\n" + FRAME, ["application: there must be at least one [[application]]"]),
        (
            "[roster]\nid = 'hr'" + APPLICATION,
            ["organization: missing", "roster: must be tables, each headed [[roster]]"],
        ),
        (
            FRAME + "[[application]]\nid = 'Crm'\ntype = 'scim_file'",
            [
                'application[1] (Crm).id: "Crm" is not an id: lower-case letters, digits, _ and -, ',
                "application[1] (Crm).path: missing; type scim_file needs it",
            ],
        ),
        (
            FRAME + "date_format = '%d.%m'\nencoding = 'rot13'\ndelimiter = ';;'" + APPLICATION,
            [
                'roster[1] (hr).date_format: "%d.%m" does not hold year, month and day, such as ',
                'roster[1] (hr).encoding: "rot13" is not an encoding such as utf-8 or cp1252',
                'roster[1] (hr).delimiter: must be one character, such as ";", or one of comma, semicolon, tab, bar',
            ],
        ),
    ],
)
def test_errors_name_their_place(write, text, told):
    """What is missing, or is another kind of thing, is told with the place at which it should stand."""
    lines = errors(write(text))

    assert [line[: len(start)] for line, start in zip(lines, told, strict=True)] == told


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        (APPLICATION, "application[2] (crm).id: crm is taken by application[1]"),
        ("data = []", "application[1] (crm).data: must not be empty"),
        (
            "data = ['phi']",
            'application[1] (crm).data: item 1 "phi" is not one of personal, financial, ephi, cardholder',
        ),
        ('owner = "a\\nb"', "application[1] (crm).owner: must not hold line breaks or control characters"),
        ("owner = '  '", "application[1] (crm).owner: must not be empty"),
        ('"o\\nwner" = 1', 'application[1] (crm)."o\\nwner": unknown key; did you mean owner?'),
        ("[policy]\nservice_register = 'no.toml'", "policy.service_register: {}/no.toml: no such file or directory"),
        ("[matching]\nlinks = '.'", "matching.links: {} is not a file"),
        ("[matching]\nkinds = 'x'", "matching.kinds: must be tables, each headed [[matching.kinds]]"),
        (
            "[matching.domain_aliases]\n'a.example' = 'b.example'\n'b.example' = 'c.example'",
            "matching.domain_aliases.a.example: b.example is an alias itself; name the main domain",
        ),
        (
            "[report]\nframeworks = ['soxx']",
            'report.frameworks: item 1 "soxx" is not one of gdpr, hipaa, hipaa-nprm-2025, iso-27001, nist-800-53, '
            "pci-dss, soc2, sox",
        ),
        (
            "[rules.params.leaver-stil-active]",
            "rules.params.leaver-stil-active: there is no such rule; did you mean leaver-still-active?",
        ),
    ],
)
def test_one_error_is_one_line(write, addition, told):
    """A single mistake in an otherwise good file is told in a line of its own, whole."""
    path = write(FRAME + APPLICATION + addition)

    assert errors(path) == [told.replace("{}", str(path.parent))]


def test_roster_and_exports_may_be_missing_until_the_scan(write):
    """A file that arrives every night need not lie there when the configuration is read."""
    config = config_file.load(write(FRAME + APPLICATION))

    assert not config.rosters[0].path.exists()
    assert config.applications[0].path == config.path.parent / "crm.json"


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_refused(write, mode):
    """Whoever can write the configuration can hide an account."""
    path = write(DESIGN, mode)

    assert refusal(path) == (
        f"{path}: others may write this file (mode {mode:04o}), so it is not used. "
        f"Check what it says, then run: chmod go-w {path}"
    )


def test_broken_files_are_told_with_their_line(write, tmp_path):
    """Neither bad TOML, nor another encoding, nor a missing file ends in a traceback."""
    assert refusal(write("a = 1\nb = \n")).startswith(
        f"{tmp_path}/orphanscan.toml: not valid TOML: Invalid value (at line 2"
    )
    assert refusal(write(b"a = 1\nb = '\xe4'\n")) == (
        f"{tmp_path}/orphanscan.toml: line 2 is not UTF-8; save the file as UTF-8"
    )
    assert refusal(write(f"a = {'9' * 5000}\n")).endswith("not usable TOML: a number is too long")
    assert refusal(write(f"a = {'[' * 5000}\n")).endswith("not usable TOML: a value is nested too deeply")
    assert refusal(tmp_path / "no.toml") == f"{tmp_path}/no.toml: there is no such file"
    assert refusal(tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


def test_byte_order_mark_is_no_error(write):
    """Some editors write one."""
    assert config_file.load(write(b"\xef\xbb\xbf" + DESIGN.encode())).organization == "Acme"


def test_every_comment_of_the_starter_can_be_switched_on(write, tmp_path):
    """All that the starter shows in comments loads once its comment signs are taken away."""
    starter = paths.bundled("sample_data") / "starter"
    for file in starter.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / file.name).chmod(0o644)
    text = (starter / "orphanscan.toml").read_text(encoding="utf-8")
    switched_on = re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", text)

    assert switched_on != text
    assert len(config_file.load(write(switched_on)).applications) == 5


def test_values_that_are_missing_stay_away():
    """A table that was not given adds nothing."""
    problems = Problems(Path("x"))

    assert read_table({}, {}, "", problems) == {}
    assert tomllib.loads("") == {}
    problems.raise_if_any()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("identity_file = 'k'", "encryption.recipients: missing"),
        ("recipients = ['age1x']\nidentity_file = 'k'", "encryption.recipients: item 1 must be a public key of age"),
        (f"recipients = ['age1{'q' * 58}']", "encryption: needs one of identity_env, identity_file"),
        (
            f"recipients = ['age1{'q' * 58}']\nidentity_file = 'k'\nidentity_env = 'K'",
            "encryption: needs only one of identity_env, identity_file",
        ),
    ],
)
def test_encryption_needs_recipients_and_one_identity(write, keys, told):
    """What is wrong is told, and a private key in the wrong place is not repeated."""
    (line, *_) = errors(write(f"{DESIGN}[encryption]\n{keys}"))

    assert line.startswith(told)
