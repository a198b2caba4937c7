"""The policy inputs: what loads, and how errors are told."""

import hashlib
import os
from datetime import UTC, datetime

import pytest

from scanner.config import Application, Config
from scanner.errors import ConfigError
from scanner.policy import (
    ApprovedDomain,
    Link,
    Policies,
    PolicyInput,
    PrivilegedEntitlement,
    RegisterEntry,
    read_policies,
)
from scanner.settings import Matching, Policy

FILES = {
    "links": "links.csv",
    "service_register": "service_register.toml",
    "approved_domains": "approved_domains.toml",
    "privileged_entitlements": "privileged_entitlements.toml",
}
LINK_HEAD = "app,account_id,worker,decided_by,decided_at,reason\n"


@pytest.fixture
def config(tmp_path):
    """Return a function that makes a configuration with the applications crm and erp and the given policy files."""

    def config(**contents: str | bytes) -> Config:
        found = {}
        for name, content in contents.items():
            path = tmp_path / FILES[name]
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(0o644)
            found[name] = path
        return Config(
            path=tmp_path / "orphanscan.toml",
            sha256="",
            state=tmp_path / "state",
            organization="Acme",
            timezone="UTC",
            email_domains=(),
            rosters=(),
            applications=tuple(Application(app, app, "none") for app in ("crm", "erp")),
            matching=Matching(links=found.pop("links", None)),
            policy=Policy(**found),
        )

    return config


def errors(config: Config, file: str) -> list[str]:
    """Return the lines of the refusal below the one that names the file."""
    with pytest.raises(ConfigError) as caught:
        read_policies(config)
    first, *lines = str(caught.value).splitlines()

    assert first == f"{config.path.parent / file} cannot be used:"
    return [line.removeprefix("  ") for line in lines]


def test_nothing_supplied_is_no_input(config):
    """An input that was not supplied is absent, so that rules can say so."""
    assert read_policies(config()) == Policies()


def test_all_inputs_are_read(config):
    """Each file becomes typed entries, with its name, hash and number of entries for the evidence."""
    contents = {
        "links": LINK_HEAD + 'crm,u-1,p-7,Jo,2026-03-31,"twin, checked"\nerp,u-1,jo@acme.example,Jo,,agreed\n',
        "service_register": """
[[account]]
app = "crm"
username = "svc-backup"
kind = "service"
owner = "p-7"
attested_on = 2026-03-31
purpose = "nightly backup"
[[account]]
app = "erp"
account_id = "0007"
kind = "break_glass"
purpose = "fire"
""",
        "approved_domains": '[[domain]]\ndomain = "Partner.example"\nreason = "joint venture"\n',
        "privileged_entitlements": """
[[entitlement]]
entitlement = "*admin*"
[[entitlement]]
app = "e*"
entitlement = "Payments"
""",
    }

    policies = read_policies(config(**contents))

    day = datetime(2026, 3, 31, tzinfo=UTC)
    assert policies == Policies(
        links=(
            Link("crm", "u-1", "p-7", "Jo", day, "twin, checked"),
            Link("erp", "u-1", "jo@acme.example", "Jo", None, "agreed"),
        ),
        service_register=(
            RegisterEntry("crm", None, "svc-backup", "service", "p-7", day, "nightly backup"),
            RegisterEntry("erp", "0007", None, "break_glass", None, None, "fire"),
        ),
        approved_domains=(ApprovedDomain("partner.example", "joint venture"),),
        privileged_entitlements=(PrivilegedEntitlement("*", "*admin*"), PrivilegedEntitlement("e*", "Payments")),
        inputs=tuple(
            PolicyInput(name, FILES[name], hashlib.sha256(contents[name].encode()).hexdigest(), entries)
            for name, entries in (
                ("links", 2),
                ("service_register", 2),
                ("approved_domains", 1),
                ("privileged_entitlements", 2),
            )
        ),
    )


def test_empty_inputs_are_inputs(config):
    """A file without entries was supplied all the same."""
    policies = read_policies(config(links=LINK_HEAD, service_register="", approved_domains="# none\n"))

    assert [(item.name, item.entries) for item in policies.inputs] == [
        ("links", 0),
        ("service_register", 0),
        ("approved_domains", 0),
    ]


def test_register_errors_are_told_at_once(config):
    """Every error of a file is told with its line, the number of its entry and its key."""
    content = """
[[account]]
app = "crn"
username = "svc-a"
kind = "servce"
purpose = "x"
[[account]]
app = "crm"
kind = "service"
purpose = "x"
attested_on = "2026-03-31"
[[account]]
app = "crm"
usrname = "svc-a"
kind = "service"
[[account]]
app = "crm"
username = "svc-b"
kind = "shared"
purpose = "x"
[[account]]
app = "crm"
username = "svc-b"
kind = "service"
purpose = "y"
[[accounts]]
"""
    assert errors(config(service_register=content), "service_register.toml") == [
        "line 26: accounts: unknown key; did you mean account?",
        'line 5: account[1].kind: "servce" is not one of service, shared, break_glass',
        "line 11: account[2].attested_on: must be a date such as 2026-03-31, without quotes, not text",
        "line 14: account[3].usrname: unknown key; did you mean username?",
        "line 12: account[3].purpose: missing",
        "line 21: account[5]: says the same as account[4] (line 16); keep one of them",
        "line 3: account[1].app: there is no application crn; did you mean crm?",
        "line 7: account[2]: needs username or account_id",
        "line 12: account[3]: needs username or account_id",
    ]


