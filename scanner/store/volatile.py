"""Values of the latest scan that are not versioned."""

import json
from collections.abc import Collection
from pathlib import Path

from scanner.store.state import STORE, open_store


def versions(state: Path, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return (app, account id) -> meta.version of the wanted accounts, where their application gives one."""
    rows = [{"app": app, "account_id": account_id} for app, account_id in wanted]
    with open_store(state / STORE) as con:
        found = con.execute(
            """
            select v.app, v.account_id, v.version
            from account_volatile v
            semi join (
                select unnest(from_json($rows, '[{"app":"varchar","account_id":"varchar"}]'), recursive := true)
            ) using (app, account_id)
            where v.version is not null
            """,
            {"rows": json.dumps(rows)},
        ).fetchall()
    return {(app, account_id): version for app, account_id, version in found}
