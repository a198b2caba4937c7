"""Users and groups of a synthetic application as ready pages, the same on every run; a user takes 1.7 KB."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

GROUPS = 120
GRANTS_EACH = 3
_GIVEN = ("Ada", "Bruno", "Chloé", "Dmitri", "Elif", "Farid", "Grace", "Hiro", "Inès", "Jan", "Kofi", "Søren")
_FAMILY = ("Abansen", "Berelova", "Corikman", "Dalombach", "Eruridis", "Falézello", "Goraimark", "Halebvik")
_DEPARTMENTS = ("Accounts Payable", "Care Coordination", "Engineering", "Field Service", "Legal", "People")
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def user(number: int) -> dict[str, Any]:
    """Return one user, as a well-kept directory would describe it."""
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number // 7 % len(_FAMILY)]
    login = f"{given[0].lower()}.{number:07}"
    identifier = f"2819c223-7f76-453a-919d-{number:012}"
    manager = f"2819c223-7f76-453a-919d-{number // 9:012}"
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", _ENTERPRISE],
        "id": identifier,
        "externalId": f"hr-{number:08}",
        "userName": f"{login}@corp.example",
        "name": {"formatted": f"{given} {family}", "familyName": family, "givenName": given},
        "displayName": f"{given} {family}",
        "nickName": given,
        "profileUrl": f"https://intranet.example/people/{number:08}",
        "title": "Senior specialist" if number % 5 else "Team lead",
        "userType": "Contractor" if number % 11 == 0 else "Employee",
        "preferredLanguage": "en-GB",
        "locale": "en-GB",
        "timezone": "Europe/Berlin",
        "active": number % 13 != 0,
        "emails": [
            {"value": f"{login}@corp.example", "type": "work", "primary": True},
            {"value": f"{login}@mail.example", "type": "home"},
        ],
        "phoneNumbers": [{"value": f"tel:+49-30-5550-{number % 10_000:04}", "type": "work"}],
        "addresses": [
            {
                "type": "work",
                "streetAddress": f"{number % 300 + 1} Example Street",
                "locality": "Berlin",
                "postalCode": f"1{number % 10_000:04}",
                "country": "DE",
            }
        ],
        "groups": [
            {
                "value": f"g-{group:03}",
                "$ref": f"https://crm.example/scim/v2/Groups/g-{group:03}",
                "display": f"Team {group:03}",
                "type": "direct",
            }
            for group in groups_of(number)
        ],
        "meta": {
            "resourceType": "User",
            "created": f"20{number % 20 + 5:02}-0{number % 9 + 1}-1{number % 10}T08:30:00Z",
            "lastModified": f"2026-0{number % 6 + 1}-1{number % 10}T09:15:27.5Z",
            "location": f"https://crm.example/scim/v2/Users/{identifier}",
            "version": f'W/"{number:x}"',
        },
        _ENTERPRISE: {
            "employeeNumber": f"{number:08}",
            "costCenter": f"CC-{number % 400:04}",
            "organization": "Example Corporation",
            "department": _DEPARTMENTS[number % len(_DEPARTMENTS)],
            "manager": {"value": manager, "$ref": f"https://crm.example/scim/v2/Users/{manager}"},
        },
    }


def groups_of(number: int) -> Sequence[int]:
    """Return the groups of a user, all different."""
    return [(number + step * 41) % GROUPS for step in range(GRANTS_EACH)]


def user_pages(users: int, size: int) -> Iterator[bytes]:
    """Render the list of users page after page."""
    for start in range(0, users, size):
        yield page([user(number) for number in range(start, min(start + size, users))], users, start)


def group_page() -> bytes:
    """Render the list of groups; who is in them is written with the users."""
    rows = [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "id": f"g-{number:03}",
            "displayName": f"Team {number:03}",
            "members": [],
            "meta": {"resourceType": "Group"},
        }
        for number in range(GROUPS)
    ]
    return page(rows, GROUPS, 0)


def page(rows: list[dict[str, Any]], total: int, start: int) -> bytes:
    """Render a list response (RFC 7644, 3.4.2)."""
    envelope = {"schemas": [_LIST], "totalResults": total, "startIndex": start + 1, "itemsPerPage": len(rows)}
    return json.dumps({**envelope, "Resources": rows}, ensure_ascii=False, separators=(",", ":")).encode()
