"""The configuration file: what loads, and how errors are told."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import config_file, paths
from scanner.config import Application, Auth, Config, KindPattern, Limits, Matching, Policy, Roster, Secret
from scanner.config_keys import Problems, read_table
from scanner.config_sources import read_application
from scanner.errors import ConfigError

DESIGN = """
[organization]
name = "Acme"
timezone = "Europe/Berlin"
email_domains = ["acme.example"]

[[roster]]
id = "hr"
type = "csv"
path = "hr.csv"

[[application]]
id = "crm"
name = "CRM"
type = "scim"
base_url = "https://crm.example/scim/v2"
auth = {type = "bearer", token_env = "CRM_TOKEN"}
data = ["personal", "financial", "ephi"]   # decides which framework reports it belongs to
owner = "jane@acme.example"
"""

FRAME = """
[organization]
name = "Acme"
timezone = "UTC"
[[roster]]
id = "hr"
path = "hr.csv"
"""

APPLICATION = """
[[application]]
id = "crm"
type = "scim_file"
path = "crm.json"
"""


@pytest.fixture
def write(tmp_path):
    """Write a configuration that only its owner may write, and return its path."""

    def write(text: str | bytes, mode: int = 0o644) -> Path:
        path = tmp_path / "orphanscan.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    return write


def refusal(path: Path) -> str:
    """Return the message with which a configuration is refused."""
    with pytest.raises(ConfigError) as caught:
        config_file.load(path)
    return str(caught.value)


def errors(path: Path) -> list[str]:
    """Return the lines of the message below the one that names the file."""
    first, *lines = refusal(path).splitlines()

    assert first == f"{path} cannot be used:"
    return [line.removeprefix("  ") for line in lines]


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
    path = write("""
