"""Where requests may go: one origin per source, over https unless it is this machine."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from scanner.errors import ConfigError

_WEB = ("http", "https")
_PORTS = {
    "http": 80,
    "https": 443,
    "ldap": 389,
    "ldaps": 636,
    "postgresql": 5432,
    "mysql": 3306,
    "mssql": 1433,
    "oracle": 1521,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a credential is bound to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if _PORTS[self.scheme] == self.port else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def of(url: str, *, any_scheme: bool = False) -> Origin | None:
    """Return the origin of an http or https URL (or of a database or directory), or None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in (_PORTS if any_scheme else _WEB) or not parts.hostname:
        return None
    return Origin(parts.scheme, parts.hostname.rstrip(".").lower(), port or _PORTS[parts.scheme])


def check(url: str | None, what: str, *, allow_http: bool) -> Origin:
    """Return the origin of a configured URL, or say why not, without repeating it: it may hold a secret."""
    origin = of(url or "")
    if url is None or origin is None:
        raise ConfigError(f"{what} is not an http or https URL")
    parts: SplitResult = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{what} holds a user name or password; use auth instead")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise ConfigError(f"{what} holds a blank or a control character")
    if parts.query or parts.fragment:
        raise ConfigError(f"{what} must end with its path, without '?' and '#'")
    if origin.scheme == "http" and not origin.is_loopback and not allow_http:
        raise ConfigError(f"{what} must use https, or set allow_http = true to send credentials in clear text")
    return origin
