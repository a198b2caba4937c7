"""What is wrong in the demo company, and what only looks wrong. Each plant names what the scan must find, and why."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scanner.demo.people import DOMAIN
from scanner.demo.servers import resource_id
from scanner.demo.world import Account, World

ADMINS = {
    "directory": "Directory Administrators",
    "crm": "CRM Administrators",
    "ehr": "Record Administrators",
    "wiki": "Wiki Administrators",
    "helpdesk": "Desk Administrators",
}
"""The privileged group of each application; the ERP has a role instead."""

ERP_ADMIN = "FI_ADMIN"

ZURICH = ZoneInfo("Europe/Zurich")


def plant(world: World) -> None:
    """Break the rules, and set the traps."""
    leavers(world)
    contractors(world)
    orphans(world)
    doubtful_identities(world)
    unused_accounts(world)
    privileges(world)
    service_accounts(world)
    foreign_domains(world)
    sources(world)
    late_closings(world)
    old_accounts(world)


def leavers(world: World) -> None:
    """Access of people who have left, and of people who have not."""
    rule = "leaver-still-active"
    for tag, app, signed_in in (
        ("left-erp", "erp", datetime(2026, 10, 9, 19, 12)),
        ("left-ehr", "ehr", datetime(2026, 10, 14, 21, 3)),
        ("left-crm", "crm", datetime(2026, 10, 29, 9, 40)),
        ("left-helpdesk", "helpdesk", None),
        ("left-wiki", "wiki", datetime(2026, 9, 14, 8, 0)),
    ):
        person = world.person(tag)
        name = world.change(app, person, active=True, deactivated=None, signed_in=signed_in)
        why = f"{person.name} left on {person.ended}; the account is still active."
        world.expect(rule, app, name, why, _weighed(app, "high"), worker=person)
    person = world.person("left-unclear")
    name = world.change("crm", person, active=None, deactivated=None)
    why = "The application does not say whether the account of this leaver is active: neither a pass nor an exception."
    world.expect(rule, "crm", name, why, "high", worker=person, verdict="unknown")

    rule = "activity-after-leaving"
    person = world.person("left-erp")
    why = "Last sign-in nine days after the last day of work, from an account that is still open."
    world.expect(rule, "erp", person.email, why, "critical", worker=person)
    person = world.person("left-signed-in")
    name = world.change("ehr", person, signed_in=datetime(2026, 9, 2, 6, 55), deactivated=datetime(2026, 9, 3, 9, 0))
    why = "Closed by now, but used two days after the last day of work."
    world.expect(rule, "ehr", name, why, "critical", worker=person)

    # Traps: left yesterday, so the time allowed has not run out; signed in on the evening of the last day.
    person = world.person("left-yesterday")
    for app in ("directory", "erp", "wiki"):
        world.change(app, person, active=True, deactivated=None, signed_in=datetime(2026, 11, 19, 17, 30))


def contractors(world: World) -> None:
    """Accounts of people whose contract has ended, by the date that the roster gives."""
    rule = "contract-ended-still-active"
    for tag, app in (("ct-ended-two", "directory"), ("ct-ended-two", "crm"), ("ct-ended", "directory")):
        person = world.person(tag)
        why = f"The contract ended on {person.contract_end}; the account is still active."
        world.expect(rule, app, person.email, why, "high", worker=person)
    person = world.person("ct-ended-two")
    world.change("helpdesk", person, active=False, deactivated=datetime(2026, 10, 31, 18, 0))
    person = world.person("ct-ended")
    for app in ("code", "helpdesk"):
        world.change(app, person, active=False, deactivated=datetime(2026, 11, 15, 18, 0))
    # Trap: the contract ended and every account was closed on the day.
    person = world.person("ct-ended-closed")
    for app in ("directory", "code", "helpdesk"):
        world.change(
            app, person, active=False, deactivated=datetime(2026, 9, 30, 16, 0), signed_in=datetime(2026, 9, 29, 9)
        )


def orphans(world: World) -> None:
    """Accounts that belong to nobody, and accounts that belong to somebody in a roundabout way."""
    rule = "orphaned-account"
    for app, name, display, why in (
        ("crm", "kampagne.fruehling", "Kampagne Frühling", "A campaign account that no person and no register knows."),
        ("crm", "аnna.berg", "Аnna Berg", "The first letter is Cyrillic: this is not Anna Berg, who exists."),  # noqa: RUF001
        ("ehr", "aushilfe.station7", "Aushilfe Station 7", "A locum account without a person behind it."),
        ("directory", "test.konto", "Test Konto", "A test account left behind."),
        ("helpdesk", "max.mustermann", "Max Mustermann", "A person whom neither roster has ever held."),
        ("wiki", "intranet.umzug", "Intranet Umzug", "Seen although the list was short: what is shown is judged."),
    ):
        address = f"{name}@{DOMAIN}"
        world.add(app, _used(address, display, address))
        world.expect(rule, app, address, why, _weighed(app, "high"))
    # Trap: an orphan that can no longer be used.
    world.add("crm", Account(f"praktikum2019@{DOMAIN}", "Praktikum 2019", f"praktikum2019@{DOMAIN}", active=False))
    # Trap: nobody by its keys, but people decided whose it is (links.csv).
    person = world.person("linked")
    world.rename("ehr", person, _used("ward-tablet-3", "Ward tablet 3", None))
    # Traps: the address before the change of name; a user name that is the local part of an address.
    person = world.person("name-change")
    world.rename("crm", person, _used(person.other_emails, "Livia Rotach", person.other_emails))
    person = world.person("cyrillic")
    world.rename("helpdesk", person, Account("boris.ilyin", "B. Ilyin", None, created=datetime(2023, 5, 8, 9)))
    # Trap: known by a pattern as a partner's account.
    world.add("helpdesk", Account("partner-northlab-2", "Northlab on call", "oncall@northlab.example"))


def doubtful_identities(world: World) -> None:
    """Accounts with two owners, owners with two accounts, and accounts older than their owners."""
    for app, by_number, by_mail in (("crm", "number-crm", "mail-crm"), ("erp", "number-erp", "mail-erp")):
        one, other = world.person(by_number), world.person(by_mail)
        name = f"shift-{other.last.lower()}"
        account = Account(name, other.name, other.email, one.number, created=datetime(2022, 1, 10))
        world.add(app, replace(account, signed_in=datetime(2026, 11, 17, 12)))
        why = f"The employee number says {one.name}, the e-mail says {other.name}."
        world.expect("ambiguous-owner", app, name, why, _weighed(app, "medium"))
    for tag, app in (("twice-crm", "crm"), ("twice-ehr", "ehr")):
        person = world.person(tag)
        name = f"{person.email.partition('@')[0]}.2"
        account = Account(name, person.name, person.email.replace("@", "+2@"), person.number)
        world.add(app, replace(account, created=datetime(2024, 2, 1), signed_in=datetime(2026, 11, 18, 7)))
        why = f"{person.name} has a second active account in the same application."
        world.expect("duplicate-accounts", app, name, why, _weighed(app, "medium"), worker=person)
    for tag, app in (("reused-crm", "crm"), ("reused-erp", "erp")):
        person = world.person(tag)
        name = world.change(app, person, created=datetime(2019, 3, 4, 10), number=None)
        why = f"Created in 2019, but {person.name} was first hired on {person.hired}: perhaps somebody else's address."
        world.expect("reused-identity", app, name, why, _weighed(app, "medium"), worker=person)


def unused_accounts(world: World) -> None:
    """Active accounts that nobody has used for a long time."""
    for tag, app, signed_in in (
        ("idle-crm", "crm", datetime(2026, 5, 4, 9)),
        ("idle-erp", "erp", datetime(2026, 2, 27, 11)),
        ("idle-ehr", "ehr", datetime(2025, 12, 19, 14)),
    ):
        person = world.person(tag)
        name = world.change(app, person, signed_in=signed_in)
        why = f"Active, last used on {signed_in:%Y-%m-%d}."
        world.expect("dormant-account", app, name, why, _weighed(app, "medium"), worker=person)
    # Traps: an old sign-in with recent activity; a sign-in 80 days ago.
    person = world.person("idle-but-active")
    world.change("crm", person, signed_in=datetime(2026, 3, 1, 8), last_activity=datetime(2026, 11, 16, 8))
    world.change("crm", world.person("latin"), signed_in=datetime(2026, 9, 1, 8))


def privileges(world: World) -> None:
    """Too many administrators, and closed accounts that would be administrators again at one click."""
    for app, count in (("directory", 6), ("crm", 6), ("ehr", 3), ("wiki", 3), ("helpdesk", 2)):
        world.join(app, ADMINS[app], _working(world, app)[:count])
    for name in _working(world, "erp")[:5]:
        world.accounts["erp"][name] = replace(world.accounts["erp"][name], roles=(ERP_ADMIN,))
    world.expect("too-many-admins", "crm", None, "Six administrators, where three would do.", "medium")
    world.expect("too-many-admins", "erp", None, "Six administrators, where three would do.", "high")

    # A lead, no exception: among the many people of their job, each of these is alone with the right.
    entitlement = f"group:{resource_id('ehr', ADMINS['ehr'])}"
    for name in _working(world, "ehr")[:3]:
        person = next(person for person in world.people if person.email == name)
        why = f"Alone with this right among the people who are {person.title} in {person.department}."
        world.expect("peer-outlier", "ehr", name, why, "medium", worker=person, entitlement=entitlement)

    rule = "disabled-keeps-privilege"
    for tag, app in (("left-admin", "crm"), ("left-ehr-admin", "ehr")):
        person = world.person(tag)
        world.join(app, ADMINS[app], [person.email])
        entitlement = f"group:{resource_id(app, ADMINS[app])}"
        why = f"Closed, but still a member of {ADMINS[app]}."
        world.expect(rule, app, person.email, why, _weighed(app, "medium"), worker=person, entitlement=entitlement)
    # Trap: a closed account in a group without privilege.
    world.join("crm", "Sales", [f"praktikum2019@{DOMAIN}"])


def service_accounts(world: World) -> None:
    """Accounts of machines: each needs a person who answers for it. See service_register.toml."""
    rule = "service-account-without-owner"
    for app, name, display in (
        ("directory", "svc-hr-sync", "HR synchronisation"),
        ("directory", "breakglass-1", "Emergency access"),
        ("crm", "svc-export", "Nightly export"),
        ("erp", "svc-bankfeed", "Bank statement import"),
        ("ehr", "svc-lab-import", "Laboratory results import"),
        ("helpdesk", "empfang", "Reception desk"),
    ):
        world.add(app, Account(name, display, None, created=datetime(2020, 1, 6)))
    world.expect(rule, "crm", "svc-export", "Known by its name only; no register entry, no owner.", "high")
    world.expect(rule, "erp", "svc-bankfeed", "The registered owner left on 2026-06-30.", "critical")
    world.expect(rule, "ehr", "svc-lab-import", "The owner confirmed it last in June 2025.", "critical")


def foreign_domains(world: World) -> None:
    """Mail addresses of domains that nobody approved."""
    rule = "external-email-domain"
    for tag, app, severity, roles in (
        ("ct-private", "crm", "medium", ()),
        ("ct-private-admin", "erp", "high", (ERP_ADMIN,)),
    ):
        person = world.person(tag)
        name = f"{person.last.lower()}@freemail.example"
        account = replace(_used(name, person.name, name, person.number), roles=roles, created=datetime(2025, 4, 1))
        if person.email in world.accounts[app]:
            world.rename(app, person, account)
        else:
            world.add(app, account)
        why = "A private address: the domain is neither the company's nor approved."
        world.expect(rule, app, name, why, severity, worker=person)
    # Trap: a partner's domain that is approved, with a reason, in approved_domains.toml.
    person = world.person("ct-partner")
    address = "vontobel@northlab.example"
    account = replace(_used(address, person.name, address, person.number), created=datetime(2025, 4, 1))
    world.rename("crm", person, account)


def sources(world: World) -> None:
    """Spoil sources: one short, one refused; a third is not connected at all."""
    hidden = f"altes.wiki@{DOMAIN}"
    world.add("wiki", Account(hidden, "Altes Wiki", hidden, created=datetime(2017, 1, 9)))
    world.withheld += [hidden, *_working(world, "wiki")[40:45]]
    short = "The list of the wiki is six people short of the number that it states."
    refused = "The access token of the code hosting has expired; nothing could be read."
    world.expect("source-stale-or-failed", "wiki", None, short, "high")
    world.expect("source-stale-or-failed", "code", None, refused, "high")
    world.expect("population-incomplete", "wiki", None, short, "high")
    world.expect("population-incomplete", "payroll", None, "Known, but not connected: nobody looked.", "high")


def _weighed(app: str, severity: str) -> str:
    """Return one step more for the applications that hold financial data or health records."""
    return {"medium": "high", "high": "critical"}[severity] if app in ("erp", "ehr") else severity


def _used(username: str, display: str, email: str | None, number: str | None = None) -> Account:
    """Return an account that somebody used last week."""
    times = datetime(2023, 5, 8, 9), datetime(2026, 11, 12, 10)
    return Account(username, display, email, number, created=times[0], signed_in=times[1])


def _working(world: World, app: str) -> list[str]:
    """Return the user names of ordinary people at work in an application."""
    ordinary = {p.email for p in world.people if not p.tag and p.status == "active" and p.roster == "hr"}
    return [name for name in world.accounts[app] if name in ordinary]


def late_closings(world: World) -> None:
    """Expect every account that was closed more than the day allowed after the end of work."""
    for app, accounts in world.accounts.items():
        # Nothing is read of the code hosting, and the wiki withholds some.
        hidden = set(accounts) if app == "code" else set(world.withheld)
        for person in world.people:
            account = accounts.get(person.email)
            if person.status != "terminated" or not person.ended or account is None or person.email in hidden:
                continue
            end = datetime.combine(person.ended, time.max, ZURICH).astimezone(UTC).replace(tzinfo=None)
            if account.active is False and account.deactivated and account.deactivated > end + timedelta(hours=24):
                why = f"Work ended on {person.ended}, the account was closed on {account.deactivated:%Y-%m-%d}."
                severity = _weighed(app, "medium")
                world.expect("leaver-deactivated-late", app, person.email, why, severity, worker=person)


def old_accounts(world: World) -> None:
    """Expect doubt about the salesman who came back to his old accounts."""
    person = world.person("rehire")
    why = (
        "Came back after two years to an old account; its rights have no dates, so that this is neither pass nor fail."
    )
    for app in ("directory", "crm", "wiki"):
        world.expect("rehire-kept-old-access", app, person.email, why, "medium", worker=person, verdict="unknown")
