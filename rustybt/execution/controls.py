"""Limits on orders and on the account: what a run, and later live trading, may not pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from rustybt.errors import ConfigError
from rustybt.execution.bounds import (
    FRACTIONS,
    RESPONSES,
    Limit,
    check_symbols,
    checked,
    days_of,
    limit_from,
    plain_of,
    spans_of,
    spelled,
    terms_of,
)
from rustybt.execution.fields import fields_of
from rustybt.model.asset import Asset
from rustybt.model.controls import Control, ControlTable, Response
from rustybt.model.decimals import RATE, to_units


@dataclass(frozen=True)
class Controls:
    """The controls of a run, checked. Make one with `controls`.

    Attributes:
        limits: by control, with exact values. restricted, dates: (symbol, first day, last day), days since 1970-01-01.
        flatten: whether a halt closes all positions. terms: what belongs to some limits, by argument.
    """

    limits: Mapping[str, Limit] = field(default_factory=dict)
    restricted: tuple[tuple[str, int, int], ...] = ()
    flatten: bool = False
    dates: tuple[tuple[str, int, int], ...] = ()
    terms: Mapping[str, Any] = field(default_factory=dict)

    def table(self, assets: tuple[Asset, ...], money_scale: int) -> ControlTable:
        """The integers of the kernel for the assets of a run.

        Raises:
            ConfigError: a symbol is none of the run's, or a number does not fit.
        """
        columns = {asset.symbol: column for column, asset in enumerate(assets)}
        actions = np.full(len(Control), -1, dtype=np.int64)
        actions[Control.HALTED] = Response.REJECT
        for name, given in self.limits.items():
            actions[Control[name.upper()]] = RESPONSES[given.action]
        unit = Decimal(1).scaleb(-money_scale)
        rates: dict[str, Any] = {name: int(self.limits[name].value * RATE) if name in self.limits else 0 for name in FRACTIONS}
        notional = self.limits.get("order_notional")
        return ControlTable(
            actions,
            self._lots("order_quantity", columns, assets),
            self._lots("position", columns, assets),
            notional=0 if notional is None else to_units(notional.value, unit, "order_notional", "down"),
            orders=self._count("orders_per_day"),
            duplicate=self._count("duplicate"),
            flatten=self.flatten,
            restricted=spans_of(self.restricted, columns, "restricted"),
            dates=spans_of(self.dates, columns, "asset_dates"),
            collar=rates.pop("price_collar"),
            move=rates.pop("price_move"),
            deadline=self.terms.get("min_leverage_after", 0),
            risk_bars=(bars := self.terms.get("risk_bars", 1)),
            risk_tail=int(bars * (1 - self.terms.get("risk_confidence", Decimal(1)))),
            correlated_bars=self.terms.get("correlated_bars", 1),
            correlated_above=int(self.terms.get("correlated_above", Decimal(0)) * RATE),
            **rates,
        )

    def _count(self, name: str) -> int:
        """A whole number, 0 where there is no such limit."""
        return int(self.limits[name].value) if name in self.limits else 0

    def _lots(self, name: str, columns: Mapping[str, int], assets: tuple[Asset, ...]) -> Any:
        """A quantity per asset in lots, -1 = no limit."""
        lots = np.full(len(assets), -1, dtype=np.int64)
        if name not in self.limits:
            return lots
        value = self.limits[name].value
        chosen = value if isinstance(value, Mapping) else dict.fromkeys(columns, value)
        check_symbols(list(chosen), columns, name)
        for symbol, number in chosen.items():
            lots[columns[symbol]] = to_units(number, assets[columns[symbol]].lot_size, name, "down")
        return lots

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest or a file, as `from_dict` reads them; the same for equal controls.

        Example:
            >>> controls(drawdown="0.2").to_dict()
            {'drawdown': {'value': '0.2', 'action': 'halt'}, 'flatten': False}
        """
        spans = {"restricted": self.restricted, "asset_dates": self.dates}
        values = {name: spelled(spans[name]) if name in spans else plain_of(given.value) for name, given in self.limits.items()}
        plain: dict[str, Any] = {name: {"value": values[name], "action": self.limits[name].action} for name in sorted(values)}
        plain |= {name: plain_of(value) for name, value in sorted(self.terms.items())}
        return plain | {"flatten": self.flatten}

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Controls:
        """Controls from plain values: those of `to_dict`, or the arguments of `controls` as JSON or TOML write them.

        Args:
            plain: by argument of `controls`. A limit is a value, or ``{"value": ..., "action": ...}``; days of an asset are
                ``[first, last]`` (null = open) or ``{"from": ..., "to": ...}``.

        Raises:
            ConfigError: naming the field: an unknown one, or one that `controls` refuses.

        Example:
            >>> given = controls(long_only=True, position={"A": 5})
            >>> Controls.from_dict(given.to_dict()) == given
            True
        """
        return controls(**{name: limit_from(value, name) for name, value in fields_of(plain, ARGUMENTS, "controls").items()})


