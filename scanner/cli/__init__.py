"""The command line: which commands there are, and with which code each run ends.

0    nothing to report
1    findings at or above `--fail-on`; a mismatch
2    usage or configuration
3    incomplete: a source, a rule or a check failed
4    some remediation failed
5    refused for safety
6    could not run
130  interrupted

Several at once: the order of `WORST_FIRST`. A command returns its code; None is 0. Nothing but click is imported
until a command is chosen, so that help and completion are quick.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from scanner import __version__

COMMANDS = {
    "init": ("scanner.cli.init:command", "Write a commented configuration and sample files to start from."),
    "doctor": ("scanner.cli.doctor:command", "Check that a scan can run here. Writes nothing."),
    "demo": ("scanner.cli.demo:command", "Scan a synthetic company on live SCIM servers."),
    "scan": ("scanner.cli.scan:scan", "Collect, check and report: the whole run."),
    "collect": ("scanner.cli.scan:collect", "Read rosters and applications into the store."),
    "check": ("scanner.cli.scan:check", "Run the rules on a stored scan."),
    "report": ("scanner.cli.report:report", "Write the reports of a stored scan."),
    "findings": ("scanner.cli.findings:command", "List the findings of a scan."),
    "diff": ("scanner.cli.history:diff", "Show what changed between two scans."),
    "history": ("scanner.cli.history:history", "Show the exceptions of many scans, and how fast they are closed."),
    "waivers": ("scanner.cli.waivers:group", "List, add and check accepted risks."),
    "plan": ("scanner.cli.plan:command", "Turn findings into a plan of changes to review. Changes nothing."),
    "approve": ("scanner.cli.approve:command", "Sign a plan, so that it may be applied."),
    "apply": ("scanner.cli.apply:command", "Carry out an approved plan, and read back every change."),
    "undo": ("scanner.cli.undo:command", "Take back what a run changed, where that is possible."),
    "actions": ("scanner.cli.actions:group", "List and show the changes that were made."),
    "verify": ("scanner.cli.verify:command", "Check evidence, reports and the chain of scans, offline."),
    "replay": ("scanner.cli.replay:command", "Run the rules of a bundle again, and compare."),
    "export": ("scanner.cli.export:group", "Hand out what orphanscan holds, for people and programs outside."),
    "import": ("scanner.cli.importing:group", "Take back what people decided."),
    "reidentify": ("scanner.cli.reidentify:command", "Tell whom a pseudonym stands for, with a reason, logged."),
    "purge": ("scanner.cli.purge:command", "Remove what is older than it may be kept. A dry run first."),
    "erase": ("scanner.cli.erase:command", "Take one person out of what is held. A dry run first."),
    "key": ("scanner.cli.key:group", "Make and show keys; seal the state folder, change its key."),
    "schedule": ("scanner.cli.schedule:command", "Print or install what runs a scan every night."),
    "rules": ("scanner.cli.rules:group", "List, show and test the rules."),
    "frameworks": ("scanner.cli.frameworks:group", "List and show the frameworks and their controls."),
}
"""Name -> where the command lies, and its line in the help."""

WORST_FIRST = (2, 6, 5, 4, 3, 1)


def worst(codes: Iterable[int]) -> int:
    """Return the exit code to end with when several apply."""
    found = set(codes)
    if 130 in found:
        return 130
    return next((code for code in WORST_FIRST if code in found), 0)


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        from importlib import import_module

        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; a usage error that names the nearest one if there is none."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"there is no command {name!r}" + (f"; did you mean {near[0]}?" if near else "."))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and exit with its code; without `standalone_mode`, return the code."""
        words = list(sys.argv[1:] if args is None else args)
        name = prog_name if prog_name not in (None, "main") else "orphanscan"
        self._main_shell_completion(extra, name, complete_var)
        from scanner.cli.outcome import run

        code = run(lambda: self._invoke(words, name, extra))
        if standalone_mode:
            sys.exit(code)
        return code

    def _invoke(self, words: list[str], name: str, extra: dict[str, Any]) -> object:
        with self.make_context(name, words, **extra) as ctx:
            return self.invoke(ctx)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `orphanscan demo`, or with `orphanscan init` and `orphanscan scan`. Every command has --help.",
)
@click.version_option(__version__, prog_name="orphanscan")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Prove who still has access, and that nobody was missed.

    Exit codes: 0 nothing found, 1 findings, 2 usage or configuration, 3 incomplete, 4 remediation failed in part,
    5 refused for safety, 6 could not run, 130 interrupted.
    """
    # rich and click look at NO_COLOR on their own or through this; data never holds colour codes.
    if os.environ.get("NO_COLOR"):
        ctx.color = False
