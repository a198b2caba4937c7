"""One test per trap of matching accounts to people."""

from datetime import datetime

import pytest
from match_world import Matched, Outcome, Row, World, run

JANE = {"worker_id": "P1", "employee_numbers": ["007"], "full_name": "Jane Doe", "email": "jane@acme.example"}
JOHN = {"worker_id": "P2", "employee_numbers": ["7"], "full_name": "John Roe", "email": "john@acme.example"}


def only(outcome: Outcome) -> Matched:
    """Return the one account of the world."""
    (matched,) = outcome.matches.values()
    return matched


def of(account: dict[str, object], **world: object) -> Outcome:
    """Match one account against Jane and John."""
    return run(World(workers=[JANE, JOHN], accounts=[account], **world))  # type: ignore[arg-type]


TIERS: list[tuple[dict[str, object], tuple[str | None, str, str]]] = [
    ({"employee_number": "007"}, ("P1", "employee_number", "certain")),
    ({"employee_number": "7"}, ("P2", "employee_number", "certain")),
    ({"employee_number": "07"}, (None, "none", "none")),
    ({"email": " Jane@ACME.example "}, ("P1", "email", "certain")),
    ({"username": "JANE@acme.example"}, ("P1", "email", "certain")),
    ({"username": "jane@acme.example", "email": "-"}, ("P1", "email", "certain")),
    ({"username": "jane@acme.example", "email": "x@elsewhere.example"}, ("P1", "username", "probable")),
    ({"email": "jane+crm@acme.example"}, ("P1", "email_alias", "probable")),
    ({"other_emails": ["x@y.example", "JANE@acme.example"]}, ("P1", "email_alias", "probable")),
    ({"username": "Jane"}, ("P1", "username", "probable")),
    ({"username": "jane@elsewhere.example"}, (None, "none", "none")),
    ({"external_id": "007"}, (None, "none", "none")),
    ({"email": "jane@acme-old.example"}, (None, "none", "none")),
]


def test_each_tier_names_its_person() -> None:
    """Each key matches as its tier says, and nothing that is merely similar does."""
    accounts = [{**account, "app": f"app{number}"} for number, (account, _) in enumerate(TIERS)]
    matches = run(World(workers=[JANE, JOHN], accounts=accounts)).matches
    assert [matches[f"a{number}"][:3] for number in range(len(TIERS))] == [expected for _, expected in TIERS]


@pytest.mark.parametrize(
    ("setting", "value", "worker"),
    [("employee_number", "007", "P1"), ("person_id", "P2", "P2"), ("person_id", "007", None)],
)
def test_external_id_counts_where_declared(setting: str, value: str, worker: str | None) -> None:
    """An externalId is an HR id only as the application's settings declare it."""
    found = only(of({"external_id": value}, settings={"crm": setting}))
    assert found.worker == worker
    assert found.confidence == ("certain" if worker else "none")


def test_domain_alias_is_folded_on_both_sides() -> None:
    """An old domain of the company stands for the main one, for workers and for accounts."""
    old = {"worker_id": "P3", "email": "kim@acme-old.example"}
    world = World(
        workers=[JANE, old],
        accounts=[{"email": "jane@ACME-old.example"}, {"email": "kim+x@acme.example"}],
        aliases={"acme-old.example": "acme.example"},
    )
    matches = run(world).matches
    assert matches["a0"][:3] == ("P1", "email_alias", "probable")
    assert matches["a1"][:3] == ("P3", "email_alias", "probable")


def test_other_address_of_a_worker_is_an_alias() -> None:
    """A further address in the roster matches, but is not certain."""
    worker = {**JANE, "other_emails": ["j.doe@home.example"]}
    found = only(run(World(workers=[worker], accounts=[{"email": "J.Doe@home.example"}])))
    assert found[:3] == ("P1", "email_alias", "probable")


