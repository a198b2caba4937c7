"""The documents say what the program does."""

import re
from pathlib import Path

from scanner import docs, rules
from scanner.cli import COMMANDS, WORST_FIRST

ROOT = Path(__file__).parent.parent


def test_the_reference_is_what_the_program_says_of_itself() -> None:
    """Run `make docs` after a change of commands, rules or the audit schema."""
    assert docs.TARGET.read_text() == docs.reference()


def test_the_readme_names_every_exit_code_and_the_documents_every_command_and_rule() -> None:
    """Nobody has to read code to learn what a scheduler may see."""
    readme = (ROOT / "README.md").read_text()
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)}
    reference = docs.TARGET.read_text()

    assert codes == {0, *WORST_FIRST, 130}
    assert all(f"### {name}\n" in reference for name in (*COMMANDS, *(rule.id for rule in rules.find())))


def test_the_changelog_and_the_documents_are_linked_from_the_readme() -> None:
    """Every link within the project leads to a file."""
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
