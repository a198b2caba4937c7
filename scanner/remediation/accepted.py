"""What the waiver file, as it is at this moment, accepts: an action for an accepted finding is not carried out."""

from datetime import UTC, datetime

from scanner import waivers
from scanner.config import Config
from scanner.model_record import Record
from scanner.remediation.model import Action

_Mark = tuple[int, int, int] | None


def accepted_now(config: Config, record: Record) -> frozenset[str]:
    """Return the findings of a stored scan that the waivers of the configuration accept at this moment."""
    read = waivers.read(config)
    if not read:
        return frozenset()
    _, applied = waivers.judge_stored(config, record.scan, read, record.results, datetime.now(UTC))
    return frozenset(one for waiver in applied for one in waiver.fingerprints)


class Accepted:
    """The accepted findings of a scan. The file is read again whenever it has changed."""

    def __init__(self, config: Config, record: Record) -> None:
        """Read the file; ConfigError if it is wrong, before anything is sent."""
        self._config, self._record = config, record
        self._mark = self._mark_now()
        self._fingerprints = accepted_now(config, record)

    def covers(self, action: Action) -> bool:
        """Tell whether a finding that asks for an action is accepted now; in the plan it was not."""
        if self._config.waivers.file is None:
            return False
        mark = self._mark_now()
        if mark is None or mark != self._mark:
            self._fingerprints = accepted_now(self._config, self._record)
            self._mark = mark
        return any(cause.fingerprint in self._fingerprints for cause in action.causes)

    def _mark_now(self) -> _Mark:
        file = self._config.waivers.file
        if file is None or not file.exists():
            return None  # reading it says what is wrong
        found = file.stat()
        return (found.st_ino, found.st_size, found.st_mtime_ns)