def test_keys_that_disagree_make_the_account_ambiguous() -> None:
    """Whoever edits one field of an account cannot move it to somebody else."""
    outcome = of({"employee_number": "007", "email": "john@acme.example", "username": "john"})
    assert only(outcome)[:3] == (None, "employee_number", "ambiguous")
    assert outcome.candidates["a0"] == {("P1", "employee_number"), ("P2", "email")}


def test_two_addresses_of_two_people_are_ambiguous() -> None:
    """A conflict within the alias tier is a conflict too."""
    outcome = of({"other_emails": ["jane@acme.example", "john@acme.example"]})
    assert only(outcome)[:3] == (None, "email_alias", "ambiguous")


@pytest.mark.parametrize(("account", "worker"), [("a0", "P2"), ("JANE", "7"), ("Jane", "JOHN@acme.example")])
def test_link_outranks_every_key(account: str, worker: str) -> None:
    """A decision by a person names the account by id or user name and the worker by id, number or address."""
    outcome = of({"username": "jane", "employee_number": "007"}, links=[(account, worker)])
    assert only(outcome)[:3] == ("P2", "link", "certain")
    assert outcome.candidates == {}


def test_link_by_id_is_not_taken_over_by_a_user_name() -> None:
    """Somebody who renames an account to the id of a linked one gains nothing."""
    accounts = [{"account_id": "42", "username": "x"}, {"account_id": "43", "username": "42"}]
    matches = run(World(workers=[JANE], accounts=accounts, links=[("42", "P1")])).matches
    assert matches["42"].worker == "P1"
    assert matches["43"].worker is None


def test_contradicting_or_unknown_links() -> None:
    """Two links to two people are ambiguous; a link to nobody leaves the other keys in force."""
    assert only(of({"username": "x"}, links=[("a0", "P1"), ("a0", "P2")])).confidence == "ambiguous"
    assert only(of({"username": "jane"}, links=[("a0", "P9")])).method == "username"


def test_link_by_number_means_whoever_holds_it() -> None:
    """As long as nobody has the number, the link says nothing; then it outranks the other keys, as every link does."""
    account = {"username": "jane"}
    assert only(of(account, links=[("jane", "9")]))[:3] == ("P1", "username", "probable")
    newcomer = {"worker_id": "P9", "employee_numbers": ["9"]}
    found = run(World(workers=[JANE, newcomer], accounts=[account], links=[("jane", "9")]))
    assert only(found)[:3] == ("P9", "link", "certain")


def test_shared_key_matches_neither_and_is_listed() -> None:
    """An address that two people share names nobody, and both are candidates."""
    twin = {**JOHN, "email": "JANE@acme.example"}
    outcome = run(World(workers=[JANE, twin], accounts=[{"email": "jane@acme.example"}]))
    assert only(outcome)[:3] == (None, "email", "ambiguous")
    assert outcome.candidates["a0"] == {("P1", "email"), ("P2", "email")}
    assert outcome.shared == {("email", "jane@acme.example", 2)}


def test_shared_key_beside_a_unique_one_leaves_a_doubt() -> None:
    """Else a newcomer with an own number and a used address would silently take over the account of another person."""
    twin = {**JOHN, "email": "jane@acme.example"}
    accounts = [{"employee_number": "007", "email": "jane@acme.example"}]
    outcome = run(World(workers=[JANE, twin], accounts=accounts))
    assert only(outcome)[:3] == (None, "employee_number", "ambiguous")
    assert outcome.candidates["a0"] == {("P1", "employee_number"), ("P2", "email")}


def test_address_that_is_an_alias_of_somebody_else_leaves_a_doubt() -> None:
    """A sub-address of one person that is the work e-mail of another names neither."""
    tagged = {"worker_id": "P3", "email": "jane+x@acme.example"}
    found = only(run(World(workers=[JANE, tagged], accounts=[{"email": "jane+x@acme.example"}])))
    assert (found.worker, found.confidence) == (None, "ambiguous")


