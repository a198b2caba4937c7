"""Metrics of the last scan, for the textfile collector of Prometheus' node exporter."""

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from scanner.errors import NoticeError
from scanner.notices.changes import is_confidential
from scanner.notices.document import Document
from scanner.notices.model import Told
from scanner.settings import Receiver


def write(receiver: Receiver, document: Document, scan: Told) -> None:
    """Replace the file in one step, so that the exporter never reads half of it; NoticeError if that fails."""
    path = receiver.path
    if path is None:
        return
    content = "".join(f"{line}\n" for line in lines(receiver, document, scan)).encode()
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(draft).chmod(0o644)  # the exporter is another user; there is no personal data in it
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NoticeError(f"{path} cannot be written: {error.strerror}; check the folder") from None


def check(receiver: Receiver) -> str:
    """Look whether the folder is there and can be written."""
    folder = receiver.path.parent if receiver.path else Path()
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise NoticeError(f"{folder} is not a folder that can be written")
    return f"{folder} can be written"


def lines(receiver: Receiver, document: Document, scan: Told) -> Iterator[str]:
    """Yield the text format of Prometheus, version 0.0.4."""
    started, finished = document.scan.started_at.timestamp(), document.scan.finished_at.timestamp()
    yield from _metric("orphanscan_scan_number", "Number of the last scan.", [((), scan.number)])
    yield from _metric("orphanscan_scan_finished_timestamp_seconds", "When the last scan ended.", [((), finished)])
    yield from _metric("orphanscan_scan_duration_seconds", "How long the last scan took.", [((), finished - started)])
    yield from _metric("orphanscan_scan_complete", "1 if every source was complete.", [((), int(scan.complete))])
    complete = [((("source", one.id), ("kind", one.kind)), int(one.is_complete)) for one in document.sources]
    yield from _metric("orphanscan_source_complete", "1 if the source was complete.", complete)
    collected = [((("source", one.id), ("kind", one.kind)), one.collected) for one in document.sources]
    yield from _metric("orphanscan_source_collected", "Rows read from the source.", collected)
    leads = {rule.id for rule in document.rules if rule.lead}
    counted = Counter(
        (entry.rule, str(entry.severity))
        for entry in document.findings
        if entry.verdict == "fail"
        and entry.is_open
        and entry.rule not in leads
        and (receiver.confidential or not is_confidential(entry, scan.as_of))
    )
    found = [((("rule", rule), ("severity", severity)), n) for (rule, severity), n in sorted(counted.items())]
    yield from _metric("orphanscan_findings", "Open exceptions of the last scan.", found)
    unable = [((("rule", rule.id),), int(rule.result == "unable_to_test")) for rule in document.rules]
    yield from _metric("orphanscan_rule_unable_to_test", "1 if the rule could not be tested.", unable)


_Labels = tuple[tuple[str, str], ...]


def _metric(name: str, text: str, values: Iterable[tuple[_Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in values:
        shown = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels)
        yield f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
