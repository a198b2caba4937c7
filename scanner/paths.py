"""Where rules, cases, templates and sample data lie: beside the package in a wheel, at the top of a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_bundled"
_CHECKOUT = {
    "rules": "rules",
    "cases": "tests/rules",
    "templates": "reports/templates",
    "sample_data": "sample_data",
}


def bundled(name: str) -> Path:
    """Return the folder of shipped files called `name`: rules, cases, templates or sample_data."""
    inside = _BUNDLED / name
    return inside if inside.is_dir() else _PACKAGE.parent / _CHECKOUT[name]
