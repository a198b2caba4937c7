"""Times, identifiers and names as directories spell them."""

import pytest
from active_directory import security_id

from scanner.collectors.directory_kinds import generalized, sid
from scanner.collectors.directory_names import key, same


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("20260301080000Z", "2026-03-01T08:00:00+00:00"),
        ("20260301080000.123Z", "2026-03-01T08:00:00+00:00"),
        ("202603010800Z", "2026-03-01T08:00:00+00:00"),
        ("20260301080000+0130", "2026-03-01T06:30:00+00:00"),
        ("20261301080000Z", None),
        ("000001010000Z", None),
        ("yesterday", None),
    ],
)
def test_times_are_read_as_the_standard_writes_them(text: str, said: str | None) -> None:
    """RFC 4517, 3.3.13; anything else is no time."""
    found = generalized(text)

    assert (found and found.isoformat()) == said


def test_a_security_identifier_is_read_as_people_write_it() -> None:
    """A damaged one is none."""
    assert sid(security_id(513)) == "S-1-5-21-1-2-3-513"
    assert sid(security_id(513)[:-1]) is None


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("cn=A,dc=x", "CN=a, DC=X", True),
        ('cn="A,B",dc=x', r"cn=a\2cb,dc=x", True),
        (r"cn=A\,B,dc=x", r"cn=a\2CB,dc=x", True),
        ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x", True),
        ("cn=a,dc=x", "cn=a,dc=y", False),
        ("cn=a\\", "cn=a\\", True),
    ],
)
def test_distinguished_names_have_many_spellings(one: str, other: str, is_same: bool) -> None:
    """RFC 4514; what is none is compared as it stands."""
    assert same(one, other) is is_same
    assert (key(one) == key(other)) is is_same
