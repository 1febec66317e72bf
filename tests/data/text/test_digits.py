"""Numbers, times and names read eight letters at a time: what they are letter by letter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rustybt.data.text import read
from rustybt.data.text.digits import FAILED, LEFT, letters, number, short
from rustybt.data.text.native import native
from rustybt.data.text.read import Wanted, read_plain


@native
def both(text: Any, fraction: bool) -> Any:
    return short(text, 0, fraction), letters(text, 0, fraction), number(text, 0, fraction)


def found(text: str, *, fraction: bool, room: int = LEFT) -> Any:
    return both(np.frombuffer(text.encode().ljust(room, b","), np.uint8), fraction)


PLAIN = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,8})?,", fullmatch=True)


@settings(max_examples=300, deadline=None)
@given(st.one_of(PLAIN, st.text("0019.,-e\n", max_size=20).map(lambda text: f"{text},")), st.booleans())
@example("9999999.9999999,", True)
@example("0.5,", True)
@example("00.5,", True)
@example("1.,", True)
@example("1234567.,", True)
@example("12345678,", True)
@example("1.5,", False)
def test_eight_letters_at_a_time_say_what_single_ones_say_or_nothing(text: str, fraction: bool) -> None:
    at_once, one_by_one, chosen = found(text, fraction=fraction)
    assert at_once[1] == FAILED or at_once == one_by_one
    assert chosen == one_by_one


@pytest.mark.parametrize("text", ["7", "0", "100.01", "-100.01", "1060034.0", "1.2345678"[:-1], "9999999.9999999"])
def test_what_most_lines_hold_is_read_at_once(text: str) -> None:
    at_once, _, _ = found(f"{text},", fraction=True)
    whole, _, decimals = text.lstrip("-").partition(".")
    assert at_once == (int(whole + decimals), len(decimals), len(text))


MOMENTS = st.datetimes(datetime(1969, 12, 30), datetime(1970, 1, 3)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))  # noqa: DTZ001
NAMES = st.text("AB", min_size=1, max_size=10)


def table_of(path: Path, rows: list[str], change: Callable[[str], str] = str) -> Any:
    path.write_text("\n".join(["ts,asset,open,high,low,close,volume", *map(change, rows)]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read, "WORTH", 0)
        return read_plain([Wanted(str(path), {name: name for name in "ts asset open high low close volume".split()}, "bars")])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(MOMENTS, NAMES), min_size=1, max_size=12),
    st.sampled_from(["Z", ".000Z", "+00:00", ".000000+00:00"]),
)
def test_times_and_names_are_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, keys: list[tuple[datetime, str]], tail: str
) -> None:
    rows = [f"{ts:%Y-%m-%dT%H:%M:%S}{tail},{name},1.5,1.5,1.5,1.5,1" for ts, name in keys]
    frame = table_of(tmp_path_factory.mktemp("moments") / "bars.csv", rows)
    assert frame["ts"].to_list() == [ts for ts, _ in keys]
    assert frame["asset"].to_list() == [name for _, name in keys]


@pytest.mark.parametrize(
    ("old", "new"),
    [("T12:", "T24:"), ("12:30", "12:60"), (":59Z", ":60Z"), (":59Z", ":5:Z"), ("12:30", "12-30"), (":59Z", ":59z"), ("12:30", "1/:30")],
)
def test_a_clock_that_is_none_is_noticed_after_a_line_of_the_same_day(tmp_path: Path, old: str, new: str) -> None:
    rows = ["2024-02-29T12:30:59Z,A,1.5,1.5,1.5,1.5,1"] * 6000
    assert table_of(tmp_path / "bars.csv", rows).height == len(rows)
    rows[5950] = rows[5950].replace(old, new)
    assert table_of(tmp_path / "bars.csv", rows) is None
