"""What is held of one person: handed out to them, and taken out where no evidence rests on it."""

from scanner.privacy.erasure import Left, erase, left_of, refuse_held
from scanner.privacy.held import Held, document, of_person, write
from scanner.privacy.subject import Traces, find

__all__ = ["Held", "Left", "Traces", "document", "erase", "find", "left_of", "of_person", "refuse_held", "write"]
