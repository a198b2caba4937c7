"""Pages and rosters that were good once, spoilt at random: no traceback, and no part of them passes for the whole."""

import copy
import csv
import io
import json
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from servers import user

from scanner.collectors.asking import Asking
from scanner.collectors.envelope import id_of
from scanner.collectors.http import Answer, Session
from scanner.collectors.interface import no_progress
from scanner.collectors.listing import Listing, read_list
from scanner.collectors.paging import Lister
from scanner.collectors.refusal import HttpError
from scanner.collectors.roster import collect_roster
from scanner.config import Application, Limits, Roster
from scanner.model import Verdict

PAGES = 5000
ROSTERS = 1000
ODD = (
    *(b"null", b"true", b"{}", b"[]", b'"', b"{", b"}", b"[", b"]", b",", b":", b"-1", b"1e999", b"NaN", b"\\", b"\n"),
    *(rb"\ud800", rb"\u0000", b"\xff", b"\xc3", b"\x00", b"\x1b[2J", b"9" * 5000, b"[" * 3000, b'{"a":' * 3000, b"\r"),
    *(b'"id"', b'"ID"', b'"id":"u-1",', b'"Resources"', b'"totalResults"', b'"nextCursor":"x",', b'"Resources":[],'),
)


def _spoilt(raw: bytes, chance: random.Random, odd: tuple[bytes, ...]) -> bytes:
    """Return the bytes with one to three places added to, taken from, repeated, exchanged or cut."""
    damaged = bytearray(raw)
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(damaged) + 1), chance.randint(1, 40)
        match chance.randrange(6):
            case 0:
                damaged[at:at] = chance.choice(odd)
            case 1:
                del damaged[at : at + length]
            case 2:
                damaged[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                damaged[at:at] = damaged[at : at + length]
            case 4:
                damaged[at : at + length] = chance.choice(odd)
            case _ if chance.random() < 0.3:
                del damaged[at:]
    return bytes(damaged)


def _valid(document: dict[str, Any], chance: random.Random) -> bytes:
    """Return valid JSON whose values are not: rows and numbers exchanged for something else."""
    values = (
        None,
        True,
        -1,
        0,
        7,
        1.5,
        "",
        " ",
        "x",
        "\ud800",
        10**30,
        [],
        {},
        [None],
        [[1]],
        {"value": {"value": []}},
    )

    def odd() -> object:
        return copy.deepcopy(chance.choice(values))

    for _ in range(chance.randint(1, 3)):
        rows = document["Resources"] if isinstance(document.get("Resources"), list) else []
        match chance.randrange(4):
            case 0:
                document[chance.choice(("totalResults", "Resources", "nextCursor", "schemas", "extra"))] = odd()
            case 1 if rows and isinstance(row := chance.choice(rows), dict):
                row[chance.choice(("id", "userName", "active", "emails", "ID", "members"))] = odd()
            case 2 if rows:
                rows[chance.randrange(len(rows))] = odd()
            case _ if rows:
                rows.append(chance.choice(rows))
    return json.dumps(document).encode()


class _Memory:
    """Answers as a regular server over three pages would, from memory: thousands of lists, one of them spoilt each."""

    def __init__(self, session: Session) -> None:
        self.limits, self.redactor = session.limits, session.redactor
        self.spoilt: dict[int, bytes] = {}
        """Position -> what is sent in place of the page there."""
        self.sent: set[bytes] = set()

    def get(self, target: str) -> Answer:
        """Answer one request for a page."""
        asked = dict(part.split("=") for part in target.partition("?")[2].split("&"))
        if "cursor" in asked:
            raise HttpError("no cursors here", 400, "", "")
        start, count = max(1, int(asked["startIndex"])), int(asked["count"])
        body = self.spoilt.get(start) or json.dumps(page(start, count)).encode()
        self.sent.add(body)
        return Answer(200, body)


def page(start: int, count: int) -> dict[str, Any]:
    """Return one page of twelve users."""
    rows = [user(number, displayName="Zoë") for number in range(12)][start - 1 : start - 1 + count]
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 12, "Resources": rows}


