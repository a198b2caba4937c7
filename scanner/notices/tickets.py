"""Jira and ServiceNow: one ticket for each group of findings, found again by a mark that does not change."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from scanner.errors import NoticeError
from scanner.notices import wire, wording
from scanner.notices.chat import Send
from scanner.notices.model import ChangeKind, Notice
from scanner.settings import Receiver

_SUMMARY = 200
_JIRA_KEY = re.compile(r"[A-Z][A-Z0-9_]*-\d+")
_SYS_ID = re.compile(r"[0-9a-f]{32}")


def mark(receiver: Receiver, notice: Notice) -> str:
    """Return what is written on the ticket of a group, and found again whatever else changes on it."""
    group = notice.changes[0].group
    return "orphanscan-" + hashlib.sha256(f"{receiver.id}\0{group}".encode()).hexdigest()[:20]


@contextlib.contextmanager
def jira(receiver: Receiver) -> Iterator[Send]:
    """Give what opens an issue for a group, or comments on the one that is open."""
    root = f"/rest/api/{receiver.api}"
    with wire.opened(receiver, receiver.base_url or "", is_secret=False) as to:

        def send(notice: Notice) -> Mapping[str, str]:
            label = mark(receiver, notice)
            text = wording.text(notice)
            found = _jira_open(to, root, notice.ticket) or _jira_found(to, root, receiver, label)
            if not found and _is_over(notice):
                return {}
            if found:
                to.send("POST", f"{root}/issue/{found}/comment", {"body": _jira_text(receiver, text)})
            else:
                fields = {
                    "project": {"key": receiver.project},
                    "issuetype": {"name": receiver.issue_type},
                    "summary": _summary(notice),
                    "description": _jira_text(receiver, text),
                    "labels": ["orphanscan", label],
                }
                found = str(to.send("POST", f"{root}/issue", {"fields": fields}).document().get("key") or "")
                if not _JIRA_KEY.fullmatch(found):
                    raise NoticeError(f"{receiver.id}: Jira opened an issue and did not say which")
            return {notice.changes[0].group: found}

        yield send


def check_jira(receiver: Receiver) -> str:
    """Sign in, without changing anything."""
    with wire.opened(receiver, receiver.base_url or "", is_secret=False) as to:
        to.send("GET", f"/rest/api/{receiver.api}/myself")
        to.send("GET", f"/rest/api/{receiver.api}/project/{receiver.project}")
    return f"{receiver.base_url} lets us in, and the project {receiver.project} is there"


def _jira_open(to: wire.Wire, root: str, key: str) -> str:
    """Return a known issue if it is still open."""
    if not _JIRA_KEY.fullmatch(key):
        return ""
    with contextlib.suppress(wire.GoneError):
        fields = to.send("GET", f"{root}/issue/{key}?fields=status").document().get("fields")
        status = fields.get("status") if isinstance(fields, dict) else None
        category = status.get("statusCategory") if isinstance(status, dict) else None
        if isinstance(category, dict) and category.get("key") != "done":
            return key
    return ""


def _jira_found(to: wire.Wire, root: str, receiver: Receiver, label: str) -> str:
    """Return the open issue that carries a label: a run may have been killed before it could remember it."""
    jql = f'project = "{receiver.project}" and labels = "{label}" and statusCategory != Done order by created'
    # The older address is gone from Jira Cloud, and the newer one is not in Data Center.
    path = "search/jql" if receiver.api == "3" else "search"
    asked = {"jql": jql, "maxResults": 1, "fields": ["status"]}
    issues = to.send("POST", f"{root}/{path}", asked).document().get("issues")
    first = issues[0] if isinstance(issues, list) and issues else None
    key = str(first.get("key")) if isinstance(first, dict) else ""
    return key if _JIRA_KEY.fullmatch(key) else ""


def _jira_text(receiver: Receiver, text: str) -> object:
    """Return a text in which nothing is markup: a tree of text nodes, or, for the older API, a block of plain text."""
    if receiver.api == "2":
        # Only {noformat} itself could end the block.
        return "{noformat}\n" + text.replace("{", "(").replace("}", ")") + "\n{noformat}"
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.split("\n") if line
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


@contextlib.contextmanager
def servicenow(receiver: Receiver) -> Iterator[Send]:
    """Give what opens a record for a group, or adds work notes to the one that is open."""
    table = f"/api/now/table/{receiver.table}"
    with wire.opened(receiver, receiver.base_url or "", is_secret=False) as to:

        def send(notice: Notice) -> Mapping[str, str]:
            correlation = mark(receiver, notice)
            text = _without_code(wording.text(notice))
            query = quote(f"correlation_id={correlation}^active=true", safe="")
            found = to.send("GET", f"{table}?sysparm_query={query}&sysparm_fields=sys_id&sysparm_limit=1").document()
            rows = found.get("result")
            first = rows[0] if isinstance(rows, list) and rows else None
            sys_id = str(first.get("sys_id")) if isinstance(first, dict) else ""
            if _SYS_ID.fullmatch(sys_id):
                to.send("PATCH", f"{table}/{sys_id}", {"work_notes": text})
            elif not _is_over(notice):
                record = {
                    "short_description": _without_code(_summary(notice)),
                    "description": text,
                    "correlation_id": correlation,
                    "correlation_display": "orphanscan",
                }
                to.send("POST", table, record)
            return {}

        yield send


def check_servicenow(receiver: Receiver) -> str:
    """Sign in and read one record, without changing anything."""
    with wire.opened(receiver, receiver.base_url or "", is_secret=False) as to:
        to.send("GET", f"/api/now/table/{receiver.table}?sysparm_fields=sys_id&sysparm_limit=1")
    return f"{receiver.base_url} lets us in, and the table {receiver.table} can be read"


def _is_over(notice: Notice) -> bool:
    """Tell whether nothing is left to do, so that no ticket need be opened."""
    return all(change.kind in (ChangeKind.RESOLVED, ChangeKind.SOURCE_COMPLETE) for change in notice.changes)


def _summary(notice: Notice) -> str:
    change = notice.changes[0]
    return f"orphanscan: {change.title}{f', {change.app}' if change.app else ''}"[:_SUMMARY]


def _without_code(text: str) -> str:
    """Return text without what ServiceNow's journals take as HTML."""
    return re.sub(r"\[(/?code)\]", r"(\1)", text, flags=re.IGNORECASE)
