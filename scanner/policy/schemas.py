"""JSON schemas of the policy inputs, with which editors check and complete the files (JSON Schema 2020-12).

The schema of a CSV input describes one row, by the names of its columns.
"""

from typing import Any

from scanner.policy.spec import Field, Input

_KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 1},
    "texts": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "uniqueItems": True},
    "day": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "boolean": {"type": "boolean"},
    "days": {"type": "integer", "minimum": 0, "maximum": 36_500},
    "domain": {"type": "string", "pattern": r"^[\w-]+(\.[\w-]+)+$"},
}


def schema(item: Input) -> dict[str, Any]:
    """Return the JSON schema of one input."""
    document = _object(item.fields, item.meaning)
    for table in item.tables:
        entry = _object(table.fields, table.meaning)
        document["properties"][table.name] = {"type": "array", "items": entry, "description": table.meaning}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": item.name, **document}


def _object(fields: tuple[Field, ...], meaning: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": meaning,
        "properties": {field.name: _value(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _value(field: Field) -> dict[str, Any]:
    kind = {"enum": list(field.words)} if field.kind == "word" else _KINDS[field.kind]
    return {**kind, "description": field.meaning}
