"""The real yfinance against a simulated Yahoo."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import rustybt as rbt
from rustybt.adapters.yfinance.exchanges import CALENDARS
from rustybt.adapters.yfinance.session import loud
from rustybt.adapters.yfinance.traded import said
from rustybt.testing import SourceSuite
from rustybt.testing.vendors import Action, SimulatedYahoo, Vendor, of_sessions

ACTIONS = (
    Action(date(2024, 3, 14), "dividend", amount=Decimal("0.24")),
    Action(date(2024, 6, 10), "split", up=4),
    Action(date(2024, 9, 12), "dividend", amount=Decimal("0.0625")),
    Action(date(2025, 2, 3), "split", up=3, down=2),
)


class TestYahoo(SourceSuite):
    """Prices come divided by the splits until today, the one after the span included."""

    source, symbols, bars_path, own_tries, pages = "yfinance", ("AAPL", "MSFT"), "/chart/", 2, 1

    def vendor(self) -> Vendor:
        first, last = date(2024, 1, 2), date(2025, 3, 31)
        return SimulatedYahoo([of_sessions("AAPL", first, last, actions=ACTIONS), of_sessions("MSFT", first, last, seed=2)])


class TestYahooIntraday(SourceSuite):
    """Windows of fifty days, and the splits of daily bars."""

    source, symbols, bars_path, own_tries, left_over = "yfinance", ("AAPL", "MSFT"), "/chart/", 2, 2
    start, end = "2024-05-01", "2024-07-31"

    def vendor(self) -> Vendor:
        first, last = date(2024, 5, 1), date(2024, 8, 9)
        made = [of_sessions(symbol, first, last, frequency="15m", actions=ACTIONS[1:2], seed=3) for symbol in self.symbols]
        return SimulatedYahoo(made)


def test_a_bar_of_today_is_left_out_until_its_session_has_closed(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    with SimulatedYahoo([of_sessions("AAPL", today - timedelta(days=20), today + timedelta(days=4))]) as vendor:
        made = rbt.ingest("yfinance:AAPL", "got", catalog=tmp_path, start=today - timedelta(days=20), settings={"base_url": vendor.url})
    assert (rbt.Catalog(tmp_path).open(made.name).ts <= int(datetime.now(UTC).timestamp() * 1e6)).all()


@pytest.mark.parametrize(
    ("printed", "meant"), [(149.3999938964844, "149.4"), (0.1, "0.1"), (0.24, "0.24"), (1e-05, "1e-05"), (float("inf"), None)]
)
def test_what_yahoo_meant_by_a_double(printed: float, meant: str | None) -> None:
    assert said(printed) == meant


def test_a_symbol_of_another_exchange_has_its_calendar() -> None:
    assert {"LSE": "XLON", "JPX": "XTKS"}.items() <= CALENDARS.items()
    import exchange_calendars

    assert set(CALENDARS.values()) <= set(exchange_calendars.get_calendar_names(include_aliases=True))


def test_the_library_prints_nothing_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    yf = pytest.importorskip("yfinance")
    with loud(yf):
        logging.getLogger("yfinance").error("$AAPL: possibly delisted")
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert not logging.getLogger("yfinance").disabled