def test_namesakes_in_several_domains_of_the_company() -> None:
    """A user name that repeats the local part of the account's own company address does not point at a namesake."""
    workers = [{"worker_id": "A", "email": "jo@acme.example"}, {"worker_id": "B", "email": "jo@labs.example"}]
    accounts = [
        {"email": "jo@acme.example", "username": "jo"},
        {"email": "jo@labs.example", "username": "JO"},
        {"email": "max@acme.example", "username": "max"},
        {"email": "eve@private.example", "username": "eve"},
    ]
    lone = [{"worker_id": "C", "email": "max@labs.example"}, {"worker_id": "D", "email": "eve@labs.example"}]
    matches = run(World(workers=workers + lone, accounts=accounts)).matches
    assert [m[:3] for m in matches.values()] == [
        ("A", "email", "certain"),
        ("B", "email", "certain"),
        (None, "none", "none"),
        (None, "username", "suggested"),
    ]


def test_a_foreign_address_speaks_against_a_bare_user_name() -> None:
    """Whoever has an address of another organisation is no employee because of a user name; the address as one is."""
    foreign = "x@elsewhere.example"
    accounts: list[Row] = [
        {"username": "jane", "email": foreign},
        {"username": "jane", "email": "-"},
        {"username": "jane", "email": "unknown@acme-old.example"},
        {"username": "jane@acme.example", "email": foreign},
        {"username": "jane", "email": foreign, "employee_number": "007"},
        {"username": "jane", "email": foreign, "other_emails": ["jane@acme.example"]},
        {"username": "jane", "email": foreign, "other_emails": ["john@acme.example"]},
    ]
    outcome = run(World(workers=[JANE, JOHN], accounts=accounts, aliases={"acme-old.example": "acme.example"}))
    assert [m[:3] for m in outcome.matches.values()] == [
        (None, "username", "suggested"),
        ("P1", "username", "probable"),
        ("P1", "username", "probable"),
        ("P1", "username", "probable"),
        ("P1", "employee_number", "certain"),
        ("P1", "email_alias", "probable"),
        (None, "email_alias", "ambiguous"),
    ]
    assert outcome.candidates["a0"] == {("P1", "username")}


def test_a_user_name_of_two_people_beside_a_foreign_address_suggests_both() -> None:
    """It is no more than a hint, though a shared key would else be an ambiguity."""
    workers = [{"worker_id": "A", "email": "jo@acme.example"}, {"worker_id": "B", "email": "jo@labs.example"}]
    outcome = run(World(workers=workers, accounts=[{"username": "jo", "email": "x@partner.example"}],
                        approved=[("partner.example", "policy")]))  # fmt: skip
    assert only(outcome) == (None, "username", "suggested", "external")
    assert outcome.candidates["a0"] == {("A", "username"), ("B", "username")}


OLD, LATE = datetime(2019, 5, 1), datetime(2026, 1, 20)
NEWCOMER = {**JANE, "first_hired_at": datetime(2026, 2, 1)}


@pytest.mark.parametrize(
    ("account", "confidence"),
    [
        ({"email": "jane@acme.example"}, "ambiguous"),
        ({"email": "jane@acme.example", "username": "jane"}, "ambiguous"),
        ({"email": "jane+x@acme.example"}, "ambiguous"),
        ({"username": "jane"}, "ambiguous"),
        ({"other_emails": ["jane@acme.example"]}, "ambiguous"),
        ({"employee_number": "007", "email": "jane@acme.example"}, "certain"),
        ({"external_id": "007", "email": "jane@acme.example"}, "certain"),
        ({"email": "jane@acme.example", "created_at": LATE}, "certain"),
        ({"email": "jane@acme.example", "created_at": None}, "certain"),
    ],
)
def test_an_account_older_than_its_person_waits_for_a_decision(account: Row, confidence: str) -> None:
    """Somebody had the address before; a number, a first day within the usual weeks, or no date at all is no doubt."""
    world = World(
        workers=[NEWCOMER, JOHN], accounts=[{"created_at": OLD, **account}], settings={"crm": "employee_number"}
    )
    outcome = run(world)
    found = only(outcome)
    assert (found.worker, found.confidence) == (None if confidence == "ambiguous" else "P1", confidence)
    named = {("P1", found.method)} if confidence == "ambiguous" else set()
    assert outcome.candidates.get("a0", set()) == named


