"""Orders in a spec: what is refused, what is checked, and that JSON and identity keep everything."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from rustybt.errors import LookaheadError, SpecError
from rustybt.spec import Order, Strategy, bracket, from_json, order, quantity, to_json

CLOSE = pl.col("close")
ASKED = (
    order("limit", weight=0.1, limit=CLOSE * 0.99, when=pl.col("open") < CLOSE, cancel=CLOSE < 5, tif="gtd", until=date(2020, 1, 31)),
    order("stop", "position", stop=pl.col("low").shift(1), tif="gtc", replace=False),
    order("stop_limit", 10, stop=105, limit=107, side=CLOSE > 100),
    order("market_if_touched", notional=-250, stop=95, reduce_only=True),
    order("limit_if_touched", -3, stop=95.5, limit=96, tif="gtd", until=datetime(2020, 1, 31, 16, tzinfo=UTC)),
    order("market", 5, side="sell", tif="at_close"),
    order("limit", 5, limit=95, post_only=True),
    order("trailing_stop", "position", trail_fraction=0.05, tif="gtc"),
    bracket(
        order("limit", 5, limit=CLOSE * 0.99, tif="gtc", when=CLOSE > 3),
        stop=order("stop", "filled", stop=CLOSE * 0.95, tif="gtc", reduce_only=True),
        target=order("limit", "filled", limit=CLOSE * 1.05, tif="gtc", reduce_only=True),
    ),
    order("stop", 5, stop=CLOSE + 1, tif="gtc", oco=[order("stop", -5, stop=CLOSE - 1, tif="gtc")]),
    order("limit", CLOSE, limit=95, display=CLOSE * 0.1, tif="gtc"),
    order("stop_limit", 5, stop=95, limit=96, display=2),
    order("trailing_stop_limit", -2, trail=CLOSE * 0.1, limit_offset=0.5, tif="gtc"),
)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("kind", {"kind": "stopp", "quantity": 1}),
        ("kind", {"kind": ["stop"], "quantity": 1}),
        ("quantity", {"kind": "market"}),
        ("quantity", {"kind": "market", "quantity": 1, "weight": 0.5}),
        ("quantity", {"kind": "market", "quantity": 0}),
        ("quantity", {"kind": "market", "quantity": "all"}),
        ("weight", {"kind": "market", "weight": float("nan")}),
        ("weight", {"kind": "market", "weight": "position"}),
        ("side", {"kind": "market", "quantity": 1, "side": "long"}),
        ("side", {"kind": "market", "quantity": "position", "side": "buy"}),
        ("limit", {"kind": "limit", "quantity": 1}),
        ("limit", {"kind": "limit", "quantity": 1, "limit": -5}),
        ("limit", {"kind": "limit", "quantity": 1, "limit": 0}),
        ("limit", {"kind": "limit", "quantity": 1, "limit": "95"}),
        ("limit", {"kind": "stop", "quantity": 1, "stop": 95, "limit": 94}),
        ("limit", {"kind": "stop_limit", "quantity": 1, "stop": 95}),
        ("stop", {"kind": "stop_limit", "quantity": 1, "limit": 95}),
        ("stop", {"kind": "limit", "quantity": 1, "limit": 95, "stop": 94}),
        ("stop", {"kind": "market_if_touched", "quantity": 1, "stop": float("inf")}),
        ("display", {"kind": "limit", "quantity": 5, "limit": 95, "display": 0}),
        ("display", {"kind": "limit", "quantity": 5, "limit": 95, "display": -1}),
        ("display", {"kind": "limit", "quantity": -5, "limit": 95, "display": 6}),
        ("display", {"kind": "limit", "quantity": 5, "limit": 95, "display": "all"}),
        ("display", {"kind": "stop", "quantity": 5, "stop": 95, "display": 1}),
        ("display", {"kind": "limit", "quantity": 5, "limit": 95, "display": 1, "tif": "ioc"}),
        ("trail", {"kind": "trailing_stop", "quantity": 1}),
        ("trail", {"kind": "trailing_stop", "quantity": 1, "trail": 2, "trail_fraction": 0.1}),
        ("trail", {"kind": "stop", "quantity": 1, "stop": 95, "trail": 2}),
        ("trail", {"kind": "trailing_stop", "quantity": 1, "trail": 0}),
        ("trail_fraction", {"kind": "trailing_stop", "quantity": 1, "trail_fraction": 1}),
        ("stop", {"kind": "trailing_stop", "quantity": 1, "stop": 95, "trail": 2}),
        ("limit_offset", {"kind": "trailing_stop_limit", "quantity": 1, "trail": 2}),
        ("limit_offset", {"kind": "trailing_stop", "quantity": 1, "trail": 2, "limit_offset": 1}),
        ("tif", {"kind": "market", "quantity": 1, "tif": "fill_or_kill"}),
        ("tif", {"kind": "stop", "quantity": 1, "stop": 95, "tif": "ioc"}),
        ("tif", {"kind": "stop_limit", "quantity": 1, "stop": 95, "limit": 94, "tif": "at_open"}),
        ("until", {"kind": "market", "quantity": 1, "tif": "gtd"}),
        ("until", {"kind": "market", "quantity": 1, "tif": "day", "until": 3}),
        ("until", {"kind": "market", "quantity": 1, "tif": "gtd", "until": 0}),
        ("until", {"kind": "market", "quantity": 1, "tif": "gtd", "until": "2020-01-31"}),
        ("until", {"kind": "market", "quantity": 1, "tif": "gtd", "until": datetime(2020, 1, 31)}),  # noqa: DTZ001 - the point
        ("post_only", {"kind": "stop", "quantity": 1, "stop": 95, "post_only": True}),
        ("post_only", {"kind": "limit", "quantity": 1, "limit": 95, "tif": "ioc", "post_only": True}),
        ("reduce_only", {"kind": "market", "quantity": 1, "reduce_only": 1}),
        ("when", {"kind": "market", "quantity": 1, "when": True}),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_argument(field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        order(**arguments)
    assert caught.value.where == f"order, {field}"
    assert caught.value.do


@pytest.mark.parametrize("part", ["when", "size", "side", "limit", "stop", "until", "cancel"])
def test_no_part_may_see_the_future(part: str) -> None:
    ahead = CLOSE.shift(-1)
    parts: dict[str, Any] = {"kind": "stop_limit", "quantity": 1, "limit": 95, "stop": 94}
    parts |= {"when": {"when": ahead > 1}, "cancel": {"cancel": ahead > 1}, "size": {"quantity": ahead}}.get(part, {part: ahead})
    parts |= {"tif": "gtd"} if part == "until" else {}
    with pytest.raises(LookaheadError, match=rf"orders\[1\]\.{part}"):
        Strategy(orders=[order("market", 1), order(**parts)])


CHILD = order("stop", "filled", stop=90, tif="gtc")


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("then", {"then": [order("stop", "filled", stop=90, when=CLOSE > 1)]}),
        ("then", {"then": [order("stop", "filled", stop=90, cancel=CLOSE > 1)]}),
        ("then", {"then": [order("market", "filled", tif="at_open")]}),
        ("then", {"then": [order("market", 1, then=[CHILD])]}),
        ("then", {"then": ["stop"]}),
        ("then", {"then": 5}),
        ("oco", {"oco": "stop"}),
        ("oco", {"oco": [CHILD]}),
        ("oco", {"oco": [order("market", 1)], "then": [CHILD]}),
    ],
)
def test_a_batch_that_cannot_be_is_refused(field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        order("limit", 1, limit=95, **arguments)
    assert caught.value.where == f"order, {field}"


def test_what_is_filled_needs_an_order_that_is_filled() -> None:
    with pytest.raises(SpecError, match="without an order before it"):
        Strategy(orders=[CHILD])
    with pytest.raises(SpecError, match="stop is 90"):
        bracket(order("market", 1), stop=90, target=CHILD)  # type: ignore[arg-type]  # the point


def test_the_guard_looks_into_a_batch() -> None:
    ahead = order("stop", "filled", stop=pl.col("low").shift(-1))
    with pytest.raises(LookaheadError, match=r"orders\[0\]\.then\[0\]\.stop"):
        Strategy(orders=[order("market", 1, then=[ahead])])


def test_json_and_identity_keep_every_order() -> None:
    strategy = Strategy("many", orders=ASKED)
    again = from_json(to_json(strategy))
    assert again == strategy
    assert [one.plain() for one in again.orders] == [one.plain() for one in ASKED]
    assert len({Strategy("one", orders=[asked]).spec_id for asked in ASKED}) == len(ASKED)


@pytest.mark.parametrize("changed", [{"tif": "day"}, {"replace": True}, {"reduce_only": True}, {"stop": pl.col("low")}])
def test_every_setting_of_an_order_is_in_the_identity(changed: dict[str, Any]) -> None:
    plain: dict[str, Any] = {"kind": "stop", "quantity": "position", "stop": pl.col("low").shift(1), "tif": "gtc", "replace": False}
    assert Strategy(orders=[order(**plain)]).spec_id != Strategy(orders=[order(**plain | changed)]).spec_id


def test_a_strategy_without_orders_is_what_it_was_before_there_were_any() -> None:
    assert Strategy(target=quantity(1)).spec_id == "44c7e92ad035b0294e3f1cd2d274da60592521c0a73822ff57809ceaf48b3932"


@pytest.mark.parametrize("orders", ["limit", [1], {"a": ASKED[0]}, 5])
def test_orders_are_a_list_of_orders(orders: Any) -> None:
    with pytest.raises(SpecError, match="orders is"):
        Strategy(orders=orders)


def test_one_order_may_stand_alone() -> None:
    assert Strategy(orders=ASKED[0]).orders == (ASKED[0],)  # type: ignore[arg-type]  # lists and single orders are read too


def test_an_order_says_what_it_is() -> None:
    assert repr(ASKED[1]) == "order('stop', the whole position, stop=low.shift(1), tif='gtc')"
    assert isinstance(ASKED[1], Order)
    assert "orders[1]: stop, gtc" in repr(Strategy(orders=ASKED))
