"""The wheel: carries what a scan needs, and runs one from an empty folder in an environment of its own."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*words: str | Path, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command outside the checkout: neither PYTHONPATH nor the current folder leads back to it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PATH"] = path or env["PATH"]
    return subprocess.run(list(words), cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)


def quick_start() -> str:
    """Return the commands with which the README begins a first scan."""
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"^## A first real scan.*?^```\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert found, "README.md has no quick start"
    return found[1]


def empty(parent: Path) -> Path:
    """Return a folder that holds nothing."""
    folder = parent / "empty"
    folder.mkdir(exist_ok=True)
    assert not list(folder.iterdir())
    return folder


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
        *(str(file.relative_to(ROOT)) for file in (ROOT / "scanner/collectors/profiles").glob("*.toml")),
    ):
        assert part in names
    assert any(name.startswith("scanner/_bundled/templates/fonts/") and name.endswith(".woff2") for name in names)
    assert not any(name.startswith("tests/") for name in names)


def test_a_scan_runs_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """The quick start of the README, word for word, in an environment of the wheel and its dependencies."""
    assert run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "env", cwd=tmp_path).returncode == 0
    python = tmp_path / "env" / "bin" / "python"
    installed = run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel, cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    # The dependencies of this environment, after its own packages: `scanner` itself must come from the wheel.
    own = next((tmp_path / "env").rglob("site-packages"))
    (own / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    where = run(python, "-c", "import scanner; print(scanner.__file__)", cwd=tmp_path)
    assert where.stdout.startswith(str(tmp_path))
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    assert "orphanscan init" in quick_start()
    assert "orphanscan scan" in quick_start()

    done = run("bash", "-ec", quick_start(), cwd=tmp_path, path=path)

    assert done.returncode == 1, done.stdout + done.stderr
    folder = Path(done.stdout.splitlines()[-1])
    assert {file.name for file in (folder / "reports").iterdir()} >= {"gdpr.pdf", "sox.html", "hipaa.pdf"}
    listed = run("orphanscan", "rules", "list", cwd=empty(tmp_path), path=path)
    assert "leaver-still-active" in listed.stdout, listed.stderr
    tested = run("orphanscan", "rules", "test", "leaver-still-active", cwd=empty(tmp_path), path=path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
