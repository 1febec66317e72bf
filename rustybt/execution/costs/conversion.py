"""What converting foreign cash costs, and when it is worth while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rustybt.errors import ConfigError
from rustybt.execution.fields import fields_of
from rustybt.model.decimals import RATE, to_decimal

MOST_BPS = 10_000
FIELDS = ("bps", "minimum", "least")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Conversion:
    """Terms of conversions. Make one with `conversion`.

    Attributes:
        bps: of what a conversion brings or takes, in the account's currency.
        minimum: least cost of one, account currency.
        least: cash worth less than this waits, account currency.
    """

    bps: Decimal = ZERO
    minimum: Decimal = ZERO
    least: Decimal = ZERO

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the same for equal terms."""
        return {name: format(getattr(self, name).normalize(), "f") for name in ("bps", "minimum", "least")}

    @staticmethod
    def from_dict(plain: Mapping[str, Any], where: str = "convert") -> Conversion:
        """Terms from plain values: those of `to_dict`, or the arguments of `conversion` as JSON or TOML write them.

        Args:
            plain: by argument of `conversion`.
            where: how errors call it.

        Raises:
            ConfigError: naming the field.

        Example:
            >>> Conversion.from_dict({"bps": 2}) == conversion(2)
            True
        """
        return conversion(**fields_of(plain, FIELDS, where))

    def units(self, money_scale: int) -> tuple[int, int, int]:
        """The rate in 1e-8, minimum and least in money units.

        Raises:
            ConfigError: an amount is finer than a money unit.
        """
        found = [int(self.bps * RATE / MOST_BPS)]
        for name in ("minimum", "least"):
            units = getattr(self, name).scaleb(money_scale)
            if units != units.to_integral_value():
                what = f"{name} {getattr(self, name)} is finer than a money unit of 1e-{money_scale}"
                raise ConfigError(what, where=f"conversion, {name}", do="give fewer digits")
            found.append(int(units))
        return found[0], found[1], found[2]


def conversion(bps: object = 0, *, minimum: object = 0, least: object = 0) -> Conversion:
    """Convert foreign cash at every mark, at a cost: ``rbt.run(..., convert=rbt.conversion(2, minimum=2))``.

    Args:
        bps: basis points of what a conversion brings or takes in the account's currency, such as half the spread of the pair.
        minimum: the least that one conversion costs, in the account's currency.
        least: foreign cash worth less than this in the account's currency waits until it is worth more.

    Raises:
        ConfigError: negative, 100 % and more, or digits that cannot be counted.

    Example:
        >>> conversion("0.2", minimum=2).units(2)
        (2000, 200, 0)
    """
    found = {}
    for name, given in (("bps", bps), ("minimum", minimum), ("least", least)):
        found[name] = to_decimal(given, f"conversion, {name}")
        if found[name] < 0:
            raise ConfigError(f"{name} {given} is negative", where=f"conversion, {name}", do="give zero or more")
    rate = found["bps"] * RATE / MOST_BPS
    if rate >= RATE or rate != rate.to_integral_value():
        what = f"bps {bps} is 100 % or more, or finer than 0.0001"
        raise ConfigError(what, where="conversion, bps", do="2 basis points are 2")
    return Conversion(**found)
