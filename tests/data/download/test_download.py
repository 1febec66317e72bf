"""Downloads: the registry, the protocol for sources of one's own, pages on the disk, budgets."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data.download import Patience, is_address, known_sources, open_address
from rustybt.data.download.asking import Budget, ask
from rustybt.data.download.pages import Pages
from rustybt.model.source import History, Page, Rate, Source, Terms

HISTORY = History("1d", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
NOW = datetime(2024, 2, 1, 12, tzinfo=UTC)
QUICK = Patience(attempts=3, first=0.0)


class Almanac:
    """A source of days, four bars a page."""

    name, address, version = "almanac", "https://almanac.example", "1"
    stamp: Literal["session"] = "session"
    frequencies: Sequence[str] = ("1d",)
    rates: Sequence[Rate] = ()
    options: Mapping[str, str] = {}

    def __init__(self, text: str = "10.10", same: bool = False) -> None:
        self.text, self.same = text, same
        self.asked: list[str | None] = []

    def terms(self, symbol: str) -> Terms:
        return Terms("equity", {"tick_size": "0.01"}, "XNYS")

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        self.asked.append(cursor)
        first = date.fromisoformat(cursor) if cursor else date(2024, 1, 2)
        days = [first + timedelta(days=i) for i in range(4)]
        prices = dict.fromkeys(("open", "high", "low", "close"), [self.text] * 4)
        bars = pl.DataFrame({"ts": list(days), **prices, "volume": ["100"] * 4}).filter(pl.col("ts").dt.weekday() < 6)
        bars = bars.filter(pl.col("ts") != date(2024, 1, 15))
        last = days[-1] + timedelta(days=1)
        more = last < date(2024, 1, 18)
        return Page(bars, cursor="2024-01-06" if self.same else last.isoformat() if more else None)


def ingested(source: Any, folder: Path, **more: Any) -> Any:
    given = {"symbols": ["ACME"], "start": "2024-01-01", "end": "2024-01-31", "patience": QUICK, **more}
    return rbt.ingest(source, "got", catalog=folder, **given)


def test_a_source_of_ones_own_is_a_source() -> None:
    assert isinstance(Almanac(), Source)


def test_its_bars_stand_at_the_close_of_their_sessions(tmp_path: Path) -> None:
    panel = rbt.Catalog(tmp_path).open(ingested(Almanac(), tmp_path).name)
    assert (panel.calendar, panel.bars) == ("XNYS", 11)
    assert panel.frame["ts"][0] == datetime(2024, 1, 2, 21, tzinfo=UTC)


def test_another_package_makes_a_source_known_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "almanac-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: almanac\nVersion: 1\n")
    (folder / "entry_points.txt").write_text("[rustybt.sources]\nalmanac = almanac_of_mine:open_source\nbroken = nowhere:at_all\n")
    (tmp_path / "almanac_of_mine.py").write_text(
        "from tests.data.download.test_download import Almanac\n"
        "def open_source(address, *, text='10.10'):\n"
        "    return Almanac(text), tuple(address.split(','))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert {"almanac", "ccxt"} <= set(known_sources())
    assert is_address("almanac:ACME")
    made = ingested("almanac:ACME", tmp_path / "catalog", symbols=None, settings={"text": "12.34"})
    assert made.source == "almanac:ACME"
    with pytest.raises(rbt.ConfigError, match="has no setting 'colour'"):
        open_address("almanac:ACME", {"colour": "red"})
    with pytest.raises(rbt.ConfigError, match="source 'broken' cannot be loaded"):
        open_address("broken:ACME")


def test_an_address_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_address("ccxt:binance:BTC/USDT")
    Path("ccxt:bars.csv").write_text("")
    assert not is_address("ccxt:bars.csv")


def test_an_unknown_source_is_answered_with_one_like_it() -> None:
    with pytest.raises(rbt.ConfigError, match="there is no source 'ccxtt'") as caught:
        open_address("ccxtt:binance:BTC/USDT")
    assert "'ccxt'" in caught.value.do


def test_a_file_takes_no_settings_of_vendors(tmp_path: Path) -> None:
    with pytest.raises(rbt.ConfigError, match="frequency is for vendors"):
        rbt.ingest("demo", "got", catalog=tmp_path, frequency="1d")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"symbols": []}, "no symbol is named"),
        ({"symbols": "ACME"}, "symbols is the text 'ACME'"),
        ({"start": None}, "a download needs a start"),
        ({"start": "2024-02-01"}, "nothing lies between"),
        ({"frequency": "1h"}, "almanac has no bars of '1h'"),
        ({"assets": ["ACME"]}, "assets is a list"),
    ],
)
def test_what_cannot_be_wanted_is_refused(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(rbt.ConfigError, match=said):
        ingested(Almanac(), tmp_path, **given)


def test_a_text_that_is_no_number_is_shown(tmp_path: Path) -> None:
    with pytest.raises(rbt.SourceError, match="open holds 'n/a', which is no number") as caught:
        ingested(Almanac("n/a"), tmp_path)
    assert caught.value.where.startswith("almanac, '")
    assert caught.value.where.endswith("', column 'open'")


def test_numbers_with_exponents_and_many_digits_are_exact(tmp_path: Path) -> None:
    for number, (text, tick, ticks) in enumerate(
        (
            ("1.5e-7", "0.00000001", 15),
            ("0.000000000000000001", "1E-18", 1),
            ("12345678.12345678", "0.00000001", 1234567812345678),
        )
    ):
        made = ingested(Almanac(text), folder := tmp_path / str(number), tick_size=tick)
        assert rbt.Catalog(folder).open(made.name).frame["ticks_close"][0] == ticks


def test_a_source_that_goes_in_circles_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(rbt.SourceError, match="names the same page again and again"):
        ingested(Almanac(same=True), tmp_path)


def test_the_end_of_a_resumed_download_is_that_of_its_beginning(tmp_path: Path) -> None:
    pages = Pages(tmp_path, Almanac(), {"end": None})
    later = History("1d", HISTORY.start, HISTORY.end + timedelta(days=1))
    assert pages.pin(HISTORY, NOW) == (HISTORY, NOW)
    pages.keep(0, Almanac().fetch("ACME", HISTORY, None))
    assert pages.pin(later, NOW + timedelta(hours=1)) == (HISTORY, NOW)
    assert len(pages.whole()) == 1
    (pages.folder / "wanted.json").write_text("{}")  # damaged, or too old: begun anew
    assert pages.pin(later, NOW) == (later, NOW)
    assert not pages.whole()


def test_pages_that_are_older_than_may_be_are_not_gone_on_with(tmp_path: Path) -> None:
    pages = Pages(tmp_path, Almanac(), {"end": None})
    pages.pin(HISTORY, NOW)
    pages.keep(0, Almanac().fetch("ACME", HISTORY, None))
    assert pages.pin(HISTORY, NOW + timedelta(hours=1), timedelta(hours=2)) == (HISTORY, NOW)
    assert pages.pin(HISTORY, NOW + timedelta(hours=3), timedelta(hours=2)) == (HISTORY, NOW + timedelta(hours=3))
    assert not pages.whole()


@pytest.mark.parametrize("damage", ["000001.parquet", "000001.json"])
def test_a_damaged_page_and_those_after_it_are_asked_for_again(tmp_path: Path, damage: str) -> None:
    pages, source = Pages(tmp_path, Almanac(), {}), Almanac()
    pages.pin(HISTORY, NOW)
    cursor: str | None = None
    for number in range(3):
        page = source.fetch("ACME", HISTORY, cursor)
        pages.keep(number, page)
        cursor = page.cursor
    victim = next(pages.folder.rglob(damage))
    victim.write_bytes(victim.read_bytes()[:20])
    assert len(pages.whole()) == 1


class Slow(Almanac):
    """Two requests in 0.4 seconds."""

    address, rates = "https://slow.example", (Rate(2, 0.4),)


def granted(folder: Path) -> None:
    """Three requests."""
    for _ in range(3):
        ask(Budget(Slow(), folder), QUICK, lambda: None)


def test_a_budget_is_kept_and_shared_by_threads_and_processes(tmp_path: Path) -> None:
    """Twelve requests, two in each 0.4 seconds: between the first and the last lie five spans."""
    context = multiprocessing.get_context("fork")
    workers: list[Any] = [context.Process(target=granted, args=(tmp_path,)) for _ in range(2)]
    workers += [threading.Thread(target=granted, args=(tmp_path,)) for _ in range(2)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - began >= 2.0
    assert [worker.exitcode for worker in workers[:2]] == [0, 0]


def test_nobody_asks_while_a_vendor_is_closed(tmp_path: Path) -> None:
    Budget(Almanac(), tmp_path).close_for(0.3)
    began = time.monotonic()
    Budget(Almanac(), tmp_path).take()
    assert time.monotonic() - began >= 0.25


def test_a_patience_that_cannot_be_is_refused() -> None:
    with pytest.raises(rbt.ConfigError, match="cannot be kept"):
        Patience(attempts=0)


def slowly(folder: Path, pause: float = 0.15) -> None:
    """A download that another process kills midway."""

    class Sleepy(Almanac):
        def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
            time.sleep(pause)
            return super().fetch(symbol, history, cursor)

    ingested(Sleepy(), folder)


def test_a_download_killed_at_any_instant_goes_on(tmp_path: Path) -> None:
    """No dataset is seen before the end, and no page is lost or counted twice."""
    whole = ingested(Almanac(), tmp_path / "whole")
    for number, moment in enumerate((0.05, 0.25, 0.4, 0.55)):
        folder = tmp_path / str(number)
        worker = multiprocessing.get_context("fork").Process(target=slowly, args=(folder,))
        worker.start()
        time.sleep(moment)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        assert not rbt.Catalog(folder).versions()
        assert ingested(Almanac(), folder).snapshot == whole.snapshot


def test_no_library_of_a_vendor_is_loaded_before_it_is_used() -> None:
    heavy = "('ccxt', 'tenacity', 'pyrate_limiter', 'requests')"
    code = f"import sys, rustybt, rustybt.data, rustybt.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_progress_goes_forward_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    ingested(Almanac(), tmp_path, symbols=["A", "B"], progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == 62


def test_a_disk_that_is_full_is_said_and_nothing_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second page does not fit; what has arrived counts when there is space again."""
    written = os.fsync

    def full(handle: int) -> None:
        written(handle)
        if len(list(tmp_path.rglob("0000*.parquet"))) >= 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(rbt.DataError, match="No space left on device") as caught:
            ingested(Almanac(), tmp_path)
    assert "nothing was published" in caught.value.do
    assert not rbt.Catalog(tmp_path).versions()
    assert ingested(Almanac(), tmp_path).snapshot == ingested(Almanac(), tmp_path / "whole").snapshot


