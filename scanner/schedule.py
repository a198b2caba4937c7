"""Texts that run `scan` every night: for systemd, cron, Kubernetes and GitHub Actions, made from the configuration.

No secret is in them. A secret in a variable becomes a line of a file of variables, or a key of a Secret; one in a file
is handed over by systemd where the configuration names it below `CREDENTIALS`.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanner.config import Config
from scanner.credentials import Secret
from scanner.errors import ConfigError

NAME = "orphanscan"
CREDENTIALS = Path("/run/credentials/orphanscan.service")
"""Where systemd puts the credentials of the service: name these paths in the configuration."""
SOURCES = Path("/etc/orphanscan/credentials")
"""Where systemd takes them from."""
VARIABLES = Path("/etc/orphanscan/environment")
"""NAME=value lines, readable for root only."""
IN_CLUSTER = "/run/secrets/orphanscan"
_STATE_DIRECTORIES = Path("/var/lib")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, when and as whom."""

    config: Config
    program: str
    """Absolute path of `orphanscan`."""
    hour: int
    minute: int
    user: str = NAME
    image: str = f"{NAME}:latest"

    @property
    def seconds(self) -> int:
        """How long all of it may take: the collection as configured, then rules, reports and notices."""
        return int(self.config.scan.max_seconds) + 2 * 3600

    @property
    def words(self) -> tuple[str, ...]:
        """The command."""
        return (self.program, "scan", "-c", str(self.config.path), "--state", str(self.config.state))


@dataclass(frozen=True, slots=True)
class File:
    """One file of a schedule."""

    path: Path
    """Where `--install` puts it, unless told otherwise."""
    text: str


def systemd(plan: Plan) -> tuple[File, ...]:
    """Return a service that may touch little beside its state folder, and a timer that catches up after an outage."""
    folder = Path("/etc/systemd/system")
    return (
        File(folder / f"{NAME}.service", _service(plan)),
        File(
            folder / f"{NAME}.timer",
            f"""[Unit]
Description=Every night: who still has access

[Timer]
OnCalendar=*-*-* {plan.hour:02}:{plan.minute:02}:00
RandomizedDelaySec=10min
Persistent=true

[Install]
WantedBy=timers.target
""",
        ),
    )


def _service(plan: Plan) -> str:
    config = plan.config
    written = [str(one.path.parent) for one in config.notify if one.path is not None]
    if config.state.parent == _STATE_DIRECTORIES:
        place = [f"StateDirectory={config.state.name}", "StateDirectoryMode=0700"]
    else:
        written.insert(0, str(config.state))
        place = ["# The folder must exist and belong to the user of this service."]
    place += [f"ReadWritePaths={' '.join(_unit(path) for path in dict.fromkeys(written))}"] if written else []
    names = [Path(path).relative_to(CREDENTIALS) for path in _paths(config) if path.is_relative_to(CREDENTIALS)]
    handed = [f"LoadCredential={name}:{_unit(str(SOURCES / name))}" for name in names]
    variables = _variables(config)
    if variables:
        handed += [f"# {VARIABLES} sets {', '.join(variables)}; mode 0600, owner root.", f"EnvironmentFile={VARIABLES}"]
    lines = "\n".join([*handed, *place])
    return f"""[Unit]
Description=Scan who still has access
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={plan.user}
ExecStart={" ".join(_unit(word).replace("$", "$$") for word in (*plan.words, "--log-format", "json"))}
# 1 says that there are findings, which notices tell; from 2 on something needs repair.
SuccessExitStatus=1
TimeoutStartSec={plan.seconds}
{lines}

AmbientCapabilities=
CapabilityBoundingSet=
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome={"read-only" if _is_at_home(config) else "yes"}
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
UMask=0077
"""


def cron(plan: Plan) -> tuple[File, ...]:
    """Return a line for /etc/cron.d. Cron hands over no credentials: the user must be able to read the file of them."""
    command = shlex.join([*plan.words, "--log-format", "json"])
    variables = _variables(plan.config)
    if variables:
        command = f"set -a; . {VARIABLES}; set +a; {command}"
    log = plan.config.state / "cron.log"
    said = f"# {VARIABLES} sets {', '.join(variables)}; mode 0600, owner {plan.user}.\n" if variables else ""
    # A percent sign ends the command of a crontab unless it is escaped (crontab(5)).
    line = f"{command} >>{shlex.quote(str(log))} 2>&1".replace("%", r"\%")
    text = f"{said}SHELL=/bin/sh\n{plan.minute} {plan.hour} * * * {plan.user} {line}\n"
    return (File(Path("/etc/cron.d") / NAME, text),)


