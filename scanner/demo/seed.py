"""Fills a SCIM server from a seed file, as an identity provider would: over the protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from scanner.demo.servers import Server
from scanner.errors import SourceError

_BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_OPERATIONS = 200
"""In one request; far below the server's limits of 1,000 operations and 1 MB."""


def seed(server: Server, document: Mapping[str, Any]) -> tuple[int, int]:
    """Create the users and groups of a seed document and return how many of each."""
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/scim+json"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=60, trust_env=False) as client:
        ids = _create(client, "/Users", document["users"])
        by_name = {user["userName"]: key for user, key in zip(document["users"], ids, strict=True)}
        groups = [_group(group, by_name) for group in document["groups"]]
        _create(client, "/Groups", groups)
    return len(ids), len(groups)


def _group(group: Mapping[str, Any], by_name: Mapping[str, str]) -> dict[str, Any]:
    """Turn the user names of a seed group into the ids that the server gave."""
    members = [{"value": by_name[name], "type": "User"} for name in group["members"]]
    return {"schemas": [_GROUP], "displayName": group["displayName"], "members": members}


def _create(client: httpx.Client, path: str, resources: Sequence[Mapping[str, Any]]) -> list[str]:
    """Create resources in bulk and return their ids in the same order."""
    ids: list[str] = []
    for start in range(0, len(resources), _OPERATIONS):
        chunk = resources[start : start + _OPERATIONS]
        operations = [
            {"method": "POST", "path": path, "bulkId": f"b{start + number}", "data": resource}
            for number, resource in enumerate(chunk)
        ]
        answer = client.post("/Bulk", json={"schemas": [_BULK], "Operations": operations})
        if answer.status_code != 200:
            raise SourceError(f"Seeding {client.base_url}{path} failed with HTTP status {answer.status_code}.")
        for result in answer.json()["Operations"]:
            if result["status"] != "201":
                raise SourceError(f"Seeding {client.base_url}{path} failed: {result}")
            ids.append(result["location"].rsplit("/", 1)[1])
    return ids
