"""What holds for every test."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Shared machines stand still for seconds at a time. How long an example took says nothing about the code, so no
# property test may fail for it; what an example found is judged as everywhere.
# The same examples in every run, so that none fails by its seed; `--hypothesis-profile=explore` draws new ones.
_lenient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", _lenient)
settings.register_profile("shared machine", _lenient, derandomize=True)
settings.load_profile("shared machine")


@pytest.fixture
def write(tmp_path):
    """Write a configuration that only its owner may write, and return its path."""

    def write(text: str | bytes, mode: int = 0o644) -> Path:
        path = tmp_path / "orphanscan.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    return write
