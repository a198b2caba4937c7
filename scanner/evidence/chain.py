"""The chain of manifests of a state folder: every scan names the one before, from the first to the head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scanner.evidence.manifest import Manifest
from scanner.evidence.verify import Statement, Subject, left_open, mismatch, proven

NAME = "chain"


@dataclass(frozen=True, slots=True)
class Expected:
    """What somebody knows of the chain from a report or a notice."""

    head: str = ""
    """SHA-256 of a manifest, or its beginning."""
    number: int | None = None
    """Its place."""


def check(found: Sequence[Manifest], sealed: Mapping[str, str], head: str | None, expected: Expected) -> Subject:
    """Check that the manifests make one chain without a gap or a fork.

    Args:
        found: the manifests that could be read.
        sealed: scan -> SHA-256 of its manifest, of every scan that the store calls sealed.
        head: SHA-256 of the manifest that the store calls the last; None where it does not say.
        expected: what is known from elsewhere.
    """
    ordered, said = _ordered(found)
    missing = sorted(scan for scan in sealed if scan not in {one.scan for one in found})
    said += [mismatch(f"The manifest of scan {scan}, which the store knows, cannot be used.") for scan in missing]
    said += [mismatch(f"Scan {one.scan} is not in the store.") for one in found if one.scan not in sealed]
    if ordered and head and ordered[-1].sha256 != head:
        said.append(mismatch(f"The chain does not end where the store says that it does, at {head}."))
    if not said:
        said = [_whole(ordered)]
    said += _from_elsewhere(ordered, expected)
    return Subject(NAME, tuple(said))


def _whole(ordered: Sequence[Manifest]) -> Statement:
    if not ordered:
        return left_open("There is no sealed scan yet.")
    count = "The one scan is" if len(ordered) == 1 else f"The {len(ordered)} scans are"
    last = ordered[-1]
    number = number_of(last, ordered)
    return proven(f"{count} one chain without a gap or a fork, up to number {number}, {last.sha256}.")


def number_of(one: Manifest, ordered: Sequence[Manifest]) -> int:
    """Return the place of a manifest: as it says, or as counted for scans of before."""
    return one.number or ordered.index(one) + 1


def _ordered(found: Sequence[Manifest]) -> tuple[list[Manifest], list[Statement]]:
    """Follow the chain from its first scan, and tell where it does not hold."""
    after: dict[str | None, list[Manifest]] = {}
    for one in found:
        after.setdefault(one.previous, []).append(one)
    said = [
        mismatch(f"The chain is forked: scans {', '.join(sorted(one.scan for one in group))} come after the same one.")
        for group in after.values()
        if len(group) > 1
    ]
    known = {one.sha256 for one in found}
    said += [
        mismatch(f"The chain has a gap: scan {group[0].scan} comes after a manifest that is not here, {previous}.")
        for previous, group in after.items()
        if previous is not None and previous not in known
    ]
    ordered: list[Manifest] = []
    place: str | None = None
    while after.get(place) and len(ordered) < len(found):
        ordered.append(after[place][0])
        place = ordered[-1].sha256
    if found and not said and len(ordered) < len(found):
        said.append(mismatch("The manifests do not make one chain from a first scan on."))
    wrong = [one for place, one in enumerate(ordered, start=1) if one.number not in (None, place)]
    said += [
        mismatch(f"Scan {one.scan} says that it is number {one.number} of the chain, and is not.") for one in wrong
    ]
    return ordered, said


def _from_elsewhere(ordered: Sequence[Manifest], expected: Expected) -> list[Statement]:
    """Compare the chain with a hash and a number that somebody kept outside of this machine."""
    number = expected.number
    if not expected.head:
        if number is not None and len(ordered) < number:
            return [mismatch(f"The chain was cut: number {number} was told of, and it ends with {len(ordered)}.")]
        if number is not None:
            return [proven(f"The chain reaches number {number}."), left_open("That it is the same scan: give --head.")]
        return [
            left_open(
                "That no scan at its end was cut off, and that the whole was not written anew: compare with the hash"
                " and the number on the latest report or notice (--head, --number)."
            )
        ]
    found = [one for one in ordered if one.sha256.startswith(expected.head.lower())]
    if not found:
        return [mismatch(f"The chain was cut or written anew: no scan has the manifest {expected.head}.")]
    at, later = number_of(found[0], ordered), len(ordered) - 1 - ordered.index(found[0])
    if number is not None and at != number:
        return [mismatch(f"The manifest {expected.head} is number {at} of the chain, and not {number}.")]
    since = "it is the last" if not later else f"{later} came after it"
    return [
        proven(
            f"All scans up to number {at} ({found[0].scan}) are those that {expected.head} was printed for; {since}."
        )
    ]
