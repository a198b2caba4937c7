"""Takes back what a run changed, from the journal's pre-images, and says what cannot be taken back."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scanner import __version__
from scanner.chain import Chain
from scanner.collectors import profiles
from scanner.config import Application, Config
from scanner.errors import ConfigError, RefusedError, SourceError
from scanner.remediation import history
from scanner.remediation.apply import Report
from scanner.remediation.execute import Book, Outcome, Result, carry_out, settle
from scanner.remediation.journal import Journal
from scanner.remediation.model import Action, Kind, Plan, Request
from scanner.remediation.plan_file import read as read_plan
from scanner.remediation.requests import activation, addition
from scanner.remediation.run import count, kept, new_run, subject
from scanner.remediation.server import Resource, Server, connected
from scanner.remediation.steps import Look, Step, undo_step
from scanner.store import state


@dataclass(frozen=True, slots=True)
class Undoing:
    """One change to take back."""

    action: Action
    """As planned, with the request that takes it back."""
    before: Resource
    """The account or group before the change."""
    after: Resource | None
    """As the change left it."""


def undo(
    config: Config,
    name: str,
    *,
    reason: str,
    only: tuple[str, ...] = (),
    dry_run: bool = False,
    on_result: Callable[[Action, Result], None] = lambda action, result: None,
) -> Report:
    """Take back a run, or some actions of it; RefusedError if there is nothing to take back."""
    with state.writing(config.state, "undo"):
        run = history.find(config.state, name)
        if run.start.get("undo_of"):
            raise RefusedError(f"{run.id} is an undo itself; make a plan for what has to change again")
        apps = {app.id: app for app in config.applications}
        todo, not_possible = _todo(config, run, apps, only)
        if not todo and not not_possible:
            raise RefusedError(f"{run.id} changed nothing that is not taken back already")
        with connected(config, (item.action.app for item in todo)) as servers:
            if dry_run:
                results = tuple(_rehearse(todo, servers, on_result))
                return Report("", None, results, not_possible)
            if not todo:
                return Report("", None, (), not_possible)
            begun = _begun(config, run)
            folder = begun.folder if begun else new_run(config.state, "run", None)
            with Journal(folder) as journal:
                if begun:
                    journal.append("resume", tool_version=__version__)
                else:
                    _begin(journal, run, reason)
                chain = begun.chain if begun else Chain()
                results = tuple(_run(todo, servers, journal, folder, chain, on_result))
                journal.append("end", outcomes=count(results))
    return Report(folder.name, folder, results, not_possible)


def _todo(
    config: Config, run: history.Run, apps: Mapping[str, Application], only: tuple[str, ...]
) -> tuple[tuple[Undoing, ...], tuple[tuple[str, str], ...]]:
    plan, _ = read_plan(run.folder / "plan.json")
    actions = {action.id: action for action in plan.actions}
    if unknown := [name for name in only if name not in actions]:
        raise ConfigError(f"{run.id} has no action {unknown[0]}; `orphanscan actions show {run.id}` lists them")
    outcomes = {entry["action"]: entry for entry in run.chain.of("outcome")}
    intents = {entry["action"]: entry for entry in run.chain.of("intent")}
    todo: list[Undoing] = []
    not_possible: list[tuple[str, str]] = []
    for fact in history.done(history.runs(config.state)):
        name = fact.action
        if fact.run != run.id or (only and name not in only) or fact.verification == "undone":
            continue
        if fact.outcome == "surprise":
            (saved,) = [entry["saved"] for entry in run.chain.of("stop") if entry["action"] == name] or [run.folder]
            not_possible.append((name, f"{outcomes[name]['detail']}: restore it by hand from {saved}"))
        if fact.outcome not in ("done", "accepted", "unsettled"):
            continue
        action = actions[name]
        why = _why_not(action, apps)
        # What was found done after an interruption has an intent too: nothing is sent without one.
        request = None if why else _request(action, apps[action.app], intents[name]["element"])
        if request is None:
            not_possible.append((name, why or "what was there before is not known"))
            continue
        after = outcomes[name]["after"] if name in outcomes else None
        todo.append(Undoing(replace(action, request=request), _before(run, intents[name]), after))
    _refuse_moved(plan, todo, apps)
    return tuple(todo), tuple(not_possible)


def _why_not(action: Action, apps: Mapping[str, Application]) -> str | None:
    if action.app not in apps or apps[action.app].write is None:
        return "the application is not in the configuration, or has no [application.write]"
    if action.kind in (Kind.DELETE, Kind.REVOKE_SESSIONS):
        return f"{action.kind} cannot be taken back"
    if action.kind is Kind.DEACTIVATE and (action.meaning.reversible is False or action.meaning.effect == "remove"):
        return action.meaning.sentence
    return None


def _request(action: Action, app: Application, element: Mapping[str, Any] | None) -> Request | None:
    account_id = action.account_id or ""
    if action.kind is Kind.DEACTIVATE:
        return activation(app, profiles.load(app.profile), account_id, active=True)
    if element is None or action.entitlement is None:
        return None
    return addition(app, account_id, action.entitlement, element)


def _refuse_moved(plan: Plan, todo: list[Undoing], apps: Mapping[str, Application]) -> None:
    """Refuse to write ids of one server to another."""
    planned = {target.app: target.base_url for target in plan.targets}
    for name in {one.action.app for one in todo}:
        if apps[name].base_url != planned.get(name):
            raise RefusedError(f"base_url of {name} is another one than when the run was made")


def _prepared(undoing: Undoing, step: Step) -> Look | Result:
    """Look again: it must be as the run left it."""
    try:
        look = step.look()
    except SourceError as error:
        return Result(Outcome.FAILED, f"could not be read: {error}; nothing was sent")
    if look.is_done:
        return Result(Outcome.ALREADY, "it is as before the run already", look.resource)
    if look.resource is None and undoing.after is not None:
        return Result(Outcome.STALE, "the application no longer shows it")
    if look.resource is not None:
        for name in ("userName", "externalId", "displayName"):
            if look.resource.get(name) != undoing.before.get(name):
                return Result(Outcome.STALE, f"{name} is another one than before the run")
    return look


def _rehearse(
    todo: tuple[Undoing, ...], servers: Mapping[str, Server], told: Callable[[Action, Result], None]
) -> Iterator[tuple[Action, Result]]:
    for one in todo:
        looked = _prepared(one, _step(one, servers))
        result = looked if isinstance(looked, Result) else Result(Outcome.WOULD_SEND)
        told(one.action, result)
        yield one.action, result


def _run(
    todo: tuple[Undoing, ...],
    servers: Mapping[str, Server],
    journal: Journal,
    folder: Path,
    chain: Chain,
    told: Callable[[Action, Result], None],
) -> Iterator[tuple[Action, Result]]:
    settled = {entry["action"] for entry in chain.of("outcome")}
    intents = {entry["action"]: entry for entry in chain.of("intent")}
    for one in todo:
        if one.action.id in settled:
            continue
        server, step = servers[one.action.app], _step(one, servers)
        book = Book(journal, folder, one.action.id, subject(one.action))
        result = _result(one, server, step, book, intents.get(one.action.id), folder)
        told(one.action, book.end(result))
        yield one.action, result


def _result(
    one: Undoing, server: Server, step: Step, book: Book, intent: Mapping[str, Any] | None, folder: Path
) -> Result:
    looked = _prepared(one, step)
    if isinstance(looked, Result):
        if intent is not None and looked.outcome is Outcome.ALREADY:
            return replace(looked, outcome=Outcome.DONE, detail="found done after an interruption; not sent again")
        return looked
    if intent is not None and (found := settle(server, step, kept(intent["before"], folder), looked)) is not None:
        return found
    return carry_out(server, step, looked, book, lambda: _prepared(one, step))


def _step(one: Undoing, servers: Mapping[str, Server]) -> Step:
    action = one.action
    if action.request is None:
        raise RefusedError(f"{action.id} has no request that takes it back")
    server = servers[action.app]
    return undo_step(server, action.kind, action.request, action.account_id or "", action.entitlement)


def _begun(config: Config, run: history.Run) -> history.Run | None:
    """Return an undo of this run that was interrupted."""
    found = [one for one in history.runs(config.state) if one.start.get("undo_of") == run.id]
    return found[-1] if found and not found[-1].chain.is_ended else None


def _begin(journal: Journal, run: history.Run, reason: str) -> None:
    journal.append(
        "run",
        plan=None,
        undo_of=run.id,
        manifest_sha256=run.start["manifest_sha256"],
        scan=run.start["scan"],
        mode="undo",
        reason=reason,
        approvals=[],
        tool_version=__version__,
    )


def _before(run: history.Run, intent: Mapping[str, Any]) -> Resource:
    found = kept(intent["before"], run.folder)
    return found if isinstance(found, Mapping) else {}
