"""The guard against random trees: what it lets pass must be past-only on data, and its windows must be wide enough.

Longer than in the tests: ``python -m tests.temporal.fuzz --trees 5000 --seed 7``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from rustybt.errors import RustyBTError
from rustybt.spec.bounds import analyse
from rustybt.spec.causality import telling_points, truncation, window_sufficiency
from tests.temporal.grammar import Mix, tree
from tests.temporal.markets import Market, Shape, market

BATCH = 20
SHAPES = (Shape(), Shape(missing=0.25, nulls=0.3), Shape(assets=5, days=20, hours=3, missing=0.1))
MIXES = (Mix(), Mix(past=0.7, cross=0.1), Mix(past=0.4, future=0.15, cross=0.25), Mix(past=0.4, cross=0.5))


class Terms:
    """Named expressions, as the checks take them."""

    def __init__(self, terms: dict[str, pl.Expr]) -> None:
        self._terms = terms

    def terms(self) -> dict[str, pl.Expr]:
        return self._terms


@dataclass
class Tally:
    """What a run of the fuzzer saw."""

    trees: int = 0
    passed: int = 0
    refused: int = 0
    failed_to_run: int = 0
    windows: int = 0
    problems: list[str] = field(default_factory=list)


def run(trees: int, seed: int = 0) -> Tally:
    """Check a number of random trees, a batch per market.

    Args:
        trees: how many.
        seed: of the first one; every tree has a seed of its own, given in the problems.
    """
    tally = Tally()
    for number, start in enumerate(range(seed, seed + trees, BATCH)):
        held = market(start, SHAPES[number % len(SHAPES)])
        mix = MIXES[number % len(MIXES)]
        batch = {f"t{at}": tree(at, mix) for at in range(start, min(start + BATCH, seed + trees))}
        tally.trees += len(batch)
        passed = {name: expr for name, expr in batch.items() if not analyse(expr).refused}
        tally.refused += len(batch) - len(passed)
        check(passed, held, start, tally)
    return tally


def check(terms: dict[str, pl.Expr], held: Market, seed: int, tally: Tally) -> None:
    """Truncate the future of all terms at once, then try each on its window."""
    cuts = telling_points(held.frame, 6, seed)[1:-1]
    running = dict(runnable(terms, held, tally))
    tally.passed += len(running)
    if not running:
        return
    found = truncation(Terms(running), held.frame, cuts, assets=held.assets)
    found += window_sufficiency(Terms(running), held.frame, cuts[:2], assets=held.assets)
    tally.windows += sum(not analyse(expr).unbounded for expr in running.values())
    tally.problems += [f"{each.name} {each.detail}: {running[each.name.split(chr(39))[1]]}" for each in found if not each.ok]


def runnable(terms: dict[str, pl.Expr], held: Market, tally: Tally) -> Iterator[tuple[str, pl.Expr]]:
    """Terms that Polars can run: some random trees mix types in ways it refuses."""
    from rustybt.spec.planner import plan_terms

    try:
        plan_terms(terms).evaluate(held.frame, held.assets)
    except RustyBTError:
        if len(terms) == 1:
            tally.failed_to_run += 1
            return
        names = list(terms)
        for half in (names[: len(names) // 2], names[len(names) // 2 :]):
            yield from runnable({name: terms[name] for name in half}, held, tally)
        return
    yield from terms.items()


def main(arguments: Iterable[str] | None = None) -> int:
    """Run from the command line; the exit code is 1 when a problem was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trees", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1_000_000)
    given = parser.parse_args(None if arguments is None else list(arguments))
    tally = run(given.trees, given.seed)
    print(
        f"{tally.trees} trees, {tally.passed} passed, {tally.refused} refused, {tally.failed_to_run} did not run, {tally.windows} windows"
    )
    for problem in tally.problems:
        print(problem)
    return 1 if tally.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
