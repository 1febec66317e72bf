"""Files pass the suite of sources: all of it that needs no vendor."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from rustybt.data.files import open_csv
from rustybt.testing import AnySourceSuite, Given
from rustybt.testing.anysource import Trouble
from rustybt.testing.vendors import Tape, around_the_clock, of_sessions

PRICES = ("open", "high", "low", "close", "volume")


def rows_of(tape: Tape, stamp: Callable[[Any], Any], trouble: str) -> list[list[Any]]:
    rows = [[stamp(bar), *bar.numbers] for bar in tape.bars]
    if trouble == "repeated":
        rows += rows[: len(rows) // 2]
    if trouble == "shuffled":
        random.Random(7).shuffle(rows)
    return rows


def lines_of(rows: list[list[Any]], mark: str = ",") -> str:
    return "\n".join(mark.join(map(str, row)) for row in rows) + "\n"


class FileSuite(AnySourceSuite):
    symbols = ("ACME", "BRK.B")
    options: ClassVar[dict[str, Any]] = {"calendar": "XNYS"}

    def tapes(self) -> list[Tape]:
        return [of_sessions(symbol, date(2024, 1, 2), date(2024, 12, 31), seed=seed) for seed, symbol in enumerate(self.symbols)]

    def source(self, folder: Path, tapes: list[Tape], trouble: str) -> Any:
        raise LookupError

    @contextmanager
    def given(self, folder: Path, trouble: Trouble = "") -> Iterator[Given]:
        folder.mkdir(parents=True)
        tapes = self.tapes()
        yield Given(self.source(folder, tapes, trouble), tapes, self.options)


class TestCsv(FileSuite):
    """A file an asset, as other programs write it."""

    def source(self, folder: Path, tapes: list[Tape], trouble: str) -> Any:
        for tape in tapes:
            rows = rows_of(tape, lambda bar: f"{bar.day:%d.%m.%Y}", trouble)
            text = lines_of([["Date", *PRICES], *([row[0], *(str(one).replace(".", ",") for one in row[1:])] for row in rows)], ";")
            (folder / f"{tape.symbol}.csv").write_text(text)
        return f"csv:{folder}"


class TestCsvOfHours(FileSuite):
    """All assets in one file, stamped at their start; opened as an object."""

    options: ClassVar[dict[str, Any]] = {"interval": "1h", "volume_step": "0.00001"}

    def tapes(self) -> list[Tape]:
        return [
            around_the_clock(symbol, datetime(2024, 3, 1, tzinfo=UTC), "1h", 200, seed=seed) for seed, symbol in enumerate(self.symbols)
        ]

    def source(self, folder: Path, tapes: list[Tape], trouble: str) -> Any:
        rows = [[tape.symbol, *row] for tape in tapes for row in rows_of(tape, lambda bar: bar.start.isoformat(), trouble)]
        (folder / "all.csv").write_text(lines_of([["asset", "ts", *PRICES], *rows]))
        return open_csv(str(folder / "all.csv"), stamp="open")[0]


class TestParquet(FileSuite):
    """A file an asset, of exact decimals."""

    def source(self, folder: Path, tapes: list[Tape], trouble: str) -> Any:
        schema: dict[str, Any] = {"ts": pl.Date, **dict.fromkeys(PRICES, pl.Decimal(38, 9))}
        for tape in tapes:
            rows = [[row[0], *map(Decimal, row[1:])] for row in rows_of(tape, lambda bar: bar.day, trouble)]
            pl.DataFrame(rows, schema=schema, orient="row").write_parquet(folder / f"{tape.symbol}.parquet")
        return f"parquet:{folder}/*.parquet"
