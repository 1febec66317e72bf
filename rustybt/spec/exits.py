"""Exits: path-dependent rules that close a position, as data."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Literal, get_args

from rustybt.errors import ConfigError, SpecError
from rustybt.model.decimals import RATE, to_decimal

type Fraction = str | int | float | Decimal
type Reentry = Literal["change", "schedule"]
REENTRIES: tuple[str, ...] = get_args(Reentry.__value__)

taking: ContextVar[Callable[[str, Any, Callable[[Any], Any]], Any] | None] = ContextVar("taking", default=None)
"""How exits take a value: name, value and check. A sweep that calls a strategy function with numbers that stand for others says so."""


@dataclass(frozen=True)
class Exits:
    """Rules that close a whole position. Build it with `exits`; the rule book (section 6) says when each fires.

    Attributes:
        stop_loss: fraction of the entry price against the position, or None.
        take_profit: fraction of the entry price in favour of the position, or None.
        trailing: fraction of the best price since the entry, or None.
        max_bars: bars of the asset after which the position is closed, or None.
        cool_down: bars of the asset after an exit in which nothing is opened or increased.
        reentry: ``change`` waits for a new value of the target, ``schedule`` for the next scheduled decision.
    """

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    trailing: Decimal | None = None
    max_bars: int | None = None
    cool_down: int = 0
    reentry: Reentry = "change"

    def __post_init__(self) -> None:
        take = taking.get()
        for name, check in checks.items():
            value = getattr(self, name)
            object.__setattr__(self, name, check(value) if take is None else take(name, value, check))
        if self.reentry not in REENTRIES:
            raise SpecError(f"reentry {self.reentry!r} is unknown", where="exits, reentry", do="use " + " or ".join(map(repr, REENTRIES)))

    def units(self) -> dict[str, int]:
        """The rules as whole numbers for the tables of a run.

        Returns:
            ``stop``, ``take``, ``trail`` in 1e-8 (0 = none), ``max_bars`` (0 = none) and ``cool_down`` in bars,
            ``reentry_schedule`` 0 or 1: the names of `rustybt.model.SLOT_FIELDS`.

        Example:
            >>> exits(stop_loss="0.05", max_bars=10).units()["stop"]
            5000000
        """
        return {
            "stop": in_units(self.stop_loss),
            "take": in_units(self.take_profit),
            "trail": in_units(self.trailing),
            "max_bars": in_units(self.max_bars),
            "cool_down": in_units(self.cool_down),
            "reentry_schedule": int(self.reentry == "schedule"),
        }

    def __repr__(self) -> str:
        set_ = {name: getattr(self, name) for name in ("stop_loss", "take_profit", "trailing", "max_bars")}
        parts = [f"{name}={value}" for name, value in set_.items() if value is not None]
        parts += [f"cool_down={self.cool_down}"] if self.cool_down else []
        parts += [f"reentry={self.reentry!r}"] if self.reentry != "change" else []
        return f"exits({', '.join(parts)})"


def in_units(kept: Decimal | int | None) -> int:
    """What a field of exits keeps as a whole number: a fraction in 1e-8, bars as they are, 0 for none.

    Example:
        >>> in_units(Decimal("0.05")), in_units(3), in_units(None)
        (5000000, 3, 0)
    """
    return int(kept * RATE) if isinstance(kept, Decimal) else kept or 0


def exits(
    stop_loss: Fraction | None = None,
    take_profit: Fraction | None = None,
    trailing: Fraction | None = None,
    max_bars: int | None = None,
    *,
    cool_down: int = 0,
    reentry: Reentry = "change",
) -> Exits:
    """Rules that close a position: the first that is met wins.

    Args:
        stop_loss: fraction of the entry price lost, above 0 and below 1; ``"0.05"`` is 5 %.
        take_profit: fraction of the entry price gained, above 0.
        trailing: fraction given back from the best price since the entry, above 0 and below 1.
        max_bars: bars of the asset to hold at most, 1 or more.
        cool_down: bars of the asset after an exit in which nothing is opened or increased.
        reentry: ``change`` re-enters when the target takes a new value, ``schedule`` at the next scheduled decision.

    Raises:
        SpecError: a value is out of range or finer than 1e-8; the message names the field.

    Example:
        >>> exits(stop_loss="0.05", trailing=0.1)
        exits(stop_loss=0.05, trailing=0.1)
    """
    return Exits(stop_loss, take_profit, trailing, max_bars, cool_down, reentry)  # type: ignore[arg-type]  # the class makes them exact


def _fraction(value: object, name: str, *, capped: bool) -> Decimal | None:
    where, top = f"exits, {name}", "above 0 and below 1" if capped else "above 0"
    if value is None:
        return None
    try:
        number = to_decimal(value, name)
    except ConfigError as error:
        raise SpecError(error.what, where=where, do=f'give a fraction {top}, such as "0.05" for 5 %') from None
    if number <= 0 or (capped and number >= 1):
        raise SpecError(f"{name} {value} is out of range", where=where, do=f'give a fraction {top}, such as "0.05" for 5 %')
    if number >= 10**9:
        raise SpecError(f"{name} {value} is too large", where=where, do="give a fraction below 1000000000")
    if number * RATE != int(number * RATE):
        raise SpecError(f"{name} {value} is finer than 0.00000001", where=where, do="round it to 8 decimals")
    return number


def _bars(value: object, name: str, *, least: int) -> int | None:
    if value is None and name == "max_bars":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least or value >= 2**31:
        raise SpecError(f"{name} {value!r} is not a whole number of bars from {least}", where=f"exits, {name}", do=f"give {least} or more")
    return value


checks: dict[str, Callable[[Any], Any]] = {
    "stop_loss": partial(_fraction, name="stop_loss", capped=True),
    "take_profit": partial(_fraction, name="take_profit", capped=False),
    "trailing": partial(_fraction, name="trailing", capped=True),
    "max_bars": partial(_bars, name="max_bars", least=1),
    "cool_down": partial(_bars, name="cool_down", least=0),
}
"""By field of `Exits`, in the order in which they are checked: what it keeps of a value; raises `SpecError`."""
