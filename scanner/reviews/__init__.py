"""Reviews of access by managers and application owners: workbooks out, decisions back into the policy input."""

from scanner.reviews.campaign import (
    Campaign,
    Item,
    Row,
    check_name,
    exists,
    item_id,
    known,
    people,
    remember,
    rows,
    without_person,
)
from scanner.reviews.decisions import Decision, Imported, check, store
from scanner.reviews.workbook import Returned, read, write

__all__ = [
    "Campaign",
    "Decision",
    "Imported",
    "Item",
    "Returned",
    "Row",
    "check",
    "check_name",
    "exists",
    "item_id",
    "known",
    "people",
    "read",
    "remember",
    "rows",
    "store",
    "without_person",
    "write",
]
