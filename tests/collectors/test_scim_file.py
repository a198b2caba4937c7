"""Saved SCIM exports, in every shape in which people save them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from servers import group, user

from scanner.collectors import SOURCES
from scanner.collectors.interface import no_progress
from scanner.config import Application
from scanner.model import Collected, Verdict

USERS = [user(number) for number in range(5)]
GROUPS = [group(1, ["u-1"]), group(2, [])]


def collect(folder: Path, raw: bytes | str) -> Collected:
    """Collect a file with these contents."""
    path = folder / "export.json"
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    app = Application("crm", "CRM", "scim_file", path=path)
    return SOURCES["scim_file"].collect(app, folder / "staging", no_progress)


def ids(collected: Collected, kind: str = "users") -> list[str]:
    """Return the staged ids."""
    return [json.loads(line)["id"] for line in collected.files[kind].read_bytes().splitlines()]


def page(rows: Sequence[object], total: object = None, **more: object) -> dict[str, Any]:
    """Return a list response."""
    return {"totalResults": len(rows) if total is None else total, "Resources": rows, **more}


SHAPES = {
    "one list response": json.dumps(page([*USERS, *GROUPS])),
    "pretty printed": json.dumps(page([*USERS, *GROUPS]), indent=2),
    "pages one after the other": json.dumps(page(USERS[:3], 5))
    + json.dumps(page(USERS[3:], 5))
    + json.dumps(page(GROUPS), indent=1),
    "a page a line": "\n".join(map(json.dumps, [page(USERS[:3], 5), page(USERS[3:], 5), page([], 5), page(GROUPS)])),
    "an array of pages": json.dumps([page(USERS[:3], 5), page(USERS[3:], 5), page(GROUPS)]),
    "an array of resources": json.dumps([*USERS, *GROUPS], indent=2),
    "a resource a line": "\n".join(map(json.dumps, [*USERS, *GROUPS])),
    "with windows line ends": "\r\n".join(map(json.dumps, [*USERS, *GROUPS])) + "\r\n",
    "a page without a total": json.dumps({"Resources": [*USERS, *GROUPS]}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_shape_is_read(tmp_path: Path, shape: str, encoding: str) -> None:
    """Users and groups are told apart, and a file read to its end is complete."""
    collected = collect(tmp_path, SHAPES[shape].encode(encoding))

    assert collected.source.verdict is Verdict.COMPLETE, collected.source.detail
    assert ids(collected) == [row["id"] for row in USERS]
    assert ids(collected, "groups") == [row["id"] for row in GROUPS]
    assert (collected.source.collected, collected.source.groups_collected) == (5, 2)
    assert len(collected.source.sha256) == 64
    assert collected.source.query.startswith("export.json (")


def test_kinds_are_told_apart_without_schemas(tmp_path: Path) -> None:
    """meta.resourceType or the attributes decide; other types are passed over and mentioned."""
    rows = [
        {"id": "1", "userName": "a"},
        {"id": "2", "displayName": "g", "members": []},
        {"id": "3", "displayName": "x", "meta": {"resourceType": "user"}},
        {"id": "4", "displayName": "only a name"},
        {"id": "5", "meta": {"resourceType": "Device"}},
        {"ID": "6", "USERNAME": "odd"},
    ]
    collected = collect(tmp_path, json.dumps(rows))

    assert (ids(collected), ids(collected, "groups")) == (["1", "3", "6"], ["2", "4"])
    assert collected.source.verdict is Verdict.COMPLETE
    assert "1 resources of other types" in collected.source.detail


@pytest.mark.parametrize(
    ("raw", "verdict", "words"),
    [
        (json.dumps(page(USERS, 9)), Verdict.SHORT, "states 9 users but holds 5"),
        (json.dumps(page([user(n) for n in range(50)], 90)), Verdict.CAPPED, "holds 50"),
        (json.dumps(page(USERS, 2)), Verdict.UNKNOWN, "states 2 users but holds 5"),
        (json.dumps([page(USERS[:2], 5), page(USERS[2:], 6)]), Verdict.DRIFT, "between 5 and 6"),
        (json.dumps({"Resources": USERS, "nextCursor": "x"}), Verdict.SHORT, "further page"),
        (json.dumps([*USERS, {"userName": "no id"}]), Verdict.SHORT, "1 entries"),
        (json.dumps([*USERS, 7]), Verdict.SHORT, "1 entries"),
        ("\n".join([*map(json.dumps, USERS), '{"id": "u-9", "userNa']), Verdict.SHORT, "last line"),
        (json.dumps(page(USERS, 5), indent=2) + "{", Verdict.SHORT, "no complete JSON from line"),
        (json.dumps(page([*USERS, USERS[0]], 5)), Verdict.COMPLETE, ""),
    ],
)
def test_a_file_that_is_not_whole_says_so(tmp_path: Path, raw: str, verdict: Verdict, words: str) -> None:
    """What can be read is kept; the verdict names what is missing."""
    collected = collect(tmp_path, raw)

    assert verdict is collected.source.verdict, collected.source.detail
    assert words in collected.source.detail
    assert len(ids(collected)) == len(set(ids(collected))) >= 5


def test_a_broken_line_between_sound_ones_is_one_rejected_row(tmp_path: Path) -> None:
    """Damage in the middle costs its line, not the file."""
    lines = [json.dumps(USERS[0]), '{"id": "half', json.dumps(USERS[1]), '{"id": "\\ud800", "userName": "x"}']
    collected = collect(tmp_path, "\n".join(lines))

    assert ids(collected) == ["u-0", "u-1", "\ufffd"]
    assert (collected.source.verdict, collected.source.rejected) == (Verdict.SHORT, 1)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("<html>", "web page"),
        ("id,userName\n1,a\n", "no complete JSON"),
        ('{"totalResults": 3, "Resources": [{"id"', "no complete JSON"),
        ('{"Resources": 7}', "a bare value"),
    ],
)
def test_what_is_no_export_fails(tmp_path: Path, raw: str, words: str) -> None:
    """A file of another kind fails with its name or its nature."""
    collected = collect(tmp_path, raw)

    assert collected.source.verdict is Verdict.FAILED
    assert words in collected.source.detail
    assert collected.files == {}


def test_a_missing_file_fails(tmp_path: Path) -> None:
    """A path that leads nowhere is a verdict, not an exception."""
    app = Application("crm", "CRM", "scim_file", path=tmp_path / "gone.json")
    source = SOURCES["scim_file"].collect(app, tmp_path, no_progress).source

    assert source.verdict is Verdict.FAILED
    assert "gone.json cannot be read" in source.detail


def test_a_file_written_during_the_read_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes under our eyes proves nothing."""
    path = tmp_path / "export.json"
    read = Path.read_bytes

    def read_while_written(self: Path) -> bytes:
        raw = read(self)
        if self == path:
            with path.open("ab") as file:
                file.write(b"\n")
            os.utime(path, ns=(1, 1))
        return raw

    monkeypatch.setattr(Path, "read_bytes", read_while_written)
    collected = collect(tmp_path, json.dumps(page(USERS)))

    assert collected.source.verdict is Verdict.SHORT
    assert "changed while it was read" in collected.source.detail
