"""The conformance suite of sources: what every one must do, told as a class of tests to inherit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from rustybt.data import Catalog, Patience, Version, ingest
from rustybt.data.calendars import sessions
from rustybt.data.catalog.bars import decimal_frame
from rustybt.data.stamps import microseconds
from rustybt.errors import ConfigError, RustyBTError, SourceError
from rustybt.testing.vendors.server import SILENCE, Vendor
from rustybt.testing.vendors.tape import Tape

KEYS = ("ts", "asset")
PRICES = ("open", "high", "low", "close", "volume")
QUICK = Patience(attempts=4, first=0.0, longest=5.0)


class SourceSuite:
    """Inherit, say which source it is and how its simulated vendor is made, and let pytest collect it.

    Attributes:
        source: what stands before the symbols in an address: ``"ccxt:binance"``.
        symbols: as the source writes them, in the order of the tapes; two or more.
        bars_path: part of the path of the requests that bring bars.
        unknown: a symbol that the vendor does not know.
        start, end: dates that the tapes lie between.
        wants_key: whether the vendor refuses a wrong key.
        pages: requests for the bars of one symbol, at least.
        left_over: requests for bars of a download that went on after all pages but one had arrived.
        own_tries: requests that the vendor's library sends by itself where one fails.

    Example:
        >>> class TestMine(SourceSuite):
        ...     source, symbols = "mine", ("A", "B")
    """

    source: ClassVar[str]
    symbols: ClassVar[tuple[str, ...]]
    bars_path: ClassVar[str]
    unknown: ClassVar[str] = "NOSUCH"
    start: ClassVar[str] = "2024-01-01"
    end: ClassVar[str] = "2024-12-31"
    wants_key: ClassVar[bool] = False
    pages: ClassVar[int] = 2
    own_tries: ClassVar[int] = 1
    left_over: ClassVar[int] = 1

    def vendor(self) -> Vendor:
        """The simulated vendor, with a tape for each symbol."""
        raise LookupError("write vendor() in your suite")

    def settings(self, vendor: Vendor) -> dict[str, Any]:
        """Settings that lead the source to the vendor."""
        return {"base_url": vendor.url, **({"key": vendor.key} if self.wants_key else {})}

    # --- the tests ------------------------------------------------------------------------------------------------

    def test_every_bar_comes_once_and_exact(self, tmp_path: Path) -> None:
        """Over several pages, to the last digit."""
        with self.vendor() as vendor:
            made = self.ingested(vendor, tmp_path)
            assert len(vendor.calls_to(self.bars_path)) >= self.pages * len(self.symbols)
            self.check(vendor, tmp_path, made)

    def test_splits_and_dividends_come_with_the_bars(self, tmp_path: Path) -> None:
        """Those of the tapes, and no others."""
        with self.vendor() as vendor:
            made = self.ingested(vendor, tmp_path)
            wanted = sorted(
                (symbol, action.day.isoformat(), action.kind, action.value)
                for symbol, tape in zip(self.symbols, vendor.tapes.values(), strict=True)
                for action in tape.actions
                if tape.bars[0].day < action.day <= date.fromisoformat(self.end)
            )
            assert self.said(tmp_path, made) == wanted

    def test_the_same_again_is_the_same_snapshot(self, tmp_path: Path) -> None:
        """Nothing of when or how it was asked is in the content."""
        with self.vendor() as vendor:
            first, again = self.ingested(vendor, tmp_path), self.ingested(vendor, tmp_path)
            assert (again.snapshot, again.new) == (first.snapshot, False)

    def test_a_busy_and_a_failing_vendor_are_waited_for(self, tmp_path: Path) -> None:
        """429, 5xx with a page of HTML, half an answer, a body that breaks off, a connection that is reset."""
        for kind in ("limited", "down", "broken", "cut", "reset"):
            with self.vendor() as vendor:
                vendor.fail(kind, self.bars_path, times=2, skip=1)
                folder = tmp_path / kind
                self.check(vendor, folder, self.ingested(vendor, folder))

    def test_a_vendor_that_says_nothing_is_not_waited_for_for_ever(self, tmp_path: Path) -> None:
        """The setting ``timeout`` ends the wait, and the page is asked for again."""
        with self.vendor() as vendor:
            vendor.fail("silent", self.bars_path, skip=1)
            made = self.ingested(vendor, tmp_path, settings={**self.settings(vendor), "timeout": SILENCE / 2})
            self.check(vendor, tmp_path, made)

    def test_shuffled_and_repeated_rows_change_nothing(self, tmp_path: Path) -> None:
        """The snapshot is the same as from an orderly vendor."""
        for kind in ("shuffled", "repeated"):
            with self.vendor() as vendor:
                vendor.fail(kind, self.bars_path, times=100)
                folder = tmp_path / kind
                self.check(vendor, folder, self.ingested(vendor, folder))

    def test_an_unknown_symbol_is_named_and_nothing_is_published(self, tmp_path: Path) -> None:
        """Not even the symbols that are there."""
        with self.vendor() as vendor, self.fails(SourceError, tmp_path) as said:
            self.ingested(vendor, tmp_path, (*self.symbols, self.unknown))
        assert self.unknown in said[0].what
        assert not getattr(said[0], "retryable", True)

    def test_a_vendor_that_stays_down_publishes_nothing(self, tmp_path: Path) -> None:
        """And the error says that trying again can help."""
        with self.vendor() as vendor, self.fails(SourceError, tmp_path) as said:
            vendor.fail("down", self.bars_path, times=1000, skip=1)
            self.ingested(vendor, tmp_path)
        assert getattr(said[0], "retryable", False)
        assert "kept" in said[0].do

    def test_an_interrupted_download_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        """Pages that arrived are not asked for again."""
        with self.vendor() as vendor:
            whole = self.ingested(vendor, tmp_path / "whole")
            needed = len(vendor.calls_to(self.bars_path))
            vendor.calls.clear()
            vendor.fail("down", self.bars_path, times=self.own_tries, skip=needed - 1)
            with self.fails(SourceError, tmp_path / "resumed"):
                self.ingested(vendor, tmp_path / "resumed", patience=Patience(attempts=1))
            vendor.calls.clear()
            resumed = self.ingested(vendor, tmp_path / "resumed")
            assert resumed.snapshot == whole.snapshot
            assert len(vendor.calls_to(self.bars_path)) == self.left_over
            assert not list((tmp_path / "resumed" / "downloads").rglob("*.parquet"))

    def test_a_wrong_key_is_said_at_once(self, tmp_path: Path) -> None:
        """Without trying again, and without showing the key."""
        if not self.wants_key:
            return
        with self.vendor() as vendor, self.fails(SourceError, tmp_path) as said:
            self.ingested(vendor, tmp_path, settings={**self.settings(vendor), "key": "wrong-key-123"})
        assert "key" in said[0].what
        assert not getattr(said[0], "retryable", True)
        assert "wrong-key-123" not in str(said[0])

    def test_a_frequency_that_it_has_not_is_refused(self, tmp_path: Path) -> None:
        """Before anything is asked."""
        with self.vendor() as vendor, self.fails(ConfigError, tmp_path):
            self.ingested(vendor, tmp_path, frequency="7m")

    def test_no_key_is_kept(self, tmp_path: Path) -> None:
        """Neither in the catalog nor in the pages."""
        with self.vendor() as vendor:
            self.ingested(vendor, tmp_path)
            found = [path for path in tmp_path.rglob("*") if path.is_file() and vendor.key.encode() in path.read_bytes()]
            assert not found

    # --- their tools ----------------------------------------------------------------------------------------------

    def ingested(self, vendor: Vendor, folder: Path, symbols: Sequence[str] | None = None, **more: Any) -> Version:
        """What the source gives, in a catalog."""
        chosen = ",".join(self.symbols if symbols is None else symbols)
        options = {
            "frequency": next(iter(vendor.tapes.values())).frequency,
            "start": self.start,
            "end": self.end,
            "settings": self.settings(vendor),
            "patience": QUICK,
            **more,
        }
        return ingest(f"{self.source}:{chosen}", "got", catalog=folder, **options)

    def check(self, vendor: Vendor, folder: Path, made: Version) -> None:
        """The catalog holds what the tapes hold."""
        panel = Catalog(folder).open(made.name)
        assert not panel.quarantine.height
        wanted = pl.concat(self.expected(symbol, tape) for symbol, tape in zip(self.symbols, vendor.tapes.values(), strict=True))
        found = decimal_frame(panel).select(*KEYS, *PRICES).with_columns(pl.col("asset").cast(pl.String))
        for name in PRICES:
            assert found[name].cast(pl.Decimal(38, 12)).to_list() == wanted.sort("asset", "ts")[name].to_list(), name
        assert found["ts"].to_list() == wanted.sort("asset", "ts")["ts"].to_list()

    def expected(self, symbol: str, tape: Tape) -> pl.DataFrame:
        """The bars of a tape as they have to come out: at the instant at which they are complete."""
        first, last = date.fromisoformat(self.start), date.fromisoformat(self.end)
        bars = [bar for bar in tape.bars if first <= bar.day <= last]
        if tape.frequency == "1d" and tape.calendar is not None:
            days = np.array([bar.day for bar in bars], dtype="datetime64[D]").astype(np.int32)
            closes = sessions(tape.calendar, int(days[0]), int(days[-1])).close_of(days)[0]
            ts = pl.Series(closes)
        else:
            ts = pl.Series([bar.millis * 1000 + microseconds(tape.frequency) for bar in bars])
        columns = {name: [bar.numbers[i] for bar in bars] for i, name in enumerate(PRICES)}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(PRICES, pl.Decimal(38, 12)))
        return frame.with_columns(ts.cast(pl.Datetime("us", "UTC")).alias("ts"), pl.lit(symbol).alias("asset"))

    @staticmethod
    def said(folder: Path, made: Version) -> list[tuple[str, str, str, str]]:
        """The corporate actions of a snapshot as texts, in order."""
        about = json.loads((Catalog(folder).folder(made.snapshot) / "snapshot.json").read_text(encoding="utf-8"))
        found = []
        for event in about["events"] or ():
            day = str(np.datetime64(int(event["ts"]) // 86_400_000_000, "D"))
            number = (Decimal(event["numerator"]) / Decimal(event["denominator"])).normalize()
            found.append((event["asset"], day, event["kind"], f"{number:f}"))
        return sorted(found)

    @contextmanager
    def fails(self, kind: type[RustyBTError], folder: Path) -> Iterator[list[RustyBTError]]:
        """The body has to fail so, and to leave no dataset behind."""
        caught: list[RustyBTError] = []
        try:
            yield caught
        except kind as error:
            caught.append(error)
        assert caught, f"it did not raise {kind.__name__}"
        assert not Catalog(folder).versions()
