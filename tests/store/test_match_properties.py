"""What must hold for matching whatever the roster and the applications hold."""

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import Phase, given, settings
from match_world import Outcome, Row, World, run

# Few values, so that keys collide all the time; each run of the match takes a quarter of a second.
thorough = settings(max_examples=8, phases=[Phase.generate])

numbers = st.sampled_from(["1", "01", "2", "3", "0", "-", "4"])
addresses = st.sampled_from(
    ["a@acme.example", "A@acme.example", "b@acme.example", "b+x@acme.example", "c@acme.example", "c@old.example",
     "a@labs.example", "á@acme.example", "а@acme.example", "n/a", "", "d@acme.example", "a@foreign.example"]  # noqa: RUF001 - Cyrillic a
)  # fmt: skip
names = st.sampled_from(["Ann Lee", "Lee, Ann", "山田 太郎", "太郎 山田", "Bo Ek", "-", "علي محمد"])
logins = st.sampled_from(["a", "B", "c", "d", "a@acme.example", "c@old.example", "none", "x"])

workers = st.fixed_dictionaries(
    {
        "employee_numbers": st.lists(numbers, max_size=2),
        "email": st.none() | addresses,
        "other_emails": st.lists(addresses, max_size=1),
        "full_name": st.none() | names,
    }
)
accounts = st.fixed_dictionaries(
    {
        "app": st.sampled_from(["crm", "erp"]),
        "employee_number": st.none() | numbers,
        "external_id": st.none() | numbers,
        "email": st.none() | addresses,
        "other_emails": st.lists(addresses, max_size=2),
        "username": st.none() | logins,
        "display_name": st.none() | names,
    }
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to eight people and thirty accounts; externalId is an employee number in one of the two applications."""
    people = draw(st.lists(workers, min_size=1, max_size=8))
    held = draw(st.lists(accounts, min_size=10, max_size=30))
    return World(
        workers=[{"worker_id": f"P{i}", **person} for i, person in enumerate(people)],
        accounts=[{"account_id": f"a{i}", **account} for i, account in enumerate(held)],
        settings={"erp": "employee_number"},
        aliases={"old.example": "acme.example"},
        links=draw(
            st.lists(st.tuples(st.sampled_from(["a0", "a1", "x"]), st.sampled_from(["P0", "P1", "2"])), max_size=2)
        ),
        register=[("a2", None, "service")],
        patterns=[("*", "x*", "service")],
        approved=[("acme.example", "organization"), ("labs.example", "organization"), ("old.example", "policy")],
    )


def texts(value: object) -> list[str]:
    """Read a column that holds one text or a list of them."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []


def keys_of(person: Row) -> set[str]:
    """Everything by which a person may be named, folded as far as the tiers go."""
    mails = [m for m in texts(person["email"]) + texts(person["other_emails"]) if "@" in m]
    return {plain(m) for m in mails} | {m.lower().split("@")[0] for m in mails} | set(texts(person["employee_numbers"]))


def plain(mail: str) -> str:
    """Fold case, sub-address and domain alias."""
    local, _, domain = mail.lower().partition("@")
    return f"{local.split('+')[0]}@{domain.replace('old.example', 'acme.example')}" if domain else local


def decided(outcome: Outcome) -> dict[str, str]:
    """Pick the accounts that were given to a person."""
    return {account: m.worker for account, m in outcome.matches.items() if m.worker is not None}


@thorough
@given(world=worlds(), data=st.data())
def test_order_of_input_does_not_matter(world: World, data: st.DataObject) -> None:
    """Shuffled people and accounts give the same matches, candidates and shared keys."""
    shuffled = replace(
        world,
        workers=data.draw(st.permutations(world.workers)),
        accounts=data.draw(st.permutations(world.accounts)),
        links=data.draw(st.permutations(world.links)),
    )
    first, second = run(world), run(shuffled)
    assert (first.matches, first.candidates, first.shared) == (second.matches, second.candidates, second.shared)


@thorough
@given(world=worlds(), newcomer=workers, number=st.integers(0, 7))
def test_another_person_never_takes_over_an_account(world: World, newcomer: Row, number: int) -> None:
    """A duplicate roster row, or a person with conflicting keys, leaves an account where it is or makes it doubtful."""
    # A link by number means whoever holds the number: giving it to the newcomer is what the customer decided.
    world = replace(world, links=[link for link in world.links if link[1] not in newcomer["employee_numbers"]])  # type: ignore[operator]
    twin = {**world.workers[number % len(world.workers)], "worker_id": "P98"}
    before = decided(run(world))
    for extra in (twin, {**newcomer, "worker_id": "P99"}):
        after = run(replace(world, workers=[*world.workers, extra])).matches
        for account, worker in before.items():
            assert after[account].worker in (worker, None), (account, worker, after[account])
            assert after[account].worker == worker or after[account].confidence == "ambiguous", (
                account,
                worker,
                after[account],
                extra,
            )


@thorough
@given(world=worlds())
def test_every_account_has_one_row_that_makes_sense(world: World) -> None:
    """One row an account; a person exactly where the confidence says so; two candidates or a shared key in doubt."""
    outcome = run(world)
    assert outcome.rows == len(world.accounts) == len(outcome.matches)
    for account, (worker, method, confidence, kind) in outcome.matches.items():
        assert (worker is not None) == (confidence in ("certain", "probable"))
        assert (method == "name") <= (confidence == "suggested") <= (method in ("name", "username"))
        assert (method == "none") == (confidence == "none")
        assert kind in ("human", "service", "external", "unknown")
        candidates = outcome.candidates.get(account, frozenset())
        assert bool(candidates) == (confidence in ("ambiguous", "suggested"))
        if confidence == "ambiguous":
            assert len({person for person, _ in candidates}) > 1
            assert "name" not in {how for _, how in candidates}


@thorough
@given(world=worlds())
def test_nobody_is_matched_without_a_key_of_theirs(world: World) -> None:
    """An account is given to a person only if a link or one of its own keys names that very person, and no other."""
    world = replace(world, links=())
    people = {str(person["worker_id"]): keys_of(person) for person in world.workers}
    held = {str(account["account_id"]): account for account in world.accounts}
    for account_id, worker in decided(run(world)).items():
        account = held[account_id]
        own = {key.lower() for name in ("employee_number", "external_id", "username") for key in texts(account[name])}
        own |= {plain(m) for name in ("email", "username", "other_emails") for m in texts(account[name]) if "@" in m}
        assert own & people[worker]


@thorough
@given(world=worlds())
def test_names_alone_never_match(world: World) -> None:
    """Accounts that carry nothing but a name are given to nobody, however unique the name is."""
    bare = [{"account_id": a["account_id"], "app": a["app"], "display_name": a["display_name"]} for a in world.accounts]
    outcome = run(replace(world, accounts=bare, links=()))
    assert decided(outcome) == {}
    assert {m.confidence for m in outcome.matches.values()} <= {"suggested", "none"}
