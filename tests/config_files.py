"""Configurations for tests, and how their errors are read."""

from pathlib import Path

import pytest

from scanner import config_file
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

EVERY_KEY = """
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
ca_file = "ca.pem"
profile = "generic"
coverage = "provisioned_only"
sso = false
external_id = "person_id"
attributes = {last_sign_in_at = "urn:acme:1.0:User:lastLogin", mfa = "mfa.enabled"}
limits = {page_size = 50, max_seconds = 60, timeout_seconds = 5, retries = 0}
[application.auth]
type = "oauth2"
token_url = "https://sso.example/t"
client_id = "me"
scope = "a b"
client_secret_file = "s"
acknowledged_origins = ["https://sso.example"]
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
recipient = "Internal Audit"
rows_per_rule = 5
prepared_by = "Internal audit"
[evidence]
signing_key_command = ["pass", "evidence"]
passphrase_env = "EVIDENCE_PASSPHRASE"
timestamp_url = "http://timestamp.example/"
timestamp_ca_file = "ca.pem"
timestamp_seconds = 5
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
