"""How an origin is reached: the certificates to trust, and the proxy of the environment."""

import functools
import ssl
import urllib.request
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from scanner.collectors.origin import Origin
from scanner.collectors.redact import Redactor
from scanner.errors import ConfigError

_PROXIES = ("http", "https")


def client(origin: Origin, ca_file: str | None, redactor: Redactor, *, has_secret: bool) -> httpx.Client:
    """Return what sends requests to one origin; ConfigError if its certificates or its proxy cannot be used."""
    proxy = _proxy(origin, has_secret=has_secret)
    redactor.add(proxy.auth[1] if proxy and proxy.auth else "")
    # Without trust_env httpx reads neither .netrc nor the proxies; those are passed on deliberately.
    # A server that sets cookies would have us carry what it likes from request to request, without bound.
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.Client(verify=trust(ca_file), proxy=proxy, trust_env=False, follow_redirects=False, cookies=cookies)


def _proxy(origin: Origin, *, has_secret: bool) -> httpx.Proxy | None:
    """Return the proxy that the environment sets for an origin; none for this machine.

    Its address is never repeated: it may hold a password.
    """
    if origin.is_loopback or urllib.request.proxy_bypass(f"{origin.host}:{origin.port}"):
        return None
    proxies = urllib.request.getproxies()
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address:
        return None
    if origin.scheme == "http" and has_secret:
        raise ConfigError(
            f"{origin} is plain http, and the environment sets a proxy for it, which would read the secret; use"
            f" https, or add {origin.host} to no_proxy"
        )
    try:
        found = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL):
        found = None
    if found is None or found.url.scheme not in _PROXIES or not found.url.host or (found.url.port or 0) > 0xFFFF:
        raise ConfigError(
            f"the proxy that the environment sets for {origin} cannot be used: it must be http://host:port or"
            " https://host:port; correct https_proxy or all_proxy, or add the host to no_proxy"
        )
    return found


@functools.lru_cache(maxsize=32)
def trust(ca_file: str | None) -> ssl.SSLContext:
    """Return what certificates are held against: those of a file, or the public authorities; raises ConfigError."""
    if ca_file is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        cause = getattr(error, "strerror", None) or "it holds no certificate"
        raise ConfigError(f"ca_file {ca_file} cannot be used: {cause}") from None
