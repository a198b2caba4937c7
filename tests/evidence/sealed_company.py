"""A company whose scans are sealed, and the command line in this process."""

import contextlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

from scanner import cli


@dataclass(frozen=True)
class Company:
    """A folder with a configuration and the state of its scans."""

    folder: Path
    public_key: Path

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "orphanscan-state"

    @property
    def scan(self) -> Path:
        """The folder of the latest scan."""
        return max((self.state / "scans").iterdir())

    @property
    def bundle(self) -> Path:
        """The evidence of the latest scan."""
        return self.scan / "evidence"

    def run(self, *words: str | Path) -> tuple[int, str]:
        """Run a command on this company; returns its exit code and what it printed on both streams."""
        return orphanscan(*words, "-c", self.folder / "orphanscan.toml")

    def copy(self, to: Path) -> "Company":
        """Return the same company in another folder, for a test that changes something."""
        shutil.copytree(self.folder, to)
        return Company(to, to / "evidence.pub")


def orphanscan(*words: str | Path) -> tuple[int, str]:
    """Run a command in this process, which is quicker than a new one."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = cli.main([str(word) for word in words], standalone_mode=False)
    return code, out.getvalue()
