"""How often matching is right, measured on the company whose truth is known: `python -m benchmarks.accuracy`.

`make accuracy` writes the figures into docs/matching.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks import company
from benchmarks.engine_orphanscan import load
from scanner.store import match

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "matching.md"
BEGIN, END = "<!-- figures: made by `make accuracy` -->", "<!-- end of figures -->"
WORKERS, ACCOUNTS, SEED = 40_000, 200_000, 1
METHODS = ("link", "employee_number", "external_id", "email", "email_alias", "username", "name", "none")
KEYS = ("key survives", "keys contradict", "key misleads", "no key")
_AUTOMATIC = ("certain", "probable")
OUTCOMES = ("right", "wrong", "ambiguous", "suggested", "none")


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of accounts in one company."""

    workers: int
    accounts: int
    seed: int
    rates: Mapping[str, int]
    tiers: Mapping[tuple[str, str], Mapping[str, int]]
    """(method, confidence) -> accounts, wrong, and candidate: those whose owner is among the candidates."""
    keys: Mapping[tuple[str, bool], Mapping[str, int]]
    """(what the keys say, whether somebody owns it) -> outcome -> accounts."""
    withheld: int
    """Accounts given to nobody because of their age or a foreign address, although the keys name one other person."""

    @property
    def automatic(self) -> int:
        """Accounts that were given to somebody."""
        return sum(row["accounts"] for (_, confidence), row in self.tiers.items() if confidence in _AUTOMATIC)

    @property
    def wrong(self) -> int:
        """Accounts that were given to the wrong person."""
        return sum(row["wrong"] for row in self.tiers.values())

    @property
    def recall(self) -> float:
        """Share of the true pairs found, where a key survives."""
        row = self.keys["key survives", True]
        return row["right"] / sum(row.values())


def measure(workers: int, accounts: int, seed: int, rates: Mapping[str, int] = company.RATES) -> Figures:
    """Make a company, match its accounts with the shipped SQL, and compare with the truth."""
    with tempfile.TemporaryDirectory(prefix="orphanscan-accuracy-") as folder:
        company.write(Path(folder), workers=workers, accounts=accounts, seed=seed, rates=rates)
        with duckdb.connect(str(Path(folder) / "work.duckdb")) as con:
            con.execute("set TimeZone = 'UTC'")
            load(con, Path(folder))
            match.match(con)
            con.execute(f"create temp view truth as select * from '{folder}/truth.parquet'")
            con.execute((HERE / "accuracy.sql").read_text())
            tiers = con.execute(
                "select method, confidence, count(*), count(*) filter (outcome = 'wrong'),"
                " count(*) filter (is_candidate) from judged group by all"
            ).fetchall()
            keys = con.execute("select keys, has_owner, outcome, count(*) from judged group by all").fetchall()
            withheld = con.execute("select count(*) from judged where is_withheld").fetchone()
    counts: dict[tuple[str, bool], dict[str, int]] = {
        (key, owned): dict.fromkeys(OUTCOMES, 0) for key in KEYS for owned in (True, False)
    }
    for key, owned, outcome, count in keys:
        counts[key, owned][outcome] += count
    by_tier = {
        (method, confidence): {"accounts": n, "wrong": wrong, "candidate": candidate}
        for method, confidence, n, wrong, candidate in tiers
    }
    return Figures(workers, accounts, seed, {**company.RATES, **rates}, by_tier, counts, withheld[0] if withheld else 0)


def paragraphs(figures: Figures) -> Iterator[str]:
    """Yield the figures as Markdown."""
    yield (
        f"{figures.workers:,} people, {figures.accounts:,} accounts, seed {figures.seed}."
        f" {figures.automatic:,} accounts were given to somebody, {figures.wrong:,} of them to the wrong person."
        f" {figures.withheld:,} were given to nobody because their age, or a foreign address beside the user name,"
        " speaks against the one person whom their keys name, and rightly so."
        f" Where a key survives, {figures.recall:.2%} of the true pairs were found."
    )
    yield _table(
        ("tier", "confidence", "accounts", "wrong", "precision", "owner among the candidates"), _tiers(figures)
    )
    head = ("what the keys say", "owner", "right", "wrong", "ambiguous", "suggested", "no match")
    rows = [
        (key, "somebody" if owned else "nobody known", *(f"{row[outcome]:,}" for outcome in OUTCOMES))
        for (key, owned), row in figures.keys.items()
        if any(row.values())
    ]
    yield _table(head, rows)
    rates = ", ".join(f"{fault.replace('_', ' ')} {rate}" for fault, rate in figures.rates.items())
    yield f"Faults per thousand: {rates}."


def _tiers(figures: Figures) -> Iterator[Sequence[str]]:
    order = sorted(figures.tiers.items(), key=lambda item: (METHODS.index(item[0][0]), item[0][1]))
    for (method, confidence), row in order:
        if confidence in _AUTOMATIC:
            precision = f"{1 - row['wrong'] / row['accounts']:.3%}"
            yield method, confidence, f"{row['accounts']:,}", f"{row['wrong']:,}", precision, ""
        else:
            candidate = "" if method == "none" else f"{row['candidate']:,}"
            yield method, confidence, f"{row['accounts']:,}", "", "", candidate


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def document(figures: Figures) -> str:
    """Return the figures as they stand in the document."""
    return "\n\n".join(paragraphs(figures))


def refreshed(text: str, told: str) -> str:
    """Return the document with the part between its two marks made anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{told}\n\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--rate", action="append", default=[], metavar="FAULT=N", help="N of a thousand; may be repeated"
    )
    parser.add_argument("--write", action="store_true", help=f"write the figures into {DOCUMENT.name}")
    options = parser.parse_args()
    rates = {fault: int(number) for fault, _, number in (rate.partition("=") for rate in options.rate)}
    told = document(measure(options.workers, options.accounts, options.seed, rates))
    print(told)
    if options.write:
        DOCUMENT.write_text(refreshed(DOCUMENT.read_text(), told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
