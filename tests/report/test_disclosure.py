"""What a profile lets a reader see."""

from dataclasses import replace

import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from scanner.report.disclosure import LONGEST, clean, disclosure, shorten
from scanner.report.pseudonyms import account_pseudonym, worker_pseudonym
from scanner.report.words import load

WORDS = load()


@given(st.text())
def test_cleaned_text_holds_nothing_that_hides_or_turns(text: str) -> None:
    """Control and direction characters never reach a report, and cleaning twice changes nothing."""
    shown = clean(text)

    assert not set(shown) & set(map(chr, [*range(32), 127, 0x202E, 0x2066, 0x200B, 0xFEFF]))
    assert shown == clean(shown)
    shown.encode("utf-8")


@pytest.mark.parametrize("name", ["مريم الكندي", "田中 花子", "Łukasz Żółć-Ångström", "נועה", "می‌خواهم"])
def test_names_of_every_script_stay_whole(name: str) -> None:
    """Cleaning takes nothing from a real name."""
    assert name == clean(name)


@given(st.text(min_size=LONGEST + 1))
def test_long_text_keeps_both_ends(text: str) -> None:
    """A shortened id still begins and ends as it did."""
    short = shorten(text)

    assert len(short) == LONGEST
    assert text.startswith(short.split("…")[0][:20])
    assert text.endswith(short[-20:])


def test_l1_hides_names_ids_and_mail() -> None:
    """Personal columns are dropped, known ids become pseudonyms, and mail-like text is masked."""
    record = samples.record()
    finding = record.results[0].findings[1]
    seen = disclosure(record, WORDS, privacy="L1", key=samples.KEY)
    shown = dict(seen.evidence(finding, record.rules[0]))

    assert {"work ended", "days", "note", "manager id", "privileged"} == set(shown)
    assert worker_pseudonym(samples.KEY, "p001") == shown["manager id"]
    assert shown["note"] == "mail went to [e-mail withheld]"
    assert shown["work ended"] == "2026-09-01 22:00 UTC"


def test_reason_names_account_worker_and_manager_by_pseudonym() -> None:
    """The three placeholders are filled by the profile."""
    record = samples.record()
    finding = record.results[0].findings[0]
    seen = disclosure(record, WORDS, privacy="L1", key=samples.KEY)
    account = account_pseudonym(samples.KEY, "ledger", "acc-00000")
    worker, manager = (worker_pseudonym(samples.KEY, one) for one in ("p001", "p001"))

    text = "".join(piece for piece, _ in seen.reason(finding))

    assert f"{account} still works although {worker} left on 2026-09-01; {manager} was the manager." == text


def test_l2_names_people() -> None:
    """The identified profile shows names with their ids."""
    record = samples.record()
    seen = disclosure(record, WORDS, privacy="L2", key=samples.KEY)
    text = "".join(piece for piece, _ in seen.reason(record.results[0].findings[0]))

    assert text.startswith("user0@acme.example (acc-00000) still works although Ben Castle 1 (p001) left")


def test_braces_in_names_are_not_filled_again() -> None:
    """A user name that looks like a placeholder stays text."""
    record = samples.record()
    finding = replace(record.results[0].findings[0], username="{manager}")
    seen = disclosure(record, WORDS, privacy="L2", key=samples.KEY)

    assert "{manager} (acc-00000)" in "".join(piece for piece, _ in seen.reason(finding))


def test_id_of_another_application_is_withheld() -> None:
    """An id whose pseudonym would be a guess is not shown at all."""
    record = samples.record()
    finding = replace(
        record.results[0].findings[0], app="wiki", account_id="w1", username=None, evidence={"other": "h2"}
    )
    seen = disclosure(record, WORDS, privacy="L1", key=samples.KEY)

    assert seen.evidence(finding, None) == (("other", "[withheld]"),)


def test_address_is_found_in_a_text_of_any_length() -> None:
    """Each word is looked at once: a name of a million letters would take hours otherwise."""
    shown = disclosure(samples.record(), load(), privacy="L1", key=samples.KEY)
    withheld = load()("person.email_withheld")

    assert shown.text(f"{'n' * 1_000_000} ada@acme.example, a@b@c x\uff20y.example") == (
        f"{'n' * 1_000_000} {withheld}, {withheld}@c {withheld}"
    )


def test_what_somebody_wrote_about_people_is_shown_without_those_whom_the_findings_know() -> None:
    """Names and ids of people and accounts, whatever their case; words that only begin like one stay."""
    text = "Asked by ben castle 1 (P001): acc-00000 and user0@acme.example stay until the p0011 migration."
    record = samples.record()

    shown = disclosure(record, WORDS, privacy="L1", key=samples.KEY).written(text)
    named = disclosure(record, WORDS, privacy="L2", key=samples.KEY).written(text)

    assert shown.startswith("Asked by [withheld] ([withheld]): [withheld] and [e-mail withheld] stay until the p0011")
    assert named == text
