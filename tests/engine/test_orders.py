"""Orders of a spec and of a callback: the same fills, and one clear error for each value that cannot be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine import configure, run_configured, walk
from rustybt.engine.compare import outcome_difference
from rustybt.errors import ConfigError, OrderError, SpecError
from rustybt.model import Panel
from rustybt.spec import Context, OnBar
from rustybt.testing import markets

from .conftest import START, bars_of

CLOSE = pl.col("close")
EXIT = rbt.order("stop", "filled", stop=5)
FELL: list[tuple[float, float, float, float]] = [(100, 100, 100, 100), (100, 101, 94, 97), (97, 98, 89, 92), (92, 107, 91, 106)]


def market() -> Panel:
    return rbt.load(bars_of("A", FELL), stamp="close")


def fills(result: rbt.Result) -> list[tuple[str, Decimal, Decimal]]:
    return [(str(row["side"]), row["quantity"], row["price"]) for row in result.fills.to_dicts()]


def test_a_limit_order_as_expressions_is_filled_at_its_limit() -> None:
    strategy = rbt.Strategy("s", orders=[rbt.order("limit", 5, limit=CLOSE * 0.95, when=CLOSE == 100)])
    assert fills(rbt.run(strategy, market(), cash="1000")) == [("buy", Decimal(5), Decimal(95))]


def test_a_spec_and_a_callback_that_send_the_same_orders_have_the_same_fills() -> None:
    def each_bar(context: Context) -> None:
        for row in context.bars.filter(pl.col("ts") == context.ts).to_dicts():
            if row["close"] > row["open"]:
                context.order(str(row["asset"]), 7, "limit", limit=row["close"] - 0.5, tif="gtd", until=3)
            if row["close"] < row["open"]:
                context.order(str(row["asset"]), -7, "stop", stop=row["low"] - 0.25, tif="gtc", reduce_only=True)

    rises, stops = pl.col("open") < CLOSE, pl.col("low") - 0.25
    orders = [
        rbt.order("limit", 7, limit=CLOSE - 0.5, when=rises, tif="gtd", until=3, replace=False),
        rbt.order("stop", -7, stop=stops, when=pl.col("open") > CLOSE, tif="gtc", reduce_only=True, replace=False),
    ]
    panel = markets.panel(assets=3, bars=120, seed=5, gaps=0.05)
    spec, callback = rbt.run(rbt.Strategy("s", orders=orders), panel), rbt.run(rbt.Strategy("c", on_bar=OnBar(each_bar)), panel)
    columns = [name for name in spec.fills.columns if name not in ("reason", "sleeve")]
    assert spec.fills.height > 50
    assert spec.fills.select(columns).equals(callback.fills.select(columns))
    assert spec.equity.equals(callback.equity)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_number_and_an_expression_that_gives_it_at_every_bar_ask_for_the_same(side: Literal["buy", "sell"]) -> None:
    """On assets whose ticks and lots differ, so that one number comes to as many units as there are kinds of assets."""
    frame = pl.concat([bars_of(name, [(100, 101, 94, 97), *FELL] * 3) for name in ("A", "B", "C")])
    same = CLOSE - CLOSE
    sizes = {"A": ("0.01", "1"), "B": ("0.5", "0.25"), "C": ("0.01", "1")}
    assets = {name: {"tick_size": tick, "lot_size": lot} for name, (tick, lot) in sizes.items()}
    panel = rbt.load(frame, stamp="close", assets=assets)
    plain = rbt.order("limit", 2.6, side=side, limit=96.3, when=CLOSE == 97)
    spread = rbt.order("limit", same + 2.6, side=side, limit=same + 96.3, when=CLOSE == 97)
    assert set(plain.fixed) == {"size", "side", "limit"}
    assert set(spread.fixed) == {"side"}
    one, other = (rbt.run(rbt.Strategy("s", orders=[sent]), panel, cash="10000", max_gross=2) for sent in (plain, spread))
    assert one.orders.height > 9
    assert one.orders.equals(other.orders)
    assert one.orders["requested"].unique().sort().to_list() == [Decimal(2), Decimal("2.5")]


def test_the_end_of_the_day_cancels_what_would_go_on() -> None:
    sent = rbt.order("limit", 1, limit=CLOSE * 0.5, tif="gtc", when=CLOSE == 100)
    ended = rbt.run(rbt.Strategy("s", orders=[sent]), market(), cancel_policy="end_of_day")
    assert ended.orders.select("status", "detail").rows() == [("accepted", "none"), ("cancelled", "end_of_day")]
    assert rbt.run(rbt.Strategy("s", orders=[sent]), market()).orders["status"].to_list() == ["accepted", "working"]

    def once(context: Context) -> None:
        if context.bars["close"][-1] == 100:
            context.order("A", 1, "limit", limit=50, tif="gtc")

    called = rbt.run(rbt.Strategy("c", on_bar=OnBar(once)), market(), cancel_policy="end_of_day")
    assert called.orders["detail"].to_list() == ended.orders["detail"].to_list()
    assert ended.config.to_dict()["cancel_policy"] == "end_of_day"
    own = rbt.Strategy("s", orders=[sent], cancel_policy="end_of_day")
    assert rbt.run(own, market()).orders.equals(ended.orders)
    assert rbt.run(own, market(), cancel_policy="never").orders["status"].to_list() == ["accepted", "working"]
    both = rbt.run({"ends": own, "goes on": rbt.Strategy("g", orders=[sent])}, market()).orders
    assert both.select("sleeve", "status").rows()[2:] == [("ends", "cancelled"), ("goes on", "working")]
    with pytest.raises(ConfigError, match="cancel_policy 'daily' is unknown"):
        configure(cancel_policy="daily")


def test_what_an_order_shows_is_recorded_and_changes_no_fill() -> None:
    def asked(**more: Any) -> rbt.Strategy:
        return rbt.Strategy("s", orders=[rbt.order("limit", 5, limit=CLOSE * 0.95, tif="gtc", when=CLOSE == 100, **more)])

    plain, shown = rbt.run(asked(), market()), rbt.run(asked(display=CLOSE / 50), market())
    assert shown.fills.equals(plain.fills)
    assert "display" not in plain.orders.columns
    assert shown.orders.drop("display").equals(plain.orders)
    assert shown.orders["display"].to_list() == [Decimal(2)] * shown.orders.height
    seen: list[Any] = []

    def trader(context: Context) -> None:
        seen.append([(o.quantity, o.display) for o in context.working])
        if len(seen) == 1:
            context.order("A", 5, "limit", limit=10, tif="gtc", display=2)
            context.order("A", 5, "limit", limit=11, tif="gtc")
        if len(seen) == 2:
            context.amend(1, quantity=1)

    called = rbt.run(rbt.Strategy("c", on_bar=OnBar(trader)), market())
    assert seen[1:3] == [[(5, 2), (5, None)], [(1, 1), (5, None)]]
    assert called.orders.filter(pl.col("order") == 2)["display"].null_count() == 2


def test_a_callback_sees_amends_and_cancels_its_orders() -> None:
    seen: list[Any] = []

    def trader(context: Context) -> None:
        seen.append([(o.number, o.kind, o.quantity, o.limit, o.stop) for o in context.working])
        if len(seen) == 1:
            assert context.order("A", 5, "limit", limit=80, tif="gtc") == 1
            assert context.order("A", 5, "stop_limit", stop=120, limit=121, tif="gtc") == 2
        if len(seen) == 2:
            assert context.amend(1, quantity=3, limit="90.00")
            assert context.cancel(2)
            assert not context.cancel(2)
            assert not context.amend(99, limit=1)

    result = rbt.run(rbt.Strategy("s", on_bar=OnBar(trader)), market(), cash="1000")
    first, second = (1, "limit", 5, 80, None), (2, "stop_limit", 5, 121, 120)
    assert seen == [[], [first, second], [], []]
    assert fills(result) == [("buy", Decimal(3), Decimal(90))]
    rows = result.orders.select("order", "status", "detail").rows()
    assert rows == [
        (1, "accepted", "none"),
        (2, "accepted", "none"),
        (1, "accepted", "amended"),
        (2, "cancelled", "requested"),
        (1, "filled", "none"),
    ]


@pytest.mark.parametrize("until", [date(2024, 1, 2), START + timedelta(days=1), 1])
def test_gtd_may_be_a_date_an_instant_or_a_number_of_bars(until: Any) -> None:
    order = rbt.order("limit", 5, limit=93, tif="gtd", until=until, when=CLOSE == 100)

    def trader(context: Context) -> None:
        if context.bars["close"][0] == 100:
            context.order("A", 5, "limit", limit=93, tif="gtd", until=until)

    for strategy in (rbt.Strategy("s", orders=[order]), rbt.Strategy("c", on_bar=OnBar(trader))):
        result = rbt.run(strategy, market(), cash="1000")
        assert result.orders["status"].to_list() == ["accepted", "expired"]
        noticed = 2 if type(until) is date else 1  # without a calendar a session is over when the next one begins
        assert result.orders["ts"].to_list()[1] == START + timedelta(days=noticed)


def test_a_bracket_in_a_spec() -> None:
    deal = rbt.bracket(
        rbt.order("limit", 5, limit=CLOSE * 0.95, when=CLOSE == 100, tif="gtc"),
        stop=rbt.order("stop", "filled", stop=CLOSE * 0.88, tif="gtc", reduce_only=True),
        target=rbt.order("limit", "filled", limit=CLOSE * 1.05, tif="gtc", reduce_only=True),
    )
    sleeves = {"s": rbt.Strategy("s", orders=[deal])}
    bulk = run_configured(sleeves, market(), configure(cash="1000"))
    assert fills(bulk) == [("buy", Decimal(5), Decimal(95)), ("sell", Decimal(5), Decimal(105))]
    assert bulk.orders["detail"].to_list() == ["none", "none", "none", "none", "activated", "activated", "none", "oco"]
    assert outcome_difference(bulk.outcome, walk(sleeves, market(), configure(cash="1000")).outcome) == ""


@pytest.mark.parametrize("kind", ["then", "oco"])
def test_a_batch_from_a_callback_is_the_batch_of_a_spec(kind: str) -> None:
    """Brackets with stops, trailing stops and targets, and pairs of which one cancels the other, under a cap that fills in parts."""

    def batch(close: Any) -> dict[str, Any]:
        if kind == "oco":
            return {"oco": [rbt.order("stop", -20, stop=close * 0.97, tif="gtd", until=4)]}
        loss = rbt.order("trailing_stop_limit", "filled", trail_fraction=0.03, limit_offset=0.5, tif="gtc", reduce_only=True)
        return {"then": [loss, rbt.order("limit", "filled", limit=close * 1.02, tif="gtc", reduce_only=True, display=3)]}

    def each_bar(context: Context) -> None:
        for row in context.bars.filter(pl.col("ts") == context.ts).to_dicts():
            if row["close"] > row["open"]:
                context.order(str(row["asset"]), 20, "limit", limit=row["close"] * 1.001, tif="gtd", until=3, **batch(row["close"]))

    first = rbt.order("limit", 20, limit=CLOSE * 1.001, when=pl.col("open") < CLOSE, tif="gtd", until=3, replace=False, **batch(CLOSE))
    panel = markets.panel(assets=3, bars=120, seed=5, gaps=0.05)
    costs = rbt.costs(volume_cap=rbt.volume_cap("0.00002"), commission=rbt.bps(5), slippage=rbt.bps(3))
    spec, called = (
        rbt.run(strategy, panel, costs=costs, cash="10000000")
        for strategy in (rbt.Strategy("s", orders=[first]), rbt.Strategy("s", on_bar=OnBar(each_bar)))
    )
    columns = [name for name in spec.orders.columns if name not in ("reason", "order")]
    assert {"activated", "oco"} - ({"activated"} if kind == "oco" else set()) <= set(spec.orders["detail"])
    assert spec.orders.sort(columns).select(columns).equals(called.orders.sort(columns).select(columns))
    assert spec.equity.equals(called.equity)


def test_a_refused_order_of_a_callback_brings_nothing_along() -> None:
    def trader(context: Context) -> None:
        context.order("A", "position", "limit", limit=120, then=[EXIT])
        context.order("A", "0.5", then=[EXIT])

    assert rbt.run(rbt.Strategy("s", on_bar=OnBar(trader)), market()).orders.is_empty()


def test_a_batch_with_a_part_that_is_null_is_not_sent() -> None:
    stop = rbt.order("stop", "filled", stop=pl.col("low").shift(3), tif="gtc")
    strategy = rbt.Strategy("s", orders=[rbt.order("market", 1, then=[stop], replace=False)], warmup=0)
    assert rbt.run(strategy, market()).orders["submitted"].min() == START + timedelta(days=3)


def test_the_whole_position_from_a_callback() -> None:
    def trader(context: Context) -> None:
        if not context.positions and not context.working:
            context.order("A", 4)
        elif context.positions and not context.working:
            context.order("A", "position", "stop", stop=90, tif="gtc")

    assert fills(rbt.run(rbt.Strategy("s", on_bar=OnBar(trader)), market(), cash="1000"))[:2] == [
        ("buy", Decimal(4), Decimal(100)),
        ("sell", Decimal(4), Decimal(90)),
    ]


@pytest.mark.parametrize(
    ("order", "term", "what"),
    [
        (rbt.order("limit", 1, limit=CLOSE - 200), "limit", "not a price of a tick or more"),
        (rbt.order("limit", 1, limit=CLOSE / 0), "limit", "inf"),
        (rbt.order("limit", 1, limit=CLOSE > 1), "limit", "Boolean, not a number"),
        (rbt.order("limit", 5, limit=CLOSE, display=CLOSE * 0), "display", "less than a lot"),
        (rbt.order("limit", 5, limit=CLOSE, display=CLOSE), "display", "more than the quantity"),
        (rbt.order("limit", 5, limit=CLOSE, display=CLOSE / 0), "display", "NaN, infinite or too large"),
        (rbt.order("limit", 5, limit=CLOSE, display=CLOSE > 0), "display", "not a number"),
        (rbt.order("market", CLOSE / 0), "size", "NaN, infinite or too large"),
        (rbt.order("market", -CLOSE, side="buy"), "size", "negative where a side is given"),
        (rbt.order("market", 1, when=CLOSE), "when", "not true or false"),
        (rbt.order("market", 1, cancel=CLOSE), "cancel", "not true or false"),
        (rbt.order("market", 1, tif="gtd", until=CLOSE), "until", "until is Float64"),
    ],
)
def test_a_value_that_cannot_be_names_its_term(order: Any, term: str, what: str) -> None:
    strategy = {"s": rbt.Strategy("s", orders=[order])}
    for run in (run_configured, walk):
        with pytest.raises(SpecError, match=what) as caught:
            run(strategy, market(), configure())
        assert f"orders[0].{term}" in (caught.value.where or "")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"kind": "stop_limit", "stop": 5}, "limit"),
        ({"kind": "limit", "limit": -5}, "limit"),
        ({"kind": "limit", "limit": "dear"}, "limit"),
        ({"kind": "stopp"}, "kind"),
        ({"kind": "limit", "limit": 5, "tif": "soon"}, "tif"),
        ({"kind": "limit", "limit": 5, "tif": "gtd"}, "until"),
        ({"kind": "stop", "stop": 5, "post_only": True}, "post_only"),
        ({"kind": "limit", "limit": 5, "quantity": "some"}, "quantity"),
        ({"kind": "limit", "limit": 5, "display": 2}, "display"),
        ({"kind": "limit", "limit": 5, "display": "0.5"}, "display"),
        ({"kind": "limit", "limit": 5, "display": 0}, "display"),
        ({"kind": "stop", "stop": 5, "display": 1}, "display"),
        ({"kind": "limit", "limit": 5, "tif": "gtd", "until": 2**70}, "until"),
        ({"tif": "at_close"}, "tif"),
        ({"quantity": "filled"}, "quantity"),
        ({"quantity": float("nan")}, "quantity"),
        ({"then": 5}, "then"),
        ({"then": [5]}, "then"),
        ({"then": [EXIT], "oco": [EXIT]}, "oco"),
        ({"oco": [EXIT]}, "oco"),
        ({"then": [rbt.order("stop", "filled", stop=CLOSE)]}, "then[0], stop"),
        ({"then": [EXIT, rbt.order("limit", weight=0.1, limit=9)]}, "then[1], weight"),
        ({"then": [rbt.order("limit", 1, limit=0.00001)]}, "then[0], limit"),
        ({"oco": [rbt.order("market", 1, tif="at_close")]}, "oco[0], tif"),
    ],
)
def test_nonsense_from_a_callback_is_refused_by_the_name_of_its_argument(arguments: dict[str, Any], field: str) -> None:
    given = {"quantity": 1} | arguments

    def trader(context: Context) -> None:
        context.order("A", **given)

    with pytest.raises(OrderError) as caught:
        rbt.run(rbt.Strategy("s", on_bar=OnBar(trader)), market())
    assert caught.value.where == f"on_bar, order('A'), {field}"


@pytest.mark.parametrize("number", [None, "1", True, -1, 1.0])
@pytest.mark.parametrize("verb", ["cancel", "amend"])
def test_a_number_that_is_none_is_refused(verb: str, number: Any) -> None:
    def trader(context: Context) -> None:
        getattr(context, verb)(number)

    with pytest.raises(OrderError) as caught:
        rbt.run(rbt.Strategy("s", on_bar=OnBar(trader)), market())
    assert caught.value.where == f"on_bar, {verb}, number"


@pytest.mark.parametrize("changes", [{}, {"limit": 0}, {"quantity": "0.1"}])
def test_an_amendment_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    def trader(context: Context) -> None:
        context.amend(context.order("A", 5, "limit", limit=80, tif="gtc"), **changes)

    with pytest.raises(OrderError, match="amend"):
        rbt.run(rbt.Strategy("s", on_bar=OnBar(trader)), market())


def test_a_closing_auction_needs_a_calendar() -> None:
    strategy = rbt.Strategy("s", orders=[rbt.order("market", 1, tif="at_close")])
    for run in (run_configured, walk):
        with pytest.raises(ConfigError, match="no calendar"):
            run({"s": strategy}, market(), configure())


def test_auctions_by_the_calendar_are_the_same_bar_by_bar() -> None:
    closes = [(datetime(2024, 1, day, 15 + hour, tzinfo=UTC)) for day in (2, 3, 4) for hour in (1, 3, 6)]
    frame = pl.DataFrame(
        {"ts": closes, "asset": "A", "volume": 1.0} | {key: [100.0 + i for i in range(9)] for key in ("open", "high", "low", "close")}
    )
    panel = rbt.load(frame, stamp="close", calendar="XNYS")
    orders = [rbt.order("market", 1, tif="at_close", when=CLOSE == 101), rbt.order("market", 2, tif="at_open", when=CLOSE == 103)]
    sleeves = {"s": rbt.Strategy("s", orders=orders)}
    bulk = run_configured(sleeves, panel, configure())
    assert fills(bulk) == [("buy", Decimal(1), Decimal(102)), ("buy", Decimal(2), Decimal(106))]
    assert outcome_difference(bulk.outcome, walk(sleeves, panel, configure()).outcome) == ""


def test_nothing_is_sent_before_the_warm_up_or_outside_the_universe() -> None:
    early = rbt.Strategy("s", orders=[rbt.order("market", 1, replace=False)], warmup=2)
    outside = rbt.Strategy("s", orders=[rbt.order("market", 1)], universe=CLOSE > 1000)
    assert rbt.run(early, market()).orders["submitted"].min() == START + timedelta(days=2)
    result = rbt.run(outside, market())
    assert result.orders.height == 0
    assert "no order's condition held" in result.warnings[-1]
