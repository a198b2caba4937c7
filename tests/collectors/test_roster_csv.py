import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collectors.interface import no_progress
from scanner.collectors.roster import collect_roster, shrunk
from scanner.config import Roster
from scanner.model import Collected, Verdict

PLAIN = "employee_number,full_name,email,status,hire_date\n007,Ada Blum,ada@acme.example,active,2020-01-01\n"


def _collect(folder: Path, content: str | bytes, **settings: Any) -> Collected:
    path = folder / "hr.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return collect_roster(Roster("hr", path, **settings), folder / "out", no_progress)


def _people(collected: Collected) -> list[dict[str, Any]]:
    return [json.loads(line) for line in collected.files["workers"].read_text(encoding="utf-8").splitlines()]


def test_plain_file_is_complete(tmp_path: Path) -> None:
    """A file read to its end is complete, ids keep their zeros, dates stay text, and the bytes are hashed."""
    collected = _collect(tmp_path, PLAIN)
    assert _people(collected) == [
        {
            "employee_number": "007",
            "full_name": "Ada Blum",
            "email": "ada@acme.example",
            "status": "active",
            "hire_date": "2020-01-01",
            "line": 2,
        }
    ]
    source = collected.source
    assert (source.verdict, source.stated, source.collected, source.rejected) == (Verdict.COMPLETE, None, 1, 0)
    assert len(source.sha256) == 64
    assert "hr.csv" in source.query
    assert str(tmp_path) not in source.query


