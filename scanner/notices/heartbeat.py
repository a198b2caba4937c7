"""The sign of life: one address to call when a scan ended, another when it did not.

A monitor such as healthchecks.io calls somebody when neither came in time: that is what a killed machine looks like.
"""

from scanner.notices import wire
from scanner.settings import Receiver


def beat(receiver: Receiver, *, ended: bool) -> str:
    """Call the address of the outcome; PassingError or NoticeError if that fails."""
    address = wire.read(receiver.url, receiver)
    if not ended and receiver.fail_url is not None:
        address = wire.read(receiver.fail_url, receiver)
    elif not ended:
        front, mark, query = address.partition("?")
        address = f"{front.rstrip('/')}/fail{mark}{query}"
    with wire.opened(receiver, address, is_secret=True) as to:
        to.send("GET")
    return "told that the scan ended" if ended else "told that the scan failed"


def check(receiver: Receiver) -> str:
    """Reach the host without beating."""
    with wire.opened(receiver, wire.read(receiver.url, receiver), is_secret=True) as to:
        return to.reach()
