"""Real SCIM servers on loopback, each with its own bearer token and the demo's activity extension."""

import json
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from scanner.errors import ConfigError

ACTIVITY = "urn:demo:params:scim:schemas:extension:activity:2.0:User"
"""Sign-in, creation and second factor: SCIM has no standard attributes for them, so real vendors extend it too."""

WRITTEN_AT = datetime(2026, 11, 19, 22, 0, tzinfo=UTC)
"""`meta.created` and `meta.lastModified` of everything: fixed, so that every run holds the same data."""

_FIELDS = {
    "lastSignIn": "dateTime",
    "lastActivity": "dateTime",
    "createdOn": "dateTime",
    "deactivatedOn": "dateTime",
    "secondFactor": "boolean",
}
_NAMESPACE = uuid.UUID("6f0c6a2e-4d0e-5d6c-9a51-0f5f0b1c7a11")


@dataclass(frozen=True, slots=True)
class Server:
    """One running server."""

    app: str
    base_url: str
    token: str


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    """Serves each request in a thread of its own."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    """Does not print a line per request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def resource_id(app: str, name: str) -> str:
    """Return the id that the server of `app` gives to the user or group called `name`: the same in every run."""
    return str(uuid.uuid5(_NAMESPACE, f"{app}/{name}"))


@contextmanager
def serve(app: str, token: str, *, by_cursor: bool = False) -> Iterator[Server]:
    """Run an empty SCIM server for one application until the context ends; `by_cursor`: it pages as RFC 9865 says."""
    application = _wsgi_application(app, token, by_cursor)
    server = make_server("127.0.0.1", 0, application, server_class=_ThreadingServer, handler_class=_QuietHandler)
    # Asked for the end twenty times a second: a demo of eight servers should not take four seconds to stop.
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Server(app, f"http://127.0.0.1:{server.server_port}/v2", token)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def require_extra() -> None:
    """Raise a ConfigError that names the remedy if the package that serves SCIM is not installed."""
    try:
        import scim2_server.testserver.application  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The demo starts real SCIM servers and needs the package {error.name!r}, which is not installed. "
            "Install it with: pip install 'orphanscan[demo]'"
        ) from None


def _wsgi_application(app: str, token: str, by_cursor: bool) -> Callable[..., Any]:
    """Build the WSGI application of one server."""
    require_extra()
    # Imported here because the extra is optional and pydantic's models take half a second to build.
    from scim2_server.memory import InMemoryStorage
    from scim2_server.service import ScimService
    from scim2_server.testserver.application import BearerTokenApplication

    class Storage(InMemoryStorage):
        """Gives out ids that are the same in every run."""

        def generate_id(self, resource_type: Any, resource: Any) -> str:
            name = resource.user_name if resource_type.name == "User" else resource.display_name
            key = resource_id(app, name)
            # A second one of that name gets another id, and is refused for its name instead of replacing the first.
            is_taken = key in self._resources.get(resource_type.name, {})
            return super().generate_id(resource_type, resource) if is_taken else key

    provider = _provider(by_cursor)
    return BearerTokenApplication(
        Storage(clock=lambda: WRITTEN_AT),
        provider,
        service=ScimService(provider, secret=secrets.token_urlsafe(24)),
        bearer_tokens=[token],
    )


def _provider(by_cursor: bool) -> Any:
    """Describe the service: the standard's own schemas and the activity extension on users."""
    from scim2_models import Pagination, ResourceType, Schema, ScimProvider
    from scim2_server.testserver.application import BEARER_TOKEN_SCHEME
    from scim2_server.utils import (
        load_default_resource_types,
        load_default_schemas,
        load_default_service_provider_config,
    )

    config = load_default_service_provider_config()
    config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    if by_cursor:
        config.pagination = Pagination(
            cursor=True, index=False, default_pagination_method=Pagination.DefaultPaginationMethod.cursor
        )
    types = []
    for resource_type in load_default_resource_types().values():
        document = resource_type.model_dump()
        if document["name"] == "User":
            document["schemaExtensions"].append({"schema": ACTIVITY, "required": False})
        types.append(ResourceType.model_validate(document))
    schemas = [*load_default_schemas().values(), Schema.model_validate(json.loads(_activity_schema()))]
    return ScimProvider.from_discovery(schemas, types, config=config)


def _activity_schema() -> str:
    """Return the extension as a SCIM schema document."""
    common = {
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    return json.dumps(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": ACTIVITY,
            "name": "Activity",
            "description": "When an account was made and last used",
            "attributes": [{"name": name, "type": kind, **common} for name, kind in _FIELDS.items()],
        }
    )
