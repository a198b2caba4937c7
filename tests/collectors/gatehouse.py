"""The package that docs/sources/your-own.md builds, as installed, and a server for it to ask."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

PAGE = Path(__file__).parents[2] / "docs" / "sources" / "your-own.md"


def blocks() -> dict[str, str]:
    """Return the files of the page, by the name in their first line."""
    found = re.findall(r"^```\w+\n# (\S+\.\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


def install(folder: Path) -> None:
    """Leave in a folder what pip leaves of a pure Python package: the module, and the metadata with its entry point."""
    files = blocks()
    project = tomllib.loads(files["pyproject.toml"])["project"]
    (folder / "orphanscan_gatehouse.py").write_text(files["orphanscan_gatehouse.py"])
    metadata = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    ((group, points),) = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")


@contextmanager
def on_path(folder: Path) -> Iterator[None]:
    """Let Python find what is installed in a folder."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@dataclass
class Doors:
    """What the server holds, and how it behaves."""

    people: Sequence[dict[str, str]]
    key: str
    refused: tuple[str, ...] = ()
    """Paths that the key has no right to."""
    ends_after: int = 1_000
    """People after whom it fails."""
    zones: Sequence[dict[str, object]] = field(default_factory=lambda: ({"name": "Admins", "holders": ["007"]},))


@contextmanager
def serving(doors: Doors) -> Iterator[str]:
    """Run a server with two people a page and yield its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            after = int(parse_qs(url.query).get("after", ["0"])[0])
            if self.headers.get("X-Api-Key") != doors.key:
                # Servers like to quote what they were sent.
                self._send(401, {"error": f"no such key: {self.headers.get('X-Api-Key')}"})
            elif url.path in doors.refused:
                self._send(403, {"error": f"{doors.key} may not read this"})
            elif url.path == "/api/zones":
                self._send(200, {"zones": doors.zones})
            elif after >= doors.ends_after:
                self._send(500, {"error": "out of order"})
            else:
                page = doors.people[after : after + 2]
                more = str(after + 2) if after + 2 < len(doors.people) else None
                self._send(200, {"total": len(doors.people), "people": page, "next": more})

        def _send(self, status: int, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api"
        finally:
            server.shutdown()
