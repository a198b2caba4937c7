"""Waivers: risks that somebody accepted for a time, in a file for review in git."""

from scanner.waivers.apply import Moment, accepted, judge, keep
from scanner.waivers.entry import MOST_DAYS, USUAL_DAYS, WAIVERS, Waiver
from scanner.waivers.file import add, read, read_file
from scanner.waivers.stored import judge_stored

__all__ = [
    "MOST_DAYS",
    "USUAL_DAYS",
    "WAIVERS",
    "Moment",
    "Waiver",
    "accepted",
    "add",
    "judge",
    "judge_stored",
    "keep",
    "read",
    "read_file",
]
