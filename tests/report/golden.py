"""The text of each report of one fixed scan, as golden files: `make golden` writes them anew."""

import re
import shutil
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "golden"
STARTER = ROOT / "sample_data" / "starter"
FRAMEWORKS = ("gdpr", "hipaa", "sox")
AS_OF = "2026-11-20"
SETTINGS = '\n[report]\nformats = ["html"]\nframeworks = ["gdpr", "hipaa", "sox"]\n'
# What differs from scan to scan, or with any change of a rule file, and says nothing about wording.
VARYING = (
    (r"\b\d{8}T\d{6}Z-[0-9a-f]{4}\b", "<scan>"),
    (r"\b[0-9a-f]{64}\b", "<sha256>"),
    (r"\b(?=[a-f]*\d)[0-9a-f]{12,16}\b", "<hash>"),
    (r"(?<=Read )[-\d: UTC]+ to [-\d: UTC]+(?=,)", "<time> to <time>"),
    (r"(?<=Scan ran: )[-\d: UTC]+ to [-\d: UTC]+UTC", "<time> to <time>"),
    (r"(?<=Scan ended: )[-\d: ]+UTC", "<time>"),
    (r"(?<=Run by: )\S+", "<user>"),
    (r"(?<=orphanscan )\d+\.\d+\.\d+\S*", "<version>"),
)
BLOCKS = {"title", "main", "nav", "section", "div", "p", "h1", "h2", "h3", "h4", "li", "tr", "dl", "table", "caption"}
ENDS = {"td": " | ", "th": " | ", "dt": ": ", "dd": " "}


class _Text(HTMLParser):
    """Collects what a reader sees: one line for each paragraph, item and row of a table."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in ("style", "script")
        if tag in BLOCKS or tag == "dt":
            self.lines.append("## " if tag in ("h2", "h3") else "")
        elif tag == "br":
            self.lines[-1] += " "

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")
        self.lines[-1] += ENDS.get(tag, "")
        if tag in BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.lines[-1] += data


def text(page: str) -> str:
    """Return the text of a page, without what differs from scan to scan."""
    parser = _Text()
    parser.feed(page.replace("\u00ad", ""))
    lines = (" ".join(line.split()).removesuffix(" |") for line in parser.lines)
    told = "\n".join(line.replace("::", ":") for line in lines if line.strip("# |"))
    for pattern, name in VARYING:
        told = re.sub(pattern, name, told)
    return told + "\n"


def reports(folder: Path) -> dict[str, str]:
    """Scan the starter in `folder`, and return framework -> text of its pseudonymised report."""
    import in_process

    shutil.copytree(STARTER, folder, dirs_exist_ok=True)
    for path in folder.iterdir():
        path.chmod(0o600)
    config = folder / "orphanscan.toml"
    config.write_text(config.read_text() + SETTINGS)
    state = folder / "orphanscan-state"
    state.mkdir(mode=0o700)
    # The same pseudonyms in every run.
    (state / "pseudonym.key").touch(0o600)
    (state / "pseudonym.key").write_bytes(bytes(range(32)))
    done = in_process.orphanscan(folder, "scan", "--as-of", AS_OF)
    assert done.returncode == 1, done.stderr
    made = Path(done.stdout.strip()) / "reports"
    return {name: text((made / f"{name}.html").read_text(encoding="utf-8")) for name in FRAMEWORKS}


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        for name, told in reports(Path(made) / "starter").items():
            (FOLDER / f"{name}.txt").write_text(told, encoding="utf-8")