def kubernetes(plan: Plan) -> tuple[File, ...]:
    """Return a CronJob. The configuration and what it names come from a ConfigMap, secrets from a Secret."""
    config = plan.config
    if config.state.is_relative_to(config.path.parent):
        raise ConfigError(
            f"the state folder {config.state} lies beside the configuration, which a ConfigMap holds and nothing can be"
            " written to; name another, such as --state /var/lib/orphanscan"
        )
    mounted = [
        {"name": "config", "mountPath": str(config.path.parent), "readOnly": True},
        {"name": "state", "mountPath": str(config.state)},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
    ]
    volumes: list[Mapping[str, object]] = [
        {"name": "config", "configMap": {"name": f"{NAME}-config", "defaultMode": 0o444}},
        {"name": "state", "persistentVolumeClaim": {"claimName": f"{NAME}-state"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
    ]
    if _paths(config):
        mounted.append({"name": "secrets", "mountPath": IN_CLUSTER, "readOnly": True})
        volumes.append({"name": "secrets", "secret": {"secretName": f"{NAME}-secrets", "defaultMode": 0o440}})
    container = {
        "name": NAME,
        "image": plan.image,
        # Findings are no failure of the job: notices tell them. From 2 on, the job fails.
        "args": [*plan.words[1:], "--exit-zero", "--log-format", "json"],
        "env": [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": f"{NAME}-secrets", "key": name}}}
            for name in _variables(config)
        ],
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "6Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounted,
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": NAME},
        "spec": {
            "schedule": f"{plan.minute} {plan.hour} * * *",
            "timeZone": config.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 6 * 3600,
            "jobTemplate": {
                "spec": {"backoffLimit": 0, "activeDeadlineSeconds": plan.seconds, "template": {"spec": pod}}
            },
        },
    }
    return (File(Path(f"{NAME}-cronjob.yaml"), _yaml(job) + "\n"),)


def github(plan: Plan) -> tuple[File, ...]:
    """Return a workflow for a runner of your own: the store must outlive the run, and is nothing to upload."""
    workflow = {
        "name": NAME,
        "on": {"schedule": [{"cron": f"{plan.minute} {plan.hour} * * *"}], "workflow_dispatch": {}},
        "permissions": {},
        "concurrency": {"group": NAME, "cancel-in-progress": False},
        "jobs": {
            "scan": {
                "runs-on": ["self-hosted", NAME],
                "timeout-minutes": plan.seconds // 60,
                "steps": [
                    {
                        "name": "Scan who still has access",
                        "env": {name: f"${{{{ secrets.{name} }}}}" for name in _variables(plan.config)},
                        "run": shlex.join(plan.words),
                    }
                ],
            }
        },
    }
    return (File(Path(f".github/workflows/{NAME}.yml"), _yaml(workflow) + "\n"),)


TARGETS: Mapping[str, Callable[[Plan], tuple[File, ...]]] = {
    "systemd": systemd,
    "cron": cron,
    "kubernetes": kubernetes,
    "github": github,
}
"""Name -> what makes its files."""


def _secrets(config: Config) -> tuple[Secret, ...]:
    """Return every secret that a scan reads; credentials for writing are not among them."""
    found = [
        *(one.auth.secret for one in config.sources),
        *(one for to in config.notify for one in (to.url, to.fail_url, to.secret, to.auth.secret)),
    ]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _variables(config: Config) -> tuple[str, ...]:
    return tuple(sorted({str(one.reference) for one in _secrets(config) if one.kind == "env"}))


def _paths(config: Config) -> tuple[Path, ...]:
    return tuple(sorted({Path(str(one.reference)) for one in _secrets(config) if one.kind == "file"}))


def _is_at_home(config: Config) -> bool:
    named = (config.path, *(roster.path for roster in config.rosters if roster.path))
    return any(path.is_relative_to(home) for path in named for home in ("/home", "/root"))


def _unit(word: str) -> str:
    """Return a word as systemd reads it: quoted where needed, with % doubled (systemd.syntax(7))."""
    escaped = word.replace("%", "%%")
    is_plain = escaped.isprintable() and not set(escaped) & set(" \"'\\;")
    return escaped if is_plain else json.dumps(escaped, ensure_ascii=False)


def _yaml(value: object, indent: int = 0) -> str:
    """Return YAML of maps, lists and scalars; every text is a JSON string, which YAML reads as the same."""
    pad = "  " * indent
    if isinstance(value, Mapping) and value:
        return "\n".join(_pair(f"{pad}{_key(key)}:", entry, indent + 1) for key, entry in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return "\n".join(f"{pad}- {_yaml(entry, indent + 1).lstrip()}" for entry in value)
    return pad + json.dumps(value, ensure_ascii=False)


def _pair(key: str, value: object, indent: int) -> str:
    is_nested = isinstance(value, (Mapping, list, tuple)) and bool(value)
    return f"{key}\n{_yaml(value, indent)}" if is_nested else f"{key} {_yaml(value)}"


def _key(name: str) -> str:
    return json.dumps(name) if name == "on" else name
