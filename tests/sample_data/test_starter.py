"""The starter: what `init` writes can be scanned at once, and shows something."""

import json

import pytest
from in_process import orphanscan


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """Write the starter into an empty folder, scan it without reports, and return what was found."""
    folder = tmp_path_factory.mktemp("starter")
    for words in (["init"], ["collect", "--as-of", "2026-11-20T06:00:00Z"], ["check", "latest"]):
        done = orphanscan(folder, *words)
        assert done.returncode in (0, 1), done.stderr
    [path] = folder.glob("*/scans/*/findings.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_starter_shows_what_its_comments_promise(findings):
    """Each planted violation of the starter is found, and nothing else."""
    found = {(finding["rule"], finding["app"], finding["username"]) for finding in findings["findings"]}

    assert found == {
        ("leaver-still-active", "crm", "dmitri.volkov"),
        ("orphaned-account", "crm", "old.intranet"),
        ("duplicate-accounts", "crm", "chiara.neri.2"),
        ("contract-ended-still-active", "crm", "keiko.tanaka"),
        ("service-account-without-owner", "crm", "svc-backup"),
        ("disabled-keeps-privilege", "crm", "hugo.martin"),
        ("population-incomplete", "warehouse", None),
    }


def test_starter_is_complete(findings):
    """Both sources of the starter are read to their end."""
    assert {source["id"]: source["verdict"] for source in findings["sources"]} == {"hr": "complete", "crm": "complete"}
