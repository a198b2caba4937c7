"""The people with a story: those who break a rule, and the traps, who look as if they did. All are invented."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Role:
    """What makes a person special; everything else is filled in by `people`."""

    tag: str
    first: str
    last: str
    department: str
    hired: date
    status: str = "active"
    ended: date | None = None
    contract_end: date | None = None
    worker_type: str = ""
    mail: str = ""
    """Local part of the address, where it does not follow from the name."""
    other_emails: str = ""
    person: str = ""
    """Person id, where two employments share one."""


_IT = "Information Technology"


def _left(tag: str, first: str, last: str, department: str, ended: date, mail: str = "") -> Role:
    """Return an employee whose work has ended."""
    return Role(tag, first, last, department, date(2018, 4, 2), "terminated", ended, mail=mail)


EMPLOYEES = (
    # Leavers who still have, or used, access.
    _left("left-erp", "Katrin", "Sommerfeldt", "Finance", date(2026, 9, 30)),
    _left("left-ehr", "Оксана", "Гончаренко", "Nursing", date(2026, 10, 15), "oksana.honcharenko"),
    _left("left-crm", "Piotr", "Zieliński", "Sales", date(2026, 10, 31)),
    _left("left-helpdesk", "娜", "李", "Operations", date(2026, 8, 31), "na.li"),
    _left("left-unclear", "Dorothea", "Vankerck", "Sales", date(2026, 7, 31)),
    _left("left-wiki", "Željko", "Đurić", _IT, date(2026, 9, 15)),
    _left("left-signed-in", "ليلى", "حداد", "Physicians", date(2026, 8, 31), "layla.haddad"),
    _left("left-owner", "Bertram", "Nachtigall", _IT, date(2026, 6, 30)),
    _left("left-admin", "Rosalie", "Ofenloch", "Sales", date(2026, 5, 31)),
    _left("left-ehr-admin", "Thaddäus", "Quint", "Physicians", date(2026, 4, 30)),
    # Traps: they look like leavers and are none, or not yet.
    _left("left-yesterday", "Corinna", "Wellenbrink", "Finance", date(2026, 11, 19)),
    Role("rehire", "Sören", "Ødegård", "Sales", date(2015, 3, 2), "terminated", date(2024, 6, 30), person="P29001"),
    Role("rehire", "Sören", "Ødegård", "Sales", date(2026, 3, 2), person="P29001"),
    Role("leaving", "Mathilde", "Tanner-Bosshard", "Finance", date(2014, 9, 1), ended=date(2026, 12, 31)),
    Role("two-jobs", "Jeroen", "van der Heyde", "Nursing", date(2017, 1, 2), person="P29002"),
    Role(
        "two-jobs",
        "Jeroen",
        "van der Heyde",
        "Laboratory",
        date(2021, 5, 3),
        "terminated",
        date(2026, 9, 30),
        person="P29002",
    ),
    Role("on-leave", "Şule", "Çağlar", "Nursing", date(2016, 8, 1), "on_leave"),
    # Names that must not merge two people, nor lose one.
    Role("namesake", "Maria", "Keller", "Finance", date(2012, 2, 1)),
    Role("namesake", "Maria", "Keller", "Nursing", date(2019, 10, 1), mail="maria.keller2"),
    Role("lookalike", "Elena", "Orlova", "Laboratory", date(2013, 6, 3)),
    Role("lookalike", "Еlena", "Orlova", "Sales", date(2020, 6, 1), mail="elena.orlova2"),  # noqa: RUF001 - a Cyrillic initial
    Role("latin", "Anna", "Berg", "Sales", date(2011, 3, 1)),
    Role("vietnamese", "Hương", "Nguyễn Thị", "Physicians", date(2022, 4, 4), mail="huong.nguyen"),
    Role("chinese", "伟", "王", _IT, date(2018, 11, 5), mail="wei.wang"),
    Role("japanese", "健", "佐藤", "Laboratory", date(2021, 1, 11), mail="ken.sato"),
    Role("arabic", "يوسف", "منصور", "Physicians", date(2015, 9, 7), mail="youssef.mansour"),
    Role("cyrillic", "Борис", "Ильин", "Operations", date(2019, 2, 4), mail="boris.ilyin"),
    Role(
        "name-change",
        "Livia",
        "Aebersold",
        "Sales",
        date(2013, 5, 6),
        other_emails="livia.rotach@brindlewick.example",
    ),
    Role("linked", "Sigurd", "Halvorsen", "Nursing", date(2010, 10, 4)),
    # Identities that are in doubt.
    Role("reused-crm", "Leonie", "Staubli", "Sales", date(2026, 2, 2)),
    Role("reused-erp", "Kilian", "Morgenthaler", "Finance", date(2026, 5, 4)),
    Role("twice-crm", "Tobias", "Lenzinger", "Sales", date(2016, 1, 4)),
    Role("twice-ehr", "Friederike", "Ammann", "Nursing", date(2018, 7, 2)),
    Role("number-crm", "Hannes", "Brodbeck", "Sales", date(2014, 4, 1)),
    Role("mail-crm", "Saskia", "Thönen", "Sales", date(2015, 4, 1)),
    Role("number-erp", "Raimund", "Egli", "Finance", date(2012, 8, 1)),
    Role("mail-erp", "Undine", "Farkas", "Procurement", date(2013, 8, 1)),
    # Accounts that nobody uses.
    Role("idle-crm", "Ottilie", "Grabner", "Sales", date(2012, 1, 9)),
    Role("idle-erp", "Valentin", "Hofmeister", "Procurement", date(2011, 5, 2)),
    Role("idle-ehr", "Marlis", "Inderbitzin", "Nursing", date(2009, 9, 1)),
    Role("idle-but-active", "Severin", "Jucker", "Sales", date(2016, 6, 1)),
    Role("owner", "Gudrun", "Kaltenbach", _IT, date(2010, 1, 4)),
)

_ACTIVE = date(2025, 3, 3)

CONTRACTORS = (
    Role("ct-ended-two", "Alois", "Pernthaler", "Customer Service", _ACTIVE, contract_end=date(2026, 10, 31)),
    Role("ct-ended", "Miriam", "Osterwalder", _IT, _ACTIVE, contract_end=date(2026, 11, 15)),
    Role("ct-ends-today", "Konstantin", "Roth-Vögeli", _IT, _ACTIVE, contract_end=date(2026, 11, 20)),
    Role("ct-ended-closed", "Bettina", "Sauter", _IT, _ACTIVE, contract_end=date(2026, 9, 30)),
    Role("ct-private", "Dragan", "Tomović", "Customer Service", _ACTIVE, contract_end=date(2027, 3, 31)),
    Role("ct-private-admin", "Nadja", "Ullmann", "Operations", _ACTIVE, contract_end=date(2027, 4, 30)),
    Role("ct-partner", "Ruedi", "Vontobel", "Customer Service", _ACTIVE, contract_end=date(2027, 5, 31)),
)