def test_the_older_account_of_a_leaver_is_theirs_but_not_for_certain() -> None:
    """It is to be closed whoever had it before, by the decision of a person."""
    account = {"email": "jane@acme.example", "created_at": OLD}
    for status in ("terminated", "vanished"):
        found = only(run(World(workers=[{**NEWCOMER, "status": status}], accounts=[account])))
        assert found[:3] == ("P1", "email", "probable")


def test_a_link_settles_the_doubt_about_an_older_account() -> None:
    """A decision by a person outranks the age too."""
    world = World(workers=[NEWCOMER], accounts=[{"username": "jane", "created_at": OLD}], links=[("jane", "P1")])
    assert only(run(world))[:3] == ("P1", "link", "certain")


def test_every_kind_of_shared_key_is_listed() -> None:
    """Numbers, addresses, aliases and local parts that two people share are each reported once."""
    workers: list[Row] = [
        {"worker_id": "A", "employee_numbers": ["1"], "email": "j@acme.example"},
        {"worker_id": "B", "employee_numbers": ["1"], "email": "j@sub.example"},
        {"worker_id": "C", "email": "k@acme.example"},
        {"worker_id": "D", "email": "d@acme.example", "other_emails": ["k@acme.example"]},
    ]
    assert run(World(workers=workers)).shared == {
        ("employee_number", "1", 2),
        ("username", "j", 2),
        ("email_alias", "k@acme.example", 2),
    }


def test_one_person_may_repeat_a_key() -> None:
    """The same number or address twice on one person is not shared."""
    worker = {**JANE, "employee_numbers": ["007", "007"], "other_emails": ["jane@acme.example", "jane+x@acme.example"]}
    outcome = run(World(workers=[worker], accounts=[{"employee_number": "007"}, {"email": "jane+x@acme.example"}]))
    assert {m.worker for m in outcome.matches.values()} == {"P1"}
    assert outcome.shared == frozenset()


@pytest.mark.parametrize("value", ["", " ", "-", "@", "n/a", "N/A", "none", "NULL", "0", "0000", "00-00"])
def test_degenerate_keys_match_nothing(value: str) -> None:
    """What people type to fill a field is no key, on either side."""
    worker = {"worker_id": "P1", "employee_numbers": [value], "email": f"{value}@{value}", "full_name": value}
    bare = {**worker, "worker_id": "P2", "email": value, "other_emails": [value]}
    accounts: list[Row] = [
        {"employee_number": value, "email": value, "username": value, "display_name": value, "other_emails": [value]},
        {"email": f"{value}@{value}"},
        {"external_id": value},
    ]
    outcome = run(World(workers=[worker, bare], accounts=accounts, settings={"crm": "employee_number"}))
    assert {m[:3] for m in outcome.matches.values()} == {(None, "none", "none")}
    assert outcome.shared == frozenset()


def test_blank_columns_match_nothing() -> None:
    """An account and a worker without any value do not find each other."""
    assert only(run(World(workers=[{"worker_id": "P1"}], accounts=[{}]))) == (None, "none", "none", "unknown")


def test_rehire_matches_by_every_number() -> None:
    """All employee numbers of a person are theirs."""
    worker = {**JANE, "employee_numbers": ["007", "N-99"]}
    outcome = run(World(workers=[worker], accounts=[{"employee_number": "007"}, {"employee_number": "N-99"}]))
    assert [m.worker for m in outcome.matches.values()] == ["P1", "P1"]


