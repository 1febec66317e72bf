"""What belongs to the run and not to the strategy: cash, costs, the moment of filling, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from rustybt import execution
from rustybt.engine.begin import Moment, read_moment
from rustybt.engine.currencies import Rate, read_rates
from rustybt.engine.dated import DatedTerms, read_dated
from rustybt.engine.flows import Flow, read_flows, sessions_to_settle
from rustybt.engine.increments import Change, read_changes
from rustybt.engine.timing import TimingRules, timing_rules
from rustybt.errors import ConfigError
from rustybt.execution import Costs
from rustybt.model.codes import FillAt, Sizing
from rustybt.model.decimals import RATE, decimals_of, to_decimal

if TYPE_CHECKING:
    from rustybt.execution import Carry, Controls, Conversion, Margin

MOST_GROSS = 1000
"""The largest gross limit."""


@dataclass(frozen=True)
class RunConfig:
    """Settings of a run. Make one with `configure`, which reads what users type.

    Attributes:
        cash: opening cash.
        currency: of the account.
        money_scale: decimals of money inside the books.
        costs: commission and slippage.
        fill: moment at which market orders are filled.
        sizing: moment at which weights and notionals become lots.
        max_gross: most gross exposure as a multiple of equity.
        benchmark: symbol of an asset of the data to compare with, or None.
        flows: deposits and withdrawals, by date.
        margin: initial and maintenance margin instead of the gross limit, or None.
        controls: limits on orders and on the account, or None.
        carry: what holding costs, or None.
        settlement: sessions after which cash from a sale can be spent.
        timing: the order of things inside a bar, latency, halts, price limits, stale bars.
        increments: ticks, lots and least notionals that change, by date.
        dated: commissions and margin that change, by date.
        rates: of currencies, by pair and date.
        convert: whether foreign cash becomes cash of the account at each mark. conversion: at which cost.
        trade_from: date or instant of the first bar that counts, or None.
    """

    cash: Decimal = Decimal(100_000)
    currency: str = "USD"
    money_scale: int = 8
    costs: Costs = field(default_factory=Costs)
    fill: FillAt = FillAt.NEXT_OPEN
    sizing: Sizing = Sizing.AT_DECISION
    max_gross: Decimal = Decimal(1)
    benchmark: str | None = None
    flows: tuple[Flow, ...] = ()
    margin: Margin | None = None
    controls: Controls | None = None
    carry: Carry | None = None
    settlement: int = 0
    timing: TimingRules = field(default_factory=TimingRules)
    increments: tuple[Change, ...] = ()
    dated: tuple[DatedTerms, ...] = ()
    rates: tuple[Rate, ...] = ()
    convert: bool = True
    conversion: Conversion | None = None
    trade_from: Moment | None = None

    @property
    def most_gross(self) -> int:
        """The most that weights may add up to, in 1e-8: the gross limit, or none to speak of where margin decides."""
        return MOST_GROSS * RATE if self.margin is not None else int(self.max_gross * RATE)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for the manifest and the run id."""
        said: dict[str, Any] = {} if self.controls is None else {"controls": self.controls.to_dict()}
        plain: dict[str, Any] = said | {
            "cash": format(self.cash.normalize(), "f"),
            "currency": self.currency,
            "money_scale": self.money_scale,
            "costs": self.costs.to_dict(),
            "fill": self.fill.name.lower(),
            "sizing": self.sizing.name.lower(),
            "max_gross": format(self.max_gross.normalize(), "f"),
            "benchmark": self.benchmark,
            "anchor": "first row",
            **self.timing.to_dict(),
        }
        plain |= {"flows": [flow.to_list() for flow in self.flows]} if self.flows else {}
        plain |= {"increments": [change.to_list() for change in self.increments]} if self.increments else {}
        plain |= {"settlement": self.settlement} if self.settlement else {}
        plain |= {"dated_terms": [terms.to_list() for terms in self.dated]} if self.dated else {}
        plain |= {"rates": [rate.to_list() for rate in self.rates]} if self.rates else {}
        plain |= {} if self.convert else {"convert": False}
        plain |= {} if self.conversion is None else {"convert": self.conversion.to_dict()}
        plain |= {} if self.trade_from is None else {"trade_from": self.trade_from.isoformat()}
        plain |= {"carry": self.carry.to_dict()} if self.carry is not None else {}
        return plain | ({"margin": self.margin.to_dict()} if self.margin is not None else {})


def _choice(value: object, kind: type[FillAt] | type[Sizing], name: str) -> Any:
    try:
        return kind[str(value).upper()]
    except KeyError:
        known = ", ".join(repr(k.name.lower()) for k in kind)
        raise ConfigError(f"{name} {value!r} is unknown", where=f"run, {name}", do=f"use one of {known}") from None


