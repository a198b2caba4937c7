"""The access log: who was shown identified data, on disk before it is shown."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scanner import access_log
from scanner.access_log import Access
from scanner.errors import StoreError


def test_each_access_tells_who_when_what_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also who stands behind sudo."""
    monkeypatch.setenv("SUDO_USER", "dana")

    access_log.record(tmp_path, Access("report", scan="s1", count=3, recipient="audit", reason="Q4 walkthrough"))

    (entry,) = access_log.entries(tmp_path).entries
    assert entry["at"].endswith("+00:00")
    assert {key: entry[key] for key in ("command", "scan", "privacy", "count", "recipient", "reason", "sudo_user")} == {
        "command": "report",
        "scan": "s1",
        "privacy": "L2",
        "count": 3,
        "recipient": "audit",
        "reason": "Q4 walkthrough",
        "sudo_user": "dana",
    }
    assert entry["user"] == access_log.who()["user"] != ""


def test_the_log_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """Who reads what is nobody else's business."""
    before = os.umask(0)
    try:
        access_log.record(tmp_path, Access("findings"))
    finally:
        os.umask(before)

    assert (tmp_path / access_log.FILE).stat().st_mode & 0o777 == 0o600


def test_a_changed_line_is_named(tmp_path: Path) -> None:
    """The chain breaks at the line after the change, or at a changed last line only by its head."""
    for count in range(3):
        access_log.record(tmp_path, Access("findings", count=count))
    path = tmp_path / access_log.FILE
    path.write_bytes(path.read_bytes().replace(b'"count":1', b'"count":0'))

    with pytest.raises(StoreError, match="line 3: the access log was changed"):
        access_log.entries(tmp_path)


def test_what_a_crash_left_half_written_is_dropped(tmp_path: Path) -> None:
    """It was never followed by a disclosure."""
    access_log.record(tmp_path, Access("findings"))
    with (tmp_path / access_log.FILE).open("ab") as file:
        file.write(b'{"seq":2,"prev":"')
    access_log.record(tmp_path, Access("report"))

    assert [entry["command"] for entry in access_log.entries(tmp_path).entries] == ["findings", "report"]


def test_many_readers_at_once_make_one_chain(tmp_path: Path) -> None:
    """Readers hold no lock of the state folder; the log has one of its own."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: access_log.record(tmp_path, Access("findings", count=n)), range(64)))

    chain = access_log.entries(tmp_path)
    assert sorted(entry["count"] for entry in chain.entries) == list(range(64))


def test_a_long_log_is_continued_from_its_end(tmp_path: Path) -> None:
    """Only the tail is read, also where it begins in the middle of a line; reasons are cut to bound a line."""
    for _ in range(40):
        access_log.record(tmp_path, Access("findings", reason="r" * 5000))

    assert (tmp_path / access_log.FILE).stat().st_size > 64 * 1024
    assert len(access_log.entries(tmp_path).entries) == 40


@pytest.mark.parametrize("damage", [b"garbage\n", b"[]\n", b"x" * 70_000])
def test_nothing_is_shown_where_the_log_cannot_be_continued(tmp_path: Path, damage: bytes) -> None:
    """Neither a damaged log nor a link to somewhere else is written to."""
    (tmp_path / access_log.FILE).write_bytes(damage)

    with pytest.raises(StoreError, match="nothing is shown"):
        access_log.record(tmp_path, Access("findings"))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Whoever could plant one must not redirect the log."""
    (tmp_path / access_log.FILE).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match="nothing is shown"):
        access_log.record(tmp_path, Access("findings"))
    assert not (tmp_path / "elsewhere").exists()


def test_lines_are_json(tmp_path: Path) -> None:
    """Any program can read the log."""
    access_log.record(tmp_path, Access("findings", reason='a "quoted"\nreason\ud800'))

    assert json.loads((tmp_path / access_log.FILE).read_bytes())["reason"].startswith('a "quoted"\nreason')
