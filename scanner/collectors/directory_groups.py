"""The groups of a directory: who is in them by any of the ways in which directories say so, and what is not shown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scanner.collectors.accounts import Entry as CatalogueEntry
from scanner.collectors.directory_kinds import Kind, is_list_for_mail, said
from scanner.collectors.directory_link import Entry, Link
from scanner.collectors.directory_names import first_value, is_within, key
from scanner.collectors.reading import Reading
from scanner.model import Verdict

Member = tuple[str, str]
"""Id, and User or Group."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A group without its members."""

    id: str
    name: str | None
    primary: str | None
    """What accounts name whose primary group it is."""
    gives_rights: bool


@dataclass(slots=True)
class Groups:
    """The groups of one directory, while it is read."""

    kind: Kind
    reading: Reading
    heads: dict[int, _Head] = field(default_factory=dict)
    """Key of the distinguished name -> group."""
    silent: set[int] = field(default_factory=set)
    """Groups of which no member was shown."""
    hidden: set[int] = field(default_factory=set)
    """Of these, those that accounts say they are in."""
    unlisted: set[str] = field(default_factory=set)
    """Distinguished names of groups that accounts are in, and that are not below the base of groups."""
    strangers: int = 0
    """Members that are neither accounts nor groups that were read."""

    def read(
        self,
        link: Link,
        base: str,
        filter_: str,
        by_name: Mapping[int, str],
        by_login: Mapping[str, str | None],
        by_primary: Mapping[str, list[str]],
    ) -> None:
        """Walk the groups, and once more with their members."""
        primary = self.kind.primary[1:] if self.kind.primary else ()
        for entry in link.listed(
            base, filter_, (*self.kind.id, "cn", "displayName", "groupType", "adminCount", *primary)
        ):
            self._take(entry)
        again = set()
        attributes = (*self.kind.id, *self.kind.members, *self.kind.names)
        for entry in link.listed(base, filter_, attributes):
            again.add(key(entry.dn))
            head = self.heads.get(key(entry.dn))
            if head is not None and head.gives_rights:
                members = list(self._members(link, entry, head, by_name, by_login, by_primary))
                self.reading.group(head.id, head.name, members)
                if not members:
                    self.silent.add(key(entry.dn))
        self.reading.groups_stated = sum(self.heads[one].gives_rights for one in again if one in self.heads)
        if apart := len(again ^ set(self.heads)):
            self.reading.doubt(f"{apart:,} groups came or went while the directory was read", Verdict.DRIFT)

    def compare(self, account: str, named: Iterable[str]) -> None:
        """Hold what an account says of its groups against what the groups say, which may be hidden or out of reach."""
        for name in named:
            head = self.heads.get(key(name))
            if head is None:
                self.unlisted.add(name)
                self.reading.grant(account, name, "group", name=first_value(name))
            elif key(name) in self.silent:
                self.hidden.add(key(name))
                self.reading.grant(account, head.id, "group", name=head.name)

    def weigh(self) -> None:
        """Say what was not shown."""
        elsewhere = self.reading.app.ldap.elsewhere
        unlisted = [name for name in self.unlisted if not any(is_within(name, place) for place in elsewhere)]
        if unlisted:
            found = f"{len(unlisted):,} groups that were not listed, such as {first_value(min(unlisted))}"
            self.reading.doubt(f"accounts are in {found}: widen groups_base, or let this account read them")
        if self.hidden:
            self.reading.doubt(f"the members of {len(self.hidden):,} groups are hidden from this account")
        if self.strangers:
            self.reading.notes.append(f"{self.strangers:,} members of groups are no accounts that were read")
        mail = sum(not head.gives_rights for head in self.heads.values())
        if mail:
            self.reading.notes.append(f"{mail:,} groups are lists for mail, which give no rights")

    def _take(self, entry: Entry) -> None:
        own = next((value for name in self.kind.id if isinstance(value := said(entry, name), str)), None)
        if own is None:
            self.reading.doubt("a group without an id was passed over")
            return
        found = said(entry, self.kind.primary[1]) if self.kind.primary else None
        primary = _primary(str(found)) if found else None
        name = entry.text("cn") or entry.text("displayName")
        self.heads[key(entry.dn)] = _Head(own, name, primary, not is_list_for_mail(entry))
        if entry.text("adminCount") == "1":
            self.reading.catalogue.append(CatalogueEntry("group", own, name, is_privileged=True))

    def _members(
        self,
        link: Link,
        entry: Entry,
        head: _Head,
        by_name: Mapping[int, str],
        by_login: Mapping[str, str | None],
        by_primary: Mapping[str, list[str]],
    ) -> Iterator[Member]:
        for value in self._named(link, entry):
            member = key(value.decode("utf-8", "replace"))
            if member in by_name:
                yield by_name[member], "User"
            elif member in self.heads:
                yield self.heads[member].id, "Group"
            else:
                self.strangers += 1
        for attribute in self.kind.names:
            for value in entry.values.get(attribute.lower(), ()):
                account = by_login.get(value.decode("utf-8", "replace"))
                if account is not None:
                    yield account, "User"
                else:
                    self.strangers += 1
        if head.primary is not None:
            yield from ((account, "User") for account in by_primary.get(head.primary, ()))

    def _named(self, link: Link, entry: Entry) -> Iterator[bytes]:
        for attribute in self.kind.members:
            name = attribute.lower()
            if any(one.startswith(f"{name};range=") for one in entry.values):
                yield from link.ranged(entry.dn, attribute)
            else:
                yield from entry.values.get(name, ())


def _primary(said: str) -> str | None:
    """Return what accounts call their primary group by: in a domain the last number of its security identifier."""
    if said.startswith("S-"):
        return said.rpartition("-")[2] if said.startswith("S-1-5-21-") else None
    return said
