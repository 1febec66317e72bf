"""States: float windows and running values carried from bar to bar with the bits that Polars gives on all bars at once.

In: one bar's inputs. Out: the operation's value. Each state follows the arithmetic of the Polars kernel of that operation, in its order:
compensated sums, updated means and squares, weights that decay. Before a state is used it is tried against the installed Polars on awkward
numbers (`faithful`); one that differs in a bit is not used, and the operation is evaluated on all bars instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.spec.column import Arrays, decode
from rustybt.spec.rings import Ring
from rustybt.spec.tree import Node as Tree
from rustybt.spec.tree import build, call, key

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Bar:
    """One bar's inputs of a state.

    Attributes:
        new: values that enter, (assets,); anything where null.
        known: which of them are not null.
        ring: the last values, the new ones included.
        slots: number of each asset.
    """

    new: Floats
    known: Flags
    ring: Ring
    slots: Ints

    def leaving(self, size: int) -> tuple[Floats, Flags]:
        """Values that leave a window of a size: those so many bars ago, and which there are."""
        values, known = self.ring.before(self.slots, size)
        return values, np.ones(len(values), np.bool_) if known is None else known


type Stepping = Callable[[dict[str, Floats], Bar], tuple[Floats, Flags]]


class State:
    """What one operation carries per asset.

    Args:
        fields: names of its numbers.
        width: bars of its input that it looks back on, the new one included.
        step: computes the values of a bar and which are not null, and changes the numbers of the bar's assets.
        rows: names and sizes of further fields with several numbers.
    """

    def __init__(self, fields: tuple[str, ...], width: int, step: Stepping, rows: dict[str, int] | None = None) -> None:
        self.width = width
        self._step = step
        self.numbers: dict[str, Floats] = {name: np.zeros(0) for name in fields}
        self.numbers |= {name: np.zeros((0, size)) for name, size in (rows or {}).items()}

    def update(self, bar: Bar) -> pl.Series:
        """The operation's value for the assets of a bar."""
        return decode(*self.arrays(bar), pl.Float64())

    def arrays(self, bar: Bar) -> Arrays:
        """The same as values and which are not null."""
        slots = bar.slots
        size = int(slots.max(initial=-1)) + 1
        for name, held in self.numbers.items():
            if len(held) < size:
                more = max(size, 2 * len(held) if len(held) >= 64 else size) - len(held)
                self.numbers[name] = np.concatenate([held, np.zeros((more, *held.shape[1:]))])
        whole = size == len(slots) and bool((slots[1:] > slots[:-1]).all())
        mine = {name: held[:size] if whole else held[slots] for name, held in self.numbers.items()}
        with np.errstate(all="ignore"):
            values, there = self._step(mine, bar)
        for name, held in mine.items():
            if not whole:
                self.numbers[name][slots] = held
            elif held.base is not self.numbers[name]:
                self.numbers[name][:size] = held
        return values, None if there.all() else there

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """The numbers of each asset."""
        held = {name: numbers[: len(names)] for name, numbers in self.numbers.items()}
        kept = names[: len(next(iter(held.values())))]
        columns = {name: pl.Series(list(v), dtype=pl.List(pl.Float64)) if v.ndim > 1 else pl.Series(v) for name, v in held.items()}
        return pl.DataFrame({"asset": pl.Series(kept, dtype=pl.String), **columns})

    def restore(self, saved: pl.DataFrame) -> None:
        """Take over the numbers of a saved state."""
        for name, held in self.numbers.items():
            values = saved[name].to_list()
            self.numbers[name] = np.array(values, dtype=np.float64).reshape(len(values), *held.shape[1:])


def state_of(tree: Tree) -> State | None:
    """A fresh state for an operation along time over floats; None when there is none.

    Example:
        >>> from rustybt.spec.tree import parse
        >>> state_of(parse(pl.col("x").rolling_mean(3))) is not None, state_of(parse(pl.col("x").ewm_std(span=3))) is None
        (True, True)
    """
    name, options = call(tree)
    if name == "RollingExpr":
        held, function = options["options"], options["function"]
        if held["weights"] is not None or held["center"] or held["min_periods"] < 1:
            return None
        size, least = int(held["window_size"]), int(held["min_periods"])
        if function in ("Sum", "Mean"):
            return _rolling_sum(size, least, mean=function == "Mean")
        if function in ("Var", "Std"):
            ddof = int((held["fn_params"] or {}).get("Var", {}).get("ddof", 1))
            return _rolling_var(size, least, ddof, root=function == "Std")
        return None
    if name == "EwmMean":
        return _ewm_mean(options["options"])
    if name in ("CumSum", "CumMax", "CumMin") and not options["reverse"]:
        return _running(name)
    if name == "FillNullWithStrategy.Forward" and options is None:
        return State(("last", "seen"), 1, _carry)
    return None


