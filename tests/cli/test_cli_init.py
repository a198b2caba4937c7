"""`init`: what it writes, and what it leaves alone."""

import os
import stat

import pytest
from in_process import orphanscan as run

from scanner import config_file, paths, policy

STARTER = paths.bundled("sample_data") / "starter"
NAMES = sorted(file.name for file in STARTER.iterdir())


def modes(folder):
    """Return the permission bits of every file."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_it_writes_what_lies_in_the_starter(tmp_path):
    """Names go to stdout, the next step to stderr; every file is the shipped one."""
    done = run(tmp_path, "init", "work")

    assert done.returncode == 0
    assert done.stdout.splitlines() == [f"work/{name}" for name in NAMES]
    assert done.stderr == (
        "next: `orphanscan scan -c work/orphanscan.toml`, then put your own files and addresses into the .toml\n"
    )
    assert {name: (tmp_path / "work" / name).read_bytes() for name in NAMES} == {
        name: (STARTER / name).read_bytes() for name in NAMES
    }


@pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
@pytest.mark.parametrize("words", [("init",), ("init", "--force")])
def test_modes_do_not_depend_on_the_umask(tmp_path, umask, words):
    """Configuration is readable and nobody else's to write; lists of people are private; so the files load."""
    before = os.umask(umask)
    try:
        assert run(tmp_path, *words).returncode == 0
    finally:
        os.umask(before)

    assert modes(tmp_path) == {name: 0o644 if name.endswith(".toml") else 0o600 for name in NAMES}
    policy.read_policies(config_file.load(tmp_path / "orphanscan.toml"))


def test_it_overwrites_nothing_unasked(tmp_path):
    """One file that exists stops it before the first is written; --force replaces it."""
    (tmp_path / "hr.csv").write_text("mine")

    refused = run(tmp_path, "init")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "error: nothing was written: hr.csv exists already; choose another folder, or overwrite with --force\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["hr.csv"]

    assert run(tmp_path, "init", "--force").returncode == 0
    assert (tmp_path / "hr.csv").read_bytes() == (STARTER / "hr.csv").read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == NAMES


def test_a_link_is_not_followed(tmp_path):
    """A link in place of a file is something that exists; --force replaces the link, not what it points to."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    work = tmp_path / "work"
    work.mkdir()
    (work / "hr.csv").symlink_to(victim)

    assert run(work, "init").returncode == 2
    assert run(work, "init", "--force").returncode == 0
    assert victim.read_text() == "precious"
    assert not (work / "hr.csv").is_symlink()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    """A file in the place of the folder ends with a sentence."""
    (tmp_path / "file").write_text("")

    done = run(tmp_path, "init", "file/below")

    assert done.returncode == 2
    assert done.stderr == "error: cannot write file/below/approved_domains.toml: not a directory\n"
