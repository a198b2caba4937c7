"""The part of docs/vendors.md about the shipped profiles, from their TOML files."""

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

from scanner.collectors import profiles
from scanner.collectors.profiles import Profile, Rates

TARGET = Path(__file__).parent.parent / "docs" / "vendors.md"
_BEGIN = "<!-- profiles: made by `make docs` -->"
_END = "<!-- end of profiles -->"
COLUMNS = {
    "accounts listed": "coverage",
    "rows a page": "max_page_size",
    "paging": "paging",
    "`active = false`": "deactivation.inactive",
    "can be undone": "deactivation.reversible",
    "DELETE": "deactivation.delete",
    "still listed": "deactivation.still_listed",
}
"""Heading of the table -> key of the profile."""


def refreshed(document: str) -> str:
    """Return the document with the part between its two marks made anew."""
    before, _, rest = document.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return "\n\n".join([f"{before}{_BEGIN}", *_parts(), f"{_END}{after}"])


def _parts() -> Iterator[str]:
    known = [profiles.load(name) for name in profiles.names()]
    heads = ["profile", "product", *COLUMNS]
    rows = [
        [f"[{one.id}](#{one.id})", one.name, *(_shown(one, key) for key in COLUMNS.values())]
        for one in sorted(known, key=lambda one: (one.id != "generic", one.id))
    ]
    yield "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))
    for one in known:
        yield f"### {one.id}"
        yield "\n".join(f"- {line}" for line in _lines(one))


def _lines(profile: Profile) -> Iterator[str]:
    yield f"Base URL: `{profile.base_url}`{'' if 'base_url' in profile.said else ' (an example)'}"
    if profile.coverage_note:
        yield f"Accounts listed: {profile.coverage_note}"
    if not profile.sends_start_index:
        yield "It knows no startIndex."
    if profile.max_start_index:
        onward = '; the list goes on with `filter=id gt "<last id>"`' if profile.continue_by_id else ""
        yield f"Greatest startIndex: {profile.max_start_index:,}{onward}."
    if not profile.groups:
        yield "It has no groups."
    if profile.members == "single":
        yield "Members of groups are read group by group."
    if profile.requests_per_minute != Rates():
        yield f"Requests a minute: {_word(profile.requests_per_minute)}."
    if profile.placeholder_users:
        yield f"Made-up users, which prove nothing: {', '.join(profile.placeholder_users)}."
    if "active_form" in profile.said:
        yield f"PATCH sets active in the form {profile.active_form}; the alternative is {profile.active_alternative}."
    if profile.deactivation.second_writer_note:
        yield f"A second writer: {profile.deactivation.second_writer_note}"
    yield from profile.quirks
    if profile.unconfirmed:
        keys = ", ".join(f"`{key}` = {_word(value)}" for key, value in profile.claims.items())
        yield f"Not confirmed, shown here and never used: {keys}."
    yield f"Sources: {'; '.join(profile.sources)}"


def _shown(profile: Profile, key: str) -> str:
    if key in profile.claims:
        return f"{_word(profile.claims[key])} (not confirmed)"
    word = _word(attrgetter(key)(profile))
    return word if key in profile.said or word == "unknown" else "not said"


def _word(value: object) -> str:
    """Return a value in words; None is what nobody knows."""
    if isinstance(value, Rates):
        said = {name: getattr(value, name) for name in Rates.__dataclass_fields__}
        return ", ".join(f"{name} {limit:,}" for name, limit in said.items() if limit)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "unknown" if value is None else str(value)
