"""Every error a user may meet, on one screen. The message says what failed, where, and what to do next.

OrphanscanError                 exit code
├── ConfigError                 2   a configuration, policy or roster map that cannot be used
├── NoticeError                 none: a notice that could not be delivered is told, and tried again by the next scan
├── RefusedError                5   refused for safety
├── ReportError                 6   one report could not be drawn; the scan is stored all the same
├── StoreError                  6   the store or the state folder cannot be used
│   └── LockedError             6   another writer is at work
└── SourceError                 3   one source failed; caught by the collectors, told in its verdict
"""


class OrphanscanError(Exception):
    """Base of all errors that are shown to the user without a traceback."""

    exit_code = 6


class ConfigError(OrphanscanError):
    """The configuration, or a file that it names, cannot be used."""

    exit_code = 2


class NoticeError(OrphanscanError):
    """A notice could not be delivered; the scan is stored all the same, and its exit code stays."""


class RefusedError(OrphanscanError):
    """The action was refused for safety."""

    exit_code = 5


class ReportError(OrphanscanError):
    """A report could not be drawn; the message says why and what to change."""


class StoreError(OrphanscanError):
    """The store or the state folder cannot be read or written."""


class LockedError(StoreError):
    """Another process is writing to the same state folder."""


class SourceError(OrphanscanError):
    """One source could not be collected; the message is the detail of its verdict."""

    exit_code = 3