def test_two_processes_do_not_download_the_same(tmp_path: Path) -> None:
    worker = multiprocessing.get_context("fork").Process(target=slowly, args=(tmp_path, 30.0))
    worker.start()
    try:
        until = time.monotonic() + 20
        while not list(tmp_path.rglob("wanted.json")) and time.monotonic() < until:
            time.sleep(0.02)
        with pytest.raises(rbt.DataError, match="another process is downloading the same"):
            ingested(Almanac(), tmp_path)
    finally:
        worker.kill()
        worker.join()
    assert ingested(Almanac(), tmp_path).new


def test_pages_that_nobody_went_on_with_are_thrown_away(tmp_path: Path) -> None:
    left = Pages(tmp_path / "downloads", Almanac(), {"end": "another"})
    left.pin(HISTORY, NOW)
    old = time.time() - 8 * 86_400
    os.utime(left.folder / "wanted.json", (old, old))
    ingested(Almanac(), tmp_path)
    assert not left.folder.exists()


@pytest.mark.parametrize("wrong", [{"assets": ["ACME"]}, {"stamp": "noon"}, {"dirty": "wash"}, {"preset": "moon"}])
def test_a_wrong_option_is_said_before_anything_is_asked(tmp_path: Path, wrong: dict[str, Any]) -> None:
    source = Almanac()
    with pytest.raises(rbt.ConfigError):
        ingested(source, tmp_path, **wrong)
    assert not source.asked


