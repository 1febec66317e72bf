"""The real ccxt against simulated exchanges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.adapters.ccxt.settings import decimal_step
from rustybt.model import Panel
from rustybt.testing import SourceSuite
from rustybt.testing.sources import QUICK
from rustybt.testing.vendors import Call, Reply, SimulatedBinance, SimulatedBybit, Tape, Vendor, around_the_clock
from tests.adapters.coins import coins

SPAN: dict[str, Any] = {"frequency": "1h", "start": "2024-01-01", "end": "2024-03-31", "patience": QUICK}


class TestBinance(SourceSuite):
    source, symbols, unknown = "ccxt:binance", ("BTC/USDT", "ETH/USDT"), "NOSUCH/USDT"
    bars_path = "kline"

    def vendor(self) -> Vendor:
        return SimulatedBinance(coins())


class TestBybit(TestBinance):
    """Another exchange, whose candles come newest first."""

    source = "ccxt:bybit"

    def vendor(self) -> Vendor:
        return SimulatedBybit(coins())


def ingested(vendor: Vendor, folder: Path, symbol: str = "BTC/USDT", **more: Any) -> Panel:
    made = rbt.ingest(f"ccxt:binance:{symbol}", "got", catalog=folder, settings={"base_url": vendor.url}, **{**SPAN, **more})
    return rbt.Catalog(folder).open(made.name)


def test_an_answer_that_the_exchange_cut_short_is_no_pause_in_trading(tmp_path: Path) -> None:
    """It promises a thousand candles and gives three hundred: the oldest, or the newest, of what was asked."""
    for newest in (False, True):
        with Stingy(coins(), newest=newest) as vendor:
            assert ingested(vendor, tmp_path / str(newest)).bars == 1500


def test_a_pause_in_trading_is_asked_for_once_more_and_believed(tmp_path: Path) -> None:
    tape = coins()[0]
    paused = replace(tape, bars=tape.bars[:700] + tape.bars[900:])
    with SimulatedBinance([paused]) as vendor:
        assert ingested(vendor, tmp_path).bars == 1300
        assert len(vendor.calls_to("klines")) <= 5


def test_the_bar_in_progress_is_left_out_and_said(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with SimulatedBinance([around_the_clock("BTCUSDT", now - timedelta(hours=9), "1h", 10)]) as vendor:
        panel = ingested(vendor, tmp_path, start=(now - timedelta(days=1)).date(), end=None)
    assert panel.bars == 9
    assert panel.frame["ts"].max() == now


def test_a_bar_that_came_twice_with_different_numbers_is_refused(tmp_path: Path) -> None:
    with Fickle(coins()) as vendor, pytest.raises(rbt.SourceError, match="2 bars came twice with different numbers"):
        ingested(vendor, tmp_path)
    assert not rbt.Catalog(tmp_path).versions()


def test_bars_that_do_not_reach_as_far_as_was_asked_are_said(tmp_path: Path) -> None:
    with SimulatedBinance(coins()) as vendor:
        panel = ingested(vendor, tmp_path, start="2023-06-01", end="2024-06-30")
    said = [note for note in panel.warnings if note.startswith("Less than was asked")]
    assert said == [
        "Less than was asked of ccxt:binance: BTC/USDT begins 2024-01-01.",
        "Less than was asked of ccxt:binance: BTC/USDT ends 2024-03-03.",
    ]


def test_two_clients_of_one_exchange_give_one_snapshot(tmp_path: Path) -> None:
    """The numbers of the exchange are in the snapshot, not how a library writes them."""
    with SimulatedBinance(coins()) as vendor:
        named = {"settings": {"base_url": vendor.url}, **SPAN}
        native = rbt.ingest("binance:BTCUSDT", "native", catalog=tmp_path, **named)
        unified = rbt.ingest("ccxt:binance:BTC/USDT", "unified", catalog=tmp_path, **named)
    panels = [rbt.Catalog(tmp_path).open(made.name) for made in (native, unified)]
    assert panels[0].frame.drop("asset").equals(panels[1].frame.drop("asset"))
    assert panels[0].assets[0].tick_size.as_tuple() == panels[1].assets[0].tick_size.as_tuple()


def test_what_the_user_says_of_an_asset_goes_before_what_the_exchange_says(tmp_path: Path) -> None:
    with SimulatedBinance(coins()) as vendor:
        asset = ingested(vendor, tmp_path, tick_size="0.001", assets={"BTC/USDT": {"lot_size": "0.1"}}).assets[0]
    assert (str(asset.tick_size), str(asset.lot_size), str(asset.volume_step), asset.asset_class) == ("0.001", "0.1", "0.00001", "crypto")


def test_a_vendor_that_asks_for_a_long_wait_is_not_waited_for(tmp_path: Path) -> None:
    with Banning(coins()) as vendor:
        vendor.fail("limited", on="klines", times=1)
        with pytest.raises(rbt.SourceError, match="it asks to wait 7200 s") as caught:
            ingested(vendor, tmp_path)
    assert (caught.value.retryable, caught.value.after) == (True, 7200.0)


def test_an_unknown_exchange_is_answered_with_those_like_it() -> None:
    with pytest.raises(rbt.ConfigError, match="ccxt knows no exchange 'binanse'") as caught:
        rbt.ingest("ccxt:binanse:BTC/USDT", "got", start="2024-01-01")
    assert "binance" in caught.value.do


def test_a_symbol_with_a_slip_is_answered_with_those_like_it(tmp_path: Path) -> None:
    with SimulatedBinance(coins()) as vendor, pytest.raises(rbt.SourceError) as caught:
        ingested(vendor, tmp_path, "BTC/USTD")
    assert "'BTC/USDT'" in caught.value.do


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "example"])
def test_an_address_that_is_open_to_all_is_refused(url: str) -> None:
    with pytest.raises(rbt.ConfigError, match="base_url"):
        rbt.ingest("ccxt:binance:BTC/USDT", "got", start="2024-01-01", settings={"base_url": url})


@pytest.mark.parametrize(
    ("precision", "is_step", "step"), [("0.010", True, "0.01"), ("8", False, "0.00000001"), ("-2", False, "100"), ("0", True, None)]
)
def test_a_precision_becomes_a_step(precision: str, is_step: bool, step: str | None) -> None:
    assert decimal_step(precision, is_step) == step


class Stingy(SimulatedBinance):
    """Gives fewer candles than it promises."""

    most = 300

    def __init__(self, tapes: list[Tape], *, newest: bool) -> None:
        super().__init__(tapes)
        self.newest = newest

    def answer(self, call: Call) -> Reply:
        if self.newest and "startTime" in call.query:
            reply = super().answer(replace(call, query={name: value for name, value in call.query.items() if name != "startTime"}))
            start = int(call.query["startTime"])
            return replace(reply, body=[row for row in reply.body if row[0] >= start])
        return super().answer(call)


class Fickle(SimulatedBinance):
    """Gives one candle again with another close."""

    def answer(self, call: Call) -> Reply:
        reply = super().answer(call)
        if "klines" in call.path and len(reply.body) > 3:
            twin = list(reply.body[3])
            twin[4] = twin[1]
            reply.body.append(twin)
        return reply


class Banning(SimulatedBinance):
    """Has had enough of us."""

    def limited(self) -> Reply:
        return Reply({"code": -1003, "msg": "Way too much request weight used; IP banned."}, 418, {"Retry-After": "7200"})
