"""The embedded set: what is in it, and that its splits and dividends are known as they happened."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from rustybt.data import demo_data, demo_events, load
from rustybt.data.demo import BARS, EVENTS
from rustybt.model import Panel


@pytest.fixture(scope="module")
def demo() -> Panel:
    return demo_data()


def test_it_is_five_assets_on_the_new_york_calendar(demo: Panel) -> None:
    assert demo.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert (demo.bars, demo.frame.height, demo.quarantine.height) == (3270, 12154, 0)
    assert (demo.frame["session"].min(), demo.frame["session"].max()) == (date(2000, 3, 1), date(2013, 3, 1))
    assert demo.calendar == "XNYS"
    assert demo.warnings == ()
    assert demo.trusted == ()
    assert demo.session_close is not None
    assert (demo.session_close == demo.ts).all()
    assert demo.next_session is not None
    assert (demo.next_session[:-1] == demo.sessions[1:]).all()


def test_its_content_is_fixed(demo: Panel) -> None:
    assert demo.snapshot == "c578e8f145efae99a611be79e89119a6dc23d47985d1729a4a173238c7223c51"


def test_every_event_is_resolved_and_no_day_halves_a_price(demo: Panel) -> None:
    assert len(demo.events) == demo_events().height == 95
    assert (demo.events[:, 2] == 0).sum() == 3
    returns = demo.frame.select("session", "asset", r=pl.col("adj_close").pct_change().over("asset"))
    # Apple did lose half of its value on one day: 2000-09-29.
    assert returns.filter(pl.col("r") < -0.3).select("session", "asset").rows() == [(date(2000, 9, 29), "AAPL")]
    assert demo.frame.filter(pl.col("close").pct_change().over("asset") < -0.45).height == 4


def test_adjusted_returns_equal_those_of_the_vendor_but_for_dividend_days(demo: Panel) -> None:
    vendor = load("demo", extras=["adj_close"]).frame
    returns = vendor.select(
        "session", ours=pl.col("adj_close").pct_change().over("asset"), theirs=pl.col("source_adj_close").pct_change().over("asset")
    )
    gap = (returns["ours"] - returns["theirs"]).abs().fill_null(0.0).to_numpy()
    # On a dividend day the vendor divides by the close of that day, and we by the close before it.
    paid = demo.events[demo.events[:, 2] == 1]
    days = set(zip(paid[:, 0].tolist(), paid[:, 1].tolist(), strict=True))
    columns = demo.frame["asset"].to_physical().to_list()
    ex_date = np.array([(bar, column) in days for bar, column in zip(demo.row_bar.tolist(), columns, strict=True)])
    assert ex_date.sum() == 92
    assert gap[~ex_date].max() < 1e-9
    assert 1e-6 < gap[ex_date].max() < 2e-3


def test_options_work_on_it_as_on_any_source(demo: Panel) -> None:
    assert load("demo").snapshot == demo.snapshot
    part = load("demo", assets=["IBM", "AAPL"], start="2005-01-03", end="2005-12-30")
    assert part.symbols == ("AAPL", "IBM")
    assert part.bars == 252
    raw = load("demo", events=[])
    assert raw.events.shape == (0, 11)
    assert raw.adj_digits == 0
    with_vendor = load("demo", extras=["adj_close"])
    assert with_vendor.trusted == ("source_adj_close",)


def test_it_is_small_and_says_where_it_comes_from() -> None:
    assert BARS.stat().st_size + EVENTS.stat().st_size < 300_000
    said = BARS.with_name("PROVENANCE.md").read_text()
    assert "public domain" in said
