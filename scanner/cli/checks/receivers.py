"""What `doctor` looks at for `[[notify]]`: every receiver is reached, none is told anything."""

import threading
from collections.abc import Iterator

from scanner.cli.checks.check import Check, Result
from scanner.config import Config
from scanner.errors import OrphanscanError
from scanner.settings import Receiver

_SECONDS = 20.0


def receivers(config: Config) -> Iterator[Check]:
    """Check every receiver; all are asked at once. A scan runs without them, so that a doubt is a warning."""
    found: dict[str, Check] = {}

    def look(receiver: Receiver) -> None:
        from scanner import notices

        what = f"notices to {receiver.id}"
        try:
            found[receiver.id] = Check(what, Result.OK, notices.check(config, receiver))
        except (OrphanscanError, OSError) as error:
            found[receiver.id] = Check(what, Result.WARNING, str(error))

    threads = [threading.Thread(target=look, args=(one,), daemon=True) for one in config.notify]
    for thread in threads:
        thread.start()
    for receiver, thread in zip(config.notify, threads, strict=True):
        thread.join(_SECONDS)
        late = Check(f"notices to {receiver.id}", Result.WARNING, f"gave no answer within {_SECONDS:g} s")
        yield found.get(receiver.id, late)
