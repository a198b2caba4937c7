"""What a rule is, and what the rules said of the known answers."""

from dataclasses import dataclass

from scanner.model import Severity


@dataclass(frozen=True, slots=True)
class RuleParameter:
    """One parameter of a rule, as declared in its front matter."""

    name: str
    type: str
    """integer, number, text, boolean or list (of text)."""
    default: object
    minimum: float | None = None
    maximum: float | None = None
    source: str = ""
    """Where the default comes from, for the appendix of the report."""
    value: object = None
    """The value in force."""

    @property
    def is_changed(self) -> bool:
        """Whether the configuration set something else than the default."""
        return self.value != self.default


@dataclass(frozen=True, slots=True)
class Needs:
    """What a rule must have before `clean` may be said."""

    roster: bool = False
    """Every roster complete."""
    apps: bool = True
    """The application's list complete."""
    fields: tuple[str, ...] = ()
    """Columns of the population that the application must supply."""
    policy: tuple[str, ...] = ()
    """Policy inputs."""
    history: bool = False
    """An earlier scan."""

    @property
    def words(self) -> tuple[str, ...]:
        """Each of them, as commands and documents say it."""
        return (
            *(("complete rosters",) if self.roster else ()),
            *(("complete lists of accounts",) if self.apps else ()),
            *(f"the field {name}" for name in self.fields),
            *(f"the policy input {name}" for name in self.policy),
            *(("an earlier scan",) if self.history else ()),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule file, parsed."""

    id: str
    theme: str
    title: str
    severity: Severity
    population: str
    needs: Needs
    why: str
    remedy: str
    remedy_mode: str
    lead: bool
    personal: tuple[str, ...]
    params: tuple[RuleParameter, ...]
    sql: str
    sha256: str
    """Of the whole file."""
    text: str = ""
    """The whole file, as kept in the evidence."""


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """What the rules said of the known-answer data set."""

    planted: int
    """Violations that must be found."""
    detected: int
    false: int
    """Findings that were not planted."""
    near_misses: int
    """Plants that look like a violation and are none."""
    rules: int
    """Rules that were judged by it."""
    unplanted: tuple[str, ...]
    """Rules that the data set does not speak of."""
    rules_sha256: str
    """Over the files of these rules, with the defaults of their parameters."""
    problems: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether all was found, and nothing else."""
        return not self.problems

    def __str__(self) -> str:
        """Return the result in words."""
        return f"{self.detected} of {self.planted} planted violations detected, {self.false} false"
