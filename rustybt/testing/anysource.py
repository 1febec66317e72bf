"""What every source of bars must do, wherever its bars are, told as a class of tests to inherit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl

from rustybt.data import Catalog, Version, ingest
from rustybt.data.calendars import sessions
from rustybt.data.catalog.bars import decimal_frame
from rustybt.data.stamps import microseconds
from rustybt.errors import RustyBTError, SourceError
from rustybt.testing.vendors.tape import Tape

type Trouble = Literal["", "shuffled", "repeated"]
KEYS = ("ts", "asset")
PRICES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Given:
    """A source that is ready to be asked.

    Args:
        source: an address such as ``"csv:prices"``, or a `rustybt.model.source.Source`.
        tapes: what it holds, in the order of the symbols.
        options: of `rustybt.ingest`.
    """

    source: Any
    tapes: Sequence[Tape]
    options: Mapping[str, Any] = field(default_factory=dict)


class AnySourceSuite:
    """Inherit, say how a source is made that holds tapes, and let pytest collect it. Of a vendor inherit `SourceSuite`, which asks more.

    Attributes:
        symbols: as the source writes them, in the order of the tapes; two or more.
        unknown: a symbol that the source does not know.
        start, end: dates that the tapes lie between.

    Example:
        >>> class TestMine(AnySourceSuite):
        ...     symbols = ("A", "B")
    """

    symbols: ClassVar[tuple[str, ...]]
    unknown: ClassVar[str] = "NOSUCH"
    start: ClassVar[str] = "2024-01-01"
    end: ClassVar[str] = "2024-12-31"

    def given(self, folder: Path, trouble: Trouble = "") -> AbstractContextManager[Given]:  # noqa: ARG002 -- for those who inherit
        """A source while it can be asked.

        Args:
            folder: of its own, to write into.
            trouble: whether its rows come in another order, or some of them twice.
        """
        raise LookupError("write given() in your suite")

    # --- the tests ------------------------------------------------------------------------------------------------

    def test_every_bar_comes_once_and_exact(self, tmp_path: Path) -> None:
        """To the last digit."""
        with self.given(tmp_path / "given") as given:
            self.compare(given.tapes, tmp_path, self.kept(given, tmp_path))

    def test_splits_and_dividends_come_with_the_bars(self, tmp_path: Path) -> None:
        """Those of the tapes, and no others."""
        with self.given(tmp_path / "given") as given:
            made = self.kept(given, tmp_path)
            wanted = sorted(
                (symbol, action.day.isoformat(), action.kind, action.value)
                for symbol, tape in zip(self.symbols, given.tapes, strict=True)
                for action in tape.actions
                if tape.bars[0].day < action.day <= date.fromisoformat(self.end)
            )
            assert self.said(tmp_path, made) == wanted

    def test_the_same_again_is_the_same_snapshot(self, tmp_path: Path) -> None:
        """Nothing of when or how it was asked is in the content."""
        with self.given(tmp_path / "given") as given:
            first, again = self.kept(given, tmp_path), self.kept(given, tmp_path)
            assert (again.snapshot, again.new) == (first.snapshot, False)

    def test_shuffled_and_repeated_rows_change_nothing(self, tmp_path: Path) -> None:
        """The snapshot is the same as from an orderly source."""
        troubles: tuple[Trouble, ...] = ("shuffled", "repeated")
        for trouble in troubles:
            folder = tmp_path / trouble
            with self.given(folder / "given", trouble) as given:
                self.compare(given.tapes, folder, self.kept(given, folder))

    def test_an_unknown_symbol_is_named_and_nothing_is_published(self, tmp_path: Path) -> None:
        """Not even the symbols that are there."""
        with self.given(tmp_path / "given") as given, self.fails(SourceError, tmp_path) as said:
            self.kept(given, tmp_path, (*self.symbols, self.unknown))
        assert self.unknown in said[0].what
        assert not getattr(said[0], "retryable", True)

    # --- their tools ----------------------------------------------------------------------------------------------

    def kept(self, given: Given, folder: Path, symbols: Sequence[str] | None = None) -> Version:
        """What the source gives, in a catalog."""
        options = {"start": self.start, "end": self.end, **given.options}
        return ingest(given.source, "got", catalog=folder, symbols=list(self.symbols if symbols is None else symbols), **options)

    def compare(self, tapes: Sequence[Tape], folder: Path, made: Version) -> None:
        """The catalog holds what the tapes hold."""
        panel = Catalog(folder).open(made.name)
        assert not panel.quarantine.height
        wanted = pl.concat(self.expected(symbol, tape) for symbol, tape in zip(self.symbols, tapes, strict=True))
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
