"""JSON that people can read and compare line by line."""

import json
from collections.abc import Mapping
from typing import Any


def by_lines(document: Mapping[str, Any]) -> bytes:
    """Return an object as JSON with one member a line, and one item a line in the lists of objects in it."""
    members = []
    for name, value in document.items():
        text = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n  " + ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n ]"
        members.append(f" {json.dumps(name)}: {text}")
    return ("{\n" + ",\n".join(members) + "\n}\n").encode()
