"""Carry as users write it, refused where it is nonsense."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from rustybt.errors import ConfigError
from rustybt.execution import Carry, carry

DATED = pl.DataFrame(
    {"asset": ["A", "A", "B"], "session": [date(2024, 1, 2), date(2024, 2, 1), date(2024, 1, 2)], "rate": [0.01, None, 0.02]}
)
PAID = pl.DataFrame({"asset": ["P"], "ts": [datetime(2024, 1, 2, 8, tzinfo=UTC)], "rate": [0.0001]})


def test_rates_are_whole_numbers_of_a_hundred_millionth() -> None:
    given = carry(borrow="0.003", interest=0.1 + 0.2, credit="-0.005", financing=("0.06", "-0.03"))
    rows = [table.rows[0].rate for table in (given.borrow, given.interest, given.credit, given.financing_long, given.financing_short)]
    assert rows == [300_000, 30_000_000, -500_000, 6_000_000, -3_000_000]


def test_a_rate_is_in_force_until_the_next_one_and_a_null_is_not_to_be_had() -> None:
    rows = carry(borrow=DATED).borrow.of("A")
    assert [row.rate for row in rows] == [1_000_000, None]
    assert [row.available for row in rows] == [True, False]
    gone = carry(borrow=DATED.with_columns(available=pl.lit(value=False))).borrow.of("B")[0]
    assert (gone.rate, gone.available) == (2_000_000, False), "what is held pays on"
    assert carry(borrow=DATED.with_columns(available=pl.lit(value=False))).to_dict()["borrow"][2] == ["B", 19724, 2_000_000, False]
    own = carry(borrow={"*": "0.003", "GME": "0.3"}).borrow
    assert (own.of("GME")[0].rate, own.of("AAPL")[0].rate) == (30_000_000, 300_000)


def test_equal_carry_says_the_same_and_a_long_table_its_checksum() -> None:
    long = pl.DataFrame({"session": pl.date_range(date(2024, 1, 1), date(2024, 3, 1), eager=True)}).with_columns(rate=pl.lit(0.05))
    said = carry(interest=long, swap={"E": ("-0.0001", 0)}, triple="Wednesday", rollover="21:00").to_dict()
    assert said["interest"]["rows"] == 61
    assert said == carry(interest=long, swap={"E": ("-0.0001", "0")}, triple="wednesday", rollover="21:00").to_dict()
    assert said["interest"] != carry(interest=long.with_columns(rate=pl.lit(0.06))).to_dict()["interest"]
    assert carry() == Carry()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"borrow": "-0.01"}, "rate -0.01 is negative"),
        ({"interest": "-0.01"}, "carry, interest"),
        ({"borrow": "five"}, "carry, borrow 'five' is not a number"),
        ({"borrow": "0.123456789"}, "finer than 1e-8"),
        ({"borrow": 2000}, "beyond 1000"),
        ({"borrow": {}}, "a mapping of 0 assets"),
        ({"interest": {}}, "a mapping of 0 currencies"),
        ({"borrow": DATED.drop("asset")}, "columns session, rate"),
        ({"borrow": pl.concat([DATED, DATED.head(1)])}, "a second rate of 'A' for 2024-01-02"),
        ({"interest": DATED.drop("asset").tail(2)}, "no rate"),
        ({"borrow": DATED.with_columns(session=pl.lit("soon"))}, "'soon' is not a date"),
        ({"borrow": DATED.with_columns(available=pl.lit("false"))}, "available is String, not true or false"),
        ({"financing": ("1", "2", "3")}, "is not a pair"),
        ({"financing": DATED}, "give asset, session or ts, long"),
        ({"funding": "0.0001"}, "funding without asset, ts, rate"),
        ({"funding": PAID.with_columns(pl.col("ts").dt.replace_time_zone(None))}, "give instants with a zone"),
        ({"funding": PAID.with_columns(mark=pl.lit(0.0))}, "mark 0.0 is not positive"),
        ({"funding": PAID.with_columns(rate=pl.lit(None))}, "None is not a number"),
        ({"swap": {"E": "0.1"}}, "is not a pair of points"),
        ({"swap": "0.1"}, "is not a mapping"),
        ({"day_count": 364}, "day_count 364 is neither 360 nor 365"),
        ({"rollover": "five"}, "rollover 'five' is not a time"),
        ({"rollover": "21:00+01:00"}, "has a zone"),
        ({"triple": "someday"}, "triple 'someday' is not a weekday"),
    ],
)
def test_nonsense_is_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        carry(**given)
