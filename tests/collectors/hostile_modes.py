"""Every way in which a server may behave, each with the verdict that a scan owes it."""

import gzip
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from servers import TOKEN, Behaviour, Row, group, user

from scanner.model import Verdict

COMPLETE, SHORT, CAPPED = Verdict.COMPLETE, Verdict.SHORT, Verdict.CAPPED
DRIFT, FAILED, UNKNOWN = Verdict.DRIFT, Verdict.FAILED, Verdict.UNKNOWN


@dataclass(frozen=True)
class Mode:
    """One way to behave."""

    behaviour: dict[str, Any]
    """Arguments of Behaviour; lists are copied for each use."""
    verdict: Verdict | None
    """None: anything but complete."""
    users: int | None
    """Distinct users; None: it depends."""
    words: str
    """A piece of the sentence that goes with the verdict."""
    groups: int | None = None
    rejected: int = 0
    profile: str = "generic"

    def fresh(self) -> Behaviour:
        """Return a behaviour that nobody has used."""
        copied = {
            name: type(value)(value) if isinstance(value, (list, deque)) else value
            for name, value in self.behaviour.items()
        }
        return Behaviour(**copied)


def many(count: int) -> list[Row]:
    """Return that many users."""
    return [user(f"{number:03}") for number in range(count)]


def mode(
    quirks: str = "",
    verdict: Verdict | None = COMPLETE,
    users: int | None = 95,
    words: str = "",
    *,
    rows: list[Row] | None = None,
    raw: bytes | None = None,
    faults: Sequence[str] = (),
    groups: list[Row] | None = None,
    stored_groups: int | None = None,
    rejected: int = 0,
    profile: str = "generic",
    **more: Any,
) -> Mode:
    """Return a mode over 95 users, 40 a page at most, and one group."""
    kept = [group(1, ["u-001"])] if groups is None else groups
    behaviour = {
        "users": many(95) if rows is None else rows,
        "groups": kept,
        "quirks": frozenset(quirks.split()),
        "cap": 40,
        "raw": raw,
        "faults": deque(faults),
        **more,
    }
    return Mode(behaviour, verdict, users, words, stored_groups, rejected, profile)


def page(*rows: object, **more: object) -> bytes:
    """Return a list response with these elements."""
    return json.dumps({"totalResults": len(rows), "Resources": rows, **more}).encode()


def _with(count: int, **more: object) -> list[Row]:
    return [{**row, **more} for row in many(count)]


def _ids(*ids: object) -> list[Row]:
    return [{**user(f"{place:03}"), "id": one} for place, one in enumerate(ids)]


_TWO = many(2)
_UNSORTED = many(95)[10:90] + many(95)[:10] + many(95)[90:]
"""What the first pages hold is in order, and what stands behind them is not."""
_NAMED = b'{"totalResults": 1, "Resources": [{"id": "1", "userName": "%s"}]}'
_DEEP = b'{"Resources":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
_CUT = "states 95 users but lists"

