"""What holds for every test."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from scanner import known_answers, rules, scan
from scanner.model_rules import KnownAnswers, Rule
from scanner.rule_process import Child

# Shared machines stand still for seconds at a time. How long an example took says nothing about the code, so no
# property test may fail for it; what an example found is judged as everywhere.
# The same examples in every run, so that none fails by its seed; `--hypothesis-profile=explore` draws new ones.
_lenient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", _lenient)
settings.register_profile("shared machine", _lenient, derandomize=True)
settings.load_profile("shared machine")


@pytest.fixture(autouse=True, scope="session")
def known_answers_once() -> Iterator[None]:
    """Let scans in this process run the known answers of the same rules once; each scan of the program runs them.

    `test_rules_all` runs them itself, and commands that have a process of their own do.
    """
    told: dict[str, KnownAnswers] = {}

    def once(chosen: Sequence[Rule], child: Child) -> KnownAnswers:
        key = rules.rules_sha256(chosen)
        if key not in told:
            told[key] = known_answers.run_known_answers(chosen, child)
        return told[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "run_known_answers", once)
        yield


@pytest.fixture
def write(tmp_path):
    """Write a configuration that only its owner may write, and return its path."""

    def write(text: str | bytes, mode: int = 0o644) -> Path:
        path = tmp_path / "orphanscan.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    return write
