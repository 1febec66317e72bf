"""The long comparison of kernel and reference: ``python -m rustybt.testing.soak --sessions 100000 --shards 16 --shard k --out FILE``.

Session ``n`` belongs to shard ``n % shards``, so shards can run on different machines or days. FILE is the shard's state, rewritten every
few seconds: a run that was stopped goes on where it was. A counterexample becomes a golden case in ``--cases``; the exit code is then 1.
``--report FILE...`` adds shards up.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from rustybt import kernel, reference
from rustybt.model import Outcome, Status
from rustybt.testing.generators import Session, session
from rustybt.testing.golden import write_case
from rustybt.testing.outcomes import differences, float_columns, identity_breaches, run_or_error

FIRST_SEED = 1_000_000
"""`make test` uses the seeds below, so that the soak adds to it."""
LOOKED = 16
"""The frames of every so-manieth session are made and looked at: a type does not depend on the numbers, and making them takes time."""
PAUSE = 5.0
"""Seconds between two writes of the state file."""


@dataclass
class Tally:
    """What a shard has done so far.

    Attributes:
        first, sessions, shards, shard: which sessions it is about. done: how many of them are finished.
        overflows: sessions that both stopped. rows, fills: log rows and fills of the others.
        breaches: sessions whose books cannot be rebuilt from the log. differing: sessions on which kernel and reference disagree.
        floats: sessions with a float where money is, of every `LOOKED`-th.
        seconds: of work. seeds: of the counterexamples.
    """

    first: int
    sessions: int
    shards: int
    shard: int
    done: int = 0
    overflows: int = 0
    rows: int = 0
    fills: int = 0
    breaches: int = 0
    differing: int = 0
    floats: int = 0
    seconds: float = 0.0
    seeds: list[int] = field(default_factory=list)

    def remaining(self) -> Iterator[int]:
        """The seeds that are left for this shard."""
        numbers = range(self.shard, self.sessions, self.shards)
        return (self.first + number for number in numbers[self.done :])


def open_tally(path: Path, fresh: Tally) -> Tally:
    """The tally of an earlier run of the same shard, else the fresh one.

    Raises:
        SystemExit: the file is about other sessions.
    """
    if not path.exists():
        return fresh
    old = Tally(**json.loads(path.read_text()))
    if (old.first, old.sessions, old.shards, old.shard) != (fresh.first, fresh.sessions, fresh.shards, fresh.shard):
        raise SystemExit(
            f"{path} counts other sessions ({old.sessions} from {old.first}, shard {old.shard} of {old.shards}); name another file"
        )
    return old


def save(path: Path, tally: Tally) -> None:
    """Write the tally whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_text(json.dumps(asdict(tally), indent=1) + "\n")
    draft.replace(path)


def examine(seed: int, tally: Tally, cases: Path) -> None:
    """Run one session in both programs and count what it shows."""
    drawn = session(seed)
    expected, found = run_or_error(reference.simulate, drawn), run_or_error(kernel.simulate, drawn)
    unequal = differences(expected, found)
    breaches = [] if found is None else identity_breaches(drawn, found)
    floats = float_columns(drawn, found) if found is not None and seed % LOOKED == 0 else []
    tally.done += 1
    tally.overflows += found is None
    if found is not None:
        tally.rows += found.log.rows
        tally.fills += int(np.count_nonzero(found.log.having(Status.FILLED)))
    tally.breaches += bool(breaches)
    tally.differing += bool(unequal)
    tally.floats += bool(floats)
    if unequal or breaches or floats:
        tally.seeds.append(seed)
        keep(seed, drawn, expected, cases)
        sys.stderr.write(f"seed {seed}: {'; '.join(unequal + breaches + floats)}\n")


def keep(seed: int, drawn: Session, expected: Outcome | None, cases: Path) -> None:
    """Write a counterexample as a golden case, with the reference's outcome."""
    cases.mkdir(parents=True, exist_ok=True)
    (cases / f"soak_{seed}.txt").write_text(
        write_case(drawn, expected, f"Found by the soak, seed {seed}. Check the outcome by hand before keeping it.")
    )


def run_shard(tally: Tally, out: Path, cases: Path) -> Tally:
    """Work through the seeds that are left, saving as it goes; Ctrl-C saves too."""
    start, saved, before = time.monotonic(), time.monotonic(), tally.seconds
    try:
        for seed in tally.remaining():
            examine(seed, tally, cases)
            tally.seconds = before + time.monotonic() - start
            if time.monotonic() - saved > PAUSE:
                save(out, tally)
                saved = time.monotonic()
    finally:
        save(out, tally)
    return tally


def report(paths: Sequence[Path]) -> dict[str, int]:
    """Totals over shards.

    Example:
        >>> report([])["sessions"]
        0
    """
    tallies = [Tally(**json.loads(path.read_text())) for path in paths]
    names = ("overflows", "rows", "fills", "breaches", "differing", "floats")
    totals = {name: sum(getattr(tally, name) for tally in tallies) for name in names}
    return {"sessions": sum(tally.done for tally in tallies), **totals, "seconds": round(sum(tally.seconds for tally in tallies))}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 when kernel and reference differ, books do not balance or money is a float."""
    parser = argparse.ArgumentParser(prog="python -m rustybt.testing.soak", description="Compare kernel and reference on random sessions.")
    parser.add_argument("--sessions", type=int, default=100_000, help="sessions over all shards")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--shard", type=int, default=0)
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first session")
    parser.add_argument("--out", type=Path, default=Path("soak.json"), help="state file of the shard")
    parser.add_argument("--cases", type=Path, default=Path("soak-cases"), help="folder for counterexamples")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="add up state files instead of running")
    options = parser.parse_args(arguments)
    if options.report:
        totals = report(options.report)
        sys.stdout.write(json.dumps(totals) + "\n")
        return int(totals["breaches"] + totals["differing"] + totals["floats"] > 0)
    if not (options.sessions >= 0 and 0 <= options.shard < options.shards):
        parser.error(f"shard {options.shard} of {options.shards} does not exist")
    fresh = Tally(options.first, options.sessions, options.shards, options.shard)
    tally = run_shard(open_tally(options.out, fresh), options.out, options.cases)
    sys.stdout.write(json.dumps(asdict(tally)) + "\n")
    return int(bool(tally.breaches or tally.differing or tally.floats))


if __name__ == "__main__":
    raise SystemExit(main())