@pytest.mark.parametrize(
    ("encoding", "setting"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-8-sig", "cp1252"),
        ("utf-16", None),
        ("utf-32", None),
        ("utf-16-le", "utf-16-le"),
        ("cp1252", "cp1252"),
        ("iso-8859-15", "latin9"),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, setting: str | None) -> None:
    """Byte order marks are found, other encodings are taken from the settings."""
    collected = _collect(tmp_path, "person_id;full_name\n1;Zoë Müller\n".encode(encoding), encoding=setting)
    assert collected.source.detail.startswith("no column tells who has left")
    assert _people(collected)[0]["full_name"] == "Zoë Müller"


@pytest.mark.parametrize("name", ["李 小龙", "Мария Иванова", "محمد بن علي", "Ngô Thị Ẩn", "é", "👩‍💻 Ada"])
def test_names_survive_unchanged(tmp_path: Path, name: str) -> None:
    """Names of every script, and combining marks, are neither changed nor normalised."""
    assert _people(_collect(tmp_path, f"person_id,full_name\n1,{name}\n"))[0]["full_name"] == name


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    """The delimiter that shows most of our columns wins, also against commas inside of a quoted name."""
    text = delimiter.join(["person_id", '"Name, full"', "email"]) + "\n" + delimiter.join(["1", "x", "e@acme.example"])
    collected = _collect(tmp_path, text, columns={"full_name": "Name, full"})
    assert _people(collected)[0] == {"person_id": "1", "full_name": "x", "email": "e@acme.example", "line": 2}


def test_given_delimiter_and_hint_line(tmp_path: Path) -> None:
    """A configured delimiter is used as it is; a spreadsheet's own sep= line is understood."""
    assert _people(_collect(tmp_path, "person_id^email\n1^a\n", delimiter="^"))[0]["email"] == "a"
    assert _people(_collect(tmp_path, "sep=^\nperson_id^email\n1^a\n"))[0] == {
        "person_id": "1",
        "email": "a",
        "line": 3,
    }


def test_column_map_ignores_blanks_and_case(tmp_path: Path) -> None:
    """The header is compared with blanks and letter case tolerated; our own names may have blanks."""
    collected = _collect(
        tmp_path, " EMP  no ;First Name;LAST-NAME\n1;Ada;Blum\n", columns={"employee_number": "Emp No"}
    )
    assert _people(collected)[0] == {"employee_number": "1", "first_name": "Ada", "last_name": "Blum", "line": 2}


def test_mapped_column_that_is_missing_names_the_nearest(tmp_path: Path) -> None:
    """A column map that does not fit fails and names the nearest header."""
    source = _collect(tmp_path, "Emp Nr;Mail\n1;a\n", columns={"employee_number": "Emp No"}).source
    assert source.verdict is Verdict.FAILED
    assert source.detail == (
        "there is no column 'Emp No', which the column map names for employee_number; the nearest is 'Emp Nr'"
    )


def test_no_identity_column_fails_without_quoting_people(tmp_path: Path) -> None:
    """A file without a header fails, and its first person is not named."""
    source = _collect(tmp_path, "4711;Ada Blum;ada.blum@acme.example\n").source
    assert source.verdict is Verdict.FAILED
    assert "employee_number" in source.detail
    assert "Blum" not in source.detail


def test_duplicate_header_matters_only_where_needed(tmp_path: Path) -> None:
    """Two columns of one name are refused if we need one of them, and passed over otherwise."""
    assert _collect(tmp_path, "person_id,note,note\n1,a,b\n").source.verdict is Verdict.COMPLETE
    source = _collect(tmp_path, "person_id,email,E-Mail,email\n1,a,b,c\n").source
    assert (source.verdict, "2 columns are called 'email'" in source.detail) == (Verdict.FAILED, True)


def test_quoted_line_breaks_and_line_numbers(tmp_path: Path) -> None:
    """A cell may hold line breaks and delimiters; `line` is where the row begins in the file."""
    collected = _collect(tmp_path, 'person_id,job_title\r\n1,"a,\r\nb"\r\n\r\n2,"say ""x"""\r\n')
    assert [(row["person_id"], row["job_title"], row["line"]) for row in _people(collected)] == [
        ("1", "a,\r\nb", 2),
        ("2", 'say "x"', 5),
    ]


def test_rows_of_another_width_make_it_short(tmp_path: Path) -> None:
    """Rows with another number of fields are rejected and counted, with their lines."""
    source = _collect(tmp_path, PLAIN + "1,x\n2,x,y,z,a,b\n3,a,b,c,d\n").source
    assert (source.verdict, source.collected, source.rejected) == (Verdict.SHORT, 2, 2)
    assert source.detail == "2 rows with another number of fields than the header (line 3, 4)"


def test_stray_quote_costs_one_row(tmp_path: Path) -> None:
    """A quote inside of a quoted cell loses that row only."""
    source = _collect(tmp_path, 'person_id,full_name\n1,"Ada "The" Blum"\n2,Bo\n').source
    assert (source.verdict, source.collected, source.rejected) == (Verdict.SHORT, 1, 1)


@pytest.mark.parametrize("total", ["Total,412,,,", "Total: 412", "Summe;".replace(";", ",") + ",,,"])
def test_total_and_empty_rows_are_no_people(tmp_path: Path, total: str) -> None:
    """Empty rows and a total below the table are left out and counted as nothing."""
    source = _collect(tmp_path, f"{PLAIN}\n,,,,\n  , ,,,\n{total}\n\n").source
    assert (source.verdict, source.collected, source.rejected) == (Verdict.COMPLETE, 1, 0)
    assert source.detail == "a total below the last row was left out"


def test_somebody_called_total_stays(tmp_path: Path) -> None:
    """Only numbers may follow the word: a person in the last row is never taken for a total."""
    collected = _collect(tmp_path, "full_name,person_id,email\nTotal,7,total@acme.example\n")
    assert collected.source.collected == 1


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (b"", {}, "is empty"),
        (b"\n\n", {}, "holds no header"),
        ("person_id,email\n", {}, "has a header but no rows"),
        ("person_id,email\n\n,\n", {}, "has a header but no rows"),
        ("person_id,email\nx\n", {}, "has no row that can be read"),
        (PLAIN, {"min_rows": 2}, "fewer than min_rows = 2"),
        (PLAIN + '8,"Bo', {}, "the quotation mark opened in line 3 is never closed"),
        ('person_id,"email\n1,2\n', {}, "a quotation mark in the header is never closed"),
        ("person_id,full_name\n1,a\n2,Zoë\n".encode("cp1252"), {}, "line 3 holds bytes"),
        ("person_id,full_name\n1,a\n".encode("utf-16-le"), {}, "not text in utf-8"),
        (PLAIN, {"encoding": "klingon"}, "encoding 'klingon' is not known"),
        (PLAIN, {"encoding": "base64"}, "encoding 'base64' is not known"),
        (PLAIN, {"delimiter": "ab"}, "is not one character"),
        (PLAIN, {"columns": {"nickname": "x"}}, "which is no roster column"),
        (b"PK\x03\x04rest", {}, 'set type = "excel"'),
    ],
)
def test_files_that_cannot_be_whole_fail(
    tmp_path: Path, content: str | bytes, settings: dict[str, Any], said: str
) -> None:
    """A file that is empty, cut off or unreadable fails with one clear sentence, and leaves no rows."""
    collected = _collect(tmp_path, content, **settings)
    assert collected.source.verdict is Verdict.FAILED
    assert said in collected.source.detail
    assert not collected.files
    assert not (tmp_path / "out" / "workers.ndjson").exists()


