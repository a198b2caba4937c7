"""One scan of the starter, signed and stamped, that all tests of evidence only read or copy."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import authority
import pytest
from sealed_company import Company

from scanner import keys
from scanner.paths import bundled

STARTER = Path(__file__).parents[2] / "sample_data" / "starter"
ON = {
    "orphaned-account",
    "leaver-still-active",
    "dormant-account",
    "too-many-admins",
    "departed-person-data-kept",
    "population-incomplete",
}
"""A few rules, as all of them take seconds for what the tests here ask."""
SETTINGS = """
[report]
formats = ["html"]
frameworks = ["sox"]

[rules]
disable = {off}

[evidence]
signing_key_file = "evidence.pem"
timestamp_url = "{url}"
timestamp_ca_file = "{root}"
"""


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[authority.Authority]:
    """Return a timestamp authority on loopback."""
    with authority.running(tmp_path_factory.mktemp("tsa") / "authority") as running:
        yield running


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory, tsa: authority.Authority) -> Company:
    """Return a company that was scanned once; tests do not change it."""
    folder = tmp_path_factory.mktemp("company") / "company"
    shutil.copytree(STARTER, folder)
    for path in folder.iterdir():
        path.chmod(0o600)
    off = sorted({path.stem for path in bundled("rules").rglob("*.sql")} - ON)
    public = folder / "evidence.pub"
    public.write_text(keys.new(folder / "evidence.pem", None) + "\n")
    config = folder / "orphanscan.toml"
    config.write_text(config.read_text() + SETTINGS.format(url=tsa.url, root=tsa.root, off=json.dumps(off)))
    made = Company(folder, public)
    code, told = made.run("scan")
    assert code == 1, told
    assert "timestamp" not in told
    return made


@pytest.fixture
def bundle(company: Company, tmp_path: Path) -> Path:
    """Return a copy of the evidence that a test may change, far from any state folder."""
    target = tmp_path / "copied"
    shutil.copytree(company.bundle, target)
    return target