def test_weaker_one_of_two_accounts_becomes_probable() -> None:
    """Of two accounts of one person in one application, the one on which fewer keys agree is doubted; ties are not."""
    full = {"email": "jane@acme.example", "employee_number": "007"}
    lone = {"email": "jane@acme.example"}
    found = run(World(workers=[JANE], accounts=[full, lone])).matches
    assert [found["a0"].confidence, found["a1"].confidence] == ["certain", "probable"]
    tied = run(World(workers=[JANE], accounts=[lone, lone])).matches
    assert [tied["a0"].confidence, tied["a1"].confidence] == ["certain", "certain"]
    apart = run(World(workers=[JANE], accounts=[full, {**lone, "app": "erp"}])).matches
    assert apart["a1"].confidence == "certain"


def test_linked_account_stays_certain_beside_a_fuller_one() -> None:
    """What a person has confirmed is not doubted because another account has more keys."""
    accounts = [{"email": "jane@acme.example", "employee_number": "007"}, {"username": "adm-1"}]
    found = run(World(workers=[JANE], accounts=accounts, links=[("a1", "P1")])).matches
    assert [found["a0"].confidence, found["a1"].confidence] == ["certain", "certain"]


NAMES = [
    ("José Núñez", "nunez jose"),
    ("Nguyễn Văn An", "An, Nguyen Van"),
    ("山田 太郎", "太郎 山田"),
    ("Наталья Иванова", "иванова, НАТАЛЬЯ"),
    ("محمد علي", "علي محمد"),
    ("דוד כהן", "כהן, דוד"),
    ("김 민준", "민준 김"),
    ("Anne-Marie O'Neil", "O’Neil  Anne Marie"),  # noqa: RUF001 - a typographic apostrophe
]


def test_names_suggest_and_never_match() -> None:
    """Accents, case, punctuation and order are ignored, in any script, and the result is a suggestion only."""
    workers = [{"worker_id": f"P{i}", "full_name": name} for i, (name, _) in enumerate(NAMES)]
    accounts = [{"display_name": name} for _, name in NAMES]
    outcome = run(World(workers=workers, accounts=accounts))
    assert set(outcome.matches.values()) == {(None, "name", "suggested", "unknown")}
    assert outcome.candidates == {f"a{i}": {(f"P{i}", "name")} for i in range(len(NAMES))}


def test_name_with_letters_of_another_script_is_another_name() -> None:
    """A Cyrillic a is not a Latin one, not even for a suggestion."""
    world = World(workers=[{"worker_id": "P1", "full_name": "Anna Lang"}], accounts=[{"display_name": "Аnna Lang"}])  # noqa: RUF001
    assert only(run(world)).method == "none"


def test_namesakes_are_all_candidates_up_to_ten() -> None:
    """Several people of one name are all suggested; a very common name is cut off."""
    workers = [{"worker_id": f"P{i:02}", "full_name": "Kim Lee"} for i in range(12)]
    outcome = run(World(workers=workers[:3], accounts=[{"display_name": "Lee Kim"}]))
    assert len(outcome.candidates["a0"]) == 3
    bounded = run(World(workers=workers, accounts=[{"display_name": "Lee Kim"}])).candidates["a0"]
    assert bounded == {(f"P{i:02}", "name") for i in range(10)}


def test_names_are_ignored_where_a_key_speaks() -> None:
    """A name neither adds candidates to an ambiguous account nor contradicts a key."""
    outcome = of({"email": "jane@acme.example", "display_name": "John Roe"})
    assert only(outcome)[:3] == ("P1", "email", "certain")
    assert outcome.candidates == {}


LOOK_ALIKES = [
    ("jаne@acme.example", "jane@acme.example"),  # noqa: RUF001 - Cyrillic a
    ("josé@acme.example", "jose@acme.example"),
    ("ilker@acme.example", "İlker@acme.example"),
    ("ines@acme.example", "ınes@acme.example"),  # noqa: RUF001 - dotless i
    ("ο@acme.example", "o@acme.example"),  # noqa: RUF001 - Greek omicron
    ("ｋim@acme.example", "kim@acme.example"),  # noqa: RUF001 - full-width k
    ("strasse@acme.example", "straße@acme.example"),
    ("山田@acme.example", "山⽥@acme.example"),
]