state = "data"
[organization]
name = "Acme"
timezone = "Asia/Tokyo"
email_domains = ["ACME.example", "acme.example.net"]
[[roster]]
id = "hr"
type = "csv"
path = "/srv/hr.csv"
delimiter = "tab"
encoding = "cp1252"
date_format = "%d.%m.%Y"
columns = {employee_number = "Emp No", full_name = "Name"}
statuses = {Aktiv = "active"}
worker_types = {Extern = "contractor"}
time_zone = "Europe/Berlin"
max_shrink_percent = 2.5
min_rows = 10
done_marker = true
[[roster]]
id = "people"
type = "excel"
path = "../people.xlsx"
sheet = "Staff"
[[application]]
id = "erp"
type = "scim"
base_url = "http://erp.example:8080/scim"
allow_http = true
auth = {type = "oauth2", token_url = "https://sso.example/t", client_id = "me", scope = "a b", client_secret_file = "s"}
ca_file = "ca.pem"
profile = "generic"
coverage = "provisioned_only"
sso = false
external_id = "person_id"
attributes = {last_sign_in_at = "urn:acme:1.0:User:lastLogin", mfa = "mfa.enabled"}
limits = {page_size = 50, max_seconds = 60, timeout_seconds = 5, retries = 0}
[[application]]
id = "vault"
type = "none"
owner = "jo@acme.example"
reason = "no interface"
[scan]
fail_on = "low"
parallel = 2
max_seconds = 100
memory_mb = 512
[rules]
paths = ["rules"]
disable = ["dormant-account"]
max_seconds = 10
memory_mb = 1024
[rules.params.leaver-still-active]
sla_hours = 8
[policy]
privileged_entitlements = "privileged.toml"
service_register = "register.toml"
approved_domains = "domains.toml"
[matching]
links = "links.csv"
domain_aliases = {"OLD.example" = "acme.example"}
kinds = [{pattern = "svc-*", kind = "service"}, {pattern = "room-*", kind = "shared", app = "erp"}]
[report]
frameworks = ["sox"]
formats = ["html"]
privacy = "L2"
rows_per_rule = 5
prepared_by = "Internal audit"
""")

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
[privacy]
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
        "privacy: unknown key; did you mean policy?",
        "roster[1] (hr).columns.employe_number: unknown key; did you mean employee_number?",
        "roster[1] (hr).columns.email: must be text, not a whole number",
        "roster[1] (hr).path: missing",
        "roster[1] (hr).sheet: does not apply to type csv",
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
        ("[encryption]\nkey = 'x'", "encryption: unknown key"),
        ("[remediation]", "remediation: unknown key"),
        ("[waivers]", "waivers: unknown key"),
        ("[[notify]]", "notify: unknown key"),
    ],
)
def test_tables_of_later_versions_are_unknown(write, table, told):
    """A table that this version does not know is refused rather than ignored."""
    (line,) = errors(write(DESIGN + table))

    assert line.startswith(told)


@pytest.mark.parametrize(
    ("auth", "told"),
    [
        (
            'auth = {type = "bearer", token = "hunter2"}',
            [
                "application[1] (crm).auth.token: a secret never stands in this file; "
                "use one of token_env, token_file, token_keyring, token_command"
            ],
        ),
        (
            'auth = {type = "basic", username = "u", password = "hunter2"}',
            [
                "application[1] (crm).auth.password: a secret never stands in this file; "
                "use one of password_env, password_file, password_keyring, password_command"
            ],
        ),
        (
            'token = "hunter2"',
            [
                "application[1] (crm).token: a secret never stands in this file; "
                'use auth = {type = "bearer", token_env = ...}'
            ],
        ),
        (
            'auth = {type = "bearer", token_env = "hunter2-"}',
            [
                "application[1] (crm).auth.token_env: must be the name of an environment variable, "
                "such as CRM_TOKEN; not the secret itself"
            ],
        ),
        ('auth = "hunter2"', ["application[1] (crm).auth: must be a table, not text"]),
        (
            'auth = {type = "bearer", token_evn = "A"}',
            [
                "application[1] (crm).auth.token_evn: unknown key; did you mean token_env?",
                "application[1] (crm).auth: needs one of token_env, token_file, token_keyring, token_command",
            ],
        ),
        (
            'auth = {type = "bearer", token_env = "A", token_file = "b"}',
            ["application[1] (crm).auth: needs only one of token_env, token_file, token_keyring, token_command"],
        ),
        (
            'auth = {type = "bearr", token_env = "A"}',
            ['application[1] (crm).auth.type: "bearr" is not one of none, bearer, basic, oauth2, header'],
        ),
        (
            'auth = {type = "oauth2", client_id = "c", client_secret_command = "pass show crm"}',
            [
                "application[1] (crm).auth.client_secret_command: "
                'must be a list of words such as ["pass", "show", "crm"]; no shell reads it',
                "application[1] (crm).auth.token_url: missing",
            ],
        ),
        (
            'auth = {type = "oauth2", client_id = "c", token_url = "http://sso.example/t", client_secret_env = "A"}',
            ["application[1] (crm).auth.token_url: http sends secrets in clear; use https, or set allow_http = true"],
        ),
        (
            'auth = {type = "header", name = "X Key", value_keyring = "crm"}',
            [
                "application[1] (crm).auth.name: must be the name of an HTTP header, such as X-API-Key",
                'application[1] (crm).auth.value_keyring: must be "service/user", as stored in the keyring',
            ],
        ),
    ],
)
def test_secrets_are_named_never_written(write, auth, told):
    """A wrong way to sign in is told without a word of the secret."""
    path = write(f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "https://crm.example"\n{auth}\n')

    assert errors(path) == told
    assert "hunter2" not in refusal(path)


@pytest.mark.parametrize(
    ("auth", "secret"),
    [
        ('type = "bearer", token_keyring = "crm/bot"', Secret("keyring", "crm/bot")),
        (
            'type = "header", name = "X-Key", value_command = ["pass", "show", "crm"]',
            Secret("command", ("pass", "show", "crm")),
        ),
        ('type = "basic", username = "u", password_file = "/run/pw"', Secret("file", "/run/pw")),
        ('type = "none"', None),
    ],
)
def test_every_form_of_a_secret_is_a_reference(write, auth, secret):
    """Keyring, command and file arrive as references."""
    path = write(
        f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "https://crm.example"\nauth = {{{auth}}}\n'
    )

    assert config_file.load(path).applications[0].auth.secret == secret


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ftp://crm.example", "must be a URL such as https://crm.example/scim/v2"),
        ("crm.example/scim", "must be a URL such as https://crm.example/scim/v2"),
        ("https://crm.example:99999/", "is not a valid URL"),
        ("https://jo:hunter2@crm.example", "must not hold a user name or password; use auth"),
        ("https://crm.example/#top", "must not hold a fragment (#...)"),
        ("https://crm.example/?key=hunter2", "must not hold a query (?...)"),
        ("https://crm.example/a b", "must be a URL such as https://crm.example/scim/v2"),
        ("http://crm.example/scim", "http sends secrets in clear; use https, or set allow_http = true"),
        ("http://192.0.2.7/scim", "http sends secrets in clear; use https, or set allow_http = true"),
        ("http://localhost.crm.example/scim", "http sends secrets in clear; use https, or set allow_http = true"),
    ],
)
def test_bad_addresses_are_refused_without_repeating_them(write, address, told):
    """An address that is none, holds a secret, or would send one in clear is an error."""
    path = write(f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "{address}"\n')

    assert errors(path) == [f"application[1] (crm).base_url: {told}"]
    assert "hunter2" not in refusal(path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "crm.localhost"])
def test_this_machine_may_be_reached_by_http(write, host):
    """Plain http needs no permission where it never leaves the machine."""
    path = write(f'{FRAME}[[application]]\nid = "crm"\ntype = "scim"\nbase_url = "http://{host}/scim"\n')

    assert config_file.load(path).applications[0].base_url == f"http://{host}/scim"


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
    assert len(config_file.load(write(switched_on)).applications) == 4


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

    found = read_application(raw, "application[1]", Path("/srv"), problems)

    assert (found is None) == bool(problems.lines)


@given(text=st.text())
def test_any_text_is_refused_or_loads(text, tmp_path_factory):
    """No content of a file ends in anything but a ConfigError that names the file."""
    path = tmp_path_factory.mktemp("any") / "orphanscan.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    path.chmod(0o644)

    with pytest.raises(ConfigError, match=re.escape(str(path))):
        config_file.load(path)


def test_values_that_are_missing_stay_away():
    """A table that was not given adds nothing."""
    problems = Problems(Path("x"))

    assert read_table({}, {}, "", problems) == {}
    assert tomllib.loads("") == {}
    problems.raise_if_any()