def test_missing_and_special_files_fail(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe without a writer fail at once."""
    os.mkfifo(tmp_path / "pipe.csv")
    for name, said in (("none.csv", "does not exist"), ("", "cannot be read"), ("pipe.csv", "is not a file")):
        source = collect_roster(Roster("hr", tmp_path / name), tmp_path / "out", no_progress).source
        assert (source.verdict, said in source.detail) == (Verdict.FAILED, True), source.detail


@pytest.mark.parametrize("change", ["append", "replace", "rewrite"])
def test_file_that_changes_while_read_fails(tmp_path: Path, change: str) -> None:
    """A file that grows, is replaced or is rewritten while it is read is refused."""
    path = tmp_path / "hr.csv"
    path.write_text(PLAIN)

    def progress(source_id: str, what: str, done: int, total: int | None) -> None:
        if change == "append":
            with path.open("a") as file:
                file.write("8,Bo,bo@acme.example,active,2020-01-01\n")
        elif change == "replace":
            other = tmp_path / "new.csv"
            other.write_text(PLAIN)
            other.rename(path)
        else:
            path.write_text(PLAIN)
            os.utime(path, ns=(1, 1))

    source = collect_roster(Roster("hr", path), tmp_path / "out", progress).source
    assert (source.verdict, "changed while it was read" in source.detail) == (Verdict.FAILED, True)


def test_done_marker(tmp_path: Path) -> None:
    """With done_marker, an upload that has not been marked as finished is refused."""
    refused = _collect(tmp_path, PLAIN, done_marker=True).source
    assert (refused.verdict, "hr.csv.done is not there" in refused.detail) == (Verdict.FAILED, True)
    (tmp_path / "hr.csv.done").touch()
    assert _collect(tmp_path, PLAIN, done_marker=True).source.verdict is Verdict.COMPLETE


def test_roster_without_any_end_is_noticed(tmp_path: Path) -> None:
    """Without status and termination date the verdict stands, but the detail says what cannot be seen."""
    source = _collect(tmp_path, "person_id,email\n1,a@acme.example\n").source
    assert (source.verdict, source.detail) == (
        Verdict.COMPLETE,
        "no column tells who has left: neither status nor termination_date is mapped",
    )


def test_nul_characters_are_dropped(tmp_path: Path) -> None:
    """A NUL inside of a cell neither ends the file nor reaches the store; a written-out escape is left alone."""
    people = _people(_collect(tmp_path, "person_id,full_name\n1,A\0da\n2,x\\u0000\n"))
    assert [row["full_name"] for row in people] == ["Ada", "x\\u0000"]


def test_shrunk() -> None:
    """A roster may shrink by as much as allowed; more is refused with both numbers."""
    assert shrunk(100, 95, 5) is None
    assert shrunk(0, 0, 5) is None
    assert shrunk(100, 120, 5) is None
    refusal = shrunk(1000, 940, 5)
    assert refusal is not None
    assert refusal.startswith("the roster fell from 1,000 to 940 rows (6.0 % fewer; 5 % are allowed)")


def test_verdict_names_do_not_depend_on_type(tmp_path: Path) -> None:
    """The source says which roster and type it is, and when it was read."""
    source = _collect(tmp_path, PLAIN).source
    assert (source.id, source.kind, source.type) == ("hr", "roster", "csv")
    assert source.started_at is not None
    assert source.finished_at is not None
    assert source == replace(source)


_CELL = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)


@given(
    rows=st.lists(st.tuples(st.integers(1, 10**9), _CELL, _CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
)
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Any], delimiter: str) -> None:
    """What a CSV writer wrote is read back cell by cell, whatever the cells hold."""
    import csv

    folder = tmp_path_factory.mktemp("csv")
    with (folder / "hr.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(["person_id", "full_name", "job_title"])
        writer.writerows(rows)
    collected = collect_roster(Roster("hr", folder / "hr.csv"), folder, no_progress)
    assert collected.source.verdict is Verdict.COMPLETE
    people = [json.loads(line) for line in collected.files["workers"].read_bytes().split(b"\n")[:-1]]
    assert [(row["person_id"], row["full_name"], row["job_title"]) for row in people] == [
        (str(number), name.strip() or None, title.strip() or None) for number, name, title in rows
    ]


def test_a_stray_quote_in_the_header_is_no_lost_column(tmp_path: Path) -> None:
    """Two columns that run together would be missing without a word."""
    raw = 'employee_number;email;status";"hire_date\n1;jo@corp.example;active;2020-01-01\n'

    collected = _collect(tmp_path, raw)

    assert collected.source.verdict is Verdict.FAILED
    assert "header" in collected.source.detail
