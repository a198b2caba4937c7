"""Changes that rest on the identity provider: it is asked again before each."""

from pathlib import Path
from typing import Any

import pytest
from company import Company, found, people
from live import Recorder, Start

World = tuple[Recorder, Recorder, Company]


def configured(company: Company, *changes: tuple[str, str]) -> None:
    """Change the configuration."""
    path = company.folder / "orphanscan.toml"
    text = path.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text)


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Scan twice: between the scans the identity provider closed person 3, whom the application lets in."""
    provider, server = start(), start()
    company = found(
        tmp_path_factory.mktemp("company") / "co",
        {"idp": provider.base_url, "crm": server.base_url},
        remediation="floor = 20\nmax_unproven = 20\n",
    )
    configured(
        company,
        ('id = "idp"\n', 'id = "idp"\nidentity_provider = true\n'),
        ('"idp-disabled-app-active", ', ""),
        ("[remediation]", "[rules.params.idp-disabled-app-active]\ndelay_hours = 0\n[remediation]"),
    )
    company.hr(people(40, ()))
    company.scan()
    provider.set_active(3, active=False)
    company.scan()
    return provider, server, company


def planned(company: Company, *words: str) -> dict[str, Any]:
    """Return what is planned for the one account in the application."""
    (action,) = company.plan("--rule", "idp-disabled-app-active", *words)["actions"]
    assert isinstance(action, dict)
    return action


def test_whoever_the_provider_lets_in_again_is_left_alone(world: World, tmp_path: Path) -> None:
    """The plan names the accounts that must still be closed; nothing goes out once one is open, or cannot be read."""
    provider, server, company = world[0], world[1], world[2].copy(tmp_path / "co")
    action = planned(company)
    action = planned(company, "--confirm", action["causes"][0]["fingerprint"])
    assert (action["decision"], action["at_provider"]) == ("confirmed", [["idp", provider.id_of(3)]])
    assert company.document("apply", "--dry-run")["results"][0]["outcome"] == "would_send"
    company.approve()
    provider.set_active(3, active=True)
    try:
        (result,) = company.document("apply", expect=None)["results"]
    finally:
        provider.set_active(3, active=False)

    assert (result["outcome"], result["detail"]) == (
        "stale",
        "idp no longer shows the person's account there as closed",
    )
    assert server.sent == []


def test_a_provider_that_cannot_be_asked_leaves_the_change_to_a_person(world: World, tmp_path: Path) -> None:
    """It is not read over SCIM any more: nobody can look again a moment before the change."""
    company = world[2].copy(tmp_path / "co")
    path = company.folder / "orphanscan.toml"
    head, _, crm = path.read_text().split("[[application]]")
    path.write_text(f"{head}[[application]]{crm}")

    action = planned(company)

    assert (action["decision"], action["at_provider"]) == ("needs_a_person", [])
    assert action["case"]["provider_unread"]
