"""Collects the HR roster from a Workday report that is published as a web service (RaaS).

Rights needed: an integration system user (ISU) whose security group may Get the report's data sources; sign-in by its
name and password. Covers what the report shows, which is the customer's own: its data source must be All Active and
Terminated Workers, or leavers are not in it. There is no paging: one answer holds the report, of at most 2 GB and 30
minutes, which is read twice to prove it; larger ones have to be split by prompts into several rosters. There is no
rate limit that is documented. An ISU works in Pacific Time: what a report calls today begins up to 19 hours after it
has begun elsewhere, so dates decide who has left here, never the word of its status.
"""

from dataclasses import replace
from pathlib import Path

from scanner.collectors import rest_roster
from scanner.collectors.interface import Look, Progress
from scanner.config import Roster
from scanner.connections import RestSettings
from scanner.model import Collected


def collect_workday(roster: Roster, into: Path, progress: Progress) -> Collected:
    """Leave workers.ndjson in `into`, with the verdict on the report."""
    return rest_roster.collect(roster, _report(roster), into, progress)


def look(roster: Roster) -> Look:
    """Run the report once; raises SourceError where a scan would fail."""
    return rest_roster.look_at(roster, _report(roster))


def _report(roster: Roster) -> RestSettings:
    return replace(roster.rest, items="Report_Entry", query={"format": "json", **roster.rest.query})
