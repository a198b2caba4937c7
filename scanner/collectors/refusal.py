"""Turns an HTTP error into one sentence, whatever shape its body has."""

import json

from scanner.collectors.redact import Redactor
from scanner.errors import SourceError

_MEANING = {
    400: "the request was not understood",
    401: "the credential is missing, wrong or expired",
    403: "the credential may not read this",
    404: "nothing is there; check base_url",
    407: "the proxy wants a credential",
    429: "too many requests",
    500: "the server failed",
    501: "the server does not offer this",
}


class HttpError(SourceError):
    """The server answered, and refused."""

    def __init__(self, message: str, status: int, scim_type: str, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.scim_type = scim_type
        """scimType of the SCIM error, or the code by which another API calls it; lower case."""
        self.said = said
        """The server's own words, redacted."""


def refusal(status: int, body: bytes, what: str, redactor: Redactor) -> HttpError:
    """Return the error for an answer that is not a success."""
    document = _document(body)
    said = redactor.text(_words(document), 160)
    scim_type = _code(document)
    meaning = f": {_MEANING[status]}" if status in _MEANING else ""
    quoted = f'; the server says "{said}"' if said else ""
    return HttpError(
        f"{what} answered {status}{meaning}{quoted}",
        status,
        scim_type.lower(),
        said,
    )


def _document(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def _code(document: object) -> str:
    """Return how the server calls its error: scimType, or the code of Microsoft Graph, Okta and others."""
    if not isinstance(document, dict):
        return ""
    if isinstance(document.get("error"), dict):
        return _code(document["error"])
    return next((str(document[key]) for key in ("scimType", "errorCode", "code") if document.get(key)), "")


def _words(document: object) -> str:
    """Find the explanation: SCIM says `detail`, others `Errors[].description`, `message`, `errorSummary` or `error`."""
    if isinstance(document, dict):
        for key in ("Errors", "errors"):
            nested = document.get(key)
            if isinstance(nested, list) and nested:
                return _words(nested[0])
        if isinstance(document.get("error"), dict):
            return _words(document["error"])
        for key in ("detail", "description", "message", "error_description", "errorSummary", "error"):
            if isinstance(document.get(key), str):
                return str(document[key])
    return ""
