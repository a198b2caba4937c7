"""What the README promises: commands, options, exit codes, files. Its quick start is run by test_wheel.py."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scanner import cli, config_file

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = "\n".join(path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))


def commands(group: click.Group, name: str = "orphanscan") -> Iterator[tuple[str, click.Command]]:
    """Yield (full name, command) of every command, also of those within groups."""
    context = click.Context(group)
    for inner in group.list_commands(context):
        command = group.get_command(context, inner)
        assert command is not None
        yield f"{name} {inner}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {inner}")


def exit_codes() -> dict[int, str]:
    """Return the table of the README."""
    section = README.split("## Exit codes\n")[1].split("\n## ")[0]
    return {int(code): text for code, text in re.findall(r"^\| (\d+) \| (.+) \|$", section, re.MULTILINE)}


def test_every_command_is_named_in_a_document() -> None:
    """What `--help` lists, people can read about first."""
    missing = [name for name, _ in commands(cli.main) if not re.search(rf"{name}\b", DOCUMENTS)]

    assert missing == []


def test_every_command_and_option_of_the_readme_exists() -> None:
    """Neither a command that was renamed nor an option that went away is left."""
    known = dict(commands(cli.main))
    options = {option for command in known.values() for parameter in command.params for option in parameter.opts}

    assert set(re.findall(r"\borphanscan ([a-z]+)\b(?=`| *#| *$| work)", README, re.MULTILINE)) <= set(cli.COMMANDS)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) <= options


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    """One list: the table of the README, the text of the module, the help, and the order of `worst`."""
    of_the_module = {int(code) for code in re.findall(r"^(\d+)  +\S", cli.__doc__ or "", re.MULTILINE)}
    of_the_help = {int(code) for code in re.findall(r"\b(\d+) [a-z]", (cli.main.help or "").split("Exit codes:")[1])}

    assert set(exit_codes()) == of_the_module == of_the_help == {0, 130, *cli.WORST_FIRST}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "nothing"),
        (1, "findings at or above"),
        (2, "usage or configuration"),
        (3, "a source"),
        (4, "some remediation failed"),
        (5, "refused for safety"),
        (6, "could not run"),
        (130, "interrupted"),
    ],
)
def test_the_readme_and_the_module_say_the_same_of_each_exit_code(code: int, words: str) -> None:
    """A scheduler acts on the number; whoever sets it up reads one of these."""
    (said,) = re.findall(rf"^{code}  +(.+)$", cli.__doc__ or "", re.MULTILINE)

    assert words in exit_codes()[code]
    assert words in said


def test_the_order_of_exit_codes_is_the_one_in_use() -> None:
    """Of the codes that the sentence names, each one comes before the next."""
    (sentence,) = re.findall(r"^When several apply, (.+?)\.", README, re.MULTILINE)
    order = [int(code) for code in re.findall(r"\d+", sentence)]

    assert order == [code for code in cli.WORST_FIRST if code in order]
    assert all(cli.worst({*order[at:], 0}) == code for at, code in enumerate(order))


def test_the_application_of_the_readme_can_be_pasted_into_the_sample(tmp_path: Path) -> None:
    """As the text says: in place of the application of the sample."""
    (snippet,) = re.findall(r"^```toml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    (expected,) = tomllib.loads(snippet)["application"]
    starter = ROOT / "sample_data" / "starter"
    for source in starter.iterdir():
        target = tmp_path / source.name
        target.write_bytes(source.read_bytes())
        target.chmod(0o600)
    file = tmp_path / "orphanscan.toml"
    before, after = file.read_text().split('[[application]]\nid = "crm"', 1)
    file.write_text(before + snippet + after[after.index("\n\n") :])

    application = config_file.load(file).applications[0]

    assert application.base_url == expected["base_url"]
    assert application.data == tuple(expected["data"])
    assert application.auth.secret is not None
    assert application.auth.secret.reference == expected["auth"]["token_env"]


def test_every_make_target_of_the_readme_exists() -> None:
    """`make demo` and `make test` are the first thing that people type."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)`", README, re.MULTILINE))

    assert {"demo", "test"} <= {a or b for a, b in named} <= targets
