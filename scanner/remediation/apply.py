"""Applies a plan: the gates, then every action read again, decided again, sent and read back."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from scanner import __version__
from scanner.chain import Chain
from scanner.config import Config
from scanner.errors import ConfigError, RefusedError, SourceError
from scanner.model_record import Record
from scanner.policy import Policies
from scanner.remediation import approve, gates, history, plan_file
from scanner.remediation.accepted import Accepted
from scanner.remediation.execute import Book, Outcome, Result, carry_out, settle
from scanner.remediation.journal import Journal
from scanner.remediation.model import Action, Plan
from scanner.remediation.reread import Key, Rereading
from scanner.remediation.run import Writing, count, kept, new_run, subject
from scanner.remediation.server import Reader, Resource, Server, active, connected, elements, looked_at, members
from scanner.remediation.steps import Look, Step, grant_element, step_for
from scanner.remediation.still import changed
from scanner.store import scans, state, vault


@dataclass(frozen=True, slots=True)
class Options:
    """How to apply."""

    unattended: bool = False
    dry_run: bool = False
    allow_irreversible: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an `apply` or `undo` did."""

    run: str
    folder: Path | None
    results: tuple[tuple[Action, Result], ...]
    not_possible: tuple[tuple[str, str], ...] = ()
    """(action, why) of what an undo cannot take back."""

    @property
    def failed(self) -> bool:
        """Whether a person has to look."""
        return any(result.outcome.is_failure for _, result in self.results)


Told = Callable[[Action, Result], None]


def apply(
    config: Config,
    policies: Policies,
    path: Path,
    read_record: Callable[[str], Record],
    options: Options,
    on_result: Told = lambda action, result: None,
) -> Report:
    """Apply the plan in a file. Raises RefusedError before anything is sent; a failed action raises nothing."""
    with state.writing(config.state, "apply"):
        plan, sha256 = plan_file.read(path)
        run = _run_of(config.state, sha256)
        if run is not None and run.chain.is_ended:
            raise RefusedError(f"{plan.id} was applied in {run.id}; scan again and make a new plan for what is left")
        if run is not None and (run.start["mode"] == "unattended") is not options.unattended:
            raise RefusedError(f"{run.id} was begun {run.start['mode']}; continue it in the same way")
        now = datetime.now(UTC)
        try:
            record = read_record(plan.scan_id)
            gates.check(config, plan, record, now)
        except RefusedError as error:
            if run is None:
                raise
            raise RefusedError(
                f"{error}. {run.id} was interrupted: `orphanscan actions list` shows what it did"
            ) from None
        scan = record.scan
        chosen = plan.to_apply
        if options.unattended:
            chosen = gates.unattended(config, plan, scan.finished_at or scan.started_at, now)
        if not options.allow_irreversible:
            gates.refuse_irreversible(plan, chosen)
        approvals = () if options.unattended or options.dry_run else _approvals(config, path, plan, sha256)
        with vault.workdir(config.state) as workdir:
            rereading = Rereading(config, policies, workdir)
            accepted = Accepted(config, record)
            taken_back = {fact.action for fact in history.taken_back(history.done(history.runs(config.state)))}
            applying = Applying(config, rereading, accepted, taken_back, on_result)
            if options.dry_run:
                return Report("", None, tuple(applying.rehearse(chosen)))
            folder = run.folder if run else new_run(config.state, "run", path)
            with Journal(folder) as journal:
                chain = run.chain if run else Chain((), "", 0)
                _begin(journal, plan, sha256, options, approvals, is_new=run is None)
                results = tuple(applying.run(chosen, Writing(journal, folder, chain)))
                journal.append("end", outcomes=count(results))
            return Report(folder.name, folder, results)


def _approvals(config: Config, path: Path, plan: Plan, sha256: str) -> tuple[approve.Approval, ...]:
    audit = scans.scan_dir(config.state, plan.scan_id) / "evidence" / "audit"
    known = approve.with_people(approve.approvers(config.remediation.approvers), audit)
    return approve.valid(path, plan, sha256, known)


