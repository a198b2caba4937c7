"""Timestamps of an outside authority (RFC 3161): asked for over HTTP, kept beside the manifest, and checked offline."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError, ReportError
from scanner.evidence.files import write_file
from scanner.evidence.manifest import MANIFEST, TIMESTAMP
from scanner.settings import EvidenceSettings

LARGEST = 256 * 1024
"""An answer of more bytes is none: tokens with a chain of certificates have some 6 KB."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says."""

    at: datetime
    authority: str
    """Subject of the certificate that signed, as it names itself."""
    is_trusted: bool
    """Whether its certificate leads to a root that is trusted."""


def available(settings: EvidenceSettings) -> None:
    """Raise ConfigError if a timestamp is asked for that could not be checked here."""
    if settings.timestamp_url:
        _library()
        roots_in(settings.timestamp_ca_file)


def stamp(folder: Path, settings: EvidenceSettings) -> Stamp | None:
    """Have the manifest of an evidence folder stamped, if that is configured; ReportError says why it could not be.

    Only its hash leaves the machine. The answer is checked before it is kept.
    """
    if settings.timestamp_url is None:
        return None
    library = _library()
    data = (folder / MANIFEST).read_bytes()
    request = library.TimestampRequestBuilder().data(data).hash_algorithm(library.HashAlgorithm.SHA256).build()
    answer = _ask(settings.timestamp_url, request.as_bytes(), settings.timestamp_seconds)
    try:
        found = check(answer, data, roots_in(settings.timestamp_ca_file), nonce=request.nonce)
    except ValueError as exc:
        raise ReportError(f"the answer of {settings.timestamp_url} is no timestamp of this manifest: {exc}") from None
    write_file(folder / TIMESTAMP, answer)
    return found


def check(data: bytes, manifest: bytes, roots: Sequence[bytes], nonce: int | None = None) -> Stamp:
    """Return what a token says of a manifest; ValueError says what is wrong with it.

    Args:
        data: the answer of the authority, DER.
        manifest: the bytes that it stamps.
        roots: PEM of trusted certificates; without any, the token is read and its hash compared, and no more.
        nonce: of the request, if it was made just now.
    """
    library = _library()
    try:
        token = library.decode_timestamp_response(data)
        info = token.tst_info
        at, imprint = info.gen_time, info.message_imprint
    except Exception as exc:
        # The parser raises errors of its own for whatever a stranger wrote.
        raise ValueError(f"it cannot be read ({type(exc).__name__})") from None
    from cryptography import x509

    names = {"2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512"}
    algorithm = names.get(imprint.hash_algorithm.dotted_string)
    if algorithm is None or hashlib.new(algorithm, manifest).digest() != imprint.message:
        raise ValueError("it is about something else than this manifest")
    if nonce is not None and info.nonce != nonce:
        raise ValueError("it answers another request")
    trusted = [one for pem in roots for one in x509.load_pem_x509_certificates(pem)]
    certificates = [x509.load_der_x509_certificate(one) for one in token.signed_data.certificates]
    if trusted:
        _verify(library, token, manifest, trusted, certificates)
    signer = next((one for one in certificates if _stamps(x509, one)), None)
    authority = signer.subject.rfc4514_string() if signer else "an authority that does not show its certificate"
    return Stamp(at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC), authority, bool(trusted))


def _verify(library: Any, token: Any, manifest: bytes, trusted: Sequence[Any], certificates: Sequence[Any]) -> None:
    from cryptography import x509

    builder = library.VerifierBuilder()
    for one in trusted:
        builder = builder.add_root_certificate(one)
    for one in certificates:
        if not _stamps(x509, one) and one not in trusted:
            builder = builder.add_intermediate_certificate(one)
    try:
        builder.build().verify_message(token, manifest)
    except (library.VerificationError, ValueError) as exc:
        raise ValueError(f"it does not lead to the trusted authority: {' '.join(str(exc).split())[:200]}") from None


def _stamps(x509: Any, certificate: Any) -> bool:
    """Return whether a certificate is for stamping time (RFC 3161, section 2.3)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return x509.oid.ExtendedKeyUsageOID.TIME_STAMPING in usage


def roots_in(path: Path | None) -> tuple[bytes, ...]:
    """Return the certificates of a PEM file; ConfigError if it holds none."""
    if path is None:
        return ()
    from cryptography import x509

    try:
        data = path.read_bytes()
        x509.load_pem_x509_certificates(data)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} holds no certificate in PEM form") from None
    return (data,)


def _ask(url: str, request: bytes, seconds: float) -> bytes:
    """Send a request and return the answer, whatever the server does within bounds of time and size."""
    import httpx

    deadline = time.monotonic() + seconds
    body = b""
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        with httpx.stream(
            "POST", url, content=request, headers=headers, timeout=seconds, follow_redirects=False
        ) as answer:
            if answer.status_code != 200:
                raise ReportError(f"{url} answered {answer.status_code}")
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > LARGEST or time.monotonic() > deadline:
                    raise ReportError(f"{url} sent too much or took too long")
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise ReportError(f"{url} cannot be reached: {type(exc).__name__}") from None
    return body


def _library() -> Any:
    """Import what reads timestamps only where there is one."""
    try:
        import rfc3161_client
    except ImportError:
        raise ConfigError("timestamps need the package rfc3161-client: pip install 'orphanscan[evidence]'") from None
    return rfc3161_client
