"""Latency: how long an order is under way before it can be filled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, localcontext
from functools import cache
from importlib.resources import files
from statistics import NormalDist
from typing import Any

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model.decimals import to_decimal

DRAWS = 4093
"""Order n takes draw n mod 4,093 (a prime, so that strategies with a rhythm do not meet the same draws again and again)."""
QUANTILES = 1024
UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
MOST = 10**14
"""Three years in microseconds."""


@dataclass(frozen=True)
class Delay:
    """One reason for an order to take time.

    Attributes:
        kind: ``fixed``, ``uniform``, ``lognormal`` or ``history``.
        times: microseconds: the time; the least and the most; the median; all that were seen.
        spread: sigma of the logarithm in 1e-6, of a lognormal delay.
        seed: of the draws.
        source: who says so, and when.
    """

    kind: str
    times: tuple[int, ...]
    spread: int = 0
    seed: int = 0
    source: str = ""

    def draws(self, place: int) -> list[int]:
        """One delay for each of `DRAWS` orders. The same seed in another place of a sum gives other draws."""
        if self.kind == "fixed":
            return [self.times[0]] * DRAWS
        chance = np.random.PCG64([self.seed, place]).random_raw(DRAWS).tolist()
        if self.kind == "uniform":
            low, high = self.times
            return [low + number % (high - low + 1) for number in chance]
        table = self.times if self.kind == "history" else lognormal_table(self.times[0], self.spread)
        return [table[number % len(table)] for number in chance]


@dataclass(frozen=True)
class Latency:
    """The sum of all reasons, or whole bars.

    Attributes:
        delays: reasons.
        bars: whole bars; then there are no other reasons.
        bar: microseconds from a bar's open to its ``ts``; None = worked out from the data.
    """

    delays: tuple[Delay, ...] = ()
    bars: int = 0
    bar: int | None = None

    def __add__(self, other: Latency) -> Latency:
        """Network plus broker plus venue."""
        if not isinstance(other, Latency):
            raise ConfigError(f"latency and {other!r}", where="latency, +", do='add another one, such as rbt.latency("20ms")')
        if self.bars or other.bars:
            raise ConfigError("bars and times cannot be added", where="latency, +", do="give all of them as times")
        if self.bar is not None and other.bar is not None and self.bar != other.bar:
            raise ConfigError("two lengths of a bar", where="latency, bar", do="say bar= once")
        return Latency(self.delays + other.delays, 0, self.bar if self.bar is not None else other.bar)

    def units(self) -> tuple[int, ...]:
        """The delays of orders as `rustybt.model.Tables` takes them: microseconds, or half bars; empty when orders take no time."""
        if self.bars:
            return (2 * self.bars,)
        if all(delay.kind == "fixed" for delay in self.delays):
            total = sum(delay.times[0] for delay in self.delays)
            return (total,) if total else ()
        return tuple(map(sum, zip(*(delay.draws(place) for place, delay in enumerate(self.delays)), strict=True)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest."""
        return {"bars": self.bars, "bar": self.bar, "delays": [{**vars(delay), "times": list(delay.times)} for delay in self.delays]}


@cache
def lognormal_table(median: int, spread: int) -> tuple[int, ...]:
    """The middles of 1,024 equally likely parts of a lognormal distribution, whole microseconds.

    The quantiles of the normal distribution are taken to six decimals and the powers are decimal, so the table is the same everywhere.
    """
    normal = NormalDist()
    scores = [round(normal.inv_cdf((2 * i + 1) / (2 * QUANTILES)) * 10**6) for i in range(QUANTILES)]
    with localcontext() as context:
        context.prec = 40
        return tuple(int((median * (Decimal(score * spread) / 10**12).exp()).to_integral_value()) for score in scores)


