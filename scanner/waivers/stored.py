"""Waivers on the findings of a scan that is stored: what they do today, and what others would do."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from scanner.config import Config
from scanner.model import RuleResult, Scan
from scanner.model_history import AppliedWaiver
from scanner.store import scans, state
from scanner.waivers.apply import Moment, accepted, judge
from scanner.waivers.entry import Waiver


def judge_stored(
    config: Config, scan: Scan | None, waivers: Sequence[Waiver], results: Sequence[RuleResult], at: datetime
) -> tuple[tuple[RuleResult, ...], tuple[AppliedWaiver, ...]]:
    """Return the results of a stored scan as these waivers make them at an instant, and the waivers as applied.

    Nothing is written. Without a scan there are no findings, and the waivers show their dates only.
    """
    if scan is None:
        with duckdb.connect() as nothing:
            _, applied = judge(waivers, (), Moment(0, at, config.timezone), store=nothing, audit=Path())
        return (), applied
    audit = scans.scan_dir(config.state, scan.id) / "evidence" / "audit"
    with state.open_store(config.state / state.STORE) as store:
        moment = Moment(state.scan_no(store, scan.id), at, config.timezone)
        results, applied = judge(waivers, results, moment, store=store, audit=audit)
    return accepted(results), applied