def configure(
    *,
    cash: object = "100000",
    costs: Costs | None = None,
    fill: str = "next_open",
    sizing: str = "at_decision",
    max_gross: object = 1,
    money_scale: int = 8,
    currency: str = "USD",
    benchmark: str | None = None,
    flows: object = None,
    margin: Margin | None = None,
    controls: Controls | None = None,
    increments: object = None,
    dated_terms: object = None,
    carry: Carry | None = None,
    settlement: object = None,
    rates: object = None,
    convert: bool | Conversion = True,
    trade_from: object = None,
    **timing: Any,
) -> RunConfig:
    """A checked `RunConfig` from what users type; see `rustybt.run` for the meaning of each.

    Raises:
        ConfigError: naming the setting and its value.

    Example:
        >>> configure(cash="1000", fill="next_close").fill.name
        'NEXT_CLOSE'
    """
    money = to_decimal(cash, "cash")
    if money <= 0:
        raise ConfigError(f"cash {cash} is not positive", where="run, cash", do="start with some cash")
    if not isinstance(costs, Costs | None):
        raise ConfigError(f"costs {costs!r} is not a Costs", where="run, costs", do="write costs=rbt.costs(commission=rbt.bps(10))")
    if isinstance(money_scale, bool) or not isinstance(money_scale, int) or not 0 <= money_scale <= 12:
        raise ConfigError(f"money_scale {money_scale!r} is outside 0..12", where="run, money_scale", do="leave it at 8")
    if decimals_of(money) > money_scale:
        raise ConfigError(f"cash {cash} has more than {money_scale} decimals", where="run, cash", do="round it, or raise money_scale")
    gross = to_decimal(max_gross, "max_gross")
    if not 0 < gross <= MOST_GROSS or gross * RATE != (gross * RATE).to_integral_value():
        raise ConfigError(f"max_gross {max_gross} is not in 0..1000", where="run, max_gross", do="1 = no leverage, 2 = twice the equity")
    unknown = sorted(set(timing) - {field.name for field in fields(TimingRules)})
    if unknown:
        raise TypeError(f"configure() got an unexpected keyword argument {unknown[0]!r}")
    if margin is not None and not isinstance(margin, execution.Margin):
        raise ConfigError(f"margin {margin!r} is not a Margin", where="run, margin", do='write margin=rbt.margin("0.5", "0.25")')
    if margin is not None and gross != 1:
        raise ConfigError(f"max_gross {max_gross} beside margin", where="run, max_gross", do="give one of the two: both limit the same")
    if controls is not None and not isinstance(controls, execution.Controls):
        raise ConfigError(
            f"controls {controls!r} is not a Controls", where="run, controls", do="write controls=rbt.controls(long_only=True)"
        )
    if carry is not None and not isinstance(carry, execution.Carry):
        raise ConfigError(f"carry {carry!r} is not a Carry", where="run, carry", do='write carry=rbt.carry(borrow="0.003")')
    days = sessions_to_settle(settlement)
    if days and (margin is not None or gross != 1):
        raise ConfigError(
            "settlement beside margin or max_gross", where="run, settlement", do="leave those out: a cash account lends nothing"
        )
    if not isinstance(convert, bool) and not isinstance(convert, execution.Conversion):
        what = f"convert {convert!r} is neither True nor False nor a Conversion"
        raise ConfigError(what, where="run, convert", do="True: foreign cash is converted, rbt.conversion(2): at a cost of 2 basis points")
    sized = _choice(sizing, Sizing, "sizing")
    if controls is not None and sized is Sizing.AT_FILL:
        raise ConfigError(
            "controls check an order when it is made, and at_fill sizes it later", where="run, controls", do='use sizing="at_decision"'
        )
    return RunConfig(
        cash=money,
        currency=currency,
        money_scale=money_scale,
        costs=costs or Costs(),
        fill=_choice(fill, FillAt, "fill"),
        sizing=sized,
        max_gross=gross,
        benchmark=benchmark,
        flows=read_flows(flows, money_scale),
        margin=margin,
        controls=controls,
        carry=carry,
        settlement=days,
        timing=timing_rules(timing),
        increments=read_changes(increments),
        dated=read_dated(dated_terms),
        rates=read_rates(rates),
        convert=convert is not False,
        conversion=None if isinstance(convert, bool) else convert,
        trade_from=read_moment(trade_from),
    )


def configured(settings: Mapping[str, Any], where: str) -> RunConfig:
    """The settings of the runs.

    Raises:
        ConfigError: a setting that does not exist, or that is wrong.

    Example:
        >>> configured({"cahs": "5000"}, "sweep")
        Traceback (most recent call last):
        ...
        rustybt.errors.ConfigError: there is no setting 'cahs'
          where: sweep
          do:    use an argument of this function, or one of the run: ...
    """
    own = [name for name, parameter in signature(configure).parameters.items() if parameter.kind is not Parameter.VAR_KEYWORD]
    known = [*own, *(field.name for field in fields(TimingRules))]
    strangers = [name for name in settings if name not in known]
    if strangers:
        do = f"use an argument of this function, or one of the run: {', '.join(known)}"
        raise ConfigError(f"there is no setting {strangers[0]!r}", where=where, do=do)
    return configure(**settings)
