"""Commissions and margin by date as users write them, and the rows of the kernel that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from rustybt.engine.increments import first_bar, instant, rows_by_date
from rustybt.errors import ConfigError
from rustybt.execution import Commission, Ladder, profile_of
from rustybt.model import DATED_FIELDS, DATED_SETTINGS, NO_DATED, Asset, Panel
from rustybt.model.decimals import LIMIT, RATE, to_decimal
from rustybt.model.panel import Ints
from rustybt.model.tables import GROUPS, TIER_SETTINGS

if TYPE_CHECKING:
    from rustybt.engine.config import RunConfig
    from rustybt.execution import Margin

FEES = {
    "commission_flat": "flat",
    "commission_rate": "rate",
    "commission_maker": "maker",
    "commission_per_unit": "per_unit",
    "commission_minimum": "minimum",
    "commission_maximum": "maximum",
    "commission_cap": "cap",
}
"""Parts of a commission, and what it calls them."""
OF_TIERS = ("commission_rate", "commission_maker", "commission_per_unit")
"""Those that tiers have instead."""
FRACTIONS = ("commission_rate", "commission_maker", "commission_cap", "liquidation_fee")
MONEY = ("commission_flat", "commission_minimum", "commission_maximum")
MARGINS = ("margin_initial", "margin_maintenance", "liquidation_fee")
NUMBERS = (*FEES, *MARGINS)
NAMES = ("commission", *NUMBERS)
DO = f"give a frame, or a list of dicts, with asset, from_ts and any of {', '.join(NAMES)}"


@dataclass(frozen=True)
class DatedTerms:
    """What trading an asset costs and asks from a day or an instant on.

    Attributes:
        asset: symbol.
        when: a session, an instant in UTC, or None: from the start.
        numbers: values of `NUMBERS`, None = as before. Those of a commission are parts of it: money for each fill, fractions of the value
            (the second of orders that rested), money per unit, least and most money, most as a fraction. Those of margin are fractions,
            or money per contract where the margin of the asset is; the fee of a liquidation is a fraction.
        commission: another one as a whole, with its tiers, or None.
    """

    asset: str
    when: date | datetime | None
    numbers: Mapping[str, Decimal | None]
    commission: Commission | None = None

    def to_list(self) -> list[Any]:
        """Plain values for the manifest and the run id."""
        given = {name: None if (g := self.numbers[name]) is None else f"{g.normalize():f}" for name in NUMBERS}
        levied = given.pop("liquidation_fee")
        when = None if self.when is None else self.when.isoformat()
        plain: list[Any] = [self.asset, when, *given.values()] + ([] if levied is None else [{"liquidation_fee": levied}])
        return plain if self.commission is None else [*plain, self.commission.to_dict()]

    def of(self, before: Commission) -> Commission:
        """The commission of the asset from here on.

        Raises:
            ConfigError: parts that tiers have instead, or a maximum below the minimum.
        """
        changes = {field: self.numbers[name] for name, field in FEES.items() if self.numbers[name] is not None}
        base = before if self.commission is None else self.commission
        where = f"run, dated_terms, asset {self.asset!r}"
        if base.tiers and any(self.numbers[name] is not None for name in OF_TIERS):
            do = f"give commission=rbt.tiered(...) in dated_terms, or leave {', '.join(OF_TIERS)} out"
            raise ConfigError("its commission has tiers, whose rates go by what was traded", where=where, do=do)
        try:
            return replace(base, **changes)  # type: ignore[arg-type]
        except ConfigError as error:
            raise ConfigError(error.what, where=f"{where}, {error.where}", do=error.do) from None


def read_dated(given: object) -> tuple[DatedTerms, ...]:
    """Checked terms, by asset and date.

    Args:
        given: a frame, or dicts, with ``asset``, ``from_ts`` (session, or instant with a zone; null = from the start) and any of
            ``commission`` (one as a whole, with its tiers, or the name of a profile), ``commission_flat``, ``commission_rate``,
            ``commission_maker``, ``commission_per_unit``, ``commission_minimum``, ``commission_maximum``, ``commission_cap``,
            ``margin_initial``, ``margin_maintenance``, ``liquidation_fee`` (null = as before); None = none.

    Raises:
        ConfigError: naming the row and the field.

    Example:
        >>> read_dated([{"asset": "A", "from_ts": "2019-10-01", "commission_rate": "0"}])[0].numbers["commission_rate"]
        Decimal('0')
    """
    found = [
        DatedTerms(asset, when, {name: _value(row.get(name), name, where) for name in NUMBERS}, _whole(row.get("commission"), where))
        for where, asset, when, row in rows_by_date(given, "dated_terms", NAMES, (DO, f"none of {', '.join(NAMES)}"))
    ]
    return tuple(sorted(found, key=lambda terms: (terms.asset, instant(terms.when))))


@dataclass(frozen=True)
class Tariffs:
    """Tiers that hold from some date on.

    Attributes:
        columns: as in `rustybt.model.Tables.tiers`, at its beginning.
        places: for each of the dated terms that lead to tiers, by its number: the settings that say where they are.
    """

    columns: tuple[tuple[int, ...], ...]
    places: Mapping[int, dict[str, int]]


NO_TARIFFS = Tariffs((), {})


def tariffs(config: RunConfig, assets: Sequence[Asset]) -> Tariffs:
    """The tiers of all dated commissions.

    What was traded in the month counts on where the tiers before went by the same measure; else a commission counts for itself.

    Raises:
        ConfigError: more than `GROUPS` counts.
    """
    if not config.dated:
        return NO_TARIFFS
    found: dict[tuple[tuple[int, ...], ...], int] = {}
    columns: list[tuple[int, ...]] = []
    places: dict[int, dict[str, int]] = {}
    groups = {commission: number for number, commission in enumerate(config.costs.groups)}
    for asset in assets:
        before = config.costs.of(asset.symbol).commission
        group = groups.get(before, 0)
        for number, terms in own_terms(config, asset):
            after = terms.of(before)
            if after.tiers and after != before:
                if not before.tiers or before.by != after.by:
                    group = groups.setdefault(after, len(groups))
                ladder = Ladder.of(after, group, asset, config.money_scale)
                if any(not -1 <= value < LIMIT for column in ladder.columns for value in column):
                    what = "a tier is too large or too finely divided to count exactly"
                    raise ConfigError(what, where=f"run, dated_terms, asset {asset.symbol!r}", do="give tiers with fewer digits")
                if ladder.columns not in found:
                    found[ladder.columns] = len(columns)
                    columns += ladder.columns
                numbers = (found[ladder.columns], len(ladder.columns), group, ladder.lot)
                places[number] = dict(zip(TIER_SETTINGS, numbers, strict=True))
            before = after
    if len(groups) > GROUPS:
        do = f"use at most {GROUPS} different ones"
        raise ConfigError(f"{len(groups)} commissions have tiers", where="costs, by_asset, and dated_terms", do=do)
    return Tariffs(tuple(columns), places)


def own_terms(config: RunConfig, asset: Asset) -> list[tuple[int, DatedTerms]]:
    """The dated terms of an asset with their numbers, in the order of their dates."""
    return [(number, terms) for number, terms in enumerate(config.dated) if terms.asset == asset.symbol]


def dated_at(config: RunConfig, panel: Panel) -> Ints:
    """The rows of `rustybt.model.Tables.dated`.

    A session holds from its first bar on, an instant from the first bar that is complete after it.

    Raises:
        ConfigError: margin without margin, a part of a commission that tiers have instead, an amount that does not fit.
    """
    rows: list[tuple[int, int, int, int]] = []
    places = tariffs(config, panel.assets).places
    for column, asset in enumerate(panel.assets):
        own = own_terms(config, asset)
        margin = config.margin.by_asset.get(asset.symbol, config.margin) if own and config.margin is not None else None
        commission = config.costs.of(asset.symbol).commission
        for number, terms in own:
            before = commission
            changed, commission = _fees(terms, before, asset, config.money_scale)
            ends = before.tiers and not commission.tiers
            changed |= dict.fromkeys(TIER_SETTINGS, 0) if ends else places.get(number, {})
            if any(terms.numbers[name] is not None for name in MARGINS):
                margin = _margin(terms, margin)
                changed |= {name: value for name, value in margin.rows(asset, config.money_scale).items() if name in DATED_SETTINGS}
            bar = first_bar(terms.when, panel)
            rows += [(bar, column, DATED_SETTINGS.index(name), value) for name, value in changed.items() if bar < panel.bars]
    if not rows:
        return NO_DATED
    found: Ints = np.array(sorted(rows, key=lambda row: row[0]), dtype=np.int64).reshape(-1, len(DATED_FIELDS))
    found.flags.writeable = False
    return found


def strangers(config: RunConfig, panel: Panel) -> tuple[str, ...]:
    """One sentence when dated terms, and one when costs name assets that the data do not have."""
    names = sorted({terms.asset for terms in config.dated} - set(panel.symbols))
    notes = [f"dated_terms name {len(names)} assets that are not in the data (first: {names[0]!r})."] if names else []
    others = sorted(set(config.costs.by_asset) - set(panel.symbols))
    notes += [f"costs name {len(others)} assets that are not in the data (first: {others[0]!r})."] if others else []
    return tuple(notes)


def _value(given: object, name: str, where: str) -> Decimal | None:
    if given is None:
        return None
    value = to_decimal(given, f"{where}, {name}")
    if value < 0:
        raise ConfigError(f"{name} {given} is negative", where=f"{where}, {name}", do="give zero or more")
    if name in FRACTIONS and (value > 1 or value * RATE != (value * RATE).to_integral_value()):
        raise ConfigError(f"{name} {given} is above 1 or finer than 1e-8", where=f"{where}, {name}", do="write 10 basis points as 0.001")
    return value


def _whole(given: object, where: str) -> Commission | None:
    """A commission, or that of a profile."""
    if isinstance(given, str):
        return profile_of(given).commission
    if given is not None and not isinstance(given, Commission):
        do = "write rbt.bps(10), rbt.tiered(...) or the name of a profile"
        raise ConfigError(f"commission {given!r} is not a commission", where=f"{where}, commission", do=do)
    return given


def _fees(terms: DatedTerms, before: Commission, asset: Asset, money_scale: int) -> tuple[dict[str, int], Commission]:
    """What one row changes of a commission, in the kernel's units, and the commission from here on."""
    after = terms.of(before)
    for name in MONEY:
        value = getattr(after, FEES[name])
        units = Decimal(0) if value is None else value * 10**money_scale
        if units != units.to_integral_value() or units >= LIMIT:
            what = f"{name} {value} is no whole number of money units, or too large"
            raise ConfigError(what, where=f"run, dated_terms, asset {asset.symbol!r}, {name}", do="round it, or raise money_scale")
    was, now = before.rows(asset, money_scale), after.rows(asset, money_scale)
    if max(now.values()) >= LIMIT:
        what = "a commission is too large or too finely divided to count exactly"
        raise ConfigError(what, where=f"run, dated_terms, asset {asset.symbol!r}", do="give costs with fewer digits")
    return {name: value for name, value in now.items() if value != was[name]}, after


def _margin(terms: DatedTerms, before: Margin | None) -> Margin:
    """The margin in force from a row on; `Margin` checks it."""
    if before is None:
        do = "write margin=rbt.margin(...) for what holds before"
        raise ConfigError("margin by date without margin", where=f"run, dated_terms, asset {terms.asset!r}", do=do)
    given = {name.removeprefix("margin_"): value for name in MARGINS if (value := terms.numbers[name]) is not None}
    return replace(before, by_asset={}, **given)  # type: ignore[arg-type]
