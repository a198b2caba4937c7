"""One page in a fresh Chromium: how long until it can be used, how much memory it holds, how long a search takes."""

from pathlib import Path
from typing import Any

CHROMIUM = "/usr/bin/chromium"
# The instant after the first frame in which all is there, by the page's own clock.
WATCH = """
const frame = (then) => requestAnimationFrame(() => setTimeout(then));
addEventListener("load", function look() {
  const grid = document.getElementById("list-grid");
  if (grid && !grid.dataset.ready) return setTimeout(look, 2);
  frame(() => { window.readyAfter = performance.now(); });
});
"""
SEARCH = """([field, text, isDone]) => new Promise((resolve) => {
  const input = document.querySelector(field), done = new Function("text", `return ${isDone}`);
  const began = performance.now();
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  const look = () => done(text)
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began))) : setTimeout(look, 2);
  look();
})"""
SEARCHES = ("application 7", "a-q", "left on 2026-03", "no such words")


def visit(path: Path, field: str, is_done: str, patience: float = 300) -> dict[str, Any]:
    """Open a page and search in it; times in seconds, memory of all processes of the browser in MB.

    Args:
        path: of the page.
        field: selector of the search field.
        is_done: expression of JavaScript over `text` that tells that a search was answered.
        patience: seconds after which a step is given up.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        before = _processes()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True).new_page()
        page.set_default_timeout(patience * 1000)
        page.add_init_script(WATCH)
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_function("window.readyAfter !== undefined")
        ready = page.evaluate("window.readyAfter") / 1000
        memory = sum(_held(pid) for pid in _processes() - before)
        page.wait_for_timeout(1500)  # as somebody who looks before typing
        searches = [page.evaluate(SEARCH, [field, text, is_done]) / 1000 for text in SEARCHES]
        nodes = page.evaluate("document.getElementsByTagName('*').length")
        browser.close()
    return {"ready": ready, "search": max(searches), "memory_mb": memory, "elements": nodes}


def _processes() -> set[int]:
    """Return the processes that run Chromium."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"chromium" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


def _held(pid: int) -> float:
    """Return the memory of a process in MB, shared pages by their share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
