"""What the kernel cannot serve is refused at its door: the pass over all requests against one look at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.engine.batches import Prices, Sent, Stand, in_order
from rustybt.errors import DataError, LedgerError
from rustybt.kernel import Book
from rustybt.kernel.asked import HIDDEN, NO_FILL, NO_PRICE, NO_SLOT, NO_STOP, TOO_MUCH, faults_of
from rustybt.kernel.assemble import check_requests
from rustybt.kernel.example import row_of, table
from rustybt.model import REQUEST_FIELDS, Clock, Measure, OrderFlag, OrderKind, Requests
from rustybt.model.decimals import LIMIT

SLOTS = 3
NO_CLOCK = Clock(*(np.zeros(1, dtype=np.int64) for _ in range(3)))
AMOUNTS = st.sampled_from([0, 0, 0, 1, 5, -1, LIMIT - 1, LIMIT, 1 - LIMIT, -LIMIT])
FIELDS = {
    "slot": st.integers(-1, SLOTS),
    "kind": st.integers(0, len(OrderKind) - 1),
    "measure": st.integers(0, len(Measure) - 1),
    "flags": st.integers(0, 2 * max(OrderFlag) - 1),
} | dict.fromkeys(("size", "limit", "stop", "trail", "trail_rate", "offset", "display"), AMOUNTS)


def wrong_with(row: Mapping[str, int]) -> int:
    """The faults of one request, as `rustybt.model.Requests` puts it."""
    kind, flags, trails = OrderKind(row["kind"]), OrderFlag(row["flags"]), row["trail"] > 0 or row["trail_rate"] > 0
    found = 0 if 0 <= row["slot"] < SLOTS else NO_SLOT
    if row["measure"] == Measure.FILLED and not (OrderFlag.JOIN in flags and OrderFlag.DORMANT in flags):
        found |= NO_FILL
    if trails and kind not in {OrderKind.STOP, OrderKind.STOP_LIMIT}:
        found |= NO_STOP
    with_limit = kind in {OrderKind.LIMIT, OrderKind.STOP_LIMIT, OrderKind.LIMIT_IF_TOUCHED} and not trails
    with_stop = kind not in {OrderKind.MARKET, OrderKind.LIMIT} and not trails
    if not flags & (OrderFlag.CANCEL | OrderFlag.AMEND) and ((row["limit"] > 0), (row["stop"] > 0)) != (with_limit, with_stop):
        found |= NO_PRICE
    if row["display"] < 0:
        found |= HIDDEN
    if any(abs(row[name]) >= LIMIT for name in ("size", "limit", "stop", "trail", "trail_rate", "offset", "display")):
        found |= TOO_MUCH
    return found


@given(st.lists(st.fixed_dictionaries(FIELDS), max_size=3))
def test_what_is_wrong_with_any_request_is_found_in_one_pass(asked: list[dict[str, int]]) -> None:
    rows = np.array([[row.get(name, 0) for name in REQUEST_FIELDS] for row in asked], dtype=np.int64).reshape(-1, len(REQUEST_FIELDS))
    requests = Requests.of_rows(np.zeros(1, dtype=np.int64), rows, NO_CLOCK)
    expected = 0
    for row in asked:
        expected |= wrong_with(row)
    assert faults_of(requests.told, requests.patterns, np.empty(len(rows), dtype=np.int64), SLOTS) == expected


@pytest.mark.parametrize("pattern", [-1, 1])
def test_a_pattern_that_is_none_is_refused_and_not_read(pattern: int) -> None:
    requests = Requests.of_rows(np.array([0, 1]), np.array([row_of(size=1)], dtype=np.int64), NO_CLOCK)
    requests.told[0, -1] = pattern
    with pytest.raises(DataError, match=r"a request names a pattern outside 0\.\.0"):
        check_requests(requests, 1, 1)


@pytest.mark.parametrize("name", ["told", "patterns"])
def test_rows_of_another_width_are_refused(name: str) -> None:
    requests = Requests.of_rows(np.array([0, 1]), np.array([row_of(size=1)], dtype=np.int64), NO_CLOCK)
    narrow: Any = np.ascontiguousarray(getattr(requests, name)[:, 1:])
    with pytest.raises(DataError, match="the requests or their clock are not those of 1 bars"):
        check_requests(replace(requests, told=narrow) if name == "told" else replace(requests, patterns=narrow), 1, 1)


PART = st.fixed_dictionaries(
    {
        "values": st.fixed_dictionaries(
            {name: st.booleans() for name in ("size", "limit", "stop", "until", "display")}
            | {"entry": st.integers(1, 3), "flags": st.sampled_from([0, int(OrderFlag.CANCEL), int(OrderFlag.REPLACE)])}
        ),
        "prices": st.lists(st.sampled_from(["limit", "stop"]), unique=True, max_size=2),
        "place": st.integers(0, 2),
        "rows": st.lists(st.tuples(st.integers(0, 4), st.integers(0, SLOTS - 1), st.integers(-9, 9)), max_size=6).map(
            lambda rows: sorted(rows, key=lambda row: row[1])  # asset by asset, as rows of a frame lie
        ),
    }
)
"""An order of a strategy: which of its fields are one each (the others are the same in all), which are prices, and per request its bar,
slot and a number."""


BARS = 5
GROUND = np.repeat(np.arange(SLOTS), BARS), np.tile(np.arange(BARS), SLOTS)
"""Asset and bar of the rows of a frame."""
PER_PRICE = np.array([100.0, 4.0, 1.0])


def refused(row: int) -> ValueError:
    return ValueError(f"row {row}")


def sent(part: Mapping[str, Any], stand: Stand) -> Sent:
    """The same as `in_order` takes it. A number at a limit or stop that is above 0 may be a price."""
    bar, slot, number = (np.array([row[n] for row in part["rows"]], dtype=np.int64) for n in range(3))
    values: dict[str, Any] = {}
    for place, (name, how) in enumerate(part["values"].items()):
        each = 10 * number + place
        values[name] = how if name in {"entry", "flags"} else each if how or not len(each) else int(each[0])
    at = slot * BARS + bar
    for name in part["prices"]:
        prices = np.full(len(stand.bar), np.nan)
        prices[at] = (1 + np.arange(len(at))) * 1.25
        values[name] = Prices(prices, PER_PRICE, refused)
    return Sent(values, stand, at, part["place"])


def number_of(part: Sent, name: str, n: int) -> int:
    """What request n has in a field."""
    value = part.values.get(name, 0)
    if isinstance(value, Prices):
        return round(float(value.values[part.at[n]] * PER_PRICE[part.stand.column[part.at[n]]]))
    found: int = value[n].item() if isinstance(value, np.ndarray) else value
    return found


@given(st.lists(st.lists(PART, max_size=4), min_size=1, max_size=2), st.integers(0, 1_000))
def test_requests_are_laid_out_in_the_order_in_which_they_are_served(drawn: list[list[dict[str, Any]]], first: int) -> None:
    stands = [Stand(GROUND[1] + first, GROUND[0], SLOTS * sleeve) for sleeve in range(len(drawn))]
    parts = [sent(part, stand) for mine, stand in zip(drawn, stands, strict=True) for part in mine]
    bar, told, patterns, most = in_order(parts, BARS, first)
    rows = []
    for part in parts:
        for n, at in enumerate(part.at.tolist()):
            row = {name: number_of(part, name, n) for name in part.values}
            row["slot"] = int(part.stand.column[at]) + part.stand.first_slot
            sends = row["flags"] & OrderFlag.CANCEL == 0
            key = int(part.stand.bar[at]) - first, row["slot"], row["entry"], sends, part.place
            rows.append((key, [row.get(name, 0) for name in REQUEST_FIELDS]))
    rows.sort(key=lambda row: row[0])
    assert Requests(bar, told, patterns, NO_CLOCK).rows.tolist() == [row for _, row in rows]
    assert bar.tolist() == [key[0] for key, _ in rows]
    assert most == Requests(bar, told, patterns, NO_CLOCK).busiest


@pytest.mark.parametrize("price", [np.nan, np.inf, -1.0, 0.0, 0.004, 2.0**61])
@pytest.mark.parametrize("field", ["limit", "stop"])
@pytest.mark.parametrize("before", [0, 1], ids=["the first order", "the second"])
def test_what_is_no_price_is_refused_by_its_row(price: float, field: str, before: int) -> None:
    stand = Stand(GROUND[1], GROUND[0], 0)
    prices = np.full(len(stand.bar), 5.0)
    good = Sent({"limit": Prices(prices.copy(), PER_PRICE, refused), "entry": 1}, stand, np.arange(9))
    prices[7] = price
    bad = Sent({"entry": 2, field: Prices(prices, PER_PRICE, lambda row: ValueError(f"the {field} of row {row}"))}, stand, np.arange(3, 9))
    with pytest.raises(ValueError, match=f"the {field} of row 7"):
        in_order([good] * before + [bad], BARS)
    assert len(in_order([good, replace(bad, at=np.arange(7))], BARS)[1]) == 16


def test_requests_that_do_not_lie_asset_by_asset_are_not_served() -> None:
    part = Sent({}, Stand(np.array([0, 0]), np.array([1, 0]), 0), np.array([0, 1]))
    with pytest.raises(RuntimeError, match="do not lie asset by asset"):
        in_order([part], 1)


@pytest.mark.parametrize(
    ("facts", "kind", "what"),
    [
        ({"slot": 1}, DataError, "a request names a slot outside 0..0"),
        ({"measure": Measure.FILLED}, DataError, "a request is sized by a fill that it does not wait for"),
        ({"trail": 5}, DataError, "a request trails and is not a stop"),
        ({"kind": OrderKind.LIMIT}, DataError, "a request lacks a price that its kind needs, or has one that it does not"),
        ({"stop": 5}, DataError, "a request lacks a price that its kind needs, or has one that it does not"),
        ({"display": -1}, DataError, "a request shows fewer than no lots"),
        ({"size": LIMIT}, LedgerError, "an order of 2^61 units or more"),
    ],
)
def test_each_fault_is_refused_in_words_and_read_only_rows_are_read(facts: dict[str, Any], kind: type[Exception], what: str) -> None:
    rows = np.array([row_of(**{"size": 1, **facts})], dtype=np.int64)
    rows.flags.writeable = False
    with pytest.raises(kind, match=what.replace(".", r"\.").replace("^", r"\^")):
        Book(table(), orders=True).ask(rows, 0, 0, 0)
