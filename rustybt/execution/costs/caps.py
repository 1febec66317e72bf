"""How much of a bar's volume an order may take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rustybt.errors import ConfigError
from rustybt.model.decimals import RATE, to_decimal

POLICIES = {"conservative": "0.025", "balanced": "0.1", "aggressive": "0.25"}
"""Named shares; what is beyond them is carried on."""


@dataclass(frozen=True)
class VolumeCap:
    """The most of a bar's volume that one order takes in that bar. Exits on the path of a bar are not capped.

    Args:
        share: fraction of the volume; 0.1 = 10 %. Whole multiples of 1e-8.
        carry: whether what is beyond it stays working; else it is cancelled.

    Raises:
        ConfigError: a share of 0 or less, above 1, or finer than 1e-8.
    """

    share: Decimal
    carry: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(
                f"a volume cap of {self.share} is not above 0 and at most 1", where="volume_cap, share", do="give 0.1 for 10 %, or no cap"
            )
        if self.share * RATE != (self.share * RATE).to_integral_value():
            raise ConfigError(f"a volume cap of {self.share} is finer than 1e-8", where="volume_cap, share", do="round it to 8 decimals")

    def rows(self) -> dict[str, int]:
        """The kernel's settings; see `rustybt.model.tables.Tables`."""
        return {"cap_share": int(self.share * RATE), "cap_carry": int(self.carry)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"share": format(self.share.normalize(), "f"), "carry": self.carry}


def volume_cap(share: object, *, unfilled: str = "carry") -> VolumeCap:
    """At most a share of the bar's volume for an order; the rest goes on in later bars, or is cancelled.

    Args:
        share: fraction of the volume of the bar of the fill; 0.1 = 10 %.
        unfilled: ``carry``: what is beyond it stays working; ``cancel``: it is cancelled, with a row of its own.

    Example:
        >>> volume_cap("0.1").carry
        True
    """
    if unfilled not in ("carry", "cancel"):
        raise ConfigError(f"unfilled {unfilled!r} is unknown", where="volume_cap, unfilled", do="use 'carry' or 'cancel'")
    return VolumeCap(to_decimal(share, "volume_cap, share"), unfilled == "carry")


def cap_of(value: object) -> VolumeCap | None:
    """A cap from what users write: a VolumeCap, the name of a policy, a share, or None."""
    if value is None or isinstance(value, VolumeCap):
        return value
    if isinstance(value, str) and value in POLICIES:
        return volume_cap(POLICIES[value])
    if isinstance(value, str) and not any(sign.isdigit() for sign in value):
        known = ", ".join(POLICIES)
        raise ConfigError(f"there is no policy {value!r}", where="costs, volume_cap", do=f"use one of {known}, or volume_cap(0.1)")
    return volume_cap(value)
