"""The chain of manifests: what is cut, forked, left out or put in its middle is found."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealed_company import Company

from scanner.evidence import chain
from scanner.evidence.manifest import Manifest


def links(count: int) -> list[Manifest]:
    """Return a chain of manifests."""
    made: list[Manifest] = []
    for number in range(1, count + 1):
        previous = made[-1].sha256 if made else None
        made.append(
            Manifest(f"{number}".rjust(16, "a").ljust(64, "0"), f"scan-{number}", "", "1", "", previous, number, ())
        )
    return made


def check(found: list[Manifest], known: list[Manifest], head: str = "", number: int | None = None) -> list[str]:
    """Return what does not fit when `known` is what the store remembers."""
    sealed = {one.scan: one.sha256 for one in known}
    subject = chain.check(found, sealed, known[-1].sha256 if known else None, chain.Expected(head, number))
    return [one.sentence for one in subject.statements if one.grade == "mismatch"]


@given(st.integers(1, 12), st.randoms())
def test_a_whole_chain_fits_in_whatever_order_it_is_read(count: int, order: object) -> None:
    """With any head of it and its number."""
    made = links(count)
    mixed = list(made)
    order.shuffle(mixed)  # type: ignore[attr-defined]

    assert check(mixed, made, made[count // 2].sha256[:16], count // 2 + 1) == []


@given(st.integers(2, 12), st.data())
def test_a_scan_that_is_left_out_is_found(count: int, data: st.DataObject) -> None:
    """At the beginning, in the middle or at the end."""
    made = links(count)
    left_out = data.draw(st.integers(0, count - 1))

    assert check(made[:left_out] + made[left_out + 1 :], made) != []


def test_a_chain_that_was_cut_with_its_store_is_found_by_a_head_or_a_number_from_elsewhere() -> None:
    """The state folder alone fits: only what was printed before the cut tells."""
    made = links(5)
    cut = made[:3]

    assert check(cut, cut) == []
    assert check(cut, cut, made[4].sha256[:16]) == [
        f"The chain was cut or written anew: no scan has the manifest {made[4].sha256[:16]}."
    ]
    assert check(cut, cut, number=5) == ["The chain was cut: number 5 was told of, and it ends with 3."]


def test_a_fork_is_found_in_the_folder_and_by_a_number_from_elsewhere() -> None:
    """Two scans after the same one; and the other branch, whose scan took the place of the one that was printed."""
    made = links(3)
    other = replace(made[2], sha256="f" * 64, scan="scan-other")

    assert "The chain is forked: scans scan-3, scan-other come after the same one." in check([*made, other], made)
    branch = [*made[:2], other]
    assert check(branch, branch) == []
    assert len(check(branch, branch, made[2].sha256, 3)) == 1
    assert len(check(made, made, made[1].sha256, 3)) == 1


def test_numbers_that_lie_and_circles_are_found() -> None:
    """A manifest that says another place than it has; two that name each other."""
    made = links(2)

    assert "says that it is number 7" in check([made[0], replace(made[1], number=7)], made)[0]
    circle = [replace(made[0], previous=made[1].sha256), made[1]]
    assert check(circle, made) != []


@pytest.mark.parametrize("count", [1, 3])
def test_chains_of_before_have_no_numbers_and_are_counted(count: int) -> None:
    """Their place follows from the order."""
    old = [replace(one, number=None) for one in links(count)]

    assert check(old, old, old[-1].sha256, count) == []


def test_a_second_scan_is_chained_and_a_manifest_that_is_lost_is_named(company: Company, tmp_path: Path) -> None:
    """A scan that was only collected has no place in the chain; one whose manifest is gone has left a gap."""
    copied = company.copy(tmp_path / "copy")
    first = copied.scan.name
    assert copied.run("collect")[0] == 0
    assert copied.run("scan")[0] == 1
    code, told = copied.run("verify", "--number", "2")

    assert code == 0, told
    assert "The 2 scans are one chain" in told

    (copied.state / "scans" / first / "evidence" / "manifest.json").unlink()
    code, told = copied.run("verify")
    assert code == 1
    assert f"The manifest of scan {first}, which the store knows, cannot be used." in " ".join(told.split())
