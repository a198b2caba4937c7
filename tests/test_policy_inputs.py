"""The policy inputs of every kind: examples, schemas, refusals, and what rules see of them."""

import csv
import json
import shutil
import tomllib
from pathlib import Path

import duckdb
import jsonschema
import pytest
from in_process import orphanscan

from scanner import docs
from scanner.config import Application, Config
from scanner.errors import ConfigError
from scanner.policy import INPUTS, Policies, read_policies
from scanner.settings import Matching, Policy

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "sample_data" / "policy"
STARTER = ROOT / "sample_data" / "starter"


def config(folder: Path, **contents: str) -> Config:
    """Return a configuration with the applications crm, erp and directory, and the given policy files."""
    found = {}
    for name, content in contents.items():
        found[name] = folder / INPUTS[name].file_name
        found[name].write_text(content)
        found[name].chmod(0o600)
    apps = tuple(Application(app, app, "none") for app in ("crm", "erp", "directory"))
    return Config(
        folder / "orphanscan.toml", "", folder, "Acme", "UTC", (), (), apps, matching=Matching(), policy=Policy(**found)
    )


def refused(folder: Path, **contents: str) -> list[str]:
    """Return the lines of the refusal below the one that names the file."""
    with pytest.raises(ConfigError) as caught:
        read_policies(config(folder, **contents))
    return [line.removeprefix("  ") for line in str(caught.value).splitlines()[1:]]


def test_every_input_is_a_key_of_the_configuration() -> None:
    """What can be described can be supplied, and the other way round."""
    assert set(INPUTS) == set(Policy.__dataclass_fields__)


@pytest.mark.parametrize("name", INPUTS)
def test_the_example_of_an_input_is_read_and_fits_its_schema(tmp_path: Path, name: str) -> None:
    """Program, schema and example agree, and the example says what its keys mean."""
    text = (EXAMPLES / INPUTS[name].file_name).read_text()
    policies = read_policies(config(tmp_path, **{name: text}))
    schema = json.loads((EXAMPLES / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    if INPUTS[name].is_csv:
        rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(text.splitlines())]
        documents = [{k: {"true": True, "false": False}.get(v, v) for k, v in row.items()} for row in rows]
    else:
        assert text.startswith(f"#:schema ./{name}.schema.json\n# ")
        documents = [json.loads(json.dumps(tomllib.loads(text), default=str))]

    for document in documents:
        jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(documents[0] | {"zzzzzz": 1}, schema)
    assert [(item.name, item.entries > 0) for item in policies.inputs] == [(name, True)]


def test_the_schemas_are_those_of_the_program() -> None:
    """Run `make docs` after a change of an input."""
    for path, text in docs.schema_files():
        assert path.read_text() == text, path


def test_what_is_wrong_in_a_matrix_or_a_policy_is_told_with_its_place(tmp_path: Path) -> None:
    """Names that nothing gives, applications that do not exist, pairs that are there twice."""
    function = '[[function]]\nname = "pay"\napp = "erp"\nentitlement = "PAY"\n'
    conflict = '[[conflict]]\nfirst = "{}"\nsecond = "{}"\nrisk = "r"\n'

    assert refused(tmp_path, duty_conflicts=function + conflict.format("pay", "payy")) == [
        "line 7: conflict[1].second: there is no [[function]] payy; did you mean pay?"
    ]
    assert refused(tmp_path, duty_conflicts=function + conflict.format("pay", "pay")) == [
        "line 5: conflict[1]: names one function twice"
    ]
    two = function + function.replace("pay", "buy").replace("PAY", "BUY")
    assert refused(tmp_path, duty_conflicts=two + conflict.format("pay", "buy") + conflict.format("buy", "pay")) == [
        "line 13: conflict[2]: says the same as conflict[1] (line 9); keep one of them"
    ]
    assert refused(tmp_path, role_policy='groups_only = ["erp", "wiki"]\n[[allow]]\napp = "erq"\n') == [
        "line 2: allow[1].entitlement: missing",
        "line 1: groups_only: item 2: there is no application wiki; known: crm, directory, erp",
        "line 3: allow[1].app: there is no application erq; did you mean erp?",
    ]
    assert refused(tmp_path, erasure_schedule='[[keep]]\ndays = -1\nbasis = "law"\n') == [
        "line 2: keep[1].days: must be from 0 to 36500"
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("sign_ins", "app,account\ncrm,1\n", ["line 1: column signed_in_at is missing"]),
        (
            "sign_ins",
            "app,acount,signed_in_at\ncrm,1,2026-01-01\n",
            ["line 1: unknown column acount; did you mean account?", "line 1: column account is missing"],
        ),
        (
            "sign_ins",
            "app,account,signed_in_at,interactive\ncrm,,2026-01-01,\ncrm,1,yesterday,\ncrm,1,2026-01-01T08:00Z,maybe\n",
            [
                "line 2: account: must not be empty",
                "line 3: signed_in_at: must be a time such as 2026-03-31T09:00:00Z",
                "line 4: interactive: must be true or false",
            ],
        ),
        (
            "access_reviews",
            "campaign,app,account,reviewer,decision\nQ1,crm,1,p,kept\n",
            ["line 2: decision: must be one of keep, revoke, undecided"],
        ),
        ("mfa", "app,account,mfa,mfa\ncrm,1,true,true\n", ["line 1: a column is there twice"]),
        (
            "mfa",
            "",
            ["line 1: column app is missing", "line 1: column account is missing", "line 1: column mfa is missing"],
        ),
    ],
)
def test_what_is_wrong_in_a_list_is_told_with_its_line(tmp_path: Path, name: str, text: str, told: list[str]) -> None:
    """A list that cannot be used stops the scan before anything is collected."""
    assert refused(tmp_path, **{name: text}) == told


