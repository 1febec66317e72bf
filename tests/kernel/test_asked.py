"""What the kernel cannot serve is refused at its door: the pass over all requests against one look at each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import DataError, LedgerError
from rustybt.kernel import Book
from rustybt.kernel.asked import HIDDEN, NO_FILL, NO_PRICE, NO_SLOT, NO_STOP, TOO_MUCH, faults_of
from rustybt.kernel.example import row_of, table
from rustybt.model import REQUEST_FIELDS, Measure, OrderFlag, OrderKind
from rustybt.model.decimals import LIMIT

SLOTS = 3
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
    expected = 0
    for row in asked:
        expected |= wrong_with(row)
    assert faults_of(rows, SLOTS) == expected


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