INDEX = {
    "plain": mode(),
    "cap_smaller_than_asked": mode(cap=7),
    "one_page": mode(rows=many(20), users=20),
    "no_users": mode(rows=[], users=0, words="the list of users is empty"),
    "count_refused": mode("count_refused"),
    "count_over_50_refused": mode("count_over_50_refused", cap=1000),
    "count_1_refused": mode("count_1_refused"),
    "start_and_count_refused": mode("start_refused count_refused", SHORT, 10, _CUT),
    "start_refused_on_a_short_list": mode("start_refused", rows=many(20), users=20),
    "ignore_count": mode("ignore_count"),
    "need_both_params": mode("need_both_params"),
    "page_larger_than_count": mode("more_than_count", cap=1000),
    "stops_at_50": mode("", CAPPED, 50, "stops at 50 of 95", visible=50),
    "stops_at_100": mode("", CAPPED, 100, "stops at 100 of 130", rows=many(130), visible=100),
    "stops_at_70": mode("", SHORT, 70, "states 95 users but lists 70", visible=70),
    "start_capped_goes_on_by_id": mode("start_capped filter_by_id"),
    "start_capped": mode("start_capped", FAILED, 80, "Start index too big"),
    "start_capped_at_a_round_number": mode("beyond_is_400", CAPPED, 50, "stops at 50", visible=50),
    "start_capped_out_of_order": mode(
        "start_capped filter_by_id", SHORT, 85, "states 95 users but lists 85", rows=_UNSORTED
    ),
    "start_capped_without_total": mode("start_capped filter_by_id no_total", UNKNOWN, 95, "were asked for by id"),
    "start_capped_out_of_order_without_total": mode(
        "start_capped filter_by_id no_total", UNKNOWN, 85, "were asked for by id", rows=_UNSORTED
    ),
    "start_capped_and_filter_refused": mode("start_capped filter_refused", FAILED, 80, "Start index too big"),
    "beyond_is_400": mode("beyond_is_400"),
    "wraps": mode("wrap_pages"),
    "ignores_start": mode("ignore_startindex", SHORT, 40, "repeats them"),
    "ignores_start_and_states_no_total": mode("ignore_startindex no_total", UNKNOWN, 40, "for ever"),
    "ignores_paging_and_sends_all": mode("ignore_startindex ignore_count", cap=1000),
    "counts_from_0": mode("zero_based"),
    "counts_from_0_without_total": mode("zero_based no_total"),
    "refuses_position_0": mode("start_0_refused no_total"),
    "echoes_another_start": mode("echo_lies"),
    "pages_overlap": mode("overlap"),
    "pages_leave_gaps": mode("gaps", SHORT, 94, "states 95 users but lists 94"),
    "short_pages": mode("short_pages"),
    "empty_page_in_the_middle": mode("empty_in_the_middle", SHORT, 40, "states 95 users but lists 40"),
    "order_differs_each_time": mode("shuffled", None, None),
    "rate_limited": mode(rate_limit=(20, 0.2)),
}
TOTALS = {
    "total_too_high": mode("high_total", SHORT, 95, "states 105 users but lists 95"),
    "total_too_low": mode("low_total", None, None),
    "total_too_low_at_the_end_of_a_page": mode("low_total", UNKNOWN, 95, "states 90 users but lists 95", cap=45),
    "total_too_low_on_one_page": mode("low_total more_than_count", UNKNOWN, 95, "states 90 users but lists 95", cap=90),
    "total_as_text": mode("string_total"),
    "total_as_float": mode("float_total"),
    "total_negative": mode("negative_total"),
    "total_missing": mode("no_total"),
    "total_null": mode("null_total"),
    "total_true": mode("bool_total"),
    "total_beyond_all_bounds": mode("huge_total"),
    "total_is_the_page": mode("total_is_page"),
    "total_is_the_page_at_a_cap": mode("total_is_page", CAPPED, 50, "states no total", visible=50),
    "total_missing_at_a_cap": mode("no_total", CAPPED, 50, "stops at exactly 50", visible=50),
    "total_flickers": mode("flickering_total", DRIFT, 95, "changed while it was read"),
    "inserted_in_front": mode("drift_insert", users=96),
    "deleted_in_front": mode("drift_delete", users=94),
    "swapped": mode("drift_swap", users=None),
    "never_at_rest": mode("drift_always", DRIFT, None, "changed while it was read"),
    "never_at_rest_without_total": mode("drift_always no_total", DRIFT, None, "two readings differ"),
}
IDS = {
    "row_twice_in_a_page": mode(rows=[*many(20), *many(2)], users=20),
    "one_id_for_two_users": mode(
        "",
        UNKNOWN,
        20,
        "1 ids each stand for several users",
        rows=[*many(20), user("003", userName="else@corp.example")],
    ),
    "one_id_once_active_and_once_not": mode(
        "", UNKNOWN, 20, "1 ids each stand for several users", rows=[*many(20), user("003", active=False)]
    ),
    "one_id_in_another_letter_case": mode(rows=_ids("AbC", "aBc", "ABC"), users=3),
    "two_ids_for_one_user": mode(rows=[*many(20), user("new", userName="user003@corp.example")], users=21),
    "ids_are_numbers": mode(rows=_ids(*range(95))),
    "ids_are_floats": mode(rows=_ids(1.5, 2.5, 3.5), users=3),
    "ids_are_paths": mode(rows=_ids("a/b", "a?b", "a#b", "../x", "%2e", "a b", "."), users=7),
    "id_empty": mode("", SHORT, 2, "no objects or have no id", rows=_ids("a", "", "b"), rejected=1),
    "id_blank": mode("", SHORT, 2, "no objects or have no id", rows=_ids("a", "  ", "b"), rejected=1),
    "id_null": mode("", SHORT, 2, "no objects or have no id", rows=_ids("a", None, "b"), rejected=1),
    "id_true": mode("", SHORT, 2, "no objects or have no id", rows=_ids("a", True, "b"), rejected=1),
    "id_an_object": mode("", SHORT, 2, "no objects or have no id", rows=_ids("a", {"x": 1}, "b"), rejected=1),
    "id_missing": mode("", SHORT, 2, "no id", raw=page({"userName": "x"}, *_TWO), rejected=1),
    "id_very_long": mode(rows=_ids("x" * 100_000, "y"), users=2),
}
CURSOR = {
    "cursor": mode("cursor"),
    "cursor_without_total": mode("cursor no_total"),
    "cursor_ugly": mode("cursor cursor_ugly_chars"),
    "cursor_half_a_surrogate_pair": mode("cursor cursor_half_a_pair"),
    "cursor_huge": mode("cursor cursor_huge"),
    "cursor_is_a_number": mode("cursor int_cursor"),
    "cursor_empty_at_the_end": mode("cursor empty_cursor_at_end"),
    "cursor_null_at_the_end": mode("cursor null_cursor_at_end"),
    "cursor_repeated": mode("cursor repeated_cursor", SHORT, 40, "repeated a cursor"),
    "cursor_repeated_without_total": mode("cursor repeated_cursor no_total", UNKNOWN, 40, "repeated a cursor"),
    "cursor_cycle": mode("cursor cursor_cycle", SHORT, 60, "repeated a cursor"),
    "cursor_expired_twice": mode("cursor expired_cursor"),
    "cursor_always_expired": mode("cursor always_expired", FAILED, 40, "expired 3 times"),
    "cursor_invalid": mode("cursor invalid_cursor", FAILED, 40, "what is this"),
    "cursor_empty_pages_that_go_on": mode("cursor cursor_empty_pages"),
    "cursor_without_end": mode("cursor endless_cursors", None, None, "never ends"),
    "cursor_leads_to_an_empty_page": mode("cursor cursor_to_empty"),
    "cursor_leads_to_an_empty_page_without_total": mode("cursor cursor_to_empty no_total"),
    "cursor_promised_and_ignored": mode("cursor_promised"),
    "cursor_promised_and_refused": mode("cursor_promised cursor_refused"),
    "cursor_only_promised_and_ignored": mode(
        "cursor_only_said no_total", CAPPED, 50, "stops at exactly 50", cap=50, rows=many(130)
    ),
    "cursor_short_pages": mode("cursor short_pages"),
}
ENVELOPE = {
    "lower_case_resources": mode("lower_resources"),
    "odd_case_of_attributes": mode("odd_case"),
    "odd_case_of_the_envelope": mode("odd_envelope"),
    "pretty_printed": mode("pretty"),
    "line_ends_of_windows": mode("crlf"),
    "utf8_unescaped": mode("utf8"),
    "byte_order_mark": mode("bom"),
    "content_type_html": mode("html_type"),
    "compressed": mode("gzip"),
    "utf16": mode("utf16", FAILED, 0, "is not JSON"),
    "trailing_garbage": mode("trailing_garbage", FAILED, 0, "is not JSON, or ends too early"),
    "two_documents": mode("", FAILED, 0, "is not JSON", raw=page(*_TWO) + page(*_TWO)),
    "cut_json": mode("", FAILED, 0, "ends too early", raw=page(*_TWO)[:-9]),
    "resources_null": mode("", SHORT, 0, "states 7 users but lists 0", raw=b'{"totalResults": 7, "Resources": null}'),
    "resources_missing": mode("", SHORT, 0, "states 7 users but lists 0", raw=b'{"totalResults": 7}'),
    "resources_an_object": mode("", FAILED, 0, "holds an object", raw=b'{"totalResults": 7, "Resources": {}}'),
    "an_array": mode("", FAILED, 0, "is a bare array", raw=b'[{"id": "1"}]'),
    "null": mode("", FAILED, 0, "is null", raw=b"null"),
    "a_text": mode("", FAILED, 0, "is a bare text", raw=b'"ok"'),
    "a_number": mode("", FAILED, 0, "is a bare value", raw=b"7"),
    "nothing": mode("", FAILED, 0, "is empty", raw=b""),
    "error_with_200": mode(
        "", FAILED, 0, "is an error", raw=b'{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"]}'
    ),
    "login_page_with_200": mode("", FAILED, 0, "is a web page", raw=b"<!DOCTYPE html><html>Sign in</html>"),
    "nested_100000_deep": mode("", FAILED, 0, "too deeply", raw=_DEEP),
    "junk_among_rows": mode(
        "", SHORT, 2, "4 rows among the users are no objects", raw=page(None, "x", 7, ["y"], *_TWO), rejected=4
    ),
    "nothing_but_junk": mode("", SHORT, 0, "no objects or have no id", raw=page(None, "x"), rejected=2),
    "duplicate_keys": mode(
        raw=b'{"totalResults": 9, "totalResults": 1, "Resources": [{"id": "1", "id": "1", "userName": "a"}]}', users=1
    ),
    "bytes_that_are_no_utf8": mode(raw=_NAMED % "Größe".encode("latin-1"), users=1),
    "half_a_surrogate_pair": mode(raw=_NAMED % rb"a\ud800b", users=1),
    "nul_character": mode(raw=_NAMED % rb"a\u0000b", users=1),
    "raw_control_characters": mode(raw=_NAMED % b"a\x07\x1b[31mb", users=1),
    "not_a_number": mode(raw=b'{"totalResults": 1, "Resources": [{"id": "1", "x": NaN, "y": Infinity}]}', users=1),
    "number_of_5000_digits": mode(
        raw=b'{"totalResults": 1, "Resources": [{"id": "1", "x": ' + b"9" * 5000 + b"}]}", users=1
    ),
    "value_of_a_megabyte": mode(raw=_NAMED % (b"x" * 1_000_000), users=1),
}
ATTRIBUTES = {
    "active_as_text": mode(rows=_with(95, active="True")),
    "active_as_number": mode(rows=_with(95, active=0)),
    "active_missing": mode(rows=[{k: v for k, v in row.items() if k != "active"} for row in many(95)]),
    "emails_as_texts": mode(rows=_with(95, emails=["a@corp.example"])),
    "emails_as_one_object": mode(rows=_with(95, emails={"value": "a@corp.example"})),
    "emails_null": mode(rows=_with(95, emails=None)),
    "name_flat": mode(rows=_with(95, **{"name.formatted": "A B"})),
    "name_not_there": mode(rows=_with(95, name="N/A")),
    "dates_of_every_kind": mode(rows=_with(95, meta={"created": "0001-01-01", "lastModified": 1700000000000})),
    "roles_as_json_in_a_text": mode(rows=_with(95, roles='[{"value": "admin"}]')),
    "groups_on_the_user": mode(rows=_with(95, groups=["g-1", {"value": "g-1"}])),
    "extension_in_another_case": mode(
        rows=_with(95, **{"URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:user": {"employeenumber": 7}})
    ),
    "manager_as_text": mode(rows=_with(95, manager="boss@corp.example")),
    "user_names_missing": mode(rows=[{k: v for k, v in row.items() if k != "userName"} for row in many(95)]),
    "names_full_of_html": mode(rows=_with(95, displayName='<script>alert(1)</script>=cmd|"/c calc"!A1')),
    "a_made_up_user": mode(
        "", UNKNOWN, 1, "made-up user", rows=[user(1, userName="synthesis_user")], profile="snowflake"
    ),
}
_BIG = [f"u-{n:03}" for n in range(250)]
GROUPS = {
    "groups_refused": mode("groups_refused", SHORT, 95, "memberships are missing", stored_groups=0),
    "groups_absent": mode("groups_absent", SHORT, 95, "memberships are missing", stored_groups=0),
    "groups_not_offered": mode("groups_absent only_users", words="offers no groups", stored_groups=0),
    "groups_without_members": mode("groups_without_members", stored_groups=1),
    "group_gone_when_read": mode(
        "groups_without_members", SHORT, 95, "could not be read singly", groups=[group("gone", []), group(2, [])]
    ),
    "members_cut_in_the_list": mode("members_cut_in_list", groups=[group(1, _BIG)], stored_groups=1),
    "members_cut_everywhere": mode("", CAPPED, 95, "exactly 100 members", groups=[group(1, _BIG[:100])]),
    "members_nobody_knows": mode(groups=[group(1, ["nobody", "u-001"])], stored_groups=1),
    "members_by_user_name": mode(groups=[group(1, ["user001@corp.example"])], stored_groups=1),
    "groups_in_a_circle": mode(groups=[group(1, ["g-2"]), group(2, ["g-1"])], stored_groups=2),
    "group_in_itself": mode(groups=[group(1, ["g-1"])], stored_groups=1),
    "groups_nested_5000_deep": mode(
        groups=[group(n, [f"g-{n + 1}"]) for n in range(5000)], cap=1000, stored_groups=5000
    ),
    "group_of_100000": mode(groups=[group(1, [f"u-{n}" for n in range(100_001)])], stored_groups=1),
    "group_twice": mode("", SHORT, 95, "lists 1", groups=[group(1, ["u-1"]), group(1, ["u-2"])]),
    "group_names_clash": mode(
        "", UNKNOWN, 95, "several groups", groups=[group(1), {**group(1), "displayName": "Other"}, group(2, ["u-001"])]
    ),
}
TRANSPORT = {
    "busy_without_saying_how_long": mode(faults=["429"]),
    "busy_for_0_seconds": mode(faults=["429", "429"], retry_after="0"),
    "busy_until_a_date": mode(faults=["429"], retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "busy_for_a_month": mode("", FAILED, 0, "asks to wait", faults=["429"] * 9, retry_after="2592000"),
    "busy_for_words": mode(faults=["503"], retry_after="in a while"),
    "busy_for_less_than_nothing": mode(faults=["503"], retry_after="-5"),
    "unavailable_then_back": mode(faults=["503", "502", "504"]),
    "unavailable": mode("", FAILED, 0, "gave up after", faults=["503"] * 99),
    "broken_inside": mode("", FAILED, 0, "answered 500; gave up after", faults=["500"] * 99),
    "broken_inside_for_a_moment": mode(faults=["500"]),
    "reset": mode(faults=["reset"]),
    "reset_in_mid_list": mode(faults=["ok", "reset", "ok", "cut"]),
    "broken_inside_in_mid_list": mode("", FAILED, 40, "answered 500", faults=["ok", *["500"] * 99]),
    "not_implemented": mode("", FAILED, 0, "answered 501", faults=["501"] * 9),
    "always_reset": mode("", FAILED, 0, "broke off", faults=["reset"] * 99),
    "cut_body": mode(faults=["cut"]),
    "cut_compressed_body": mode(faults=["cut_gzip"]),
    "drips_its_body": mode("", FAILED, 0, "for this source are over", faults=["drip"] * 9),
    "drips_its_headers": mode("", FAILED, 0, "for this source are over", faults=["drip_headers"] * 9),
    "endless_body": mode("", FAILED, 0, "larger than", faults=["endless"] * 9),
    "compression_bomb": mode("", FAILED, 0, "larger than", faults=["bomb"] * 9),
    "unknown_compression": mode("", FAILED, 0, "compressed in a way", faults=["brotli"] * 9),
    "bomb_of_an_uncompressed_page": mode("", FAILED, 0, "larger than", raw=b" " * 3_000_000),
    "bad_compression": mode("", FAILED, 0, "broke off", raw=gzip.compress(b"{}")[:9], faults=["cut_gzip"] * 99),
    "redirect_elsewhere": mode("", FAILED, 0, "another origin", faults=["redirect"], location="http://evil.example/"),
    "redirect_to_no_url": mode("", FAILED, 0, "no URL", faults=["redirect"], location="javascript:alert(1)"),
    "unknown_token": mode("", FAILED, 0, "answered 401", token="another"),
    "forbidden": mode("", FAILED, 0, "answered 403", faults=["403"] * 9),
    "not_found": mode("", FAILED, 0, "answered 404", faults=["404"] * 9),
    "echoes_the_token": mode("echo_token", FAILED, 0, "401"),
    "holds_the_token_spelled_by_escapes": mode(
        raw=_NAMED % "".join(f"\\u{ord(one):04x}" for one in TOKEN).encode(), users=1
    ),
    "holds_the_token_with_invisible_characters": mode(rows=_with(95, title="\u200b".join(TOKEN)), quirks="utf8"),
    "holds_the_token_with_control_characters": mode(raw=_NAMED % "\x07".join(TOKEN).encode(), users=1),
    "holds_the_token_in_a_row": mode(rows=_with(95, displayName=f"Bearer {TOKEN}")),
}

MODES = {**INDEX, **TOTALS, **IDS, **CURSOR, **ENVELOPE, **ATTRIBUTES, **GROUPS, **TRANSPORT}
