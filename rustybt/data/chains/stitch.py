"""Contracts as one series: rolls found, prices before and after them put on one level, exactly and so that they can be put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import polars as pl

from rustybt.data.chains.contracts import chain_of, contracts_of
from rustybt.data.chains.levels import levels_of, unadjusted
from rustybt.data.chains.log import closes_of, log_of, notes_of
from rustybt.data.chains.rolls import GIVEN, RULES, Front, read_schedule
from rustybt.data.columns import PRICES
from rustybt.data.door import load
from rustybt.data.exact import as_decimals, digits_to_return, scale_exactly
from rustybt.data.hours import DAY
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset, Event, Panel
from rustybt.model.panel import Ints

Adjust = Literal["none", "difference", "ratio"]
RATIO_DIGITS = 8
"""Decimals beyond a tick of prices adjusted by a ratio: always so many, whatever comes later, and enough to put them back."""


@dataclass(frozen=True)
class Continuous:
    """A chain of contracts.

    Attributes:
        root: what the series is called.
        frame: one row for each bar of the contract in front: ``ts`` Datetime(us, UTC), ``session`` Date, ``asset`` (the root),
            ``contract``, ``open, high, low, close`` Decimal, adjusted, ``volume`` Decimal as traded, and ``open_interest`` where the bars
            have it.
        rolls: one row for each roll: ``ts, session`` of the first bar of the new front, ``before, after``, ``reason``, ``decided`` (Date by
            whose end it was known), ``measured`` (ts at whose closes the gap was taken, null = at none), ``close_before,
            close_after``, ``gap`` (after - before) Decimal, ``ratio`` (after / before) Float64 for reading, ``votes_before, votes_after``
            Float64 (volume or open interest that decided), ``tradable`` (both contracts have that bar).
        pieces: what the prices of each contract were shifted by, exact: ``contract``, ``ts`` of its first bar in front, ``shift`` (text, in
            ticks) and ``numerator, denominator`` (text).
        asset: what the contracts trade in.
        digits: decimals beyond the tick that the prices have.
        adjust, anchor: as they were asked for.
        notes: what is worth knowing, one sentence each.
    """

    root: str
    frame: pl.DataFrame
    rolls: pl.DataFrame
    pieces: pl.DataFrame
    asset: Asset
    digits: int
    adjust: Adjust
    anchor: str
    notes: tuple[str, ...] = ()

    @property
    def events(self) -> list[Event]:
        """The rolls as corporate actions for `rustybt.load`: a run rolls its positions by them, at market.

        Those that are not tradable are left out: a position in such a contract stays to its expiry.
        """
        rows = self.rolls.filter(pl.col("tradable")).select("before", "session", "after").rows()
        return [Event(before, (session - date(1970, 1, 1)).days * DAY, "roll", 1, 1, after) for before, session, after in rows]

    @property
    def bars(self) -> pl.DataFrame:
        """The series as bars of one asset, for ``rustybt.load(made.bars, stamp="close", ...)``, with ``contract`` beside them."""
        return self.frame.select("ts", "asset", *PRICES, "volume", "contract")

    def raw(self) -> pl.DataFrame:
        """The frame with prices as they were traded, computed back from the adjusted ones: digit for digit those of the contracts."""
        return unadjusted(self.frame, self.pieces, self.asset, self.digits)


def continuous(
    data: Any,
    root: str,
    *,
    expiries: Mapping[str, Any],
    roll: Any = "calendar",
    lead: int | str = 0,
    confirm: int = 1,
    delay: int | None = None,
    months: str | None = None,
    adjust: Adjust = "difference",
    anchor: Literal["first", "last"] = "first",
    **options: Any,
) -> Continuous:
    """One series from the contracts of a root, and the log of its rolls.

    A roll is decided by what was known before it and takes place at the first bar that both contracts have; nothing that comes later moves
    it. With ``anchor="first"`` prices start as traded and later contracts are shifted, so no later roll changes them either: that is the
    series for signals. ``anchor="last"`` ends as traded and restates the past at every roll, as most vendors do: that is for charts.

    Args:
        data: bars of the contracts: a Panel, or what `rustybt.load` takes, with ``options``.
        root: what to call the series; no asset of the data.
        expiries: last trading day by contract, such as `rustybt.data.Reference.chain` gives. Other assets of the data are left out.
        roll: ``"calendar"``; ``"volume"`` or ``"open_interest"``, when a later contract has more after a session; or rows with ``contract``
            and ``from_ts``, a schedule of your own.
        lead: when a contract is left at the latest: sessions before its last trading day (0 = on that day), ``"10d"`` = days before it,
            ``"month"`` = on the first of its month.
        confirm: sessions in a row in which the same later contract must have more.
        delay: sessions after which volume or open interest is known; default 0 for volume and 1 for open interest, which exchanges
            publish on the next day.
        months: letters of the delivery months to use, such as ``"HMUZ"``, by the month of the last trading day.
        adjust: ``"none"``, ``"difference"`` (prices are shifted by the gap, exact on the tick) or ``"ratio"`` (prices are multiplied).
        anchor: ``"first"`` or ``"last"``: where the series is as traded.
        options: of `rustybt.load`, where data are not a Panel.

    Returns:
        The series; `Continuous.raw` gives the prices back as they were traded.

    Raises:
        DataError: two contracts have no bar in common, so that their gap is not known; contracts that trade in different ticks,
            multipliers or currencies; an adjusted price that does not fit.
        ConfigError: an option is wrong.

    Example:
        >>> import polars as pl, rustybt as rbt
        >>> days = pl.date_range(pl.date(2024, 3, 11), pl.date(2024, 3, 15), eager=True)
        >>> def contract(name, closes):
        ...     price = {field: closes for field in ("open", "high", "low", "close")}
        ...     return pl.DataFrame({"ts": days[: len(closes)], "asset": name, **price, "volume": 1})
        >>> bars = pl.concat([contract("XH4", [100, 101, 102]), contract("XM4", [103, 104, 105, 106, 107])])
        >>> made = continuous(bars, "X", expiries={"XH4": "2024-03-13", "XM4": "2024-06-19"}, asset_class="future", tick_size=1)
        >>> made.frame.select("contract", "close").rows()[1:3]
        [('XH4', Decimal('101')), ('XM4', Decimal('102'))]
        >>> made.rolls.select("session", "gap", "reason").rows()
        [(datetime.date(2024, 3, 13), Decimal('3'), 'calendar')]
    """
    _check(roll, confirm, delay, adjust, anchor)
    panel = load(data, **options)
    columns, days = contracts_of(panel, root, expiries, months)
    chain, notes = chain_of(panel, columns, days, roll, lead)
    schedule = () if isinstance(roll, str) else read_schedule(roll, chain.names)
    rule = roll if isinstance(roll, str) else GIVEN
    late = delay if delay is not None else int(rule == "open_interest")
    front = Front(chain, rule, confirm, late, schedule)
    front.walk()
    if front.now < 0:
        raise DataError(
            "no contract has a bar before it is left", where=f"continuous {root!r}", do="correct expiries, or give a shorter lead"
        )
    return _stitched(panel, root, columns, front, (adjust, anchor, notes))


def _check(roll: Any, confirm: int, delay: int | None, adjust: str, anchor: str) -> None:
    if isinstance(roll, str) and roll not in RULES:
        raise ConfigError(f"unknown rule {roll!r}", where="continuous, roll", do=f"use {', '.join(RULES)}, or a schedule of your own")
    if adjust not in ("none", "difference", "ratio"):
        raise ConfigError(f"unknown adjustment {adjust!r}", where="continuous, adjust", do="use none, difference or ratio")
    if anchor not in ("first", "last"):
        raise ConfigError(f"unknown anchor {anchor!r}", where="continuous, anchor", do="use first or last")
    for name, number, least in (("confirm", confirm, 1), ("delay", 0 if delay is None else delay, 0)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise ConfigError(f"{name} {number!r} is no number of sessions", where=f"continuous, {name}", do=f"give {least} or more")


def _stitched(panel: Panel, root: str, columns: list[int], front: Front, asked: tuple[Adjust, str, list[str]]) -> Continuous:
    """The series of a chain that was walked; ``asked`` are adjustment, anchor, and notes so far."""
    adjust, anchor, notes = asked
    rolls, names = front.rolls, front.chain.names
    order = [front.rolls[0].before if rolls else front.now, *(roll.after for roll in rolls)]
    starts = np.array([front.begun, *(roll.bar for roll in rolls)], dtype=np.int64)
    asset = replace(panel.assets[columns[0]], symbol=root)
    closes = [closes_of(panel, columns, roll) for roll in rolls]
    shifts, factors = levels_of(root, names, rolls, closes, adjust)
    if anchor == "last":
        shifts, factors = [shift - shifts[-1] for shift in shifts], [factor / factors[-1] for factor in factors]
    digits = RATIO_DIGITS if adjust == "ratio" else 0
    if digits_to_return(factors) > RATIO_DIGITS:
        what = f"the ratios multiply to {float(min(factors)):.1e}, too little to put prices back"
        raise DataError(what, where=f"continuous {root!r}", do='chain fewer contracts, or take adjust="difference"')

    piece = (np.searchsorted(starts, np.arange(panel.bars), side="right") - 1).astype(np.int32)
    column = np.array([columns[place] for place in order])[np.maximum(piece, 0)]
    kept = np.flatnonzero((piece >= 0) & (panel.close[np.arange(panel.bars), column] > 0))
    piece, column = piece[kept], column[kept]
    made = []
    for name in PRICES:
        ticks = getattr(panel, name)[kept, column]
        if digits:
            try:
                ticks = scale_exactly(ticks, [factor * 10**digits for factor in factors], piece)
            except OverflowError:
                raise DataError("an adjusted price does not fit", where=f"continuous {root!r}", do="give a coarser tick_size") from None
        else:
            ticks = ticks + np.array(shifts, dtype=np.int64)[piece]
        made.append(as_decimals(name, ticks, asset.tick_size, digits))
    rows = _rows_of(panel, kept, column)
    carried = ["open_interest"] if "open_interest" in panel.frame.columns else []
    contracts = pl.Series("contract", [names[place] for place in order], dtype=pl.String).gather(pl.Series(piece).cast(pl.UInt32))
    volume = as_decimals("volume", rows["ticks_volume"].to_numpy(), asset.volume_step)
    frame = rows.select("ts", "session", pl.lit(root).alias("asset")).with_columns(contracts, *made, volume)
    log = log_of(panel, asset, names, rolls, closes)
    pieces = pl.DataFrame(
        {
            "contract": [names[place] for place in order],
            "ts": pl.Series(panel.ts[starts]).cast(pl.Datetime("us", "UTC")),
            "shift": [str(shift) for shift in shifts],
            "numerator": [str(factor.numerator) for factor in factors],
            "denominator": [str(factor.denominator) for factor in factors],
        }
    )
    said = (*notes, *notes_of(log, names, panel))
    return Continuous(root, frame.with_columns(rows.select(carried)), log, pieces, asset, digits, adjust, anchor, said)


def _rows_of(panel: Panel, bars: Ints, columns: Ints) -> pl.DataFrame:
    """The rows of the panel's frame at some bars, each of one asset."""
    rows = np.empty(len(bars), dtype=np.int64)
    for column in np.unique(columns).tolist():
        first, stop = int(panel.offsets[column]), int(panel.offsets[column + 1])
        mine = np.flatnonzero(columns == column)
        rows[mine] = first + np.searchsorted(panel.row_bar[first:stop], bars[mine])
    return panel.frame[rows]
