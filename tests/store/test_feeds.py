"""What identity providers say of accounts in the applications that they let people into."""

import json
from pathlib import Path

from load_world import AS_OF, World, loaded, rows

from scanner.config import Application
from scanner.model import Collected, Source, Verdict
from scanner.policy import Policies
from scanner.store import feeds

CRM = Application("crm", "CRM", "scim", attributes={"mfa": "mfa"})
OWN_WORDS = {"ada": None, "bo": None, "cy": None, "di": "false", "ev": "true"}
USERS = [{"id": f"id-{name}", "userName": name, "mfa": word} for name, word in OWN_WORDS.items()]


def test_a_provider_speaks_of_second_factors_after_the_application_and_the_file(tmp_path: Path) -> None:
    """Its rows name accounts by id or user name; the first provider counts, and of its rows the worse one."""
    file = tmp_path / "mfa.csv"
    file.write_text("app,account,mfa\ncrm,ada,false\ncrm,di,true\ncrm,nobody,true\n")
    said = {
        "first": [("ada", True), ("bo", True), ("id-bo", False), ("di", False), ("ev", False), ("nobody", True)],
        "second": [("bo", True), ("cy", True), ("CY", True)],
    }
    collected = []
    for provider, told in said.items():
        lines = tmp_path / f"{provider}.ndjson"
        lines.write_text(
            "".join(json.dumps({"app": "crm", "account": a, "mfa": str(m).lower()}) + "\n" for a, m in told)
        )
        collected.append(Collected(Source(provider, "application", "okta", Verdict.COMPLETE), {"mfa": lines}))
    with loaded(tmp_path, World(users={"crm": USERS}, applications=(CRM,))) as con:
        feeds.load(con, Policies(feeds=(("mfa", file),)), AS_OF, collected)

        assert rows(con, "n_mfa", "account_id", "mfa") == [
            ("id-ada", False),
            ("id-bo", False),
            ("id-cy", True),
            ("id-di", True),
        ]
        assert rows(con, "policy_inputs", "name", "entries", "unmatched") == [("mfa", 9, 1)]