def _rolling_sum(size: int, least: int, *, mean: bool) -> State:
    def move(m: dict[str, Floats], value: Floats, which: Flags, sign: float) -> None:
        finite = which & np.isfinite(value)
        error = "late" if sign < 0 else "early"
        y = sign * value - m[error]
        total = m["sum"] + y
        m[error] = np.where(finite, (total - m["sum"]) - y, m[error])
        m["sum"] = np.where(finite, total, m["sum"])
        odd = which & ~np.isfinite(value)
        m["odd"] += sign * odd
        m["above"] += sign * (odd & (value > 0))
        m["below"] += sign * (odd & (value < 0))
        m["count"] += sign * which

    def step(m: dict[str, Floats], bar: Bar) -> tuple[Floats, Flags]:
        if size == 1:
            for name in m:
                m[name] = np.zeros(len(bar.slots))
        else:
            move(m, *bar.leaving(size), -1.0)
        move(m, bar.new, bar.known, 1.0)
        end = np.where(m["odd"] == m["above"], np.inf, np.where(m["odd"] == m["below"], -np.inf, np.nan))
        total = np.where(m["odd"] == 0, m["sum"], end)
        return total / m["count"] if mean else total, m["count"] >= least

    return State(("sum", "early", "late", "odd", "above", "below", "count"), size + 1, step)


type Moments = tuple[Floats, Floats, Floats]
"""Count, mean and sum of squared deviations, per asset."""


def _insert(held: Moments, value: Floats, which: Flags) -> Moments:
    count, mean, squares = held
    more, delta = count + 1.0, value - mean
    centre = mean + delta / more
    return np.where(which, more, count), np.where(which, centre, mean), np.where(which, squares + (value - centre) * delta, squares)


def _join(one: Moments, other: Moments) -> Moments:
    count = one[0] + other[0]
    delta = other[1] - one[1]
    mean = one[1] + delta * (other[0] / count)
    squares = one[2] + (other[2] + other[0] * (other[1] - mean) * delta)
    none = other[0] == 0
    return np.where(none, one[0], count), np.where(none, one[1], mean), np.where(none, one[2], squares)


def _rolling_var(size: int, least: int, ddof: int, *, root: bool) -> State:
    """An asset's bars in blocks of the window's size: a window is the end of one block, summed backwards, and the start of the next.

    A block starts at a value: nulls between two blocks belong to neither.
    """

    def ends(m: dict[str, Floats], bar: Bar, which: Flags) -> None:
        held: Moments = (np.zeros(len(bar.slots)), np.zeros(len(bar.slots)), np.zeros(len(bar.slots)))
        for back in range(size):
            held = _insert(held, *bar.leaving(back))
            for name, part in zip(("counts", "means", "squares"), held, strict=True):
                m[name][which, size - 1 - back] = part[which]

    def step(m: dict[str, Floats], bar: Bar) -> tuple[Floats, Flags]:
        # place: bars of the current block, 0 = none has started; since: bars since the last one was full
        m["place"] = np.where((m["place"] > 0) | bar.known, m["place"] + 1.0, 0.0)
        m["since"] += 1.0
        held: Moments = tuple(np.where(m["place"] <= 1, 0.0, m[name]) for name in ("count", "mean", "square"))  # type: ignore[assignment]
        held = _insert(held, bar.new, bar.known)
        m["count"], m["mean"], m["square"] = held
        full = m["place"] == size
        row, after = np.arange(len(full)), m["since"].astype(np.int64)
        none = full | (after >= size)
        after = np.minimum(after, size - 1)
        old: Moments = tuple(np.where(none, 0.0, m[name][row, after]) for name in ("counts", "means", "squares"))  # type: ignore[assignment]
        count, _, squares = _join(held, old)
        if full.any():
            ends(m, bar, full)
            m["place"], m["since"] = np.where(full, 0.0, m["place"]), np.where(full, 0.0, m["since"])
        variance = squares / (count - ddof)
        variance = np.where(variance < 0, 0.0, variance)
        return np.sqrt(variance) if root else variance, (count > ddof) & (count >= least)

    whole = {"counts": size, "means": size, "squares": size}
    return State(("place", "since", "count", "mean", "square"), size, step, whole)


