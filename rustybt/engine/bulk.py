"""All bars at once: ``data --panel--> spec --targets--> kernel --log--> ledger``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rustybt.engine.begin import begun
from rustybt.engine.carry import carry_at
from rustybt.engine.config import RunConfig, configure
from rustybt.engine.currencies import currencies_of, names_of
from rustybt.engine.dated import dated_at
from rustybt.engine.finish import Ran, finish
from rustybt.engine.flows import flows_at, settlements_at, turns_of
from rustybt.engine.increments import increments_at
from rustybt.engine.offers import build_plan
from rustybt.engine.result import Result
from rustybt.engine.tables import Sleeves, build_tables
from rustybt.engine.tape import build_tape
from rustybt.engine.targets import build_requests, evaluate, is_long, same_assets, warmup_bars
from rustybt.engine.timing import timing_of
from rustybt.errors import SpecError
from rustybt.model import Panel, Tables, Tape
from rustybt.spec import Strategy
from rustybt.spec.planner import plan as plan_of

if TYPE_CHECKING:
    from rustybt.engine.arriving import Arriving
    from rustybt.execution import Carry, Controls, Conversion, Costs, Margin
    from rustybt.kernel import TimedMarket


def run(
    strategy: Strategy | Mapping[str, Strategy],
    data: Any,
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
    carry: Carry | None = None,
    settlement: object = None,
    intrabar: str = "pessimistic",
    finer: Any = None,
    latency: Any = None,
    halts: Any = None,
    bands: Any = None,
    stale: Any = None,
    increments: object = None,
    cancel_policy: str | None = None,
    dated_terms: object = None,
    rates: object = None,
    convert: bool | Conversion = True,
    trade_from: object = None,
) -> Result:
    """Backtest a strategy, or several that share one pot of cash, over all bars at once.

    Args:
        strategy: a `Strategy` (call your ``@strategy`` function), or several by sleeve name.
        data: a Panel from `rustybt.load`, or anything `rustybt.load` takes: a path, a frame, ``"demo"``.
        cash: opening cash, in the account currency; write it as text to keep it exact.
        costs: commission and slippage from `rustybt.costs`; None = free.
        fill: ``next_open``, ``next_close`` or ``same_bar_close`` (flagged: it decides with the close it trades at).
        sizing: ``at_decision`` fixes the quantity at the close of the decision, ``at_fill`` at the price of the fill.
        max_gross: most gross exposure as a multiple of equity; 1 = no leverage.
        money_scale: decimals of money inside the books.
        currency: of the account.
        benchmark: symbol of an asset in the data to compare with.
        flows: deposits and (negative) withdrawals: pairs of date and amount, or a frame with ``session`` or ``ts`` and ``amount``. One
            takes effect before the first bar on or after its date; returns are time-weighted.
        margin: initial and maintenance margin from `rustybt.margin`, in place of ``max_gross``.
        controls: limits from `rustybt.controls`; None = no limits but ``max_gross``.
        carry: borrow fees, interest, financing and funding from `rustybt.carry`; None = holding costs nothing, everything can be borrowed.
        settlement: a cash account: ``"T+1"`` = cash from a sale can be spent and withdrawn from the next session on; None = at once.
        intrabar: which comes first in a bar that reaches the stop and the target of a position: ``pessimistic`` (the stop), ``optimistic``
            (the target; flagged: an upper bound) or ``nearest`` (the extreme nearer to the open).
        finer: finer bars of the same assets, a Panel or anything `rustybt.load` takes: where they exist they say which came first. They
            never reach a signal.
        latency: how long orders are under way: ``"250ms"`` or one of `rustybt.latency`.
        halts: spans in which assets are not traded: see `rustybt.halts`.
        bands: daily price limits: ``"0.10"`` or `rustybt.bands`.
        stale: bars in which nobody traded: see `rustybt.stale`.
        increments: ticks, lots and least notionals that change over time: a frame, or dicts, with ``asset``, ``from_ts`` (session or
            instant; null = from the start) and any of ``tick``, ``lot``, ``min_notional``. Each bar goes by those in force.
        cancel_policy: ``never``, or ``end_of_day``: what was sent by `rustybt.order` or a callback and still works is cancelled when a
            session ends. None = as each strategy says.
        dated_terms: commissions and margin that change over time: likewise, with ``commission`` (one as a whole, tiers too, or the name
            of a profile), ``commission_flat``, ``commission_rate``, ``commission_maker``, ``commission_per_unit``, ``commission_minimum``,
            ``commission_maximum``, ``commission_cap``, ``margin_initial``, ``margin_maintenance``, ``liquidation_fee``.
        rates: of currencies, for assets that are quoted in another one than the account's: a frame, or dicts, with ``pair`` ("EUR/USD":
            what one EUR costs in USD), ``ts`` (session or instant) and ``rate``. Assets of class ``fx`` in the data are rates too.
        convert: foreign cash becomes cash of the account at every mark; `rustybt.conversion` = at a cost; False keeps it, or owes it, in
            its own currency.
        trade_from: session or instant at which the run begins, with ``cash`` and nothing held; windows read the bars before it, and results
            and metrics begin with it. None = the first bar.

    Returns:
        A `Result`.

    Raises:
        ConfigError, SpecError, DataError: bad input, one message each.
        LedgerError: an amount did not fit, or the books did not balance.

    Example:
        >>> import rustybt as rbt
        >>> hold = rbt.Strategy("hold", target=rbt.weight(0.2))
        >>> rbt.run(hold, "demo").counts()["assets"]
        5
    """
    config = configure(
        cash=cash,
        costs=costs,
        fill=fill,
        sizing=sizing,
        max_gross=max_gross,
        money_scale=money_scale,
        currency=currency,
        benchmark=benchmark,
        flows=flows,
        margin=margin,
        controls=controls,
        carry=carry,
        settlement=settlement,
        intrabar=intrabar,
        finer=finer,
        latency=latency,
        halts=halts,
        bands=bands,
        stale=stale,
        increments=increments,
        cancel_policy=cancel_policy,
        dated_terms=dated_terms,
        rates=rates,
        convert=convert,
        trade_from=trade_from,
    )
    return run_configured(sleeves_of(strategy), panel_of(data), config)


def run_configured(sleeves: Sleeves, panel: Panel, config: RunConfig) -> Result:
    """The same as `run` with everything checked already."""
    same_assets(sleeves, panel.assets)
    panel = begun(panel, config)
    if any(strategy.on_bar is not None for strategy in sleeves.values()):
        from rustybt.engine.incremental import walk

        return walk(sleeves, panel, config)
    from rustybt.kernel import simulate

    early = arriving_of(sleeves, panel, config)
    if early is not None:
        with early:
            rules = rules_of(sleeves, panel, config)
            outcome = simulate(rules.tables, rules.market, early.plan(), panel.events, rules.tape)
        return finish(Ran(sleeves, config, panel, rules.tables, dict.fromkeys(sleeves, early.signals())), outcome)
    rules = rules_of(sleeves, panel, config)
    signals = {name: evaluate(strategy, panel, config) for name, strategy in sleeves.items()}
    plan = build_plan([s.targets for s in signals.values()], panel.bars, len(panel.assets))
    if any(strategy.orders for strategy in sleeves.values()):
        plan = replace(plan, requests=build_requests(sleeves, panel, signals, config))
    outcome = simulate(rules.tables, rules.market, plan, panel.events, rules.tape)
    return finish(Ran(sleeves, config, panel, rules.tables, signals), outcome)


def arriving_of(sleeves: Sleeves, panel: Panel, config: RunConfig) -> Arriving | None:
    """Targets that arrive while the bars are run: of one strategy on one asset that has many; None where all are made before."""
    strategy = next(iter(sleeves.values()))
    if len(sleeves) > 1 or len(panel.assets) > 1 or panel.frame.height != panel.bars or not is_long(strategy, panel):
        return None
    from rustybt.engine.arriving import Arriving
    from rustybt.engine.stretched import stretches_on
    from rustybt.kernel.entrance import roller

    made = plan_of(strategy)
    found = stretches_on(made, panel, warmup_bars(strategy, made), roller())
    return None if found is None else Arriving(strategy, made, found, panel, config)


@dataclass(frozen=True)
class Rules:
    """What a run goes by, apart from its decisions.

    Attributes:
        tables: the rules as integers.
        market: prices, and what is known about their timing.
        tape: what the rules read of the market beside its prices.
    """

    tables: Tables
    market: TimedMarket
    tape: Tape | None


def rules_of(sleeves: Sleeves, panel: Panel, config: RunConfig) -> Rules:
    """The rules of a run. Of the strategies they depend on exits, kind of target and whether there is a schedule.

    Raises:
        ConfigError, DataError: settings that do not go with the data.
    """
    from rustybt.kernel import TimedMarket

    flows = flows_at(config.flows, panel, config.money_scale)
    steps = increments_at(config.increments, panel, config.money_scale)
    tables = dated(build_tables(sleeves, panel.assets, config), panel)
    tables = replace(tables, turns=turns_of(panel, config.settlement), dated=dated_at(config, panel))
    currencies = currencies_of(config, panel)
    carry = carry_at(config.carry, panel, config.money_scale, names_of(currencies, config.currency))
    tables = replace(tables, currencies=currencies, flows=flows, settlements=settlements_at(panel), increments=steps, carry=carry)
    timing = timing_of(config.timing, panel, config.fill)
    market = TimedMarket(panel.open, panel.high, panel.low, panel.close, timing)
    return Rules(tables, market, build_tape(panel, tables, config))


def dated(tables: Tables, panel: Panel) -> Tables:
    """The tables with the session of each bar, where there are controls that count by it."""
    if tables.controls is None:
        return tables
    return replace(tables, controls=replace(tables.controls, days=panel.days))


def sleeves_of(strategy: Strategy | Mapping[str, Strategy]) -> Sleeves:
    """One or several strategies by sleeve name.

    Raises:
        SpecError: not a strategy; a ``@strategy`` function that was not called is told so.
    """
    if isinstance(strategy, Strategy):
        return {strategy.name: strategy}
    if isinstance(strategy, Mapping) and strategy and all(isinstance(s, Strategy) for s in strategy.values()):
        return {str(name): s for name, s in strategy.items()}
    do = "call it: sma_cross(fast=10)" if callable(strategy) else "give a Strategy, or a mapping of names to strategies"
    raise SpecError(f"{strategy!r} is not a Strategy", where="run, strategy", do=do)


def panel_of(data: Any) -> Panel:
    """A Panel as it is; anything else through the door."""
    if isinstance(data, Panel):
        return data
    from rustybt.data import load

    return load(data)
