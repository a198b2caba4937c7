"""How to sign in somewhere, and where the secret for it lies, as frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies, never the secret itself. `scanner.secrets` is the only reader."""

    kind: str
    """env, file, keyring or command."""
    reference: str | tuple[str, ...]
    """Variable name, path, `service/user`, or the argument list of a command (no shell)."""

    @property
    def named(self) -> str:
        """The reference in words; of a command its first word, as the others may be secret."""
        return f"{self.kind} {self.reference if isinstance(self.reference, str) else ' '.join(self.reference[:1])}"


@dataclass(frozen=True, slots=True)
class Auth:
    """How to sign in to an application."""

    type: str
    """none, bearer, basic, api_key (as the user name of basic), oauth2 (client credentials) or header."""
    secret: Secret | None = None
    scheme: str = "Bearer"
    """Of bearer: the word in front of the token; SSWS for an API token of Okta."""
    username: str | None = None
    """Of basic sign-in."""
    header: str | None = None
    """Name of the header that carries the secret, for instance X-API-Key."""
    token_url: str | None = None
    """Where oauth2 asks for a token."""
    client_id: str | None = None
    """Of the client that oauth2 signs in."""
    scope: str | None = None
    """Asked for with the token, where the server wants it."""
    acknowledged_origins: tuple[str, ...] = ()
    """Further origins, such as "https://new.example", that the secret may go to. A secret is bound to the origins that
    took it first: after a change of base_url or token_url nothing is sent until the new one stands here."""