def controls(
    *,
    order_quantity: object = None,
    order_notional: object = None,
    orders_per_day: object = None,
    position: object = None,
    concentration: object = None,
    long_only: object = None,
    restricted: Sequence[object] | Mapping[str, object] | Limit | None = None,
    drawdown: object = None,
    daily_loss: object = None,
    asset_dates: Mapping[str, object] | Limit | None = None,
    price_collar: object = None,
    price_move: object = None,
    duplicate: object = None,
    gross_exposure: object = None,
    net_exposure: object = None,
    max_leverage: object = None,
    min_leverage: object = None,
    min_leverage_after: object = None,
    value_at_risk: object = None,
    max_value_at_risk: object = None,
    risk_bars: object = None,
    risk_confidence: object = None,
    correlated_exposure: object = None,
    correlated_bars: object = None,
    correlated_above: object = None,
    flatten: bool = False,
) -> Controls:
    """Limits of a run. Each is a value, or `limit(value, action)`; the usual action is ``reject``, of a loss ``halt``.

    What only reduces a position passes all of them, so do exits and rolls.

    Args:
        order_quantity: most units that one order opens, a number or a mapping from symbol to number.
        order_notional: most money that one order opens, at the last price.
        orders_per_day: most orders that open or increase, in a session, of all assets together.
        position: most units held of an asset, by one strategy; a number or a mapping from symbol to number.
        concentration: largest part of equity in one asset, 0.2 = 20 %.
        long_only: True refuses to open shorts.
        restricted: symbols that may not be bought or sold short, or a mapping from symbol to ``(first day, last day)``, None = open.
        drawdown: largest loss from the highest equity, 0.1 = 10 %; halts for the rest of the run.
        daily_loss: largest loss since the end of the session before; halts until the next session.
        asset_dates: a mapping from symbol to ``(first day, last day)`` on which it may be bought or sold short; None = open.
        price_collar: how far a limit or a stop of `rustybt.order` may lie from the last price, 0.1 = 10 %.
        price_move: how far the last bar of the asset may have moved its price, as a fraction of the price before: of a larger move an
            order is not trusted. Splits are no moves.
        duplicate: bars within which the same order of the same asset and strategy is a mistake.
        gross_exposure: most absolute value of all positions, as a multiple of equity; working orders of other assets count.
        net_exposure: most value of all positions, long less short, on either side, as a multiple of equity; likewise.
        max_leverage: most gross exposure that the account may have after a bar, as a multiple of equity; halts for the rest of the run.
        min_leverage: least of it.
        min_leverage_after: sessions at the beginning of the run in which ``min_leverage`` is not asked for.
        value_at_risk: largest loss in a bar with what is held, working and ordered, as a fraction of equity: by the moves of the last
            bars, exceeded in no more of them than the confidence leaves. An order that does not raise it passes.
        max_value_at_risk: the same for what is held, after every bar; halts for the rest of the run.
        risk_bars: bars that both look back; before there were as many, nothing is asked. Default 250, at most 1,000.
        risk_confidence: of both; default 0.95: in 250 bars 12 may lose more.
        correlated_exposure: most value, as a multiple of equity, of the asset and of all held or worked for that move with it, less those
            that move against it.
        correlated_bars: bars over which the moves of two assets are correlated; default 60, at most 1,000.
        correlated_above: the correlation above which assets count together, and below whose negative against each other; default 0.7.
        flatten: True: a halt cancels all orders and closes all positions; False: nothing more is opened.

    Raises:
        ConfigError: naming the field and its value.

    Example:
        >>> controls(long_only=True, drawdown="0.2").limits["drawdown"].action
        'halt'
    """
    said = {
        "long_only": long_only,
        "orders_per_day": orders_per_day,
        "order_quantity": order_quantity,
        "order_notional": order_notional,
        "position": position,
        "concentration": concentration,
        "drawdown": drawdown,
        "daily_loss": daily_loss,
        "price_collar": price_collar,
        "price_move": price_move,
        "duplicate": duplicate,
        "gross_exposure": gross_exposure,
        "net_exposure": net_exposure,
        "max_leverage": max_leverage,
        "min_leverage": min_leverage,
        "value_at_risk": value_at_risk,
        "max_value_at_risk": max_value_at_risk,
        "correlated_exposure": correlated_exposure,
    }
    terms = {
        "min_leverage_after": min_leverage_after,
        "risk_bars": risk_bars,
        "risk_confidence": risk_confidence,
        "correlated_bars": correlated_bars,
        "correlated_above": correlated_above,
    }
    if not isinstance(flatten, bool):
        raise ConfigError(f"flatten {flatten!r} is not True or False", where="controls, flatten", do="write flatten=True")
    limits = {name: checked(name, value) for name, value in said.items() if value is not None and value is not False}
    least, most = limits.get("min_leverage"), limits.get("max_leverage")
    if least is not None and most is not None and least.value > most.value:
        what = f"min_leverage {least.value} is above max_leverage {most.value}"
        raise ConfigError(what, where="controls, min_leverage", do="one of the two is passed at every bar: lower it")
    listed = {"restricted": restricted, "asset_dates": asset_dates}
    spans = {name: days_of(name, value.value if isinstance(value, Limit) else value) for name, value in listed.items()}
    limits |= {n: Limit(None, v.action if isinstance(v, Limit) else "reject") for n, v in listed.items() if spans[n]}
    return Controls(limits, spans["restricted"], flatten, spans["asset_dates"], terms_of(terms, limits))


ARGUMENTS = tuple(controls.__kwdefaults__ or ())
"""What `controls` takes."""
