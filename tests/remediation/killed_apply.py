"""Runs commands and kills them with SIGKILL at one instant, each in a fork of this process, which has one thread only.

Reads lines of JSON, [instant, number, words], and answers each with the exit code, or minus the signal, of the command.
Instants: `after` the Nth line of a journal; `half`, when only half of it is on disk; `sending` and `sent`, before and
after the Nth request that changes something; `never`.
"""

import json
import os
import signal
import sys
from typing import Any

from scanner import cli, policy
from scanner.cli import apply, outcome
from scanner.remediation import execute, journal, reread
from scanner.remediation.server import Server

LOADED = (apply, outcome, policy, execute, reread)
"""Imported before the forks, so that none of them has to."""


def die() -> None:
    """End as a power cut would: no handler, no clean-up."""
    os.kill(os.getpid(), signal.SIGKILL)


def run(instant: str, number: int, words: list[str]) -> int:
    """Arrange the end, then run the command."""
    count = {"lines": 0, "requests": 0}
    append, send, write = journal.Journal.append, Server.send, os.write

    def appending(self: journal.Journal, event: str, **fields: Any) -> None:
        count["lines"] += 1
        append(self, event, **fields)
        if count["lines"] == number and instant == "after":
            die()

    def writing(handle: int, data: bytes) -> int:
        if instant == "half" and count["lines"] == number and data.endswith(b"}\n"):
            write(handle, data[: len(data) // 2])
            die()
        return write(handle, data)

    def sending(self: Server, *values: Any) -> Any:
        count["requests"] += 1
        if count["requests"] == number and instant == "sending":
            die()
        answer = send(self, *values)
        if count["requests"] == number and instant == "sent":
            die()
        return answer

    journal.Journal.append, Server.send, os.write = appending, sending, writing  # type: ignore[method-assign,assignment]
    code: int = cli.main(words, standalone_mode=False)
    return code


for line in sys.stdin:
    instant, number, words = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(run(instant, number, words))
    _, status = os.waitpid(child, 0)
    ended = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    sys.stdout.write(f"{ended}\n")
    sys.stdout.flush()