def test_a_list_that_is_no_csv_is_refused(tmp_path: Path) -> None:
    """Rows with too many fields and quotes that never end."""
    for text in ("app,account,mfa\ncrm,1,true,9\n", 'app,account,mfa\ncrm,"1,true\n'):
        (line,) = refused(tmp_path, mfa=text)
        assert line.startswith("not valid CSV: "), line


def test_a_list_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """A sign-in or a second factor that is not true can silence a finding."""
    settings = config(tmp_path, mfa="app,account,mfa\n")
    (tmp_path / "mfa.csv").chmod(0o666)

    with pytest.raises(ConfigError, match="others may write this file"):
        read_policies(settings)


def test_approval_needs_a_name_and_a_day(tmp_path: Path) -> None:
    """Half an approval is none."""
    for text, approved in (
        ("", False),
        ('approved_by = "Jo"\n', False),
        ('approved_by = "Jo"\napproved_on = 2026-01-01\n', True),
    ):
        (item,) = read_policies(config(tmp_path, role_policy=text)).inputs
        assert (item.needs_approval, item.approved_at is not None) == (True, approved)


def test_no_input_is_no_value(tmp_path: Path) -> None:
    """An input that was not supplied leaves no trace."""
    assert read_policies(config(tmp_path)) == Policies()


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scan the starter company with every input, and return the folder of the audit tables."""
    folder = tmp_path_factory.mktemp("inputs") / "company"
    shutil.copytree(STARTER, folder)
    inputs = {
        "role_policy": 'approved_by = "Jo"\napproved_on = 2026-01-01\ngroups_only = ["crm"]\n'
        'separate_admin_accounts = ["crm"]\n'
        '[[allow]]\nentitlement = "admin*"\ndepartments = ["IT", "Man*"]\njob_titles = ["*"]\n',
        "duty_conflicts": '[[function]]\nname = "run"\napp = "crm"\nentitlement = "Administrators"\n'
        '[[function]]\nname = "ask"\napp = "crm"\nentitlement = "Staff"\n'
        '[[conflict]]\nfirst = "run"\nsecond = "ask"\nrisk = "all"\ncompensating_control = "log"\n',
        "erasure_schedule": '[[keep]]\nbasis = "policy"\n[[keep]]\napp = "crm"\ndays = 30\nbasis = "law"\n'
        '[[hold]]\nworker = "0004"\nreason = "M-1"\n',
        "access_reviews": "campaign,app,account,entitlement,reviewer,decision,decided_at\n"
        "Q1,crm,Greta.Lindholm,administrators,0001,revoke,2026-01-10T10:00:00Z\nQ1,crm,gone,,0001,keep,2026-01-10\n",
        "idp_assignments": "app,worker\ncrm,0007\ncrm,nobody@x.example\n",
        "grant_approvals": "app,account,entitlement,granted_at,granted_by,approved_by\n"
        "crm,greta.lindholm,Administrators,2025-01-01T00:00:00Z,greta.lindholm,0001\n"
        "crm,greta.lindholm,Administrators,2024-01-01T00:00:00Z,0002,0002\n",
        "sign_ins": "app,account,signed_in_at,interactive\ncrm,elif.sahin,2026-02-27T09:00:00+01:00,true\n"
        "crm,elif.sahin,2026-02-27T09:00:00+01:00,true\ncrm,elif.sahin,2027-01-01T00:00:00Z,\nmars,x,2026-01-01,\n",
        "mfa": "app,account,mfa\ncrm,elif.sahin,false\n",
    }
    for name, text in inputs.items():
        (folder / INPUTS[name].file_name).write_text(text)
    settings = (folder / "orphanscan.toml").read_text()
    keys = "".join(f'{name} = "{INPUTS[name].file_name}"\n' for name in inputs)
    settings = settings.replace("[policy]\n", f"[policy]\n{keys}", 1)
    (folder / "orphanscan.toml").write_text(settings)
    for path in folder.iterdir():
        path.chmod(0o600)
    done = orphanscan(folder, "collect", "--json", "--as-of", "2026-03-01T06:00:00Z")
    assert done.returncode in (0, 3), done.stderr
    return Path(json.loads(done.stdout)["dir"]) / "evidence" / "audit"


def rows(audit: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query in which {name} stands for a table."""
    tables = {path.stem: f"'{path}'" for path in audit.glob("*.parquet")}
    return duckdb.sql(query.format(**tables)).fetchall()


