"""Real directories of the tests' own: OpenLDAP's slapd from the Debian package, one for each set of entries."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ldap
import pytest
import trustme

BASE = "dc=acme,dc=example"
READER = f"cn=reader,{BASE}"
ADMIN = f"cn=admin,{BASE}"
ADMIN_PASSWORD = "adm1n-of-the-tests"
_SCHEMA = Path("/etc/ldap/schema")
OPENLDAP = ("core", "cosine", "nis", "inetorgperson")
ACTIVE_DIRECTORY = (*OPENLDAP, "msuser")
"""Microsoft's attributes and classes, as OpenLDAP ships them."""
ACCESS = f"""
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{READER}" read by * none
"""


@dataclass(frozen=True)
class Directory:
    """A running server."""

    url: str
    tls_url: str
    ca_file: Path

    def connect(self) -> ldap.ldapobject.SimpleLDAPObject:
        """Connect as the administrator."""
        con = ldap.initialize(self.url)
        con.simple_bind_s(ADMIN, ADMIN_PASSWORD)
        return con


@contextmanager
def directory(
    entries: str,
    password: str,
    *,
    schema: Sequence[str] = OPENLDAP,
    access: str = ACCESS,
    settings: str = "",
    overlays: str = "",
) -> Iterator[Directory]:
    """Run a server that holds `entries` (LDIF, below BASE) and a reader with a password."""
    if shutil.which("slapd", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("slapd is not installed; `make slapd` installs it")
    folder = Path(tempfile.mkdtemp(prefix="slapd-"))
    try:
        ca = trustme.CA()
        ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        own = ca.issue_cert("127.0.0.1")
        own.private_key_pem.write_to_path(str(folder / "key.pem"))
        for at, part in enumerate(own.cert_chain_pems):
            part.write_to_path(str(folder / "cert.pem"), append=at > 0)
        (folder / "data").mkdir()
        modules = [f"moduleload {name}" for name in ("back_mdb", "memberof", "ppolicy", "retcode")]
        conf = folder / "slapd.conf"
        conf.write_text(
            "\n".join(
                (
                    *(f"include {_SCHEMA / name}.schema" for name in schema),
                    "modulepath /usr/lib/ldap",
                    *modules,
                    f"pidfile {folder / 'pid'}",
                    f"TLSCACertificateFile {folder / 'ca.pem'}",
                    f"TLSCertificateFile {folder / 'cert.pem'}",
                    f"TLSCertificateKeyFile {folder / 'key.pem'}",
                    "database mdb",
                    f"directory {folder / 'data'}",
                    f'suffix "{BASE}"',
                    f'rootdn "{ADMIN}"',
                    f"rootpw {ADMIN_PASSWORD}",
                    "dbnosync",
                    settings,
                    access,
                    overlays,
                )
            )
        )
        _load(conf, f"{_top(password)}\n\n{entries}")
        ports = _free(2)
        urls = [f"ldap://127.0.0.1:{ports[0]}", f"ldaps://127.0.0.1:{ports[1]}"]
        with (folder / "log").open("wb") as log:
            command = ["/usr/sbin/slapd", "-f", str(conf), "-h", " ".join(urls), "-d", "0"]
            server = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            _await(ports, server, folder / "log")
            yield Directory(urls[0], urls[1], folder / "ca.pem")
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _top(password: str) -> str:
    return f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: acme
o: Acme

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {password}

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups"""


def _load(conf: Path, entries: str) -> None:
    done = subprocess.run(
        ["/usr/sbin/slapadd", "-f", str(conf), "-q"], input=entries, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _free(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _await(ports: Sequence[int], server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            for port in ports:
                socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("slapd did not start")
