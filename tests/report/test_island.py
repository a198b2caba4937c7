"""The data island of the page."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import report_samples as samples

from scanner.report.content import Content
from scanner.report.island import SUBJECT, island
from scanner.report.listing import COLUMNS, as_values

Make = Callable[..., Content]


def unpacked(text: str) -> dict[str, Any]:
    """Unpack an island as the page does."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def rows(document: dict[str, Any]) -> list[dict[str, object]]:
    """Return the rows of an island as findings.json has them."""
    columns = {
        name: [made["values"][code] for code in made["codes"]] if isinstance(made, dict) else made
        for name, made in document["columns"].items()
    }
    made = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    for row in made:
        row["reason"] = row["reason"].replace("\x01", row["subject"]).replace("\x02", row["person"])
        row["evidence"] = dict(pair.split("\x01") for pair in row["evidence"].split("\x02") if pair)
    return made


def test_island_holds_what_the_list_of_the_same_profile_holds(content: Make) -> None:
    """Neither more nor less than findings.json of the report, hostile names included."""
    for privacy in ("L1", "L2"):
        listed = content(privacy=privacy).listed
        found = rows(unpacked(island(listed)))

        assert tuple(found[0]) == COLUMNS
        assert sorted(map(json.dumps, found)) == sorted(map(json.dumps, as_values(listed)))


def test_island_comes_worst_first_and_depends_on_its_rows_alone(content: Make) -> None:
    """The first view needs no sorting, and the order of the input makes no difference."""
    listed = content().listed
    severities = [row["severity"] for row in rows(unpacked(island(listed)))]

    assert severities == sorted(severities, key=["critical", "high", "medium", "low", "info"].index)
    assert island(listed) == island(tuple(reversed(listed)))


def test_sentence_holds_no_name_twice(content: Make) -> None:
    """The subject stands in its own column only, which halves the size of the page."""
    reasons = unpacked(island(content(samples.record(300)).listed))["columns"]["reason"]

    assert len(reasons["values"]) < 30
    assert any(value.startswith(SUBJECT) for value in reasons["values"])


def test_report_without_findings_has_an_island_without_rows() -> None:
    """The page opens all the same."""
    assert unpacked(island(()))["rows"] == 0
