"""Sealed at rest: whatever is killed at whatever instant leaves no plain text outside staging and loses nothing."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from killed_writer import CANARY, NOTE, REVIEW, commit, settings

from scanner.credentials import Secret
from scanner.errors import ConfigError, StoreError
from scanner.sealing import keys, new_identity
from scanner.settings import EncryptionSettings
from scanner.store import beside, scans, state, vault

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an identity, as age-keygen writes it."""
    return identity(tmp_path_factory.mktemp("key") / "age.key")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of another identity."""
    return identity(tmp_path_factory.mktemp("key") / "other.key")


@pytest.fixture(scope="module")
def sealed(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a sealed state folder with one scan."""
    folder = tmp_path_factory.mktemp("sealed") / "state"
    vault.use(folder, settings(str(key)))
    commit(folder, "s1")
    for name in (NOTE, REVIEW):
        beside.write(folder, folder / name, f"first of {CANARY}".encode())
    (folder / NOTE).with_name("lock").touch()
    return folder


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory where there is one: a kill loses nothing of it, and fsync costs nothing."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="orphanscan-test-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def writer() -> Iterator[subprocess.Popen[str]]:
    """Return a process that runs writers and kills them."""
    script = str(Path(__file__).with_name("killed_writer.py"))
    env = {**os.environ, "PYTHONPATH": ROOT}
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as running:
        yield running
        running.kill()


def identity(path: Path) -> Path:
    """Write a new identity."""
    private, public = new_identity()
    path.write_text(f"# created: today\n# public key: {public}\n{private}\n")
    path.chmod(0o600)
    return path


def killed(writer: subprocess.Popen[str], folder: Path, key: Path, previous: Path | None, what: str, step: int) -> bool:
    """Run a writer up to a step; False when it came to its end before."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    request = [str(folder), str(key), str(previous) if previous else None, what, step]
    writer.stdin.write(json.dumps(request) + "\n")
    writer.stdin.flush()
    answer = int(writer.stdout.readline())
    assert answer >= 0, "the writer failed"
    return answer > 0


def in_plain_text(folder: Path) -> set[str]:
    """Return the files outside of staging in which the person's name can be read."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and CANARY.encode() in path.read_bytes() and path.relative_to(folder).parts[0] != "staging"
    }


def content(folder: Path) -> tuple[str, list[str]]:
    """Return what the store says, and what the findings of the scans that it holds say; through the one opener.

    What lies beside the store must be as it was.
    """
    beside_it = [beside.read(folder, folder / name).decode() for name in (NOTE, REVIEW)]
    assert beside_it == [f"first of {CANARY}"] * 2
    store = vault.store_file(folder).read_text()
    held = [scan for scan in ("s1", "s2") if scan in store or scan == "s1"]
    return store, [(scans.scan_dir(folder, scan) / "findings.json").read_text() for scan in held]


def copied(source: Path, target: Path, found: EncryptionSettings) -> Path:
    """Return a copy of a state folder, opened with some keys."""
    shutil.copytree(source, target)
    vault.use(target, found)
    return target


BEFORE = (f"store with s1 of {CANARY}", [f"s1 of {CANARY}"])
AFTER = (f"store with s2 of {CANARY}", [f"s1 of {CANARY}", f"s2 of {CANARY}"])


def test_a_commit_killed_at_any_step_is_whole_or_nothing(sealed, key, writer, memory) -> None:
    """No plain text outside staging, no data lost; the next run works, and sweeps."""
    seen = []
    step = 0
    going = True
    while going:
        step += 1
        folder = copied(sealed, memory / str(step), settings(str(key)))
        going = killed(writer, folder, key, None, "commit", step)

        assert in_plain_text(folder) == set(), step
        assert content(folder) in (BEFORE, AFTER), step
        seen.append(content(folder) == AFTER)
        commit(folder, "s3")
        assert scans.scan_dir(folder, "s3").is_dir()
        assert (scans.scan_dir(folder, "s2") / "findings.json").exists() is seen[-1], step
        assert list((folder / "pending").iterdir()) == [], step
        assert [path for path in (folder / "staging").iterdir() if not vault.is_held(path)] == [], step
        shutil.rmtree(folder)

    assert seen == sorted(seen), "once real, a scan stays"
    assert step > 30
    assert sum(seen) > 5


def test_a_note_beside_the_store_that_is_killed_is_the_old_one_or_the_new(sealed, key, writer, memory) -> None:
    """Also where the one of before lies in plain text: it does not come back over the new one."""
    for before in ("sealed", "plain"):
        step, going, seen = 0, True, []
        while going:
            step += 1
            folder = copied(sealed, memory / f"{before}{step}", settings(str(key)))
            if before == "plain":
                (folder / f"{NOTE}.age").unlink()
                (folder / NOTE).write_text(f"first of {CANARY}")
            going = killed(writer, folder, key, None, "note", step)

            now = beside.read(folder, folder / NOTE).decode()
            assert now in (f"first of {CANARY}", f"second of {CANARY}"), step
            seen.append(now.startswith("second"))
            with state.writing(folder, "scan"):
                pass
            assert in_plain_text(folder) == set(), step
            assert beside.read(folder, folder / NOTE).decode() == now, step
            shutil.rmtree(folder)
        assert seen == sorted(seen)
        assert seen[-1]
        assert step >= 4


