"""A connection to a directory: encrypted, signed in, and read page by page, never further than one server."""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from scanner import secrets
from scanner.collectors import origin
from scanner.collectors.directory_wire import Wire
from scanner.collectors.redact import Redactor
from scanner.config import Application
from scanner.errors import ConfigError, SourceError
from scanner.model import Verdict

_PAGED = "1.2.840.113556.1.4.319"
"""RFC 2696: Simple Paged Results."""
_ACTIVE_DIRECTORY = frozenset({"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1851"})
"""Capabilities of Active Directory, and of its form without a domain (MS-ADTS 3.1.1.3.4.3)."""
_RETRIES = 2
"""Of the way in. A list that breaks off is not begun anew: its pages belong to its connection."""
_MARGIN_SECONDS = 0.2
"""So near to the deadline, whatever went wrong went wrong because of it."""
_ROOT = (
    *("supportedControl", "supportedCapabilities", "namingContexts", "defaultNamingContext", "vendorName"),
    "vendorVersion",
)


class ListCutError(SourceError):
    """The directory ended a list before its end; what it gave until then counts."""

    def __init__(self, sentence: str, verdict: Verdict) -> None:
        super().__init__(sentence)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the directory gave it."""

    dn: str
    values: Mapping[str, Sequence[bytes]]
    """Attribute, in small letters -> its values."""

    def text(self, name: str) -> str | None:
        """Return the first value of an attribute as text; None where there is none."""
        found = self.values.get(name.lower())
        return found[0].decode("utf-8", "replace") if found else None


@dataclass(frozen=True, slots=True)
class Root:
    """What a server says of itself (RFC 4512, 5.1)."""

    directory: str
    """active_directory, openldap or 389ds."""
    base: str | None
    """Where its entries are, if it names one place."""


@dataclass(slots=True)
class Link:
    """The open connection of one source. Use it as a context manager."""

    app: Application
    redactor: Redactor
    references: set[str] = field(default_factory=set)
    """Distinguished names of parts that other servers hold; never followed."""
    pages: int = 0
    _con: Any = None
    _wire: Wire | None = None
    _until: float = 0

    def __enter__(self) -> Self:
        try:
            import ldap
        except ImportError:
            raise SourceError("directories need a library: pip install 'orphanscan[ldap]'") from None
        self._until = time.monotonic() + self.app.limits.max_seconds
        retries = min(self.app.limits.retries, _RETRIES)
        for attempt in range(retries + 1):
            try:
                self._open()
            except (ldap.BUSY, ldap.UNAVAILABLE, ldap.SERVER_DOWN, ldap.TIMEOUT) as error:
                self.close()
                wait = 0.5 * 2**attempt
                if attempt == retries or self._left() <= wait:
                    raise SourceError(self._told("does not answer", error)) from None
                time.sleep(wait)
            except ldap.LDAPError as error:
                self.close()
                raise SourceError(self._told("does not let us in", error)) from None
            except (SourceError, ConfigError) as error:
                self.close()
                raise SourceError(f"the directory cannot be used: {error}") from None
            else:
                break
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        import ldap

        if self._con is not None:
            with contextlib.suppress(ldap.LDAPError):  # it may be gone already
                self._con.unbind_s()
            self._con = None
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def root(self) -> Root:
        """Return what the server says of itself; raises SourceError where it cannot page."""
        said = self.entry("", _ROOT)
        values = {name: [one.decode("utf-8", "replace") for one in found] for name, found in said.values.items()}
        if _PAGED not in values.get("supportedcontrol", ()):
            raise SourceError("the directory cannot give its entries in pages (RFC 2696), so no list of it is proven")
        vendor = " ".join((*values.get("vendorname", ()), *values.get("vendorversion", ()))).lower()
        directory = "389ds" if "389" in vendor else "openldap"
        if _ACTIVE_DIRECTORY & set(values.get("supportedcapabilities", ())):
            directory = "active_directory"
        places = values.get("defaultnamingcontext") or values.get("namingcontexts", [])
        return Root(directory, places[0] if len(places) == 1 else None)

    def entry(self, dn: str, attributes: Sequence[str]) -> Entry:
        """Return one entry; raises SourceError where it is not to be had."""
        import ldap

        try:
            found = list(self._answers(dn, ldap.SCOPE_BASE, "(objectClass=*)", attributes, []))
        except ListCutError as error:
            raise SourceError(str(error)) from None
        if not found:
            raise SourceError(f"the entry {dn or 'of the server itself'} may not be read")
        return found[0]

    def listed(self, base: str, filter_: str, attributes: Sequence[str]) -> Iterator[Entry]:
        """Yield every entry below `base` that a filter lets through, a page at a time.

        Raises ListCutError where the directory ends the list early, SourceError where it fails.
        """
        import ldap
        from ldap.controls import SimplePagedResultsControl

        page = SimplePagedResultsControl(criticality=True, size=self.app.limits.page_size, cookie="")
        for _ in range(self.app.limits.max_pages):
            answered: list[Any] = []
            yield from self._answers(base, ldap.SCOPE_SUBTREE, filter_, attributes, [page], answered)
            self.pages += 1
            cookies = [one.cookie for one in answered if one.controlType == _PAGED]
            if not cookies:
                raise SourceError("the directory answered without the control for pages: the list may be cut off")
            if not cookies[0]:
                return
            page.cookie = cookies[0]
        raise ListCutError(
            f"the list did not end within {self.app.limits.max_pages:,} pages (limits.max_pages)", Verdict.SHORT
        )

    def ranged(self, dn: str, attribute: str) -> Iterator[bytes]:
        """Yield all values of an attribute of which the server gives only so many at a time (MS-ADTS 3.1.1.3.1.3.3).

        Raises ListCutError where they do not end within limits, SourceError where they fail.
        """
        start = 0
        for _ in range(self.app.limits.max_pages):
            found = self.entry(dn, [f"{attribute};range={start}-*"]).values
            for name, values in found.items():
                match = re.fullmatch(rf"{re.escape(attribute.lower())};range=(\d+)-(\d+|\*)", name)
                if match and int(match[1]) == start:
                    yield from values
                    break
            else:
                raise SourceError(f"the values of {attribute} from the {start:,}th on are missing")
            if match[2] == "*":
                return
            if int(match[2]) < start:
                raise SourceError(
                    f"the directory gives a range of the values of {attribute} that ends before it begins"
                )
            start = int(match[2]) + 1
        raise ListCutError(
            f"the values of {attribute} did not end within {self.app.limits.max_pages:,} requests (limits.max_pages)",
            Verdict.SHORT,
        )

    def _open(self) -> None:
        import ldap

        address = self.app.ldap.url or ""
        where = origin.of(address, any_scheme=True)
        if where is None:
            raise SourceError("url in [application.ldap] is no address of a directory")
        is_encrypted = where.scheme == "ldaps" or self.app.ldap.start_tls
        if not is_encrypted and not self.app.allow_http and not where.is_loopback:
            raise SourceError("the password would be sent in clear; use ldaps:// or start_tls")
        self._wire = Wire(
            where.host,
            where.port,
            tls=where.scheme == "ldaps",
            start_tls=self.app.ldap.start_tls,
            ca_file=str(self.app.ca_file) if self.app.ca_file else None,
            seconds=self._allowed(),
            until=self._until,
        )
        # The descriptor carries the connection; the library wants an address too, which need not be the real one.
        con = self._con = ldap.initialize("ldap://directory", fileno=self._wire.end)
        # What files and variables of the machine say of referrals or limits must not count here.
        con.protocol_version = ldap.VERSION3
        con.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        con.set_option(ldap.OPT_DEREF, ldap.DEREF_NEVER)
        con.set_option(ldap.OPT_NETWORK_TIMEOUT, self._allowed())
        con.set_option(ldap.OPT_TIMEOUT, self._allowed())
        if self.app.auth.secret is None:
            con.simple_bind_s()
            return
        con.simple_bind_s(self.app.auth.username or "", secrets.read(self.app.auth.secret))
        # RFC 4532. A server that took no notice of the name lets everybody in, and shows what everybody may see.
        with contextlib.suppress(ldap.PROTOCOL_ERROR):  # where it does not know the question
            if not con.whoami_s():
                raise SourceError("the directory let us in as nobody; check username")

    def _answers(
        self,
        base: str,
        scope: int,
        filter_: str,
        attributes: Sequence[str],
        controls: Sequence[Any],
        answered: list[Any] | None = None,
    ) -> Iterator[Entry]:
        """Yield the entries of one search; `answered` gets the controls at its end."""
        import ldap

        what = f"the search below {base}" if base else "the question who the server is"
        try:
            number = self._con.search_ext(
                base, scope, filter_, list(attributes), serverctrls=list(controls), timeout=self._allowed(), sizelimit=0
            )
            kind = None
            while kind != ldap.RES_SEARCH_RESULT:
                kind, data, _, given = self._con.result3(number, all=0, timeout=self._allowed())
                for dn, values in data or ():
                    if kind == ldap.RES_SEARCH_REFERENCE or dn is None:
                        self.references.update(map(_place, values))
                    else:
                        yield Entry(dn, {name.lower(): found for name, found in values.items()})
            if answered is not None:
                answered += given
        except (ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED) as error:
            raise ListCutError(self._told("ends the list at a limit of its own", error), Verdict.CAPPED) from None
        except (ldap.TIMELIMIT_EXCEEDED, ldap.PARTIAL_RESULTS) as error:
            raise ListCutError(self._told(f"did not finish {what}", error), Verdict.SHORT) from None
        except ldap.REFERRAL:
            told = f"{what} is the business of another server, which is not followed; name that one in url"
            raise SourceError(told) from None
        except ldap.TIMEOUT:
            told = self._over() if self._left() <= 0 else f"no answer within {self.app.limits.timeout_seconds:g} s"
            raise SourceError(f"{what}: {told}") from None
        except ldap.LDAPError as error:
            raise SourceError(self._told(f"did not answer {what}", error)) from None

    def _left(self) -> float:
        return self._until - time.monotonic()

    def _allowed(self) -> float:
        left = self._left()
        if left <= 0:
            raise SourceError(self._over())
        return max(0.1, min(self.app.limits.timeout_seconds, left))

    def _over(self) -> str:
        return f"the {self.app.limits.max_seconds:g} s for this source are over (limits.max_seconds)"

    def _told(self, what: str, error: Exception) -> str:
        """Return what went wrong, with the words of the server and without secrets."""
        if self._left() <= _MARGIN_SECONDS:
            return self._over()
        said = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        words = ", ".join(filter(None, (str(said.get("desc", "")), str(said.get("info", "")))))
        words = words or f"no answer within {self.app.limits.timeout_seconds:g} s"
        return self.redactor.text(f"the directory {what}: {words}", 300)


def _place(url: str | bytes) -> str:
    """Return the distinguished name in a reference such as ldap://other/dc=x?sub; "" where it names none."""
    text = url.decode("utf-8", "replace") if isinstance(url, bytes) else url
    match = re.match(r"ldaps?://[^/]*/([^?]*)", text)
    return unquote(match[1]) if match else ""
