"""Rates of currencies as users write them, the path from each currency to the account's, and the table of the kernel that they become."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from rustybt.engine.flows import when_of
from rustybt.errors import ConfigError
from rustybt.model import EVENT_FIELDS, Asset, CurrencyTable, EventKind, Panel
from rustybt.model.currencies import MOST_CURRENCIES
from rustybt.model.decimals import LIMIT, to_decimal

FIELDS = ("pair", "ts", "rate")
DO = 'give a frame, or a list of dicts, with pair ("EUR/USD": what one EUR costs in USD), ts and rate'
Pair = tuple[str, str]
"""Base and quote: one unit of the base costs so much of the quote."""
Series = list[Fraction | None]
"""A rate at each bar; None where none is known yet."""


@dataclass(frozen=True)
class Rate:
    """What one unit of a currency costs in another, from a session or an instant on.

    Attributes:
        base, quote: the pair.
        when: a session (known at its close), or an instant in UTC.
        rate: of the quote for one of the base.
    """

    base: str
    quote: str
    when: date | datetime
    rate: Decimal

    def to_list(self) -> list[str]:
        """Plain values for the manifest and the run id."""
        return [f"{self.base}/{self.quote}", self.when.isoformat(), f"{self.rate.normalize():f}"]


def read_rates(given: object) -> tuple[Rate, ...]:
    """Checked rates, by pair and date.

    Raises:
        ConfigError: naming the row and the field.

    Example:
        >>> read_rates([{"pair": "EUR/USD", "ts": "2024-01-31", "rate": "1.0837"}])[0].rate
        Decimal('1.0837')
    """
    rates, seen = [], set()
    for number, row in enumerate(_rows(given)):
        where = f"run, rates, row {number}"
        if set(row) != set(FIELDS):
            raise ConfigError(f"fields {', '.join(map(str, row))}", where=where, do=DO)
        base, quote = pair_of(row["pair"], where)
        when = when_of(row["ts"], f"{where}, ts")
        rate = to_decimal(row["rate"], f"{where}, rate")
        if rate <= 0:
            raise ConfigError(f"rate {row['rate']} of {row['pair']!r} is not positive", where=f"{where}, rate", do="give a positive number")
        if (base, quote, when) in seen:
            raise ConfigError(f"{row['pair']!r} has two rates at {when}", where=where, do="give one row for a pair and a date")
        seen.add((base, quote, when))
        rates.append(Rate(base, quote, when, rate))
    return tuple(sorted(rates, key=lambda rate: (rate.base, rate.quote, _instant(rate.when))))


def pair_of(given: object, where: str) -> Pair:
    """Base and quote of a pair such as ``EUR/USD``, ``EUR-USD`` or ``EURUSD``.

    Raises:
        ConfigError: it is none.

    Example:
        >>> pair_of("EURUSD", "here"), pair_of("BTC/USDT", "here")
        (('EUR', 'USD'), ('BTC', 'USDT'))
    """
    text = given if isinstance(given, str) else ""
    parts = re.split(r"[/_.:-]", text) if not re.fullmatch(r"[A-Za-z]{6}", text) else [text[:3], text[3:]]
    if len(parts) != 2 or not all(parts) or parts[0] == parts[1]:
        raise ConfigError(f"pair {given!r} does not name two currencies", where=f"{where}, pair", do='write "EUR/USD"')
    return parts[0], parts[1]


def currencies_of(config: Any, panel: Panel) -> CurrencyTable | None:
    """The currencies of a run by its settings.

    Raises:
        ConfigError: as `currencies_at` does, or sales that settle later beside foreign currencies.
    """
    found = currencies_at(config.rates, panel, config.currency, convert=config.convert)
    if found is not None and config.conversion is not None:
        rate, minimum, least = config.conversion.units(config.money_scale)
        found = replace(found, cost_rate=rate, cost_minimum=minimum, least=least)
    if found is not None and config.settlement:
        what = f"sales that settle later beside assets in {', '.join(found.names[1:])}"
        raise ConfigError(what, where="run, settlement", do="leave settlement out, or trade assets in the account's currency only")
    return found


def names_of(table: CurrencyTable | None, currency: str) -> tuple[str, ...]:
    """The currencies of a run, the account's first."""
    return (currency,) if table is None else table.names


def currencies_at(rates: tuple[Rate, ...], panel: Panel, currency: str, *, convert: bool) -> CurrencyTable | None:
    """The currencies of a run bar by bar; None where every asset is quoted in the account's.

    Raises:
        ConfigError: a currency has no path to the account's, a rate has too many digits, or an event crosses currencies.
    """
    foreign = sorted({asset.currency for asset in panel.assets} - {currency})
    if not foreign:
        return None
    if len(foreign) >= MOST_CURRENCIES:
        raise ConfigError(f"{len(foreign) + 1} currencies", where="run", do=f"trade in at most {MOST_CURRENCIES}")
    names = (currency, *foreign)
    of_asset = np.array([names.index(asset.currency) for asset in panel.assets], dtype=np.int64)
    check_events(panel, of_asset)
    pairs = pairs_of_panel(panel) | pairs_of_rates(rates, panel)
    num, den = np.zeros((panel.bars, len(names)), dtype=np.int64), np.ones((panel.bars, len(names)), dtype=np.int64)
    num[:, 0] = 1
    for place, name in enumerate(foreign, 1):
        steps = path_between(name, currency, frozenset(pairs), panel.assets)
        for bar in range(panel.bars):
            worth = _product([(pairs[pair][bar], turned) for pair, turned in steps])
            if worth is not None:
                num[bar, place], den[bar, place] = _fitting(worth, name)
    for array in (of_asset, num, den):
        array.flags.writeable = False
    return CurrencyTable(names, of_asset, num, den, convert)