def test_look_alikes_and_accents_never_merge_two_people() -> None:
    """Addresses, user names and numbers compare letter by letter; only case and composition are folded."""
    workers = [{"worker_id": ours, "email": ours, "employee_numbers": [ours]} for _, ours in LOOK_ALIKES]
    accounts: list[dict[str, object]] = []
    for theirs, _ in LOOK_ALIKES:
        accounts += [{"email": theirs}, {"username": theirs}, {"username": theirs.split("@")[0]}]
        accounts += [{"employee_number": theirs}, {"email": theirs.replace("@", "+tag@")}]
    accounts.append({"email": "kim@аcme.example"})  # noqa: RUF001 - Cyrillic a in the domain
    assert {m[:3] for m in run(World(workers=workers, accounts=accounts)).matches.values()} == {(None, "none", "none")}


def test_composed_and_decomposed_letters_are_the_same() -> None:
    """The two Unicode spellings of one letter are one key."""
    worker = {"worker_id": "P1", "email": "jos\u00e9@acme.example"}
    world = World(workers=[worker], accounts=[{"email": "JOSE\u0301@acme.example"}])
    assert only(run(world))[:3] == ("P1", "email", "certain")


def test_kind_comes_from_the_strongest_source() -> None:
    """Register, then pattern (the most exact), then what the application declares, then match, then approved domain."""
    accounts = [
        {"account_id": "reg", "username": "svc-1", "email": "jane@acme.example", "declared_kind": "human"},
        {"account_id": "by-name", "username": "Break-Glass"},
        {"account_id": "pattern", "username": "SVC-2", "declared_kind": "human"},
        {"account_id": "exact", "username": "svc-shared-1"},
        {"account_id": "declared", "email": "john@acme.example", "declared_kind": "service"},
        {"account_id": "matched", "email": "john@acme.example"},
        {"account_id": "partner", "email": "x@Partner.example"},
        {"account_id": "own", "email": "nobody@acme.example"},
    ]
    world = World(
        workers=[JANE, JOHN],
        accounts=accounts,
        register=[("reg", None, "shared"), (None, "break-glass", "break_glass")],
        patterns=[("*", "svc-*", "service"), ("crm", "svc-shared*", "shared"), ("erp", "*", "external")],
        approved=[("partner.example", "policy"), ("acme.example", "organization")],
    )
    kinds = {account_id: m.kind for account_id, m in run(world).matches.items()}
    assert kinds == {
        "reg": "shared",
        "by-name": "break_glass",
        "pattern": "service",
        "exact": "shared",
        "declared": "service",
        "matched": "human",
        "partner": "external",
        "own": "unknown",
    }


def test_kind_does_not_hide_a_match() -> None:
    """A registered account that belongs to a person stays matched to that person."""
    found = only(of({"username": "svc-1", "email": "jane@acme.example"}, patterns=[("*", "svc-*", "service")]))
    assert found == ("P1", "email", "certain", "service")


def test_very_shared_key_has_bounded_candidates() -> None:
    """An address that everybody has names nobody and does not multiply the accounts."""
    workers = [{"worker_id": f"P{i:03}", "email": "info@acme.example"} for i in range(130)]
    outcome = run(World(workers=workers, accounts=[{"email": "info@acme.example"}]))
    assert only(outcome).confidence == "ambiguous"
    assert len(outcome.candidates["a0"]) == 100
    assert outcome.shared == {("email", "info@acme.example", 130)}


def test_nothing_is_left_behind() -> None:
    """The match drops its temporary tables and macros, and runs on empty input."""
    assert run(World()).leftovers == frozenset()
    assert run(World(workers=[JANE])).rows == 0
