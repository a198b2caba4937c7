"""What systems write for "may sign in" and "may not": a word that is not here is nobody's guess."""

ACTIVE = ("active", "enabled", "a", "1", "true", "t", "yes", "y", "on", "open", "valid", "current", "aktiv", "actif")
INACTIVE = (
    *("inactive", "disabled", "deactivated", "i", "d", "0", "false", "f", "no", "n", "off", "closed", "revoked"),
    *("suspended", "deleted", "terminated", "deprovisioned", "inaktiv", "inactif"),
)
"""`locked`, `expired`, `blocked` and `pending` are left out on purpose: in one system they pass by themselves, in
another they last, so that the configuration has to say."""
