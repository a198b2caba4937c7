"""scim2-client: pages one after the other, validated models, then columns handed to DuckDB as Arrow."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import EnterpriseUser, ResourceType, ScimProvider, SearchRequest, User

from benchmarks.collecting.terms import TOKEN, Task, engine_main
from benchmarks.measure import Stages

MODEL = User[EnterpriseUser]


def run(task: Task, out: Path, stages: Stages) -> None:
    """Read, load, and remove what came twice."""
    provider = ScimProvider(models=[User, EnterpriseUser], resource_types=[ResourceType.from_resource(MODEL)])
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with duckdb.connect(str(out / "work.duckdb")) as con, Client(base_url=task.urls[0], headers=headers) as http:
        with stages.stage("total"):
            users = list(_users(SyncSCIMClient(http, provider=provider), task.page_size))
            accounts = {
                "account_id": [user.id for user in users],
                "username": [user.user_name for user in users],
                "email": [next((one.value for one in user.emails or () if one.primary), None) for user in users],
                "display_name": [user.display_name for user in users],
                "external_id": [user.external_id for user in users],
                "employee_number": [user[EnterpriseUser].employee_number for user in users],
                "is_active": [user.active for user in users],
            }
            pairs = [(user.id, f"group:{group.value}") for user in users for group in user.groups or ()]
            grants = {"account_id": [pair[0] for pair in pairs], "entitlement": [pair[1] for pair in pairs]}
            for name, columns in (("accounts", accounts), ("grants", grants)):
                con.register("rows", pa.table(columns))
                con.execute(f"create table {name} as select distinct * from rows")
        for name in ("accounts", "grants"):
            con.execute(f"copy {name} to '{out / name}.parquet' (format parquet)")


def _users(client: SyncSCIMClient, size: int) -> Iterator[User[EnterpriseUser]]:
    start, total = 1, 1
    while start <= total:
        page = client.query(MODEL, query_parameters=SearchRequest(start_index=start, count=size))
        yield from page.resources
        start, total = start + len(page.resources), page.total_results


if __name__ == "__main__":
    engine_main(run)
