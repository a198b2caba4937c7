"""How what lies in the state folder is protected: modes, and sealing at rest."""

from pathlib import Path

from scanner.cli.checks.check import Found, Result
from scanner.config import Config


def open_below(state: Path) -> list[Path]:
    """Return what lies in a state folder and has a mode that lets others in; the folder itself may stop them."""
    return [path for path in sorted(state.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o077]


def encryption(config: Config) -> Found:
    """Prove that the keys fit together, and count what is still in plain text."""
    from scanner.store import vault

    found = vault.keys_of(config.state)
    if found is None:
        return Result.NOTE, "nothing is sealed at rest; [encryption] would seal the store and the scans"
    told = f"sealed to {len(found.recipients)} of age, opened in {vault.staging(config.state)}"
    left = len(vault.plain_files(config.state, found)) if config.state.exists() else 0
    if left:
        return Result.WARNING, f"{told}; {left} files lie in plain text: the next scan, or `key seal`, seals them"
    to = vault.sealed_to(config.state)
    if to is not None and set(to) != set(found.recipients):
        return Result.WARNING, f"{told}; what was sealed before is for other recipients: run `orphanscan key rotate`"
    if not found.seal_reports:
        told += "; reports are not sealed"
    return Result.OK, f"{told}; plans, journals and the pseudonym key are not sealed, only private to their owner"
