"""Reviews of access: from a sealed scan to workbooks, and from workbooks to the policy input."""

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from scanner import access_log, evidence, reviews
from scanner import scan as scanning
from scanner.cli.text import nearest
from scanner.config import Config
from scanner.errors import ConfigError
from scanner.report.pseudonyms import load_key
from scanner.store import state as states


def export(
    config: Config, scan_name: str, name: str, by: str, apps: Sequence[str], out: Path | None
) -> tuple[list[Path], int]:
    """Write the workbooks of a new review; return their paths and the number of items."""
    reviews.check_name(name)
    target = (out or config.state / "reviews" / name).absolute()
    if config.encryption is not None and target.is_relative_to(config.state):
        raise ConfigError(
            "what lies in the state folder is sealed, and workbooks are there to be handed out: with --out, name a"
            f" folder outside of {config.state}, and take them away from there when they are"
        )
    known = {app.id for app in config.applications}
    for app in apps:
        if app not in known:
            raise ConfigError(f"there is no application {app!r}{nearest(app, known)}")
    scan, folder, _ = scanning.latest_record(config, scan_name)
    evidence.check_sealed(folder, scan.manifest_sha256, "audit/")
    with states.writing(config.state, "export review"):
        if reviews.exists(config.state, name):
            raise ConfigError(
                f"there is a review {name} already; what was asked stays as it is, so choose another name"
            )
        audit = folder / "evidence" / "audit"
        rows = reviews.rows(audit, by=by, apps=apps)
        if not rows:
            raise ConfigError(f"the scan {scan.id} has no account to review{' in ' + ', '.join(apps) if apps else ''}")
        key = load_key(config.state, create=True)
        listed = [(reviews.item_id(key, name, row), row) for row in rows]
        campaign = reviews.Campaign(
            name=name,
            by=by,
            scan_id=scan.id,
            manifest_sha256=scan.manifest_sha256,
            exported_at=datetime.now(UTC).replace(microsecond=0),
            items=tuple(
                reviews.Item(
                    one, row.app, row.account_id, row.entitlement, row.reviewer_email or row.reviewer_id, row.worker_id
                )
                for one, row in listed
            ),
            people=reviews.people(audit),
        )
        access_log.record(
            config.state, access_log.Access("export review", scan=scan.id, count=len(rows), reason=f"review {name}")
        )
        written = []
        for (reviewer_id, email), mine in groupby(listed, lambda one: (one[1].reviewer_id, one[1].reviewer_email)):
            path = target / f"{name}-{_slug(email.partition('@')[0] or reviewer_id)}-{secrets.token_hex(3)}.xlsx"
            reviews.write(path, campaign, list(mine))
            written.append(path)
        # Last: a review that was killed half-way can be exported again.
        reviews.remember(config.state, campaign)
    return written, len(rows)


def take_back(config: Config, files: Sequence[Path], to: Path | None) -> tuple[reviews.Imported, Path]:
    """Import the decisions of the workbooks of one review; nothing counts unless all are right."""
    file = to.absolute() if to else config.policy.access_reviews
    if file is None:
        raise ConfigError(
            'no policy input takes the decisions: name a file with --to, and set access_reviews = "that file" under'
            f" [policy] of {config.path}"
        )
    returned = {path: tuple(reviews.read(path)) for path in dict.fromkeys(path.absolute() for path in files)}
    with states.writing(config.state, "import review"):
        campaign = _campaign(config, returned)
        zone = ZoneInfo(config.timezone)
        begin, today = campaign.exported_at.astimezone(zone).date(), datetime.now(zone).date()
        decided = reviews.check(campaign, returned, begin, today)
        return reviews.store(file, campaign, decided), file


def _campaign(config: Config, returned: dict[Path, tuple[reviews.Returned, ...]]) -> reviews.Campaign:
    """Return the review that the workbooks belong to, by the items that they name."""
    named = {row.item for rows in returned.values() for row in rows}
    found = [one for one in reviews.known(config.state) if any(item.id in named for item in one.items)]
    if not found:
        raise ConfigError("the workbooks belong to no review of this state folder; import them where it was exported")
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise ConfigError(f"the workbooks belong to several reviews ({names}); import those of one at a time")
    return found[0]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "nobody"
