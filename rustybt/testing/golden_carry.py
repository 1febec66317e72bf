"""Charges and what cannot be borrowed, in golden cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np

from rustybt.model import EVERY_ASSET, Asset, CarryTable, CurrencyTable, Reason
from rustybt.model.decimals import to_units

SECTIONS = ("charges", "hard")
SIDES = {"long": 1, "short": -1, "both": 0}


def read_carry(
    parts: Mapping[str, Iterable[list[str]]], assets: tuple[Asset, ...], unit: Decimal, currencies: CurrencyTable | None
) -> CarryTable | None:
    """``2 borrow A short 0.05/360 price=7`` (of a swap: money per lot), ``2 interest EUR short 0.05/360``, and ``A 2-4``."""
    columns = {name: EVERY_ASSET - place for place, name in enumerate(currencies.names if currencies is not None else ())}
    columns |= {asset.symbol: column for column, asset in enumerate(assets)} | {"*": EVERY_ASSET, "account": EVERY_ASSET}
    rows = []
    for bar, kind, name, side, part, *rest in parts["charges"]:
        number, _, per = part.partition("/")
        share = Fraction(number) / Fraction(per or 1)
        if kind == "swap":
            share /= Fraction(unit)
        price = to_units(rest[0].removeprefix("price="), assets[columns[name]].tick_size) if rest else 0
        rows.append((int(bar), int(Reason[kind.upper()]), columns[name], SIDES[side], share.numerator, share.denominator, price))
    hard = [(columns[name], *map(int, span.split("-"))) for name, span in parts["hard"]]
    if not rows and not hard:
        return None
    rows.sort(key=lambda row: row[0])
    return CarryTable(np.array(rows, dtype=np.int64).reshape(-1, 7), np.array(hard, dtype=np.int64).reshape(-1, 3))


def write_carry(carry: CarryTable | None, assets: tuple[Asset, ...], unit: Decimal, currencies: CurrencyTable | None) -> list[str]:
    """The same as text."""
    if carry is None:
        return []
    sides = {number: word for word, number in SIDES.items()}
    lines = ["[charges]"]
    for bar, reason, column, side, num, den, price in carry.charges.tolist():
        on_cash = "account" if column >= EVERY_ASSET or currencies is None else currencies.names[EVERY_ASSET - column]
        name = assets[column].symbol if column >= 0 else on_cash if reason in (Reason.INTEREST, Reason.CREDIT) else "*"
        share = Fraction(num, den) * (Fraction(unit) if reason == Reason.SWAP else 1)
        words = [str(bar), Reason(reason).name.lower(), name, sides[side], f"{share.numerator}/{share.denominator}"]
        lines.append(" ".join([*words, *([f"price={format(price * assets[column].tick_size, 'f')}"] if price else [])]))
    return [*lines, "[hard]", *(f"{assets[column].symbol} {first}-{last}" for column, first, last in carry.hard.tolist())]
