"""How the hostile server answers GET /Users and GET /Groups: one small function a quirk."""

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servers import Behaviour

Row = dict[str, Any]
Query = dict[str, list[str]]
Document = dict[str, Any]


@dataclass
class Reply:
    """What is sent."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def refuse(detail: str, scim_type: str, status: int = 400) -> Reply:
    """Return a SCIM error."""
    return Reply(status, json.dumps({"detail": detail, "scimType": scim_type, "status": str(status)}).encode())


def reply(behaviour: "Behaviour", rows: list[Row], query: Query, *, is_users: bool) -> Reply:
    """Answer one request for a page."""
    behaviour.lists += 1
    by_cursor = "cursor" in query and behaviour.has("cursor")
    refusal = _refusal(behaviour, rows, query, by_cursor=by_cursor)
    if refusal is not None:
        return refusal
    stored = rows
    rows = _narrowed(behaviour, rows, query)
    count = _count(behaviour, query)
    start = _by_cursor(behaviour, query) if by_cursor else _by_index(behaviour, rows, query)
    if behaviour.has("short_pages") and count > 1:
        count = random.Random(start).randint(1, count)
    shown = rows[: behaviour.visible] if is_users else rows
    if behaviour.has("shuffled"):
        shown = random.Random(behaviour.lists).sample(shown, len(shown))
    page = shown[start : start + count]
    if behaviour.has("empty_in_the_middle") and start:
        page = []
    document = _document(behaviour, rows, page, start)
    if by_cursor:
        _add_cursor(behaviour, document, query["cursor"][0], start, len(page), has_more=start + count < len(shown))
    answer = Reply(200, _text(behaviour, document), {})
    if behaviour.has("gzip"):
        answer = Reply(200, gzip.compress(answer.body), {"Content-Encoding": "gzip"})
    asked_for_rows = "startIndex" in query or by_cursor
    if is_users and page and not behaviour.drifted and asked_for_rows and count > 1:
        _drift(behaviour, stored)
    return answer


def _refusal(behaviour: "Behaviour", rows: list[Row], query: Query, *, by_cursor: bool) -> Reply | None:
    position = int(query.get("startIndex", ["1"])[0])
    cursor = query.get("cursor", [""])[0]
    refusals: dict[str, tuple[bool, str, str]] = {
        "count_refused": ("count" in query, "unknown parameter", "invalidValue"),
        "count_1_refused": (query.get("count") == ["1"], "too small", "invalidCount"),
        "count_over_50_refused": (int(query.get("count", ["0"])[0]) > 50, "too many", "invalidCount"),
        "start_refused": ("startIndex" in query, "unknown parameter", "invalidValue"),
        "start_0_refused": (position < 1, "Invalid startIndex", "invalidValue"),
        "start_capped": (position > 60, "Start index too big", "invalidValue"),
        "beyond_is_400": (1 < position > len(rows[: behaviour.visible]), "Start index too big", "invalidValue"),
        "filter_refused": ("filter" in query, "no filters here", "invalidFilter"),
        "cursor_refused": ("cursor" in query, "no cursors here", "invalidValue"),
        "invalid_cursor": (by_cursor and bool(cursor), "what is this", "invalidCursor"),
        "always_expired": (by_cursor and bool(cursor), "too slow", "expiredCursor"),
    }
    for quirk, (applies, detail, scim_type) in refusals.items():
        if applies and behaviour.has(quirk):
            return refuse(detail, scim_type)
    if by_cursor and cursor and behaviour.has("expired_cursor") and behaviour.cursors < 2:
        behaviour.cursors += 1
        return refuse("too slow", "expiredCursor")
    return None


def _narrowed(behaviour: "Behaviour", rows: list[Row], query: Query) -> list[Row]:
    after = query.get("filter", [""])[0].removeprefix('id gt "').removesuffix('"')
    if after and behaviour.has("filter_by_id"):
        return [row for row in sorted(rows, key=lambda row: str(row["id"])) if row["id"] > after]
    return rows


def _count(behaviour: "Behaviour", query: Query) -> int:
    if behaviour.has("need_both_params") and not {"startIndex", "count"} <= set(query):
        return 0
    count = 10 if "count" not in query else max(0, int(query["count"][0]))
    if behaviour.has("ignore_count"):
        count = 100
    if behaviour.has("more_than_count"):
        count += 5
    return min(count, behaviour.cap)


def _by_index(behaviour: "Behaviour", rows: list[Row], query: Query) -> int:
    position = int(query.get("startIndex", ["1"])[0])
    start = max(0, position if behaviour.has("zero_based") else position - 1)
    if behaviour.has("overlap") and start:
        start -= 1
    if behaviour.has("gaps") and start:
        start += 1
    if behaviour.has("ignore_startindex") or (behaviour.has("wrap_pages") and start >= len(rows)):
        return 0
    return start


def _by_cursor(behaviour: "Behaviour", query: Query) -> int:
    cursor = query["cursor"][0]
    if not cursor or behaviour.has("repeated_cursor"):
        return 0
    if behaviour.has("cursor_cycle"):
        return int(cursor.partition("@")[2]) % 3 * 10
    return int(cursor.rpartition("@")[2])


def _document(behaviour: "Behaviour", rows: list[Row], page: list[Row], start: int) -> Document:
    name = "resources" if behaviour.has("lower_resources") else "Resources"
    document: Document = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len({json.dumps(row) for row in rows}),
        "startIndex": 777 if behaviour.has("echo_lies") else start + 1,
        "itemsPerPage": 10_000,
        name: page,
    }
    total = document["totalResults"]
    totals: dict[str, Callable[[], object]] = {
        "no_total": lambda: document.pop("totalResults"),
        "total_is_page": lambda: document.update(totalResults=len(page)),
        "string_total": lambda: document.update(totalResults=str(total)),
        "float_total": lambda: document.update(totalResults=float(total)),
        "negative_total": lambda: document.update(totalResults=-1),
        "null_total": lambda: document.update(totalResults=None),
        "bool_total": lambda: document.update(totalResults=True),
        "huge_total": lambda: document.update(totalResults=10**30),
        "high_total": lambda: document.update(totalResults=total + 10),
        "low_total": lambda: document.update(totalResults=total - 5),
        "flickering_total": lambda: document.update(totalResults=total + behaviour.lists),
    }
    for quirk, change in totals.items():
        if behaviour.has(quirk):
            change()
    return document


def _add_cursor(
    behaviour: "Behaviour", document: Document, cursor: str, start: int, size: int, *, has_more: bool
) -> None:
    following: object = f"c@{start + size}"
    if behaviour.has("cursor_ugly_chars"):
        following = f"a+/=&?# :%00@{start + size}"
    elif behaviour.has("cursor_half_a_pair"):
        following = f"\ud800@{start + size}"
    elif behaviour.has("cursor_huge"):
        following = f"{'x' * 8000}@{start + size}"
    elif behaviour.has("int_cursor"):
        following = start + size
    elif behaviour.has("repeated_cursor"):
        following = "same"
    elif behaviour.has("cursor_cycle"):
        following, has_more = f"c@{int(cursor.partition('@')[2] or 0) % 3 + 1}", True
    elif behaviour.has("endless_cursors") and not has_more:
        document["Resources"], following, has_more = [], f"n{behaviour.lists}@{start + size}", True
    elif behaviour.has("cursor_empty_pages") and cursor and not cursor.startswith("again"):
        document["Resources"], following, has_more = [], f"again@{start}", True
    elif behaviour.has("cursor_to_empty") and size and not has_more:
        has_more = True
    if has_more:
        document["nextCursor"] = following
    elif behaviour.has("empty_cursor_at_end"):
        document["nextCursor"] = ""
    elif behaviour.has("null_cursor_at_end"):
        document["nextCursor"] = None


def _text(behaviour: "Behaviour", document: Document) -> bytes:
    indent = 2 if behaviour.has("pretty") or behaviour.has("crlf") else None
    text = json.dumps(document, indent=indent, ensure_ascii=not behaviour.has("utf8"))
    if behaviour.has("odd_case"):
        text = text.replace('"id"', '"ID"').replace('"userName"', '"UserName"').replace('"active"', '"Active"')
    if behaviour.has("odd_envelope"):
        text = text.replace('"Resources"', '"RESOURCES"').replace('"totalResults"', '"TotalResults"')
    if behaviour.has("crlf"):
        text = text.replace("\n", "\r\n")
    if behaviour.has("trailing_garbage"):
        text += "\n<!-- served by proxy -->"
    if behaviour.has("bom"):
        return b"\xef\xbb\xbf" + text.encode()
    return text.encode("utf-16" if behaviour.has("utf16") else "utf-8")


def _drift(behaviour: "Behaviour", rows: list[Row]) -> None:
    """Change the list under the walk, once or again and again."""
    inserted = {**rows[0], "id": f"u-inserted{len(rows)}", "userName": f"inserted{len(rows)}@corp.example"}
    if behaviour.has("drift_insert"):
        rows.insert(0, inserted)
    elif behaviour.has("drift_delete"):
        del rows[0]
    elif behaviour.has("drift_swap"):
        del rows[-1]
        rows.insert(0, inserted)
    elif behaviour.has("drift_always"):
        rows.insert(0, inserted)
        return
    behaviour.drifted = True