@pytest.fixture
def lists(tmp_path: Path) -> Iterator[tuple[_Memory, Listing]]:
    """Yield each of many lists with the listing that was made of it."""

    def read() -> Iterator[tuple[_Memory, Listing]]:
        for seed in range(PAGES):
            chance = random.Random(seed)
            memory = _Memory(session)
            position = chance.choice((1, 5, 9, 13))
            raw = json.dumps(page(position, 4), ensure_ascii=chance.random() < 0.5).encode()
            memory.spoilt[position] = (
                _valid(page(position, 4), chance) if chance.random() < 0.5 else _spoilt(raw, chance, ODD)
            )
            asking = Asking(memory, "/Users", 4, sha256())  # type: ignore[arg-type]  # all that is used of a session
            yield memory, read_list(Lister(asking, index=True, on_page=lambda walk: None), tmp_path / "users", "users")

    app = Application("crm", "CRM", "scim", base_url="http://127.0.0.1:9/", limits=Limits(max_pages=40, parallel=1))
    session = Session(app)
    return read()


def _ids(body: bytes) -> set[str] | None:
    """Return the ids on a page, by other means than the collector's; None if any row has none, or it is no page."""
    try:
        document = json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    named = {key.lower(): value for key, value in document.items()} if isinstance(document, dict) else {}
    found = set()
    rows = named.get("resources") or []
    for row in rows if isinstance(rows, list) else [None]:
        spelled = {key.lower(): value for key, value in row.items()} if isinstance(row, dict) else {}
        one = row.get("id", spelled.get("id")) if spelled else None
        if isinstance(one, bool) or not isinstance(one, (str, int, float)) or not str(one).strip():
            return None
        found.add(str(one).replace("\ud800", "\ufffd"))
    return found


def test_five_thousand_mutated_pages(lists: Iterator[tuple[_Memory, Listing]]) -> None:
    """A list is complete only if every row of every page that was sent is there once, and as many as stated."""
    verdicts = set()
    for memory, listing in lists:
        verdicts.add(listing.verdict)
        staged = [id_of(line) for line in listing.path.read_bytes().splitlines()]
        assert len(staged) == len(set(staged)) == listing.collected
        if listing.verdict is Verdict.COMPLETE:
            # What a server says behind the end that it stated itself need not be a page.
            pages = [_ids(body) for body in memory.sent if body != memory.spoilt.get(13) or _ids(body) is not None]
            assert None not in pages, memory.spoilt
            assert set().union(*(one or set() for one in pages)) == set(staged), memory.spoilt
            assert listing.stated in (None, len(staged))
    assert verdicts >= {Verdict.COMPLETE, Verdict.SHORT, Verdict.FAILED, Verdict.DRIFT}


PEOPLE = "employee_number;full_name;email;status;hire_date\r\n" + "".join(
    f"{n:03};Zoë {n};p{n}@corp.example;active;2020-01-{n + 1:02}\r\n" for n in range(9)
)
ODD_CELLS = (
    *(
        b";",
        b'"',
        b"\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\t",
        b'";"',
        b"=1+1",
        b"x" * 200_000,
        b"\x1a",
        b"'",
    ),
    *(b"Total;9;;;\r\n", b";;;;\r\n", "\u2028".encode(), b"\xc3", b"status;", b"active", b"\x1b[2J", b"\x85", b"\r\n"),
)


def _people(raw: bytes) -> list[list[str]] | None:
    """Return the rows below the header, by the reader of the standard library alone; None if it finds one to be odd."""
    csv.field_size_limit(10_000_000)
    try:
        header, *rows = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";", strict=True)
    except (ValueError, csv.Error):
        return None
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    return filled if all(len(row) == len(header) for row in filled) else None


def test_a_thousand_mutated_rosters(tmp_path: Path) -> None:
    """A roster is complete only if as many people were read as stand in the file, a sum at the end aside."""
    verdicts = set()
    file = tmp_path / "hr.csv"
    for seed in range(ROSTERS):
        file.write_bytes(_spoilt(PEOPLE.encode(), random.Random(seed), ODD_CELLS))

        collected = collect_roster(Roster("hr", file, delimiter=";"), tmp_path / "out", no_progress)

        source = collected.source
        verdicts.add(source.verdict)
        assert source.detail.isprintable(), seed
        if source.verdict is Verdict.COMPLETE:
            rows = _people(file.read_bytes())
            staged = collected.files["workers"].read_bytes().splitlines()
            assert len(staged) == source.collected
            assert rows is not None, seed
            assert len(rows) - source.collected == ("total" in source.detail), (seed, rows)
    assert verdicts == {Verdict.COMPLETE, Verdict.SHORT, Verdict.FAILED}