class Careless(Almanac):
    """A source whose author did not read the protocol."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def fetch(self, symbol: str, history: History, cursor: str | None) -> Page:
        if isinstance(self.answer, Exception):
            raise self.answer
        if not isinstance(self.answer, dict):
            return self.answer  # type: ignore[no-any-return]
        row = {"ts": "2024-01-02", **dict.fromkeys(("open", "high", "low", "close"), "10.10"), "volume": "1"}
        found = {name: value for name, value in {**row, **self.answer}.items() if value != "nothing"}
        return Page(pl.DataFrame({name: [value] for name, value in found.items()}))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (KeyError("boom"), "fetch of source 'almanac' failed with KeyError: 'boom'"),
        (None, "fetch gave a NoneType"),
        (Page(None), "fetch gave a NoneType"),  # type: ignore[arg-type]
        ({"ts": "01/02/2024"}, "ts holds the text '01/02/2024', which is no date"),
        ({"ts": 20240102}, r"ts holds Int64 \(20240102\)"),
        ({"high": "nothing"}, "its bars lack the column 'high'"),
        ({"high": True}, r"high holds Boolean \(True\)"),
    ],
)
def test_what_a_source_of_others_does_wrong_names_source_and_symbol(answer: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(rbt.SourceError, match=said) as caught:
        ingested(Careless(answer), tmp_path)
    assert (caught.value.where, bool(caught.value.do)) == ("almanac, 'ACME'", True)


def test_dates_in_text_are_sessions_of_a_source(tmp_path: Path) -> None:
    panel = rbt.Catalog(tmp_path).open(ingested(Careless({}), tmp_path).name)
    assert panel.frame["ts"].to_list() == [datetime(2024, 1, 2, 21, tzinfo=UTC)]


def test_terms_that_fail_name_source_and_symbol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Almanac, "terms", lambda _, symbol: {}[symbol])
    with pytest.raises(rbt.SourceError, match="terms of source 'almanac' failed with KeyError: 'ACME'"):
        ingested(Almanac(), tmp_path)


def test_a_long_wait_for_the_budget_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, stop = Almanac(), threading.Event()
    source.rates = (Rate(1, 60.0),)
    budget = Budget(source, tmp_path)
    budget.take()
    threading.Timer(0.2, stop.set).start()
    budget.take(stop)
    budget.take(stop)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert said[0].startswith("almanac may be asked again in about 60 s")
