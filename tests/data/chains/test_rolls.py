"""Rolls: on the days of another engine's maps, by rules worked by hand, and never with a look at the future."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rustybt as rbt
from rustybt.data.chains import Continuous, continuous
from rustybt.errors import ConfigError, DataError

LEAN = Path(__file__).parent / "lean"
ES = {"ES201312": "2013-12-20", "ES201403": "2014-03-21", "ES201406": "2014-06-20", "ES201409": "2014-09-19", "ES201412": "2014-12-19"}
MONDAY = date(2024, 1, 1)


def es(**options: Any) -> Continuous:
    return continuous(LEAN / "es.csv", "ES", expiries=ES, stamp="session", asset_class="future", tick_size="0.25", **options)


def contract(name: str, start: int, closes: list[float], **more: list[Any]) -> pl.DataFrame:
    days = [MONDAY + timedelta(days=start + number) for number in range(len(closes))]
    prices = {name: [float(close) for close in closes] for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"ts": days, "asset": [name] * len(closes), **prices, "volume": [100] * len(closes)} | more, strict=False)


def chained(parts: list[pl.DataFrame], expiries: dict[str, str], **options: Any) -> Continuous:
    bars = pl.concat(parts, how="diagonal_relaxed")
    return continuous(bars, "X", expiries=expiries, asset_class="future", tick_size="1", stamp="session", **options)


@pytest.mark.parametrize(("mode", "lead"), [("last_trading_day", 0), ("first_day_of_month", "month")])
@pytest.mark.parametrize("root", ["ES", "GC"])
def test_calendar_rolls_are_on_the_days_of_another_engine(root: str, mode: str, lead: int | str) -> None:
    """The days, not the prices: bars of every contract on every session of the exchange."""
    table = (
        pl.read_csv(LEAN / "rolls.csv", try_parse_dates=True)
        .filter((pl.col("root") == root) & (pl.col("mode") == mode))
        .sort("valid_until")
    )
    expiries = {f"{root}{day:%Y%m}": day for day in table["contract_expiry"]}
    sessions = rbt.calendar("CMES").sessions("2009-06-01", "2024-01-31")["session"].to_list()
    parts = []
    for name, expiry in expiries.items():
        days = [day for day in sessions if expiry - timedelta(days=200) <= day <= expiry]
        prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
        parts.append(
            pl.DataFrame({"ts": days}).with_columns(asset=pl.lit(name), volume=pl.lit(1), **{k: pl.lit(v) for k, v in prices.items()})
        )
    made = continuous(pl.concat(parts), root, expiries=expiries, lead=lead, adjust="none", asset_class="future")
    ours = dict(made.rolls.select("before", "session").rows())
    agree = missed = 0
    for until, expiry in table.select("valid_until", "contract_expiry").rows()[:-1]:
        wanted = next(day for day in sessions if day > until)
        if ours[f"{root}{expiry:%Y%m}"] == wanted:
            agree += 1
        else:
            missed += 1
            assert (root, expiry.year) in {("GC", 2013), ("GC", 2014)}  # before the hole in the map
    assert (agree, missed) == {"ES": (54, 0), "GC": (19, 1)}[root]


def test_real_rolls_by_day_and_by_volume() -> None:
    by_day, by_volume = es(), es(roll="volume")
    assert by_day.rolls.select("session", "before", "after", "reason").rows() == [(date(2013, 12, 20), "ES201312", "ES201403", "calendar")]
    row = by_volume.rolls.row(0, named=True)
    assert (row["session"], row["decided"], row["reason"]) == (date(2013, 12, 16), date(2013, 12, 13), "volume")
    assert (row["votes_before"], row["votes_after"]) == (347_764, 868_208)
    assert (str(row["close_before"]), str(row["close_after"]), str(row["gap"])) == ("1775.00", "1768.75", "-6.25")
    assert by_volume.rolls.height == 1


def test_the_last_trading_day_ends_a_contract_that_keeps_its_volume() -> None:
    made = chained([contract("A", 0, [10] * 10), contract("B", 0, [12] * 20)], {"A": "2024-01-10", "B": "2024-02-10"}, roll="volume")
    assert made.rolls.select("session", "reason", "tradable").rows() == [(date(2024, 1, 10), "calendar", True)]


def test_sessions_in_a_row_confirm_a_roll() -> None:
    votes = [100, 100, 200, 100, 200, 200, 200, 100, 100, 100]
    parts = [contract("A", 0, [10] * 10), contract("B", 0, [12] * 10, volume=[vote - 50 for vote in votes])]
    expiries = {"A": "2024-03-10", "B": "2024-06-10"}
    sessions = [chained(parts, expiries, roll="volume", confirm=number).rolls["session"].to_list() for number in (1, 2, 3, 4)]
    assert sessions == [[date(2024, 1, 4)], [date(2024, 1, 7)], [date(2024, 1, 8)], []]


def test_open_interest_is_known_a_session_later() -> None:
    interest = [None, 10, 90, 90, 90, 90, 90, 90]
    parts = [contract("A", 0, [10] * 8, open_interest=[50] * 8), contract("B", 0, [12] * 8, open_interest=interest)]
    expiries = {"A": "2024-03-10", "B": "2024-06-10"}
    made = {delay: chained(parts, expiries, roll="open_interest", delay=delay) for delay in (None, 0, 2)}
    for delay, session in ((None, date(2024, 1, 5)), (0, date(2024, 1, 4)), (2, date(2024, 1, 6))):
        assert made[delay].rolls.select("session", "votes_before", "votes_after").rows() == [(session, 50, 90)]
    assert made[2].frame["open_interest"].to_list() == [50] * 5 + [90] * 3


def test_a_missing_bar_is_no_vote() -> None:
    """The front lacks the third session: nothing says that its volume was zero."""
    front = contract("A", 0, [10] * 8).filter(pl.col("ts") != date(2024, 1, 3))
    made = chained([front, contract("B", 0, [12] * 8, volume=[1] * 8)], {"A": "2024-03-10", "B": "2024-06-10"}, roll="volume")
    assert made.rolls.height == 0
    assert date(2024, 1, 3) not in made.frame["session"].to_list()


def test_a_contract_that_nobody_trades_is_passed_over() -> None:
    parts = [
        contract("A", 0, [10] * 8),
        contract("B", 0, [11] * 8, volume=[2] * 8),
        contract("C", 0, [12] * 8, volume=[1, 1, 500] + [500] * 5),
    ]
    made = chained(parts, {"A": "2024-02-10", "B": "2024-03-10", "C": "2024-04-10"}, roll="volume")
    assert made.rolls.select("before", "after").rows() == [("A", "C")]


def test_nobody_waits_for_a_contract_that_is_not_listed_yet() -> None:
    """B ends before C, but has no bar when A is left: that it will have some is the future."""
    parts = [contract("A", 0, [10] * 6), contract("B", 7, [11] * 8), contract("C", 0, [12] * 20)]
    made = chained(parts, {"A": "2024-01-05", "B": "2024-02-16", "C": "2024-03-15"})
    assert made.rolls.select("session", "before", "after").rows() == [(date(2024, 1, 5), "A", "C")]


def test_a_schedule_of_the_user_is_followed() -> None:
    parts = [contract("A", 0, [10] * 8), contract("B", 0, [11] * 8), contract("C", 0, [12] * 8)]
    rows = [{"contract": "C", "from_ts": "2024-01-03"}, {"contract": "B", "from_ts": "2024-01-06"}]
    made = chained(parts, {"A": "2024-02-10", "B": "2024-03-10", "C": "2024-04-10"}, roll=rows)
    assert made.rolls.select("session", "before", "after", "reason").rows() == [
        (date(2024, 1, 3), "A", "C", "given"),
        (date(2024, 1, 6), "C", "B", "given"),
    ]
    with pytest.raises(ConfigError, match="'D' is not in the chain"):
        chained(parts, {"A": "2024-02-10"}, roll=[{"contract": "D", "from_ts": "2024-01-03"}])


def test_months_choose_contracts() -> None:
    parts = [contract("F", 0, [10] * 8), contract("G", 0, [11] * 8), contract("H", 0, [12] * 8)]
    made = chained(parts, {"F": "2024-01-05", "G": "2024-02-16", "H": "2024-03-15"}, months="FHMUZ")
    assert made.rolls.select("before", "after").rows() == [("F", "H")]
    assert "1 assets of the data are no contract of the chain (first: 'G')." in made.notes


def test_contracts_without_a_common_bar_have_no_gap() -> None:
    parts = [contract("A", 0, [10] * 5), contract("B", 5, [12] * 5)]
    expiries = {"A": "2024-01-05", "B": "2024-06-10"}
    with pytest.raises(DataError, match="'A' and 'B' have no bar in common") as caught:
        chained(parts, expiries)
    assert 'adjust="none"' in caught.value.do
    made = chained(parts, expiries, adjust="none")
    assert made.rolls.select("measured", "gap", "tradable").rows() == [(None, None, False)]
    assert made.events == []
    assert made.frame["close"].to_list() == [10] * 5 + [12] * 5


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"roll": "moon"}, "unknown rule 'moon'"),
        ({"adjust": "sum"}, "unknown adjustment 'sum'"),
        ({"anchor": "middle"}, "unknown anchor 'middle'"),
        ({"confirm": 0}, "confirm 0 is no number of sessions"),
        ({"delay": -1}, "delay -1 is no number of sessions"),
        ({"lead": "soon"}, "lead 'soon' is not known"),
        ({"lead": True}, "lead True is not known"),
        ({"months": "AB"}, "months 'AB' are not letters"),
        ({"roll": "open_interest"}, "the bars have no open_interest"),
    ],
)
def test_wrong_settings_are_one_message(options: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        chained([contract("A", 0, [10] * 5)], {"A": "2024-06-10"}, **options)
    assert caught.value.do


def test_contracts_of_other_sizes_and_unknown_ones_are_refused() -> None:
    bars = pl.concat([contract("A", 0, [10] * 5), contract("B", 0, [12] * 5)])
    sizes = {"A": {"tick_size": "1"}, "B": {"tick_size": "0.5"}}
    with pytest.raises(DataError, match="'A' and 'B' trade in different ticks"):
        continuous(bars, "X", expiries={"A": "2024-02-10", "B": "2024-03-10"}, assets=sizes, asset_class="future")
    with pytest.raises(DataError, match="asset 'ESZ3' is not in the source"):
        continuous(bars, "X", expiries={"ESZ3": "2024-02-10"}, asset_class="future")
    with pytest.raises(ConfigError, match="'A' is an asset of the data"):
        continuous(bars, "A", expiries={"A": "2024-02-10"}, asset_class="future")
    with pytest.raises(DataError, match="no contract has a bar before it is left"):
        continuous(bars, "X", expiries={"A": "2023-02-10"}, asset_class="future")


@st.composite
def chains(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, date]]:
    """A few contracts that list, trade with holes, and expire one after the other."""
    parts, expiries = [], {}
    end = 0
    for number in range(draw(st.integers(2, 4))):
        start = draw(st.integers(0, max(0, end - 1)))
        end = end + draw(st.integers(3, 12))
        name = f"C{number}"
        days = [day for day in range(start, end + 1) if draw(st.integers(0, 9)) or day in (start, end)]
        size = len(days)
        closes = draw(st.lists(st.integers(50, 150), min_size=size, max_size=size))
        volume = draw(st.lists(st.integers(0, 40), min_size=size, max_size=size))
        rows = [
            {
                "ts": MONDAY + timedelta(days=day),
                "asset": name,
                "open": close,
                "high": close + 2,
                "low": close - 3,
                "close": close,
                "volume": vote,
            }
            for day, close, vote in zip(days, closes, volume, strict=True)
        ]
        parts.append(pl.DataFrame(rows))
        expiries[name] = MONDAY + timedelta(days=end)
    return pl.concat(parts), expiries


RULES = st.fixed_dictionaries(
    {
        "roll": st.sampled_from(["calendar", "volume"]),
        "lead": st.sampled_from([0, 1, "3d"]),
        "confirm": st.integers(1, 2),
        "adjust": st.sampled_from(["none", "difference", "ratio"]),
    }
)


def made_of(bars: pl.DataFrame, expiries: dict[str, date], **options: Any) -> Continuous | None:
    try:
        return continuous(bars, "X", expiries=expiries, asset_class="future", tick_size="1", stamp="session", **options)
    except DataError as error:
        if "in common" in error.what or "before it is left" in error.what:
            return None
        raise


@settings(max_examples=60, deadline=None)
@given(chains(), RULES, st.data())
def test_what_comes_later_changes_nothing(chain: tuple[pl.DataFrame, dict[str, date]], rule: dict[str, Any], data: st.DataObject) -> None:
    bars, expiries = chain
    whole = made_of(bars, expiries, **rule)
    if whole is None:
        return
    days = bars["ts"].unique().sort()
    cut = days[data.draw(st.integers(0, len(days) - 1))]
    part = made_of(bars.filter(pl.col("ts") <= cut), expiries, **rule)
    then = whole.frame.filter(pl.col("session") <= cut)
    if part is None:
        assert then.height == 0
        return
    assert part.frame.equals(then)
    assert part.rolls.equals(whole.rolls.filter(pl.col("session") <= cut))


@settings(max_examples=60, deadline=None)
@given(chains(), RULES, st.sampled_from(["first", "last"]))
def test_prices_come_back_as_they_were_traded(chain: tuple[pl.DataFrame, dict[str, date]], rule: dict[str, Any], anchor: str) -> None:
    bars, expiries = chain
    made = made_of(bars, expiries, **rule, anchor=anchor)
    if made is None:
        return
    own = bars.select(pl.col("ts").alias("session"), pl.col("asset").alias("contract"), "open", "high", "low", "close", "volume")
    raw = made.raw().select("session", "contract", *(pl.col(name).cast(pl.Int64) for name in ("open", "high", "low", "close", "volume")))
    assert raw.join(own, on=raw.columns, how="anti").height == 0
    assert (raw["contract"].unique().len()) == made.rolls.height + 1  # no contract comes twice


@settings(max_examples=60, deadline=None)
@given(chains(), RULES, st.sampled_from(["difference", "ratio"]), st.sampled_from(["first", "last"]))
def test_moves_of_the_series_are_moves_of_one_contract(
    chain: tuple[pl.DataFrame, dict[str, date]], rule: dict[str, Any], adjust: str, anchor: str
) -> None:
    """Between two bars of the series lies what the newer contract did, where it had a bar at the older: no roll makes a move."""
    bars, expiries = chain
    made = made_of(bars, expiries, **rule | {"adjust": adjust}, anchor=anchor)
    if made is None:
        return
    closes = {(row["asset"], row["ts"]): row["close"] for row in bars.iter_rows(named=True)}
    rows = made.frame.select("session", "contract", "close").rows()
    measured = {row["session"]: row["measured"].date() for row in made.rolls.iter_rows(named=True)}
    edge = -1 if anchor == "last" else 0
    assert rows[edge][2] == closes[rows[edge][1], rows[edge][0]]
    for (before, _, old), (day, name, new) in pairwise(rows):
        if day in measured and measured[day] != before:
            continue
        now, then = closes[name, day], closes[name, before]
        if adjust == "difference":
            assert new - old == now - then
        else:
            assert float(new / old) == pytest.approx(now / then, rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(chains(), st.sampled_from([0, "3d"]), st.integers(1, 2))
def test_volume_rolls_are_those_of_a_plain_loop(chain: tuple[pl.DataFrame, dict[str, date]], lead: int | str, confirm: int) -> None:
    bars, expiries = chain
    made = made_of(bars, expiries, roll="volume", lead=lead, confirm=confirm, adjust="none")
    if made is None:
        return
    leave = {name: day - timedelta(days=0 if lead == 0 else 3) for name, day in expiries.items()}
    volume = {(row["asset"], row["ts"]): row["volume"] for row in bars.iter_rows(named=True)}
    front, wanted, streak, leader = "", "", 0, ""
    seen: set[str] = set()
    rolls = []
    for day in bars["ts"].unique().sort():
        here = [name for name in expiries if (name, day) in volume]
        seen |= set(here)
        if not front:
            open_ = [name for name in here if leave[name] > day]
            first = [name for name in open_ if (name, bars["ts"].min()) in volume]
            front = max(first, key=lambda name: volume[name, bars["ts"].min()]) if first else open_[0] if open_ else ""
            if not front:
                continue
        else:
            later = [name for name in expiries if name > front and leave[name] > day and name in seen]
            goal = wanted if wanted and leave[wanted] > day else later[0] if day >= leave[front] and later else ""
            if goal and goal in here and (front in here or day > expiries[front]):
                rolls.append((day, front, goal))
                front, wanted, streak, leader = goal, "", 0, ""
        if not wanted and front in here:
            more = [name for name in here if name > front and leave[name] > day and volume[name, day] > volume[front, day]]
            best = max(more, key=lambda name: volume[name, day]) if more else ""
            streak = 0 if not best else streak + 1 if best == leader else 1
            leader = best
            wanted = best if best and streak >= confirm else ""
    assert made.rolls.select("session", "before", "after").rows() == rolls
