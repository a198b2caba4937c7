"""What the rivals must know of match.sql and of the rules: filler words, addresses, tiers, kinds."""

NOT_A_WORD = r"(?i)^([^\p{L}\p{N}]|0)*$|^(n/a|na|n\.a\.|none|null|nil|nan|unknown|undefined|tbd)$"
ADDRESS = r"^[^@]*[\p{L}\p{N}][^@]*@[^@]*[\p{L}\p{N}][^@]*$"
NOT_AN_ADDRESS = (
    r"^(([^@\p{L}\p{N}]|0)+|n/a|na|none|null|nil|nan|unknown)"
    r"@(([^@\p{L}\p{N}]|0)+|(n/a|na|none|null|nil|nan|unknown)(\.[^@]*)?)$"
)
METHODS = ["link", "employee_number", "external_id", "email", "email_alias", "username", "name", "none"]
NOT_PEOPLE = ["service", "shared", "break_glass", "external"]
