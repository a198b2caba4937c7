"""A timestamp authority on loopback: OpenSSL's own, behind an HTTP server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIG = """
[tsa]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
"""
EXTENSIONS = (
    "extendedKeyUsage = critical, timeStamping\nbasicConstraints = CA:FALSE\nkeyUsage = critical, digitalSignature\n"
)


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@dataclass
class Authority:
    """Its files, and how it misbehaves."""

    folder: Path
    url: str = ""
    answers: list[bytes | int] = field(default_factory=list)
    """Answers to give in place of its own: a body, or a status."""

    @property
    def root(self) -> Path:
        """Certificate of the root."""
        return self.folder / "ca.pem"

    def make(self) -> None:
        """Make a root and a certificate that may stamp time."""
        self.folder.mkdir()
        (self.folder / "serial").write_text("01\n")
        (self.folder / "tsa.cnf").write_text(CONFIG.format(folder=self.folder))
        (self.folder / "ext.cnf").write_text(EXTENSIONS)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        _openssl(
            *("req", "-x509", *key, "-keyout", self.folder / "ca.key", "-out", self.root, "-subj", "/CN=Test Root"),
            *("-days", "3650", "-addext", "basicConstraints=critical,CA:TRUE"),
            *("-addext", "keyUsage=critical,keyCertSign"),
        )
        request = self.folder / "tsa.csr"
        _openssl("req", *key, "-keyout", self.folder / "tsa.key", "-out", request, "-subj", "/CN=Test Authority")
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.folder / "ca.key", "-CAcreateserial"),
            *("-days", "3650", "-extfile", self.folder / "ext.cnf", "-out", self.folder / "tsa.pem"),
        )

    def answer(self, query: bytes) -> bytes:
        """Return what OpenSSL answers."""
        (self.folder / "query.tsq").write_bytes(query)
        _openssl(
            *("ts", "-reply", "-config", self.folder / "tsa.cnf", "-section", "tsa"),
            *("-queryfile", self.folder / "query.tsq", "-out", self.folder / "reply.tsr"),
        )
        return (self.folder / "reply.tsr").read_bytes()


@contextmanager
def running(folder: Path) -> Iterator[Authority]:
    """Serve an authority until the end of the block."""
    authority = Authority(folder)
    authority.make()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            given = authority.answers.pop(0) if authority.answers else authority.answer(query)
            status, body = (given, b"") if isinstance(given, int) else (200, given)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        authority.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield authority
        server.shutdown()
