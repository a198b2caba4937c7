"""Types of applications that installed packages bring."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gatehouse
import pytest
import rig_installed
from config_files import FRAME, errors
from contract import CANARY
from in_process import orphanscan

from scanner.collectors import installed
from scanner.collectors.interface import ApplicationType, no_progress
from scanner.config import Application
from scanner.errors import ConfigError, SourceError, StoreError
from scanner.model import Collected, Source, Verdict

TABLE = """
[[application]]
id = "doors"
type = "gatehouse"
base_url = "{base_url}"
auth = {{ type = "header", name = "X-Api-Key", value_env = "CONTRACT_DOORS" }}
settings = {{ site = "hq" }}
coverage = "all"
"""
HR = "employee_number,full_name,email,status\n1,Ada Lovelace,ada@acme.example,active\n"


@pytest.fixture(autouse=True, scope="module")
def _package() -> None:
    """Install the package of the documentation."""
    rig_installed.kind()


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Path]:
    """Make a folder for further packages, found by Python and forgotten afterwards."""
    folder = tmp_path / "packages"
    folder.mkdir()
    with gatehouse.on_path(folder):
        yield folder
    installed._loaded.cache_clear()


def bring(folder: Path, name: str, module: str, code: str, package: str = "other") -> None:
    """Install a package with one entry point."""
    metadata = folder / f"{package}-2.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.0\n")
    (metadata / "entry_points.txt").write_text(f"[orphanscan.sources]\n{name} = {module}:TYPE\n")
    (folder / f"{module}.py").write_text(code)


def write(folder: Path, text: str) -> Path:
    """Write a configuration that only its owner may write."""
    file = folder / "orphanscan.toml"
    file.write_text(text)
    file.chmod(0o600)
    return file


def test_a_scan_reads_it_as_any_other_source(tmp_path: Path) -> None:
    """Orphans in it are found, its list is complete, and the evidence names the package; `doctor` looks at it."""
    (tmp_path / "hr.csv").write_text(HR)
    people = [
        {"id": "007", "login": "ada", "mail": "ada@acme.example", "state": "Active"},
        {"id": "008", "login": "gone", "mail": "gone@acme.example", "state": "Active"},
    ]
    with gatehouse.serving(gatehouse.Doors(people, CANARY)) as base_url:
        report = '[report]\nformats = ["html"]\nframeworks = ["sox"]\n'
        write(tmp_path, FRAME + TABLE.format(base_url=base_url) + report)
        examined = json.loads(orphanscan(tmp_path, "doctor", "--json").stdout)
        done = orphanscan(tmp_path, "scan", "--json")

    checks = {one["check"]: (one["result"], one["detail"]) for one in examined["checks"]}
    assert checks["application doors"] == ("ok", "2 people stated")
    kept = Path(json.loads(done.stdout)["dir"])
    document = json.loads((kept / "findings.json").read_text())
    found = [one["account_id"] for one in document["findings"] if one["rule"] == "orphaned-account"]
    assert found == ["008"]
    (doors,) = (one for one in document["sources"] if one["id"] == "doors")
    assert (doors["verdict"], doors["stated"], doors["collected"]) == ("complete", 2, 2)
    assert "(by orphanscan-gatehouse 1.0)" in (kept / "evidence" / "collection.json").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('{ site = "hq" }', "{ }", "application[1] (doors).settings.site: missing"),
        ('{ site = "hq" }', "{ site = 1 }", "application[1] (doors).settings.site: must be text, not a whole number"),
        ("site =", "sight =", "application[1] (doors).settings.sight: unknown key; did you mean site?"),
        (
            '{ site = "hq" }',
            '{ site = "hq", login = { Password = "canary" } }',
            "application[1] (doors).settings.Password: a secret never stands in this file",
        ),
        ("base_url", "# ", "application[1] (doors).base_url: missing; type gatehouse needs it"),
        (
            "coverage",
            'profile = "generic"\ncoverage',
            "application[1] (doors).profile: does not apply to type gatehouse",
        ),
        ('"gatehouse"', '"gatehose"', 'application[1] (doors).type: "gatehose" is not one of '),
    ],
)
def test_its_table_is_checked_as_its_package_says(old: str, new: str, said: str, tmp_path: Path) -> None:
    """Every error names the key."""
    text = TABLE.format(base_url="https://gatehouse.example").replace(old, new)

    assert any(line.startswith(said) for line in errors(write(tmp_path, FRAME + text)))


def test_settings_belong_to_packages(tmp_path: Path) -> None:
    """A type of orphanscan has tables of its own."""
    text = '[[application]]\nid = "crm"\ntype = "scim_file"\npath = "x"\nsettings = {}\n'

    assert errors(write(tmp_path, FRAME + text)) == ["application[1] (crm).settings: does not apply to type scim_file"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('no luck')", "which cannot be loaded: RuntimeError: no luck"),
        ("raise SystemExit(0)", "which cannot be loaded: SystemExit: 0"),
        ("TYPE = 1", "whose entry point is no ApplicationType"),
        (
            "from scanner.collectors.interface import ApplicationType\n"
            "TYPE = ApplicationType(collect=None, look=None, keys=('write',))",
            "which wants keys it cannot have: write",
        ),
    ],
)
def test_a_package_that_is_broken_is_named(code: str, said: str, packages: Path, tmp_path: Path) -> None:
    """With its version; it is loaded only by a configuration that names its type."""
    bring(packages, "broken", f"broken_{abs(hash(code))}", code)
    text = '[[application]]\nid = "x"\ntype = "broken"\n'

    (line,) = errors(write(tmp_path, FRAME + text))

    assert line == f"application[1] (x).type: type broken comes from other 2.0, {said}"


def test_no_package_replaces_what_orphanscan_brings(packages: Path) -> None:
    """A package with the name of a built-in type is not even loaded."""
    bring(packages, "scim", "thief", "raise SystemExit('loaded')")

    assert installed.application_type("scim").provider == ""
    assert "scim" not in installed.installed()


def test_two_packages_with_one_type_are_refused(packages: Path) -> None:
    """Which of them is meant cannot be told."""
    bring(packages, "twice", "one", "TYPE = 1", "first")
    bring(packages, "twice", "two", "TYPE = 2", "second")

    with pytest.raises(ConfigError, match=r"two packages bring sources of type twice: .* 2\.0 and .* 2\.0"):
        installed.application_type("twice")


APP = Application("x", "X", "brought")


def brought(**more: Any) -> ApplicationType:
    """Return a type as a package brings it, held to the contract."""
    kind: ApplicationType = ApplicationType(collect=more.pop("collect", None), look=more.pop("look", None))
    return installed._held(replace(kind, provider="other 2.0"))


@pytest.mark.parametrize(
    ("numbers", "verdict", "said"),
    [
        ({"stated": 3, "collected": 2}, Verdict.UNKNOWN, "with 2 of 3 accounts"),
        ({"stated": 5, "collected": 5}, Verdict.UNKNOWN, "counts 5 accounts and leaves 2"),
        ({"collected": 2, "rejected": 1}, Verdict.SHORT, "with 1 rejected rows"),
        ({"stated": 2, "collected": 2}, Verdict.COMPLETE, ""),
    ],
)
def test_a_list_is_complete_only_with_numbers_that_say_so(
    numbers: dict[str, int], verdict: Verdict, said: str, tmp_path: Path
) -> None:
    """Whatever its package calls it; it speaks for no other source."""
    source = Source("hr", "roster", "csv", Verdict.COMPLETE, **numbers)
    users = tmp_path / "users.ndjson"
    users.write_text('{"id": "1"}\n{"id": "2"}\n')
    kind = brought(collect=lambda app, into, progress: Collected(source, {"users": users}))

    found = kind.collect(APP, tmp_path, no_progress).source

    assert (found.verdict, found.id, found.kind, found.type) == (verdict, "x", "application", "brought")
    assert said in found.detail


@pytest.mark.parametrize("fault", [KeyError, SystemExit, RecursionError])
def test_a_fault_of_a_package_fails_its_source_alone(fault: type[BaseException], tmp_path: Path) -> None:
    """Its message may hold anything, so that only its kind is told; what is no list at all is a fault too."""

    def fail(*words: object) -> Any:
        raise fault(CANARY)

    kind = brought(collect=fail, look=fail)

    found = kind.collect(APP, tmp_path, no_progress).source

    assert (found.verdict, found.detail) == (Verdict.FAILED, f"other 2.0 failed ({fault.__name__}); tell its makers")
    with pytest.raises(SourceError, match=rf"other 2\.0 failed \({fault.__name__}\)"):
        kind.look(APP)
    nothing = brought(collect=lambda app, into, progress: None).collect(APP, tmp_path, no_progress).source
    assert nothing.verdict is Verdict.FAILED


def test_a_full_disk_is_no_fault_of_a_package(tmp_path: Path) -> None:
    """The scan ends, as for every source."""

    def fail(*words: object) -> Any:
        raise StoreError("no space left")

    with pytest.raises(StoreError):
        brought(collect=fail).collect(APP, tmp_path, no_progress)


def test_a_list_without_its_file_is_not_complete(tmp_path: Path) -> None:
    """Five accounts of which none was left."""
    source = Source("x", "application", "brought", Verdict.COMPLETE, collected=5, stated=5)

    found = brought(collect=lambda *words: Collected(source)).collect(APP, tmp_path, no_progress).source

    assert found.verdict is Verdict.UNKNOWN
    assert "counts 5 accounts and leaves 0" in found.detail


def test_a_verdict_is_one_of_ours(tmp_path: Path) -> None:
    """A text of the same letters would pass all checks of the numbers."""
    source = Source("x", "application", "brought", "complete", collected=1, stated=5)  # type: ignore[arg-type]

    found = brought(collect=lambda *words: Collected(source)).collect(APP, tmp_path, no_progress).source

    assert found.verdict is Verdict.FAILED
    assert "scanner.model.Verdict" in found.detail


def test_files_that_no_scan_can_use_fail_their_source_alone(tmp_path: Path) -> None:
    """Outside of its folder, of kinds that applications do not have, missing, links, folders: none of them is kept."""
    source = Source("x", "application", "brought", Verdict.COMPLETE)
    into = tmp_path / "into"
    into.mkdir()
    for folder in (tmp_path, into):
        (folder / "rows.ndjson").write_text('{"id": "1"}\n')
    (into / "link.ndjson").symlink_to(tmp_path / "rows.ndjson")
    (into / "folder").mkdir()
    for files in (
        {"users": tmp_path / "rows.ndjson"},
        {"users": into / ".." / "rows.ndjson"},
        {"workers": into / "rows.ndjson"},
        *({"users": into / name} for name in ("missing.ndjson", "link.ndjson", "folder")),
    ):
        kind = brought(collect=lambda app, into, progress, files=files: Collected(source, files))

        found = kind.collect(APP, into, no_progress)

        assert (found.source.verdict, found.files) == (Verdict.FAILED, {}), files
        assert found.source.detail == "it left files that no scan can use"


def test_a_lying_package_does_not_end_the_scan(packages: Path, tmp_path: Path) -> None:
    """Its source fails; the report on the others is there."""
    code = (
        "from scanner.collectors.interface import ApplicationType, Look\n"
        "from scanner.model import Collected, Source, Verdict\n"
        "def collect(app, into, progress):\n"
        "    source = Source(app.id, 'application', app.type, Verdict.COMPLETE, collected=5, stated=5)\n"
        "    return Collected(source, {'users': into / 'users.ndjson'})\n"
        "TYPE = ApplicationType(collect=collect, look=lambda app: Look(''))\n"
    )
    bring(packages, "liar", "liar", code)
    (tmp_path / "hr.csv").write_text(HR)
    report = '[report]\nformats = ["html"]\nframeworks = ["sox"]\n'
    write(tmp_path, f'{FRAME}[[application]]\nid = "lies"\ntype = "liar"\n{report}')

    done = orphanscan(tmp_path, "scan", "--json")

    kept = Path(json.loads(done.stdout)["dir"])
    sources = {one["id"]: one["verdict"] for one in json.loads((kept / "findings.json").read_text())["sources"]}
    assert sources["lies"] == "failed"
    assert "complete" in sources.values()


def test_the_example_is_about_sixty_lines() -> None:
    """What is promised in the documentation."""
    lines = [line for line in gatehouse.blocks()["orphanscan_gatehouse.py"].splitlines() if line.strip()]

    assert len(lines) <= 66