@pytest.mark.parametrize("what", ["seal", "unseal", "rotate"])
def test_sealing_and_its_end_and_rotation_go_on_after_a_kill(what, sealed, key, other, writer, memory) -> None:
    """At every step everything can be read with the keys of the configuration, and a second run comes to the end."""
    start = memory / "start"
    found = settings(str(other), str(key)) if what == "rotate" else settings(str(key))
    copied(sealed, start, found)
    if what == "seal":
        vault.unseal_all(start, keys(found))
        assert len(in_plain_text(start)) == 5
    step = 0
    going = True
    while going:
        step += 1
        folder = copied(start, memory / str(step), found)
        going = killed(writer, folder, other if what == "rotate" else key, key, what, step)

        assert content(folder) == BEFORE, step
        assert killed(writer, folder, other if what == "rotate" else key, key, what, 10_000) is False
        if what == "unseal":
            assert len(in_plain_text(folder)) == 5
            assert not list(folder.rglob("*.age"))
            vault.use(folder, None)
        else:
            assert in_plain_text(folder) == set()
            vault.use(folder, settings(str(other if what == "rotate" else key)))
        assert content(folder) == BEFORE, step
        shutil.rmtree(folder)

    assert step > 12


def test_a_reader_with_the_old_key_alone_is_told_so(sealed, key, other, tmp_path) -> None:
    """After a rotation the old key opens nothing."""
    folder = copied(sealed, tmp_path / "state", settings(str(other), str(key)))
    vault.rotate(folder, keys(settings(str(other), str(key))))
    vault.use(folder, settings(str(key)))

    with pytest.raises(StoreError, match="previous_identity"):
        vault.store_file(folder)


def test_nothing_begins_where_it_could_not_be_sealed(sealed, key, other, tmp_path) -> None:
    """A key that does not fit the recipients, no key, no configuration: told before the lock is taken."""
    mine, gone = settings(str(key)), Secret("file", str(tmp_path / "gone"))
    folder = copied(sealed, tmp_path / "state", mine)
    for found, told in (
        (EncryptionSettings(settings(str(other)).recipients, mine.identity), "cannot be opened with the identity"),
        (EncryptionSettings(mine.recipients, gone), "No such file"),
        (None, "is sealed, and no"),
    ):
        vault.use(folder, found)
        with pytest.raises(ConfigError, match=told), state.writing(folder, "scan"):
            pytest.fail("the lock was taken")


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b"hello", lambda data: data[:-40] + bytes(40)])
def test_a_damaged_file_is_told_and_never_read_in_part(damage, sealed, key, tmp_path) -> None:
    """Age proves each piece of a file, and its end."""
    folder = copied(sealed, tmp_path / "state", settings(str(key)))
    path = folder / "store.duckdb.age"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(StoreError, match="damaged"):
        vault.store_file(folder)
    assert in_plain_text(folder) == set()


def test_large_files_are_sealed_and_opened_in_little_memory(key, tmp_path) -> None:
    """They stream: 64 MB cost no more than a few."""
    script = """
import resource, sys
from pathlib import Path
from killed_writer import settings
from scanner import sealing

keys, base = sealing.keys(settings(sys.argv[1])), Path(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
keys.seal(base / "big", base / "big.age")
keys.reseal(base / "big.age")
keys.open(base / "big.age", base / "again")
sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""
    with (tmp_path / "big").open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(1024 * 1024))
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(key), str(tmp_path)], env=env, capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 16 * 1024, "KiB"
    assert (tmp_path / "again").read_bytes() == (tmp_path / "big").read_bytes()


def test_what_a_living_reader_opened_is_not_swept(sealed, key, tmp_path) -> None:
    """A writer leaves it; after the reader's end it goes."""
    folder = copied(sealed, tmp_path / "state", settings(str(key)))
    opened = scans.scan_dir(folder, "s1")
    dead = folder / "staging" / "open-dead"
    dead.mkdir(mode=0o700)
    (dead / "held").touch()
    with state.writing(folder, "scan"):
        assert (opened / "findings.json").exists()
        assert not dead.exists()


def test_staging_on_another_file_system_holds_the_only_plain_text(sealed, key, tmp_path, memory) -> None:
    """As a tmpfs, which may be gone after a crash: a commit needs nothing of it."""
    plain = settings(str(key))
    found = EncryptionSettings(plain.recipients, plain.identity, staging=memory)
    folder = copied(sealed, tmp_path / "state", found)

    commit(folder, "s2")

    assert vault.staging(folder).parent == memory
    assert vault.staging(folder).stat().st_mode & 0o777 == 0o700
    assert content(folder) == AFTER
    assert in_plain_text(folder) == set()
