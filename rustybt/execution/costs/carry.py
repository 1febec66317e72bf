"""What holding costs or earns over time: borrow fees, interest on cash, overnight financing, funding, swap points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal
from typing import Any

from rustybt.errors import ConfigError
from rustybt.execution.costs.rates import FundingRow, RateTable, read_funding, read_rates, said, with_pairs
from rustybt.model.decimals import to_decimal

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NONE = RateTable()


@dataclass(frozen=True)
class Carry:
    """What a run charges for holding. Make one with `carry`.

    Attributes:
        borrow: fee on the value of shorts; where it says nothing of an asset, the asset cannot be borrowed.
        interest, credit: on negative and on positive cash.
        financing_long, financing_short: on the value of positions held over a rollover.
        funding: rates at instants, on the signed value of positions.
        swap: by symbol, points received for a long and for a short, as a price per unit of quantity and night.
        day_count: days of the year that rates are for.
        rollover: instant of the day, UTC; None = the boundaries of sessions.
        triple: weekday (0 = Monday) whose rollover counts three nights of swap points, those of the weekend none; None = every night one.
    """

    borrow: RateTable = NONE
    interest: RateTable = NONE
    credit: RateTable = NONE
    financing_long: RateTable = NONE
    financing_short: RateTable = NONE
    funding: tuple[FundingRow, ...] = ()
    swap: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    day_count: int = 360
    rollover: time | None = None
    triple: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the same for equal carry, tables of many rows as their checksum."""
        plain: dict[str, Any] = {"day_count": self.day_count}
        for name in ("borrow", "interest", "credit", "financing_long", "financing_short"):
            table = getattr(self, name)
            plain |= {name: table.to_list()} if table.rows else {}
        plain |= {"funding": said([row.to_list() for row in self.funding])} if self.funding else {}
        plain |= (
            {"swap": {name: [format(p.normalize(), "f") for p in pair] for name, pair in sorted(self.swap.items())}} if self.swap else {}
        )
        plain |= {} if self.rollover is None else {"rollover": self.rollover.isoformat()}
        return plain | ({} if self.triple is None else {"triple": DAYS[self.triple]})


def carry(
    *,
    borrow: object = None,
    interest: object = None,
    credit: object = None,
    financing: object = None,
    funding: object = None,
    swap: Mapping[str, tuple[object, object]] | None = None,
    day_count: int = 360,
    rollover: object = None,
    triple: str | None = None,
) -> Carry:
    """What holding positions and cash costs or earns. Rates are per year, ``"0.05"`` = 5 %, but those of funding.

    Args:
        borrow: fee on the value of short positions: a rate; a mapping of symbols to rates (``"*"`` = all others); or a frame with
            ``asset``, ``session`` or ``ts``, ``rate``, each in force until the next one. What a mapping or frame does not name, names
            later, names with a null, or with false in a column ``available``, cannot be borrowed: an order that would sell it short is
            refused (``no_borrow``). What is held short pays on: the rate of such a row, with a null the one before.
        interest: paid on negative cash: a rate, or a frame with ``session`` or ``ts`` and ``rate``, on cash of the account's currency;
            where they differ by currency a mapping (``{"USD": "0.06", "EUR": "0.04"}``), or a frame with ``currency`` too.
        credit: received on positive cash; likewise.
        financing: on the value of positions held over a rollover: a rate that both sides pay, a pair (long, short), a mapping of symbols
            to either, or a frame with ``asset``, ``session`` or ``ts``, ``long``, ``short``. Negative = received.
        funding: of perpetual contracts: a frame with ``asset``, ``ts``, ``rate`` (for one payment; longs pay a positive one) and, where
            it is not the last price, ``mark``.
        swap: points received for a night, by symbol: (long, short), as a price per unit of quantity.
        day_count: 360 or 365.
        rollover: when a night begins: None = with the next session, or a time of the day in UTC such as ``"21:00"``.
        triple: weekday whose rollover counts three nights of swap points; those of Saturday and Sunday then count none.

    Raises:
        ConfigError: naming the field: a negative fee, a rate that is none, an unknown day count, a frame without its columns.

    Example:
        >>> carry(borrow="0.003", interest="0.06", day_count=365).borrow.rows[0].rate
        300000
    """
    if day_count not in (360, 365) or isinstance(day_count, bool):
        raise ConfigError(f"day_count {day_count!r} is neither 360 nor 365", where="carry, day_count", do="use one of the two")
    long, short = with_pairs(financing, "carry, financing")
    weekday = _weekday(triple)
    if weekday is not None and not swap:
        raise ConfigError("triple without swap", where="carry, triple", do="give swap= points too, or leave triple out")
    return Carry(
        borrow=read_rates(borrow, "carry, borrow", by_asset=True, least=0),
        interest=read_rates(interest, "carry, interest", by_asset=False, least=0),
        credit=read_rates(credit, "carry, credit", by_asset=False),
        financing_long=long,
        financing_short=short,
        funding=read_funding(funding),
        swap=_swap(swap),
        day_count=day_count,
        rollover=_time(rollover),
        triple=weekday,
    )


def _swap(given: Mapping[str, tuple[object, object]] | None) -> dict[str, tuple[Decimal, Decimal]]:
    do = 'write swap={"EURUSD": ("-0.00007", "0.00002")}: received for a long and for a short'
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(f"swap {given!r} is not a mapping of symbols to pairs", where="carry, swap", do=do)
    found = {}
    for name, pair in given.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ConfigError(f"{pair!r} is not a pair of points", where=f"carry, swap, {name!r}", do=do)
        found[str(name)] = (to_decimal(pair[0], f"carry, swap, {name!r}, long"), to_decimal(pair[1], f"carry, swap, {name!r}, short"))
    return found


def _time(given: object) -> time | None:
    if given is None:
        return None
    try:
        at = given if isinstance(given, time) else time.fromisoformat(str(given))
    except ValueError:
        raise ConfigError(f"rollover {given!r} is not a time of the day", where="carry, rollover", do='write "21:00", in UTC') from None
    if at.tzinfo is not None:
        raise ConfigError(f"rollover {given!r} has a zone", where="carry, rollover", do='write the time in UTC without one, as "21:00"')
    return at


def _weekday(given: str | None) -> int | None:
    if given is None:
        return None
    if str(given).lower() not in DAYS:
        raise ConfigError(f"triple {given!r} is not a weekday", where="carry, triple", do=f"use one of {', '.join(DAYS)}")
    return DAYS.index(str(given).lower())