def path_between(name: str, home: str, pairs: frozenset[Pair], assets: tuple[Asset, ...] = ()) -> list[tuple[Pair, bool]]:
    """The pairs from a currency to another, each with whether it is turned round: one of them, or two over a third currency.

    Raises:
        ConfigError: there is no such path.

    Example:
        >>> path_between("JPY", "EUR", frozenset({("USD", "JPY"), ("EUR", "USD")}))
        [(('USD', 'JPY'), True), (('EUR', 'USD'), True)]
    """

    def step(one: str, other: str) -> list[tuple[Pair, bool]]:
        found = [((one, other), False), ((other, one), True)]
        return [item for item in found if item[0] in pairs][:1]

    if direct := step(name, home):
        return direct
    for middle in sorted({currency for pair in pairs for currency in pair} - {name, home}):
        if (first := step(name, middle)) and (second := step(middle, home)):
            return first + second
    known = ", ".join(sorted(f"{base}/{quote}" for base, quote in pairs)) or "none"
    asset = next((asset.symbol for asset in assets if asset.currency == name), None)
    raise ConfigError(
        f"no conversion path from {name} to {home}, the account's currency (pairs: {known})",
        where=f"run, rates, asset {asset!r}" if asset else "run, rates",
        do=f'give rates="{name}/{home}" rows, or a pair through one other currency; or set currency= or the assets\' currency',
    )


def pairs_of_rates(rates: tuple[Rate, ...], panel: Panel) -> dict[Pair, Series]:
    """Each pair of the rates at each bar: the last one known at its close."""
    found: dict[Pair, Series] = {}
    for rate in rates:
        found.setdefault((rate.base, rate.quote), [None] * panel.bars)
    for rate in rates:  # in the order of time
        found[rate.base, rate.quote][_bar(rate.when, panel) :] = [Fraction(rate.rate)] * (panel.bars - _bar(rate.when, panel))
    return found


def pairs_of_panel(panel: Panel) -> dict[Pair, Series]:
    """The assets that are pairs: of class ``fx``, whose symbol ends in their currency; the last close at each bar."""
    found: dict[Pair, Series] = {}
    for column, asset in enumerate(panel.assets):
        letters = re.sub(r"[^A-Za-z0-9]", "", asset.symbol.split(".")[0])
        base = letters.removesuffix(asset.currency)
        if asset.asset_class != "fx" or not base or base == letters:
            continue
        series: Series = []
        for ticks in panel.close[:, column].tolist():
            series.append(Fraction(asset.tick_size) * ticks if ticks else series[-1] if series else None)
        found[base, asset.currency] = series
    return found


def check_events(panel: Panel, of_asset: np.ndarray[Any, Any]) -> None:
    """Refuse spin-offs and mergers into an asset of another currency."""
    column = {name: panel.events[:, place] for place, name in enumerate(EVENT_FIELDS[: panel.events.shape[1]])} if len(panel.events) else {}
    if "other" not in column:
        return
    passes_on = np.isin(column["kind"], (EventKind.SPINOFF, EventKind.MERGER)) & (column["other"] >= 0)
    crossing = passes_on & (of_asset[column["asset"]] != of_asset[np.maximum(column["other"], 0)])
    if crossing.any():
        row = int(np.argmax(crossing))
        giver, heir = (panel.assets[int(column[name][row])] for name in ("asset", "other"))
        raise ConfigError(
            f"{giver.symbol!r} in {giver.currency} turns into {heir.symbol!r} in {heir.currency}",
            where="run, events",
            do="give both the same currency, or write the event as a delisting against cash",
        )


def _product(steps: list[tuple[Fraction | None, bool]]) -> Fraction | None:
    worth = Fraction(1)
    for rate, turned in steps:
        if rate is None:
            return None
        worth = worth / rate if turned else worth * rate
    return worth


def _fitting(worth: Fraction, name: str) -> tuple[int, int]:
    if max(worth.numerator, worth.denominator) >= LIMIT:
        raise ConfigError(f"the rate of {name} has too many digits to count exactly", where="run, rates", do="give rates with fewer digits")
    return worth.numerator, worth.denominator


def _rows(given: object) -> Iterable[Mapping[str, Any]]:
    if given is None:
        return ()
    if isinstance(given, pl.LazyFrame):
        given = given.collect()
    if hasattr(given, "__arrow_c_stream__"):
        columns: Any = given
        return pl.DataFrame(columns).iter_rows(named=True)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"rates {given!r} are not rows", where="run, rates", do=DO)
    rows = list(given)
    wrong = [row for row in rows if not isinstance(row, Mapping)]
    if wrong:
        raise ConfigError(f"{wrong[0]!r} is not a row of rates", where="run, rates", do=DO)
    return rows


def _instant(when: date | datetime) -> datetime:
    return when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, tzinfo=UTC)


def _bar(when: date | datetime, panel: Panel) -> int:
    """The first bar at whose close a rate is known: the last one of its session, else the first one after it.

    One with an instant is known at the first bar that is complete then or later.
    """
    if isinstance(when, datetime):
        return int(np.searchsorted(panel.ts, int(np.datetime64(when.replace(tzinfo=None), "us").astype(np.int64)), side="left"))
    day = (when - date(1970, 1, 1)).days
    after = int(np.searchsorted(panel.sessions, day, side="right"))
    return after - 1 if after and panel.sessions[after - 1] == day else after