def test_privileged_errors_name_the_nearest_application(config):
    """An entry for an application that does not exist would silently make nothing privileged."""
    content = """
[[entitlement]]
app = "ep"
entitlement = "a"
[[entitlement]]
app = "hr-*"
entitlement = "a"
[[entitlement]]
entitlement = "a"
[[entitlement]]
app = "*"
entitlement = "a"
"""
    assert errors(config(privileged_entitlements=content), "privileged_entitlements.toml") == [
        "line 10: entitlement[4]: says the same as entitlement[3] (line 8); keep one of them",
        "line 3: entitlement[1].app: there is no application ep; did you mean erp?",
        "line 6: entitlement[2].app: hr-* matches no application",
    ]


def test_domain_errors(config):
    """A domain is one domain, given once, with a reason."""
    content = """
[[domain]]
domain = "a.example"
reason = "x"
[[domain]]
domain = "A.EXAMPLE"
reason = "x"
[[domain]]
domain = "jo@b.example"
"""
    assert errors(config(approved_domains=content), "approved_domains.toml") == [
        'line 9: domain[3].domain: "jo@b.example" is not a domain such as acme.example',
        "line 8: domain[3].reason: missing",
        "line 5: domain[2]: says the same as domain[1] (line 2); keep one of them",
    ]


def test_link_errors_are_told_with_their_line(config):
    """Every wrong field of the links is told with its line and column."""
    content = (
        LINK_HEAD + "crm,u-1,p-1,Jo,2026-03-31,x\n"
        "crm,u-1,p-2,Jo,2026-03-31,x\n"
        "cmr,u-2,p-2,Jo,31.03.2026,x\n"
        "crm,u-3,,Jo,2026-03-31, \n"
        "crm,u-4\n"
    )

    assert errors(config(links=content), "links.csv") == [
        "line 3: says the same as line 2; keep one of them",
        "line 4: app: there is no application cmr; did you mean crm?",
        "line 4: decided_at: must be a date such as 2026-03-31",
        "line 5: worker: must not be empty",
        "line 5: reason: must not be empty",
        "line 6: must have 6 fields",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", ["line 1: column app is missing"]),
        (
            "app,acount_id,worker,decided_by,decided_at,reason\n",
            ["line 1: unknown column acount_id; did you mean account_id?", "line 1: column account_id is missing"],
        ),
        (LINK_HEAD.replace("\n", ",app\n"), ["line 1: a column is there twice"]),
        (LINK_HEAD + 'crm,"u-1', ["line 2: not valid CSV: unexpected end of data"]),
    ],
)
def test_damaged_links_are_refused(config, content, told):
    """A file that is no list of links is told as such."""
    assert errors(config(links=content), "links.csv")[: len(told)] == told


def test_links_that_a_spreadsheet_wrote_are_read(config):
    """A byte order mark and the line ends of other systems do not matter."""
    content = b"\xef\xbb\xbf" + (LINK_HEAD + "crm,u-1,p-1,Jo,2026-03-31,x\n").replace("\n", "\r\n").encode()

    assert [link.account_id for link in read_policies(config(links=content)).links] == ["u-1"]


def test_ids_that_differ_in_case_are_different_accounts(config):
    """Some systems give ids that differ in the case of a letter only."""
    content = LINK_HEAD + "crm,0015aB,p-1,Jo,,x\ncrm,0015Ab,p-2,Jo,,x\n"

    assert len(read_policies(config(links=content)).links) == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
@pytest.mark.parametrize("name", sorted(FILES))
def test_files_that_others_may_write_are_refused(config, name):
    """Each of these files can silence a finding, so that only its owner may write it."""
    settings = config(**{name: LINK_HEAD if name == "links" else ""})
    path = settings.path.parent / FILES[name]
    path.chmod(0o664)

    with pytest.raises(ConfigError) as caught:
        read_policies(settings)

    assert str(caught.value) == (
        f"{path}: others may write this file (mode 0664), so it is not used. "
        f"Check what it says, then run: chmod go-w {path}"
    )


def test_broken_toml_is_told_with_its_line(config):
    """A policy file that is no TOML is refused with the place of the error."""
    settings = config(approved_domains="[[domain]]\ndomain = partner.example\n")

    with pytest.raises(ConfigError, match=r"approved_domains\.toml: not valid TOML: .*line 2"):
        read_policies(settings)
