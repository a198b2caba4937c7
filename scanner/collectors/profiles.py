"""Vendor profiles: what is known of a product before its server is asked. One TOML file each, in profiles/."""

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scanner.errors import ConfigError

_FOLDER = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """One product."""

    id: str
    name: str
    coverage: str
    """all, provisioned_only, members_no_guests, one_domain or unknown."""
    max_page_size: int = 1000
    paging: str = "discover"
    """index, cursor, or discover: ask ServiceProviderConfig."""
    groups: bool = True
    """False: the product has no groups, so a missing /Groups is no gap."""


def names() -> tuple[str, ...]:
    """Return the ids of all profiles, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load(profile_id: str) -> Profile:
    """Return the profile called `profile_id`."""
    known = names()
    if profile_id not in known:
        near = difflib.get_close_matches(profile_id, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        raise ConfigError(f"there is no profile {profile_id!r}; {hint}")
    with (_FOLDER / f"{profile_id}.toml").open("rb") as file:
        values = tomllib.load(file)
    return Profile(id=profile_id, **values)
