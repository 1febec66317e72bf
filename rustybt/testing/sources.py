"""The conformance suite of vendors: what every source must do, and what a vendor can do to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from rustybt.data import Patience, Version, ingest
from rustybt.errors import ConfigError, SourceError
from rustybt.testing.anysource import AnySourceSuite, Given, Trouble
from rustybt.testing.vendors.server import SILENCE, Vendor

QUICK = Patience(attempts=4, first=0.0, longest=5.0)


class SourceSuite(AnySourceSuite):
    """Inherit, say which source it is and how its simulated vendor is made, and let pytest collect it.

    Attributes:
        source: what stands before the symbols in an address: ``"ccxt:binance"``.
        bars_path: part of the path of the requests that bring bars.
        wants_key: whether the vendor refuses a wrong key.
        pages: requests for the bars of one symbol, at least.
        left_over: requests for bars of a download that went on after all pages but one had arrived.
        own_tries: requests that the vendor's library sends by itself where one fails.

    Example:
        >>> class TestMine(SourceSuite):
        ...     source, symbols = "mine", ("A", "B")
    """

    source: ClassVar[str]
    bars_path: ClassVar[str]
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

    @contextmanager
    def given(self, folder: Path, trouble: Trouble = "") -> Iterator[Given]:  # noqa: ARG002 -- vendors are on no disk
        """The source, led to the vendor."""
        with self.vendor() as vendor:
            if trouble:
                vendor.fail(trouble, self.bars_path, times=100)
            yield Given(f"{self.source}:{','.join(self.symbols)}", list(vendor.tapes.values()), self.options(vendor))

    def options(self, vendor: Vendor) -> dict[str, Any]:
        """What is told to `rustybt.ingest` beside the span."""
        frequency = next(iter(vendor.tapes.values())).frequency
        return {"frequency": frequency, "settings": self.settings(vendor), "patience": QUICK}

    # --- the tests ------------------------------------------------------------------------------------------------

    def test_every_bar_comes_once_and_exact(self, tmp_path: Path) -> None:
        """Over several pages, to the last digit."""
        with self.vendor() as vendor:
            made = self.ingested(vendor, tmp_path)
            assert len(vendor.calls_to(self.bars_path)) >= self.pages * len(self.symbols)
            self.check(vendor, tmp_path, made)

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
        options = {**self.options(vendor), "start": self.start, "end": self.end, **more}
        return ingest(f"{self.source}:{chosen}", "got", catalog=folder, **options)

    def check(self, vendor: Vendor, folder: Path, made: Version) -> None:
        """The catalog holds what the tapes hold."""
        self.compare(list(vendor.tapes.values()), folder, made)