def _ewm_mean(options: dict[str, Any]) -> State:
    alpha, adjust, ignore = float(options["alpha"]), bool(options["adjust"]), bool(options["ignore_nulls"])
    least, fresh = max(int(options["min_periods"]), 1), 1.0 if options["adjust"] else float(options["alpha"])

    def step(m: dict[str, Floats], bar: Bar) -> tuple[Floats, Flags]:
        first = bar.known & (m["count"] == 0)
        later = bar.known & ~first
        fades = ~first if not ignore else later
        weight = np.where(fades, m["weight"] * (1.0 - alpha), m["weight"])
        moved = m["mean"] + (bar.new - m["mean"]) * (fresh / (weight + fresh))
        m["mean"] = np.where(first, bar.new, np.where(later, moved, m["mean"]))
        m["weight"] = np.where(first, 1.0, np.where(later, weight + 1.0 if adjust else 1.0, weight))
        m["count"] += bar.known
        return m["mean"], bar.known & (m["count"] >= least)

    return State(("mean", "weight", "count"), 1, step)


def _running(name: str) -> State:
    def step(m: dict[str, Floats], bar: Bar) -> tuple[Floats, Flags]:
        if name == "CumSum":
            value = m["value"] + bar.new
        else:
            better = np.fmax(m["value"], bar.new) if name == "CumMax" else np.fmin(m["value"], bar.new)
            value = np.where(m["seen"] == 0, bar.new, better)
        m["value"] = np.where(bar.known, value, m["value"])
        m["seen"] = np.where(bar.known, 1.0, m["seen"])
        return m["value"], bar.known

    return State(("value", "seen"), 1, step)


def _carry(m: dict[str, Floats], bar: Bar) -> tuple[Floats, Flags]:
    m["last"] = np.where(bar.known, bar.new, m["last"])
    m["seen"] = np.where(bar.known, 1.0, m["seen"])
    return m["last"], m["seen"] > 0


def faithful(tree: Tree) -> bool:
    """Whether the state of an operation gives the bits of the installed Polars on awkward numbers.

    Args:
        tree: the operation over a column ``x``.
    """
    return _faithful(key(tree))


@lru_cache(maxsize=1024)
def _faithful(text: str) -> bool:
    import json

    tree = json.loads(text)
    wanted = _trial().select(build(tree).over("a").alias("v"))["v"]
    state = state_of(tree)
    if state is None or wanted.dtype != pl.Float64:
        return False
    ring, found = Ring(state.width), []
    for rows in _trial().partition_by("t", maintain_order=True):
        slots = rows["a"].to_numpy().astype(np.int64)
        ring.push(slots, rows["x"])
        found.append(state.update(Bar(rows["x"].fill_null(0.0).to_numpy(), rows["x"].is_not_null().to_numpy(), ring, slots)))
    return bool(pl.concat(found).equals(wanted, check_names=False))


@lru_cache(maxsize=1)
def _trial() -> pl.DataFrame:
    """Eight assets of 70 bars, bar by bar: prices, changes, nulls in runs, NaN, infinities, great and tiny numbers, ties."""
    rng = np.random.default_rng(20240229)
    walk = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (8, 70)), axis=1))
    walk[1] = np.diff(walk[1], prepend=100.0) / 100
    walk[2] = np.round(walk[2], 2)
    walk[3, rng.random(70) < 0.06] = np.nan
    walk[4, rng.random(70) < 0.06] = np.inf
    walk[4, rng.random(70) < 0.04] = -np.inf
    walk[5] *= 10.0 ** rng.integers(-12, 12, 70)
    walk[6] = rng.integers(0, 3, 70)
    known = np.ones((8, 70), np.bool_)
    known[2:8:2, :3] = False
    known[7] = rng.random(70) < 0.6
    known[7, 20:45] = False
    columns = {"a": np.tile(np.arange(8), 70), "t": np.repeat(np.arange(70), 8), "x": walk.T.ravel(), "k": known.T.ravel()}
    return pl.DataFrame(columns).select("a", "t", x=pl.when("k").then("x"))
