"""Commissions and margin by date as users write them, and the rows of the kernel that they become."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from rustybt.engine.increments import first_bar, instant, rows_by_date
from rustybt.errors import ConfigError
from rustybt.execution import Margin
from rustybt.model import DATED_FIELDS, DATED_SETTINGS, NO_DATED, Asset, Panel
from rustybt.model.decimals import LIMIT, RATE, to_decimal
from rustybt.model.panel import Ints

if TYPE_CHECKING:
    from rustybt.engine.config import RunConfig

FEES = {"commission_flat": "fee_flat", "commission_rate": "fee_rate", "commission_maker": "fee_maker"}
MARGINS = ("margin_initial", "margin_maintenance")
NAMES = (*FEES, *MARGINS)
DO = f"give a frame, or a list of dicts, with asset, from_ts and any of {', '.join(NAMES)}"


@dataclass(frozen=True)
class DatedTerms:
    """What trading an asset costs and asks from a day or an instant on.

    Attributes:
        asset: symbol.
        when: a session, an instant in UTC, or None: from the start.
        commission_flat: money for each fill. commission_rate, commission_maker: fractions of the value, the second of orders that rested.
        margin_initial, margin_maintenance: fractions, or money per contract where the margin of the asset is. None = as before.
    """

    asset: str
    when: date | datetime | None
    commission_flat: Decimal | None
    commission_rate: Decimal | None
    commission_maker: Decimal | None
    margin_initial: Decimal | None
    margin_maintenance: Decimal | None

    def to_list(self) -> list[str | None]:
        """Plain values for the manifest and the run id."""
        given = (getattr(self, name) for name in NAMES)
        when = None if self.when is None else self.when.isoformat()
        return [self.asset, when, *(None if g is None else f"{g.normalize():f}" for g in given)]


def read_dated(given: object) -> tuple[DatedTerms, ...]:
    """Checked terms, by asset and date.

    Args:
        given: a frame, or dicts, with ``asset``, ``from_ts`` (session, or instant with a zone; null = from the start) and any of
            ``commission_flat``, ``commission_rate``, ``commission_maker``, ``margin_initial``, ``margin_maintenance`` (null = as before);
            None = none.

    Raises:
        ConfigError: naming the row and the field.

    Example:
        >>> read_dated([{"asset": "A", "from_ts": "2019-10-01", "commission_rate": "0"}])[0].commission_rate
        Decimal('0')
    """
    found = [
        DatedTerms(asset, when, **{name: _value(row.get(name), name, where) for name in NAMES})
        for where, asset, when, row in rows_by_date(given, "dated_terms", NAMES, (DO, f"none of {', '.join(NAMES)}"))
    ]
    return tuple(sorted(found, key=lambda terms: (terms.asset, instant(terms.when))))


def dated_at(config: RunConfig, panel: Panel) -> Ints:
    """The rows of `rustybt.model.Tables.dated`.

    A session holds from its first bar on, an instant from the first bar that is complete after it.

    Raises:
        ConfigError: margin without margin, a commission beside tiers, an amount that does not fit.
    """
    rows: list[tuple[int, int, int, int]] = []
    for column, asset in enumerate(panel.assets):
        own = [terms for terms in config.dated if terms.asset == asset.symbol]
        margin = config.margin.by_asset.get(asset.symbol, config.margin) if own and config.margin is not None else None
        for terms in own:
            changed = _fees(terms, asset, config)
            if any(getattr(terms, name) is not None for name in MARGINS):
                margin = _margin(terms, margin)
                changed |= margin.rows(asset, config.money_scale)
            bar = first_bar(terms.when, panel)
            rows += [(bar, column, DATED_SETTINGS.index(name), value) for name, value in changed.items() if bar < panel.bars]
    if not rows:
        return NO_DATED
    found: Ints = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, len(DATED_FIELDS))
    found.flags.writeable = False
    return found


def strangers(config: RunConfig, panel: Panel) -> tuple[str, ...]:
    """One sentence when dated terms name assets that the data do not have."""
    names = sorted({terms.asset for terms in config.dated} - set(panel.symbols))
    return (f"dated_terms name {len(names)} assets that are not in the data (first: {names[0]!r}).",) if names else ()


def _value(given: object, name: str, where: str) -> Decimal | None:
    if given is None:
        return None
    value = to_decimal(given, f"{where}, {name}")
    if value < 0:
        raise ConfigError(f"{name} {given} is negative", where=f"{where}, {name}", do="give zero or more")
    if name in ("commission_rate", "commission_maker") and (value > 1 or value * RATE != (value * RATE).to_integral_value()):
        raise ConfigError(f"{name} {given} is above 1 or finer than 1e-8", where=f"{where}, {name}", do="write 10 basis points as 0.001")
    return value


def _fees(terms: DatedTerms, asset: Asset, config: RunConfig) -> dict[str, int]:
    """The commission of one row, in the kernel's units."""
    given = {name: getattr(terms, name) for name in FEES if getattr(terms, name) is not None}
    where = f"run, dated_terms, asset {asset.symbol!r}"
    if given and config.costs.ladder(asset, config.money_scale) is not None:
        do = "give the asset a commission without tiers, or leave its commission out of dated_terms"
        raise ConfigError("its commission has tiers, which go by what was traded and not by date", where=where, do=do)
    found = {}
    for name, value in given.items():
        units = value * (10**config.money_scale if name == "commission_flat" else RATE)
        if units != units.to_integral_value() or units >= LIMIT:
            do = "round it, or raise money_scale"
            raise ConfigError(f"{name} {value} is no whole number of money units, or too large", where=f"{where}, {name}", do=do)
        found[FEES[name]] = int(units)
    return found


def _margin(terms: DatedTerms, before: Margin | None) -> Margin:
    """The margin in force from a row on; `Margin` checks it."""
    if before is None:
        do = "write margin=rbt.margin(...) for what holds before"
        raise ConfigError("margin by date without margin", where=f"run, dated_terms, asset {terms.asset!r}", do=do)
    initial, maintenance = (getattr(terms, name) for name in MARGINS)
    return Margin(
        before.initial if initial is None else initial,
        before.maintenance if maintenance is None else maintenance,
        before.per_contract,
    )