@dataclass
class Applying:
    """One pass over actions; a dry run takes the same way up to the request."""

    config: Config
    rereading: Rereading
    accepted: Accepted
    taken_back: Collection[str]
    """Actions of which a person took an earlier change back."""
    on_result: Told
    stopped: set[str] = field(default_factory=set)
    """Applications that are left alone."""
    own: dict[str, frozenset[str]] = field(default_factory=dict)
    """app -> ids of the accounts behind both credentials, where the server tells."""
    providers: Mapping[str, Reader] = field(default_factory=dict)
    """Identity providers that a change rests on, by name."""

    def rehearse(self, actions: tuple[Action, ...]) -> Iterator[tuple[Action, Result]]:
        """Yield what would become of each action, up to the request."""
        with self._connected(actions) as servers:
            self._prime(actions, servers)
            for action in actions:
                looked = self._prepared(action, servers[action.app])
                result = looked if isinstance(looked, Result) else Result(Outcome.WOULD_SEND)
                self.on_result(action, result)
                yield action, result

    def run(self, actions: tuple[Action, ...], writing: Writing) -> Iterator[tuple[Action, Result]]:
        """Yield what became of each action; what the journal settled is not touched again."""
        settled = writing.settled()
        self.stopped |= writing.stopped()
        with self._connected(actions) as servers:
            self._prime([action for action in actions if action.id not in settled], servers)
            for action in actions:
                result = settled.get(action.id)
                if result is None:
                    book = Book(writing.journal, writing.folder, action.id, subject(action))
                    result = book.end(self._result(action, servers[action.app], book, writing))
                    self._stop_if_needed(action, result, writing)
                self.on_result(action, result)
                yield action, result

    def _result(self, action: Action, server: Server, book: Book, writing: Writing) -> Result:
        if action.app in self.stopped:
            return Result(Outcome.STOPPED, "the application is left alone after what happened there")
        step = _step(server, action)
        intent = writing.intent(action.id)
        if intent is not None:
            try:
                result = settle(server, step, kept(intent["before"], writing.folder), step.look())
            except SourceError as error:
                return Result(Outcome.UNSETTLED, f"after an interruption, reading failed: {error}")
            if result is not None:
                return result
        looked = self._prepared(action, server)
        if isinstance(looked, Result):
            return looked
        element = grant_element(looked.resource, action.entitlement or "", action.account_id or "")
        return carry_out(server, step, looked, book, lambda: self._prepared(action, server), element)

    def _prepared(self, action: Action, server: Server) -> Look | Result:
        """Read HR and the account again; a Result where nothing may be sent."""
        try:
            user = server.user(action.account_id or "")
            if user is None:
                return Result(Outcome.STALE, "the application no longer shows the account")
            if not self.rereading.roster_complete:
                return Result(Outcome.STALE, "a roster can no longer be read completely")
            now = self.rereading.account(action.app, user)
            look = _step(server, action).look()
            if look.doubt is not None:
                return Result(Outcome.FAILED, f"{look.doubt}; nothing was sent")
            if look.is_done:
                return Result(Outcome.ALREADY, "it was so before; nothing was sent", look.resource)
            if look.resource is None:
                return Result(Outcome.STALE, "the application no longer shows the group")
            own = action.account_id in self.own[action.app]
            reason = changed(action, server.app, now, roster_complete=True, own=own)
            if reason is None and self.accepted.covers(action):
                reason = "a waiver accepts it now"
            if reason is None and action.id in self.taken_back and not action.case.taken_back:
                reason = "a person took this change back after the plan was made"
            if reason is None:
                reason = self._open_at_provider(action) or self._lone_administrator(action, server)
        except (SourceError, ConfigError) as error:
            return Result(Outcome.FAILED, f"could not be read again: {' '.join(str(error).split())}; nothing was sent")
        return look if reason is None else Result(Outcome.STALE, reason)

    @contextmanager
    def _connected(self, actions: tuple[Action, ...]) -> Iterator[Mapping[str, Server]]:
        providers = {app for action in actions for app, _ in action.at_provider}
        with (
            connected(self.config, (action.app for action in actions)) as servers,
            looked_at(self.config, providers) as self.providers,
        ):
            yield servers

    def _open_at_provider(self, action: Action) -> str | None:
        """Return why a change that rests on the identity provider may not be made: the person is let in again."""
        for app, account_id in action.at_provider:
            user = self.providers[app].user(account_id)
            if user is not None and active(user) is not False:
                return f"{app} no longer shows the person's account there as closed"
        return None

    def _lone_administrator(self, action: Action, server: Server) -> str | None:
        """Return why an administrator may not go: nobody else is shown to be one at this moment."""
        if not action.other_admins or action.kind == "revoke_sessions":
            return None
        for account_id, entitlement in action.other_admins:
            kind, _, value = entitlement.partition(":")
            other = server.user(account_id)
            if other is None or active(other) is False:
                continue
            if kind == "group":
                if account_id in members(server.group(value)):
                    return None
            elif value in elements(other, "roles" if kind == "role" else "entitlements"):
                return None
        return "no other administrator is left"

    def _prime(self, actions: list[Action] | tuple[Action, ...], servers: Mapping[str, Server]) -> None:
        """Judge all accounts at once; whichever cannot be read now is read, and told of, in its turn."""
        resources: dict[Key, Resource] = {}
        for action in actions:
            server = servers[action.app]
            if action.app not in self.own:
                self.own[action.app] = server.own_accounts()
            try:
                user = server.user(action.account_id or "")
            except SourceError:
                continue
            if user is not None:
                resources[action.app, str(user["id"])] = user
        if resources:
            self.rereading.prime(resources)

    def _stop_if_needed(self, action: Action, result: Result, writing: Writing) -> None:
        if result.outcome is not Outcome.SURPRISE or action.app in self.stopped:
            return
        self.stopped.add(action.app)
        saved = writing.folder / "saved" / f"{action.id}-before.json"
        where = str(saved) if saved.exists() else f"the journal, intent of {action.id}"
        writing.journal.append("stop", app=action.app, action=action.id, reason=result.detail, saved=where)


def _begin(
    journal: Journal,
    plan: Plan,
    sha256: str,
    options: Options,
    approvals: tuple[approve.Approval, ...],
    *,
    is_new: bool,
) -> None:
    if not is_new:
        journal.append("resume", tool_version=__version__)
        return
    journal.append(
        "run",
        plan=plan.id,
        plan_sha256=sha256,
        manifest_sha256=plan.manifest_sha256,
        scan=plan.scan_id,
        mode="unattended" if options.unattended else "approved",
        approvals=[
            {"approver": one.approver, "key": one.key, "signed_at": one.signed_at, "signature": one.signature}
            for one in approvals
        ],
        tool_version=__version__,
    )


def _run_of(state_folder: Path, plan_sha256: str) -> history.Run | None:
    """Return the run that began with this very plan."""
    found = [run for run in history.runs(state_folder) if run.start.get("plan_sha256") == plan_sha256]
    return found[-1] if found else None


def _step(server: Server, action: Action) -> Step:
    if action.request is None:
        raise ConfigError(f"action {action.id} has no request")
    return step_for(server, action, action.request)
