"""Currencies and rates: drawn for random sessions, read and written for golden cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import EVENT_FIELDS, EVERY_ASSET, Asset, CarryTable, CurrencyTable, EventKind, Reason, Tables
from rustybt.model.decimals import RATE, to_units
from rustybt.model.panel import Ints
from rustybt.testing.rules import Chance, World

NAMES = ("AAA", "BBB", "CCC", "DDD")
RATES = ((11_234, 10_000), (1, 1), (10**6 + 3, 7 * 10**5), (1, 150), (3, 7), (155, 1), (2 * 10**8 + 1, 10**8), (10**9, 1))
"""First rates, as fractions."""
KIND, COLUMN, OTHER = EVENT_FIELDS.index("kind"), EVENT_FIELDS.index("asset"), EVENT_FIELDS.index("other")


def draw_currencies(dice: Chance, world: World, bars: int) -> CurrencyTable | None:
    """In a third of the sessions some assets are quoted in other currencies, whose rates walk, are missing or come late."""
    if not dice.chance(33):
        return None
    count = dice.integer(2, len(NAMES))
    of_asset = np.array([dice.integer(0, count - 1) for _ in world.assets], dtype=np.int64)
    num, den = np.zeros((bars, count), dtype=np.int64), np.ones((bars, count), dtype=np.int64)
    num[:, 0] = 1
    for currency in range(1, count):
        first, missing = dice.pick((0, 0, dice.integer(0, bars))), dice.pick((0, 30))
        above, below = dice.pick(RATES)
        for bar in range(first, bars):
            if not (missing and dice.chance(missing)):
                rate = Fraction(above, below)
                num[bar, currency], den[bar, currency] = rate.numerator, rate.denominator
            above = max(1, above + above * dice.integer(-50, 50) // 1000 + dice.integer(-1, 1))
    toll = (dice.pick((0, 20_000, 10**7 + 1)), dice.pick((0, 0, 3, 10**4)), dice.pick((0, 0, 10**5))) if dice.chance(50) else (0, 0, 0)
    return CurrencyTable(NAMES[:count], of_asset, num, den, dice.chance(60), *toll)


def on_foreign_cash(dice: Chance, carry: CarryTable | None, currencies: CurrencyTable | None) -> CarryTable | None:
    """The charges, half of those on cash about the cash of any currency."""
    if carry is None or currencies is None:
        return carry
    charges = carry.charges.copy()
    for row in np.flatnonzero(np.isin(charges[:, 1], (Reason.INTEREST, Reason.CREDIT))).tolist():
        charges[row, 2] -= dice.integer(0, len(currencies.names) - 1) if dice.chance(50) else 0
    return replace(carry, charges=charges)


def in_one_currency(tables: Tables) -> Tables:
    """The rules with every asset quoted in the account's currency, charges on cash about the cash of the account."""
    carry = tables.carry
    if carry is not None:
        charges = carry.charges.copy()
        charges[np.isin(charges[:, 1], (Reason.INTEREST, Reason.CREDIT)), 2] = EVERY_ASSET
        carry = replace(carry, charges=charges)
    return replace(tables, carry=carry, currencies=None)


def within_currencies(events: Ints, currencies: CurrencyTable | None) -> Ints:
    """The events but spin-offs and mergers into an asset of another currency, which no run may have."""
    if currencies is None or not len(events):
        return events
    of = currencies.of_asset
    passes_on = np.isin(events[:, KIND], (EventKind.SPINOFF, EventKind.MERGER)) & (events[:, OTHER] >= 0)
    crossing = passes_on & (of[events[:, COLUMN]] != of[np.maximum(events[:, OTHER], 0)])
    return np.ascontiguousarray(events[~crossing])


def read_currencies(
    lines: Iterable[list[str]], rates: Iterable[list[str]], assets: Sequence[Asset], bars: int, unit: Decimal
) -> CurrencyTable | None:
    """``account USD``, ``A EUR``, ``convert no``, ``cost_rate 0.001``, ``cost_minimum 2``, ``least 100``.

    And rates as ``0 EUR 1.10`` or ``0 EUR 10/9``: from a bar's close on; 0: none is known yet.

    Raises:
        ConfigError: there is no account.
    """
    words = {line[0]: line[1] for line in lines}
    if not words:
        return None
    if "account" not in words:
        raise ConfigError("no currency of the account", where="[currencies]", do="write: account USD")
    own, convert = words.pop("account"), words.pop("convert", "yes") == "yes"
    steps = {"cost_rate": Decimal(1) / RATE, "cost_minimum": unit, "least": unit}
    toll = [to_units(words.pop(name, "0"), step) for name, step in steps.items()]
    rates = list(rates)
    names = (own, *sorted(({*words.values()} | {name for _, name, _ in rates}) - {own}))
    of_asset = np.array([names.index(words.get(asset.symbol, own)) for asset in assets], dtype=np.int64)
    num, den = np.zeros((bars, len(names)), dtype=np.int64), np.ones((bars, len(names)), dtype=np.int64)
    num[:, 0] = 1
    for bar, name, text in rates:
        rate = Fraction(text)
        num[int(bar), names.index(name)], den[int(bar), names.index(name)] = rate.numerator, rate.denominator
    return CurrencyTable(names, of_asset, num, den, convert, *toll)


def write_currencies(table: CurrencyTable | None, assets: Sequence[Asset], unit: Decimal) -> list[str]:
    """The sections that `read_currencies` reads."""
    if table is None:
        return []
    quoted = [f"{asset.symbol} {table.names[int(table.of_asset[column])]}" for column, asset in enumerate(assets)]
    steps = {"cost_rate": Decimal(1) / RATE, "cost_minimum": unit, "least": unit}
    toll = [f"{name} {getattr(table, name) * step:f}" for name, step in steps.items()]
    lines = ["[currencies]", f"account {table.names[0]}", f"convert {'yes' if table.convert else 'no'}", *toll, *quoted, "[rates]"]
    lines += [f"0 {name} 0" for place, name in enumerate(table.names) if not table.num[:, place].any()]  # known by name, never by a rate
    for bar, currency in np.argwhere(table.num[:, 1:] > 0).tolist():
        lines.append(f"{bar} {table.names[currency + 1]} {table.num[bar, currency + 1]}/{table.den[bar, currency + 1]}")
    return lines
