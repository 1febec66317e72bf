"""Downloads through the cache: what is asked for, and that no answer is older than its policy allows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rustybt as rbt
from tests.data.cache.clockwork import EPOCH, Clock, Clockwork, Crowd, got, kept, numbers

MARCH = datetime(2024, 3, 1, tzinfo=UTC)


def truth(source: Clockwork, end: datetime, start: datetime | None = None, symbol: str = "A") -> list[tuple[Any, ...]]:
    start = start or MARCH - timedelta(days=0 if source.daily else 1)  # intraday a day more is asked for
    rows = source.truth(symbol, start, end, "1d" if source.daily else "1h")
    return [(row[0], row[4], row[5]) for row in rows]


def test_the_same_again_is_not_asked_for(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    first = got(source, tmp_path)
    asked = len(source.asked)
    clock.forward(minutes=30)
    again = got(source, tmp_path)
    assert (first.how, again.how, len(source.asked)) == ({"A": "whole"}, {"A": "memory"}, asked)
    assert again.bars.equals(first.bars)
    assert numbers(again) == truth(source, clock.now)


def test_after_the_close_only_the_end_is_asked_for(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    got(source, tmp_path, start="2023-06-01")
    source.asked.clear()
    clock.forward(hours=1, minutes=5)
    found = got(source, tmp_path, start="2023-06-01")
    assert found.how == {"A": "end"}
    assert source.asked[0][1].start > clock.now - timedelta(days=14)
    assert numbers(found) == truth(source, clock.now, datetime(2023, 6, 1, tzinfo=UTC))
    assert numbers(found)[-1][0] == date(2024, 3, 8)


def test_a_bar_that_is_not_complete_is_never_served(tmp_path: Path, clock: Clock) -> None:
    """The source gives it every time, with other numbers; what is served of it later are its last."""
    source = Clockwork(clock)
    for _ in range(12):
        clock.forward(minutes=17)
        found = numbers(got(source, tmp_path))
        assert found == truth(source, clock.now)
        assert all(at + timedelta(hours=1) <= clock.now for at, *_ in found)


def test_a_bar_that_the_vendor_is_late_with_is_asked_for_until_it_comes(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    source.late = timedelta(hours=8)
    clock.forward(hours=1, minutes=5)  # the close is past, the bar is not there
    assert numbers(got(source, tmp_path))[-1][0] == date(2024, 3, 7)
    clock.forward(hours=1)
    assert got(source, tmp_path).how == {"A": "end"}
    source.late = timedelta(0)
    clock.forward(hours=8)
    assert numbers(got(source, tmp_path))[-1][0] == date(2024, 3, 8)
    clock.forward(hours=20)
    assert got(source, tmp_path).how == {"A": "memory"}


def test_an_asset_that_trades_no_more_is_not_asked_for_at_weekends(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    source.late = timedelta(days=300)
    got(source, tmp_path, start="2023-01-02")
    clock.forward(days=1, hours=3)
    assert got(source, tmp_path, start="2023-01-02").how == {"A": "end"}
    clock.forward(hours=12)
    assert got(source, tmp_path, start="2023-01-02").how == {"A": "memory"}


def test_a_history_that_the_vendor_changed_is_asked_for_anew(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    got(source, tmp_path)
    source.corrected[("A", date(2024, 3, 5))] = "99.99"
    clock.forward(days=3, hours=2)
    found = got(source, tmp_path)
    assert (found.how, kept(tmp_path).stats()["counts"]["revised"]) == ({"A": "whole"}, 1)
    assert (date(2024, 3, 5), "99.99") in [row[:2] for row in numbers(found)]
    assert numbers(found) == truth(source, clock.now)


def test_a_young_bar_that_is_corrected_needs_the_end_alone(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    clock.forward(hours=2)
    got(source, tmp_path)
    source.corrected[("A", date(2024, 3, 8))] = "99.99"
    clock.forward(days=3)
    found = got(source, tmp_path)
    assert found.how == {"A": "end"}
    assert numbers(found) == truth(source, clock.now)


def test_a_narrower_span_is_a_part_of_what_is_kept(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    source.events = [{"ts": "2024-01-05", "kind": "dividend", "value": "1"}, {"ts": "2024-02-15", "kind": "dividend", "value": "2"}]
    got(source, tmp_path, start="2023-12-01")
    part = got(source, tmp_path, start="2024-02-01", end="2024-02-20")
    direct = got(Clockwork(clock, daily=True), tmp_path / "direct", start="2024-02-01", end="2024-02-20")
    assert part.how == {"A": "memory"}
    assert part.bars.equals(direct.bars)
    assert part.events is not None
    assert part.events["ts"].to_list() == ["2024-02-15"]


def test_a_wider_span_asks_for_what_is_lacking(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    got(source, tmp_path, start="2024-01-02", end="2024-01-31")
    source.asked.clear()
    found = got(source, tmp_path, start="2024-01-02", end="2024-02-29")
    assert found.how == {"A": "end"}
    assert source.asked[0][1].start >= datetime(2024, 1, 20, tzinfo=UTC)
    assert numbers(found) == truth(source, datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC))
    source.asked.clear()
    earlier = got(source, tmp_path, start="2023-06-01", end="2023-12-31")
    assert earlier.how == {"A": "start"}
    assert [(asked.start, asked.end.date()) for _, asked, _ in source.asked] == [(datetime(2023, 6, 1, tzinfo=UTC), date(2024, 1, 8))]
    assert numbers(earlier) == truth(source, datetime(2024, 1, 1, tzinfo=UTC), datetime(2023, 6, 1, tzinfo=UTC))
    assert numbers(got(source, tmp_path, start="2023-06-01", end="2024-02-29"))[-1][0] == date(2024, 2, 29)
    assert got(source, tmp_path, start="2023-06-01", end="2024-02-29").how == {"A": "memory"}, "what was kept reaches on"


def test_an_earlier_start_brings_its_events_and_what_came_meanwhile(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    source.events = [{"ts": "2023-11-05", "kind": "dividend", "value": "1"}, {"ts": "2024-02-15", "kind": "dividend", "value": "2"}]
    got(source, tmp_path, start="2024-02-01")
    clock.forward(days=5, hours=2)
    source.asked.clear()
    found = got(source, tmp_path, start="2023-10-02")
    assert (found.how, len(source.asked)) == ({"A": "start"}, 2)
    assert source.asked[1][1].start > datetime(2024, 2, 20, tzinfo=UTC)
    assert numbers(found) == truth(source, clock.now, datetime(2023, 10, 2, tzinfo=UTC))
    assert found.events is not None
    assert found.events["ts"].to_list() == ["2023-11-05", "2024-02-15"]
    assert kept(tmp_path).stats()["counts"]["start"] == 1


def test_an_earlier_start_over_a_history_that_the_vendor_changed_is_asked_for_anew(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    got(source, tmp_path, start="2024-02-01")
    source.corrected[("A", date(2024, 2, 2))] = "99.99"
    found = got(source, tmp_path, start="2023-12-01")
    assert (found.how, kept(tmp_path).stats()["counts"]["revised"]) == ({"A": "whole"}, 1)
    assert numbers(found) == truth(source, clock.now, datetime(2023, 12, 1, tzinfo=UTC))


def test_the_end_that_is_asked_for_brings_its_events(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock, daily=True)
    source.events = [{"ts": "2024-02-15", "kind": "dividend", "value": "2"}]
    got(source, tmp_path, start="2024-01-02")
    source.events.append({"ts": "2024-03-11", "kind": "dividend", "value": "3"})
    clock.forward(days=3, hours=2)
    found = got(source, tmp_path, start="2024-01-02")
    assert found.events is not None
    assert found.events["value"].to_list() == ["2", "3"]


@pytest.mark.parametrize(
    ("freshness", "hours", "how"),
    [("never", 0.1, "whole"), ("ttl:1h", 0.9, "memory"), ("ttl:1h", 1.1, "whole"), ("hybrid:3h", 2.0, "memory"), ("hybrid:3h", 4.0, "end")],
)
def test_policies(tmp_path: Path, clock: Clock, freshness: str, hours: float, how: str) -> None:
    source = Clockwork(clock)
    got(source, tmp_path, freshness=freshness)
    clock.forward(hours=hours)
    found = got(source, tmp_path, freshness=freshness)
    assert found.how == {"A": how}
    if how != "memory":
        assert numbers(found) == truth(source, clock.now)
    elif hours > 1:
        assert any("may have newer ones by now" in note for note in found.notes)


def test_pages_of_an_interrupted_download_obey_the_policy(tmp_path: Path, clock: Clock) -> None:
    """They are older than the answer says, so what came after them is asked for, and under a short life all of it."""
    for freshness, asked_again in (("session", False), ("ttl:1h", True), ("never", True)):
        root, source = tmp_path / freshness.partition(":")[0], Clockwork(clock, page=40)
        source.fetch = interrupted(source.fetch, after=2)  # type: ignore[method-assign]
        with pytest.raises(rbt.SourceError):
            got(source, root, freshness=freshness)
        again = Clockwork(clock, page=40)
        clock.forward(hours=5)
        found = got(again, root, freshness=freshness)
        assert numbers(found) == truth(again, clock.now)
        assert (again.asked[0][2] is None) is asked_again, freshness


def test_an_interrupted_end_that_is_gone_on_with_is_brought_up_to_now(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock)
    got(source, tmp_path)
    clock.forward(days=3)
    broken = Clockwork(clock, page=40)
    broken.fetch = interrupted(broken.fetch, after=1)  # type: ignore[method-assign]
    with pytest.raises(rbt.SourceError):
        got(broken, tmp_path)
    clock.forward(days=2)
    again = Clockwork(clock, page=40)
    assert numbers(got(again, tmp_path)) == truth(again, clock.now)
    assert again.asked[0][2] == "40", "the page that had arrived was not asked for again"


def interrupted(call: Any, after: int) -> Any:
    left = [after]

    def one(*given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise rbt.SourceError("gone", retryable=True)
        return call(*given)

    return one


def test_offline_answers_from_what_is_kept_or_says_all_that_is_lacking(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock)
    got(source, tmp_path, symbols=("A", "B"))
    asked = len(source.asked)
    clock.forward(days=10)
    found = got(source, tmp_path, symbols=("A", "B"), offline=True, freshness="always")
    assert set(found.how.values()) == {"memory"}
    with pytest.raises(rbt.DataError) as caught:
        got(source, tmp_path, symbols=("A", "B", "C"), offline=True)
    assert "lacks bars of 3 of 3 symbols: A (kept from 2024-02-29 to 2024-03-08 20:00 UTC), B (" in caught.value.what
    assert "C (nothing is kept)" in caught.value.what
    assert caught.value.facts["missing"] == ["A", "B", "C"]
    with pytest.raises(rbt.DataError, match=r"1 of 1 symbols: A \(kept from 2024-02-29 to 2024-03-08 20:00 UTC\)"):
        got(source, tmp_path, offline=True, freshness="always", start="2024-02-01")
    with pytest.raises(rbt.DataError, match="which does not count"):
        got(source, tmp_path, offline=True, freshness="ttl:1h")
    assert len(source.asked) == asked
    assert kept(tmp_path).stats()["counts"]["refused"] == 5


def test_other_options_are_other_answers(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock)
    got(source, tmp_path)
    source.options = {"feed": "iex"}
    assert got(source, tmp_path).how == {"A": "whole"}
    assert kept(tmp_path).stats()["entries"] == 2


def test_a_failing_source_leaves_what_is_kept(tmp_path: Path, clock: Clock) -> None:
    source = Clockwork(clock)
    first = got(source, tmp_path)
    clock.forward(hours=3)
    source.down = {"A"}
    with pytest.raises(rbt.SourceError):
        got(source, tmp_path)
    assert got(source, tmp_path, freshness="always").bars.equals(first.bars)


def test_symbols_are_asked_for_side_by_side_and_come_in_their_order(tmp_path: Path, clock: Clock) -> None:
    """Nobody goes on before all four are under way."""
    from threading import Barrier

    symbols = ("D", "B", "A", "C")
    together, source = Barrier(4, timeout=30), Crowd(clock)
    plain = source.fetch

    def meeting(symbol: str, *given: Any) -> Any:
        together.wait()
        return plain(symbol, *given)

    source.fetch = meeting  # type: ignore[method-assign,assignment]
    found = got(source, tmp_path, symbols=symbols, workers=4)
    one_by_one = got(Clockwork(clock), tmp_path / "other", symbols=symbols, workers=1)
    assert found.bars.equals(one_by_one.bars)
    assert list(found.terms) == list(symbols)


def test_the_first_failure_by_symbol_is_raised_and_what_arrived_is_kept(tmp_path: Path, clock: Clock) -> None:
    source = Crowd(clock)
    source.down = {"C"}
    with pytest.raises(rbt.SourceError) as caught:
        got(source, tmp_path, symbols=("A", "B", "C", "D"), workers=2)
    assert caught.value.where == "C"
    source.down = set()
    source.asked.clear()
    got(source, tmp_path, symbols=("A", "B", "C", "D"), workers=2)
    assert {symbol for symbol, *_ in source.asked} <= {"C", "D"}


@pytest.mark.parametrize("workers", [0, 33])
def test_a_number_of_workers_that_cannot_be_is_refused(tmp_path: Path, clock: Clock, workers: int) -> None:
    with pytest.raises(rbt.ConfigError, match=f"{workers} workers cannot be"):
        got(Clockwork(clock), tmp_path, workers=workers)


steps = st.tuples(
    st.floats(min_value=0.0, max_value=60.0),  # hours until the request
    st.integers(min_value=0, max_value=20),  # its start, in days before now
    st.one_of(st.none(), st.integers(min_value=0, max_value=10)),  # its end, in days before now
    st.booleans(),  # whether the vendor corrects yesterday's bars meanwhile
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=st.lists(steps, min_size=2, max_size=8), daily=st.booleans())
def test_under_session_no_answer_is_ever_stale(tmp_path_factory: pytest.TempPathFactory, clock: Clock, todo: Any, daily: bool) -> None:
    """Whatever was asked for before: what is served are all bars that are complete, and nothing else."""
    root, clock.now = tmp_path_factory.mktemp("kept"), datetime(2024, 3, 8, 20, tzinfo=UTC)
    source = Clockwork(clock, daily=daily)
    for hours, back, until, corrects in todo:
        clock.forward(hours=hours)
        if corrects:
            at: Any = clock.now.date() - timedelta(days=1)
            source.corrected[("A", at if daily else clock.now.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=60))] = "55.55"
        start = clock.now.date() - timedelta(days=back + 12)
        end = None if until is None else clock.now.date() - timedelta(days=until)
        found = got(source, root, start=start.isoformat(), end=None if end is None else end.isoformat())
        wide = 0 if daily else 1
        first = EPOCH + timedelta(days=(start - EPOCH.date()).days - wide)
        last = clock.now if end is None else min(clock.now, EPOCH + timedelta(days=(end - EPOCH.date()).days + 1 + wide))
        wanted = truth(source, last, first)
        assert [row[0] for row in numbers(found)] == [row[0] for row in wanted]
        fresh = [row for row in wanted if row[1] != "55.55"]
        assert set(fresh) <= set(numbers(found))
