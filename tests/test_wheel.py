"""The wheel: carries what a scan needs, and runs one from an empty folder in an environment of its own."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command; what it prints is in the failure message."""
    return subprocess.run(list(words), cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel once."""
    folder = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("orphanscan-*.whl"))


def test_the_wheel_carries_rules_cases_templates_fonts_and_sample_data(wheel: Path) -> None:
    """Each kind of file that is not Python is there."""
    names = zipfile.ZipFile(wheel).namelist()

    for part in (
        "scanner/_bundled/rules/lifecycle/leaver-still-active.sql",
        "scanner/_bundled/rules/frameworks/sox.toml",
        "scanner/_bundled/cases/leaver-still-active.toml",
        "scanner/_bundled/templates/base.html",
        "scanner/_bundled/templates/text/en.toml",
        "scanner/_bundled/sample_data/starter/orphanscan.toml",
        "scanner/_bundled/sample_data/expected.json",
        "scanner/store/audit.sql",
        "scanner/collectors/profiles/generic.toml",
    ):
        assert part in names
    assert any(name.startswith("scanner/_bundled/templates/fonts/") and name.endswith(".woff2") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_a_scan_runs_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """The quick start of the README, in a new environment that has the wheel and the dependencies only."""
    assert run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env", cwd=tmp_path).returncode == 0
    python = tmp_path / "env" / "bin" / "python"
    installed = run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    # The dependencies of this environment, after its own packages: `scanner` itself must come from the wheel.
    own = next((tmp_path / "env").rglob("site-packages"))
    (own / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    where = run(python, "-c", "import scanner; print(scanner.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(tmp_path))
    orphanscan = tmp_path / "env" / "bin" / "orphanscan"

    assert run(orphanscan, "init", "work", cwd=tmp_path).returncode == 0
    done = run(orphanscan, "scan", cwd=tmp_path / "work")

    assert done.returncode == 1, done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    assert {path.name for path in (folder / "reports").iterdir()} >= {"gdpr.pdf", "sox.html", "hipaa.pdf"}
    assert run(orphanscan, "rules", "test", "leaver-still-active", cwd=tmp_path).returncode == 0
