"""dlt's REST source into DuckDB, by way of Parquet files, its quickest way; `replace`, which leaves doubles in."""

import os
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
import duckdb
from dlt.sources.rest_api import rest_api_source

from benchmarks.collecting.terms import TOKEN, Task, engine_main
from benchmarks.measure import Stages

_NUMBER = "urn_ietf_params_scim_schemas_extension_enterprise_2_0_user__employee_number"


def run(task: Task, out: Path, stages: Stages) -> None:
    """Extract, normalise and load; dlt makes a table of every list."""
    with stages.stage("total"):
        source = rest_api_source(
            {
                "client": {
                    "base_url": task.urls[0],
                    "auth": {"type": "bearer", "token": TOKEN},
                    "paginator": {
                        "type": "offset",
                        "limit": task.page_size,
                        "offset": 1,
                        "offset_param": "startIndex",
                        "limit_param": "count",
                        "total_path": "totalResults",
                    },
                },
                "resources": [
                    {
                        "name": "users",
                        "endpoint": {"path": "Users", "data_selector": "Resources"},
                        "primary_key": "id",
                        "write_disposition": "replace",
                    }
                ],
            }
        )
        pipeline = dlt.pipeline(
            "users",
            pipelines_dir=str(out / "pipelines"),
            destination=dlt.destinations.duckdb(str(out / "work.duckdb")),
            dataset_name="staging",
        )
        pipeline.run(source, loader_file_format="parquet")
    with duckdb.connect(str(out / "work.duckdb")) as con:
        con.execute(
            "copy (select u.id as account_id, u.user_name as username, e.value as email, u.display_name, u.external_id,"
            f" u.{_NUMBER} as employee_number, u.active as is_active from staging.users u left join"
            ' staging.users__emails e on e._dlt_parent_id = u._dlt_id and e."primary")'
            f" to '{out / 'accounts.parquet'}' (format parquet)"
        )
        con.execute(
            "copy (select u.id as account_id, 'group:' || g.value as entitlement from staging.users u"
            " join staging.users__groups g on g._dlt_parent_id = u._dlt_id)"
            f" to '{out / 'grants.parquet'}' (format parquet)"
        )


if __name__ == "__main__":
    engine_main(run)
