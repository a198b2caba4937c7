"""From what a command returned or raised to an exit code and at most a line for people; never a traceback."""

import errno
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import click

from scanner.cli.text import printable
from scanner.errors import OrphanscanError

INTERRUPTED = 130
CLOSED_PIPE = 128 + 13
"""What a shell shows when a reader such as `head` went away: not a result, so none of the result codes."""

_log_folder: list[Path] = []


def log_to(state: Path) -> None:
    """Name the folder, if it exists by then, in which the log of an internal error is left."""
    _log_folder[:] = [state]


def run(invoke: Callable[[], object]) -> int:
    """Return the exit code of a command."""
    _log_folder.clear()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows ASCII only must not turn a name into an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # Whatever is made below the state folder is for its owner alone, also by libraries.
    mask = os.umask(0o077)
    signals: list[int] = []
    restore = _interrupt_on(signals, signal.SIGTERM, signal.SIGINT)
    try:
        code = _guarded(invoke, signals)
    except KeyboardInterrupt:  # a second one, while the first was being handled
        return INTERRUPTED
    finally:
        restore()
        os.umask(mask)
    # Libraries may swallow the interrupt; what came out after it is then not to be trusted.
    return INTERRUPTED if signals else code


def _guarded(invoke: Callable[[], object], signals: list[int]) -> int:
    try:
        result = invoke()
        sys.stdout.flush()
        return result if isinstance(result, int) and not isinstance(result, bool) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort, EOFError):
        _say("interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 2
    except OrphanscanError as error:
        _say(f"error: {error}")
        return error.exit_code
    except OSError as error:
        if error.errno == errno.EPIPE:
            _drop_output()
            return CLOSED_PIPE
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _say(f"error: no space left on the disk{f' for {error.filename}' if error.filename else ''}; free some")
            return 6
        return _internal(error, signals)
    except Exception as error:
        return _internal(error, signals)


def _say(message: str) -> None:
    with suppress(OSError):
        click.echo("\n".join(printable(line) for line in message.splitlines()), err=True)


def _internal(error: Exception, signals: list[int]) -> int:
    """Tell an error that is ours in one line; its traceback goes to a file that only its owner may read."""
    if signals:  # DuckDB turns the interrupt of a query into a RuntimeError
        _say("interrupted")
        return INTERRUPTED
    import traceback

    where = "the log of it could not be written"
    for folder in (*(item for item in _log_folder if item.is_dir()), Path(tempfile.gettempdir())):
        with suppress(OSError):
            handle, name = tempfile.mkstemp(prefix="orphanscan-error-", suffix=".log", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                traceback.print_exception(error, file=file)
            where = f"details are in {name}"
            break
    _say(" ".join(f"internal error: {type(error).__name__}: {error}".split()) + f"; {where}")
    return 6


def _interrupt_on(seen: list[int], *signals: signal.Signals) -> Callable[[], None]:
    """Make signals end a command as Ctrl-C does, and note them in `seen`; return what undoes it."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None

    def interrupt(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    # What is ignored stays so: a shell starts background jobs deaf to Ctrl-C on purpose.
    before = {one: signal.getsignal(one) for one in signals}
    heard = [one for one in signals if before[one] is not signal.SIG_IGN]
    for one in heard:
        signal.signal(one, interrupt)

    def restore() -> None:
        for one in heard:
            signal.signal(one, before[one])

    return restore


def _drop_output() -> None:
    """Send what is left in the buffers nowhere, so that the interpreter does not complain at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