def test_every_input_is_readable_in_sql(audit: Path) -> None:
    """By the ids that the scan knows accounts, entitlements and people by."""
    account = "(select account_id from {accounts} where username = '%s')"
    admins = rows(audit, "select entitlement from {entitlements} where name = 'Administrators'")[0][0]

    assert rows(audit, "select distinct department, job_title, is_birthright from {role_policy} order by all") == [
        ("it", "*", False),
        ("man*", "*", False),
    ]
    assert rows(audit, "select conflict, compensating_control from {duty_conflicts}") == [("ask/run", "log")]
    assert rows(audit, "select name, functions from {entitlements} order by name") == [
        ("Administrators", ["run"]),
        ("Staff", ["ask"]),
    ]
    assert rows(audit, "select app, keep_days, basis from {erasure_schedule} order by app") == [
        ("crm", 30, "law"),
        ("warehouse", None, "policy"),
    ]
    assert rows(audit, "select worker_id, reason from {legal_holds}") == [("hr:0004", "M-1")]
    assert rows(audit, "select app, worker_id from {idp_assignments}") == [("crm", "hr:0007")]
    assert rows(
        audit,
        "select entitlement, decision, reviewer_worker_id from {review_items} where account_id = "
        + account % "greta.lindholm",
    ) == [(admins, "revoke", "hr:0001")]
    assert rows(
        audit,
        "select granted_at::varchar, granted_by_worker_id, approved_by_worker_id from {grants}"
        " where approved_by is not null",
    ) == [("2025-01-01 00:00:00", "hr:0007", "hr:0001")]
    assert rows(audit, "select signed_in_at::varchar, interactive from {sign_ins}") == [("2026-02-27 08:00:00", True)]
    assert rows(audit, "select last_sign_in_at::varchar, mfa from {accounts} where username = 'elif.sahin'") == [
        ("2026-02-27 08:00:00", False)
    ]
    stated = "select groups_only, separate_admin_accounts from {applications} where app = 'crm'"
    assert rows(audit, stated) == [(True, True)]


def test_rows_that_name_nobody_known_are_counted(audit: Path) -> None:
    """A wrong export shows itself."""
    assert dict(rows(audit, "select name, unmatched from {policy_inputs} where unmatched is not null")) == {
        "access_reviews": 1,
        "idp_assignments": 1,
        "grant_approvals": 0,
        "sign_ins": 1,
        "mfa": 0,
    }
    assert rows(audit, "select name from {policy_inputs} where needs_approval and approved_at is null") == [
        ("duty_conflicts",)
    ]


def test_everything_that_can_silence_a_rule_is_counted(audit: Path) -> None:
    """Each kind with its number of entries."""
    counted = dict(rows(audit, "select kind, entries from {suppressions}"))

    assert {"role_policy": 1, "birthrights": 0, "retentions": 2, "legal_holds": 1, "mfa_overrides": 0}.items() <= (
        counted.items()
    )


def test_what_can_silence_a_rule_is_told_with_its_change_since_the_scan_before(audit: Path) -> None:
    """A register that grew between two scans shows itself."""
    folder = audit.parents[4]
    register = folder / INPUTS["service_register"].file_name
    text = register.read_text()
    register.write_text(f'{text}\n[[account]]\napp = "crm"\nusername = "svc-new"\nkind = "service"\npurpose = "x"\n')

    collected = orphanscan(folder, "collect", "--json", "--as-of", "2026-03-02T06:00:00Z")
    done = orphanscan(folder, "check", "--exit-zero")

    later = Path(json.loads(collected.stdout)["dir"]) / "evidence" / "audit"
    counted = rows(later, "select entries, previous_entries from {suppressions} where kind = 'service_register'")
    assert counted == [(1, 0)]
    assert "service register 1 +1" in " ".join(done.stderr.split())
