"""What a server says about itself: hints only, as many servers leave it out, hide it or get it wrong."""

import json
from dataclasses import dataclass

from scanner.collectors.http import Session
from scanner.collectors.profiles import Profile
from scanner.errors import SourceError


@dataclass(frozen=True, slots=True)
class Discovery:
    """The hints that decide how lists are read."""

    cursor: bool
    """Whether to begin with a cursor."""
    index: bool
    """False if the server says that it cannot page by index."""
    max_page_size: int


def discover(session: Session, profile: Profile) -> Discovery:
    """Ask ServiceProviderConfig; the profile answers where the server does not."""
    config = _document(session, "/ServiceProviderConfig")
    pagination = _object(config, "pagination")
    sizes = [pagination.get("maxPageSize"), _object(config, "filter").get("maxResults"), profile.max_page_size]
    usable = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0]
    cursor = profile.paging == "cursor" or (profile.paging == "discover" and pagination.get("cursor") is True)
    return Discovery(cursor, pagination.get("index") is not False, min(usable))


def offers_groups(session: Session) -> bool:
    """Return False only if /ResourceTypes answers and names no Group."""
    types = _document(session, "/ResourceTypes")
    listed = types.get("Resources", types.get("resources"))
    if not isinstance(listed, list) or not listed:
        return True
    texts = [
        str(one.get(key, "")).lower() for one in listed if isinstance(one, dict) for key in ("id", "name", "endpoint")
    ]
    return any(text.strip("/") in ("group", "groups") for text in texts)


def _document(session: Session, path: str) -> dict[str, object]:
    try:
        # No retries: a hint is not worth a minute.
        document = json.loads(session.get(path, retries=0).body)
    except (SourceError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _object(document: dict[str, object], key: str) -> dict[str, object]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