def latency(
    delay: object = None,
    *,
    bars: int = 0,
    uniform: Sequence[object] | None = None,
    lognormal: Sequence[object] | None = None,
    history: Sequence[object] | None = None,
    profile: str | None = None,
    seed: int = 0,
    bar: object = None,
) -> Latency:
    """How long an order needs from the decision to the market. Add several: ``network + broker + venue``.

    Give one of the first six. An order that has not arrived when a bar opens is not filled at that open. Stops and targets
    rest at the broker and need no time.

    Args:
        delay: a fixed time, such as ``"250ms"``; units us, ms, s, m, h; or a timedelta.
        bars: whole bars.
        uniform: the least and the most time; every microsecond between them is as likely.
        lognormal: the median time and sigma of its logarithm: ``("40ms", "0.5")``.
        history: times that were measured; each order takes one of them by chance.
        profile: name of a file that comes with RustyBT: see `latency_profiles`.
        seed: of the draws; the same seed gives the same delays on every machine.
        bar: time from the open of a bar to its ``ts``, such as ``"6h30m"``; default: from the calendar, else the spacing of the bars.

    Raises:
        ConfigError: none or several are given, or one makes no sense; the message names it.

    Example:
        >>> network, broker = latency("20ms"), latency(uniform=("1ms", "5ms"), seed=7)
        >>> min((network + broker).units()) >= 21_000
        True
    """
    ways = {"delay": delay, "bars": bars or None, "uniform": uniform, "lognormal": lognormal, "history": history, "profile": profile}
    given = [name for name, value in ways.items() if value is not None]
    if isinstance(delay, Latency) and len(given) == 1:
        return delay
    if len(given) != 1:
        raise ConfigError(
            f"{len(given)} latencies given: {', '.join(given) or 'none'}", where="latency", do=f"give one of {', '.join(ways)}"
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError(f"seed {seed!r} is not a whole number >= 0", where="latency, seed", do="give a whole number")
    length = None if bar is None else _time(bar, "bar")
    if length == 0:
        raise ConfigError("a bar of no length", where="latency, bar", do='write bar="6h30m"')
    if bars:
        if isinstance(bars, bool) or not isinstance(bars, int) or not 0 < bars < 10**6:
            raise ConfigError(f"bars {bars!r} is not a whole number of bars", where="latency, bars", do="give 1 or more, below 1000000")
        return Latency(bars=bars)
    if profile is not None:
        return replace(_read(profile), bar=length)
    made = {"delay": _fixed, "uniform": _uniform, "lognormal": _lognormal, "history": _history}[given[0]](ways[given[0]])
    return Latency((replace(made, seed=seed),), 0, length)


def latency_profiles() -> dict[str, str]:
    """Names of the profiles that come with RustyBT, and who says so.

    Example:
        >>> sorted(latency_profiles())
        ['hyperliquid-tokyo', 'iex', 'indian-broker-api']
    """
    folder = files("rustybt.execution.costs") / "latencies"
    found = {entry.name.removesuffix(".json"): json.loads(entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".json")}
    return {name: f"{profile['source']} ({profile['date']})" for name, profile in sorted(found.items())}


def _read(name: str) -> Latency:
    known = latency_profiles()
    if name not in known:
        raise ConfigError(f"there is no profile {name!r}", where="latency, profile", do=f"use one of {', '.join(known)}")
    profile = json.loads((files("rustybt.execution.costs") / "latencies" / f"{name}.json").read_text())
    parts = [latency(**part) for part in profile["delays"]]
    return Latency(tuple(replace(delay, source=known[name]) for part in parts for delay in part.delays))


def _fixed(value: Any) -> Delay:
    return Delay("fixed", (_time(value, "delay"),))


def _uniform(value: Any) -> Delay:
    low, high = (_time(one, "uniform") for one in _some(value, "uniform", 2))
    if high < low:
        raise ConfigError(
            f"uniform ends at {high} us below its start {low} us", where="latency, uniform", do="give the least, then the most"
        )
    return Delay("uniform", (low, high))


def _lognormal(value: Any) -> Delay:
    median, sigma = _some(value, "lognormal", 2)
    spread = to_decimal(sigma, "lognormal sigma")
    if not 0 < spread <= 5 or spread * 10**6 != int(spread * 10**6):
        raise ConfigError(f"sigma {sigma} is outside 0..5", where="latency, lognormal", do='give one of up to six decimals, such as "0.5"')
    time = _time(median, "lognormal")
    if not 0 < time <= MOST // 10**8:
        raise ConfigError(f"a median of {median!r}", where="latency, lognormal", do='give one above 0 and up to 1 second, such as "40ms"')
    return Delay("lognormal", (time,), int(spread * 10**6))


def _history(value: Any) -> Delay:
    times = tuple(_time(one, "history") for one in _some(value, "history", None))
    if not times:
        raise ConfigError("a history of no times", where="latency, history", do="give at least one")
    return Delay("history", times)


def _some(value: Any, name: str, count: int | None) -> list[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence) or (count is not None and len(value) != count):
        wanted = "a list of times" if count is None else f"{count} values"
        raise ConfigError(f"{name} {value!r} is not {wanted}", where=f"latency, {name}", do=f"give {wanted}")
    return list(value)


def _time(value: object, name: str) -> int:
    """Microseconds of ``"1h30m"``, ``"250ms"`` or a timedelta."""
    found = value // timedelta(microseconds=1) if isinstance(value, timedelta) else _spelled(value) if isinstance(value, str) else None
    if found is None or not 0 <= found <= MOST:
        raise ConfigError(f"{name} {value!r} is not a time >= 0", where=f"latency, {name}", do='write it like "250ms", "2s" or "6h30m"')
    return found


def _spelled(text: str) -> int | None:
    total, number = 0, ""
    left = text.replace(" ", "")
    while left:
        unit = next((unit for unit in ("us", "ms", "s", "m", "h") if left.startswith(unit)), None)
        if unit is None:
            number, left = number + left[0], left[1:]
            continue
        if not number.isdecimal():
            return None
        total, number, left = total + int(number) * UNITS[unit], "", left[len(unit) :]
    return total if text and not number else None
