"""What a change really means on a vendor's system: from its profile, or from what the configuration states."""

from scanner.collectors.profiles import Profile
from scanner.config import WriteSettings
from scanner.remediation.model import Kind, Meaning, SafetyClass

_NOTICE = Meaning("notice", True, SafetyClass.S1, "A person is told; nothing is sent.")
_SESSIONS = Meaning("sessions", True, SafetyClass.S2, "Ends sessions; with an active account people sign in again.")
_GRANT = Meaning("grant", True, SafetyClass.S3, "Takes the right away; it can be given again.")
_INACTIVE = {
    "disable": "disables the account",
    "remove": "removes the account, not only disables it",
    "licence": "takes the licence away; whether sign-in ends is another matter",
    "none": "does nothing: only DELETE ends access",
    "unknown": "is expected to disable the account; no document says so",
}
_DELETE = {
    "disable": "DELETE disables the account and keeps it",
    "remove": "DELETE removes the account",
    "permanent": "DELETE destroys the account and what belongs to it",
    "unknown": "what DELETE destroys is not known",
}
_BACK = {
    True: "active = true brings everything back",
    False: "it cannot be brought back",
    None: "whether it can be brought back is not documented",
}


def inactive_effect(profile: Profile, write: WriteSettings | None) -> str:
    """Return what active = false does: the configuration knows better than the profile."""
    return (write and write.inactive) or profile.deactivation.inactive


def meaning(kind: Kind, profile: Profile, write: WriteSettings | None) -> Meaning:
    """Return what an action of this kind does on this application, and its safety class."""
    match kind:
        case Kind.NOTICE:
            return _NOTICE
        case Kind.REVOKE_SESSIONS:
            return _SESSIONS
        case Kind.REMOVE_GRANT:
            return _GRANT
        case Kind.DELETE:
            said = _DELETE[profile.deactivation.delete]
            return Meaning("none", False, SafetyClass.S4, f"On {profile.name}: {said}; it cannot be brought back.")
        case Kind.DEACTIVATE:
            return _deactivation(profile, write)


def _deactivation(profile: Profile, write: WriteSettings | None) -> Meaning:
    effect = inactive_effect(profile, write)
    stated = write.reversible if write and write.reversible is not None else None
    reversible = profile.deactivation.reversible if stated is None else stated
    if effect == "remove" or reversible is False:
        safety = SafetyClass.S4
    elif effect == "disable" and reversible:
        safety = SafetyClass.S2
    else:
        safety = SafetyClass.S3
    origin = "by the configuration" if write and write.inactive else f"on {profile.name}"
    return Meaning(effect, reversible, safety, f"active = false {origin}: {_INACTIVE[effect]}; {_BACK[reversible]}.")
