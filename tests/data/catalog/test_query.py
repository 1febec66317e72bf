"""A damaged dataset is in the way of nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.catalog import diff, export, sql, table
from rustybt.data.catalog.reading import BARS
from rustybt.data.quality import check_bars
from rustybt.errors import DataError
from rustybt.testing import markets


@pytest.fixture
def bars() -> pl.DataFrame:
    return markets.market(assets=2, bars=40, seed=4).bars


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


DAMAGE: list[tuple[Callable[[Path], None], str]] = [(Path.unlink, "bars.parquet is missing"), (cut, "bars.parquet has")]


@pytest.fixture(params=DAMAGE, ids=["gone", "cut"])
def broken(request: pytest.FixtureRequest, shelf: Catalog, bars: pl.DataFrame) -> str:
    """Two datasets, of which ``bad-one`` is damaged; how that is said."""
    damage, said = request.param
    rbt.ingest(bars, "good")
    bad = rbt.ingest(bars.with_columns(pl.col("volume") + 1), "bad-one")
    damage(shelf.folder(bad.snapshot) / BARS)
    return str(said)


def test_a_damaged_dataset_is_left_out_of_queries_that_do_not_need_it(shelf: Catalog, broken: str, bars: pl.DataFrame) -> None:
    said: list[str] = []
    assert sql(shelf, "SELECT count(*) FROM good", say=said.append).item() == bars.height
    assert len(said) == 1
    assert said[0].startswith(f"dataset 'bad-one' is damaged: {broken}")
    assert "it is left out: run rustybt catalog verify" in said[0]
    assert sql(shelf, "SELECT dataset FROM versions ORDER BY dataset")["dataset"].to_list() == ["bad-one", "good"]


def test_a_damaged_dataset_is_refused_by_name_where_it_is_asked_for(shelf: Catalog, broken: str) -> None:
    with pytest.raises(DataError, match=f"dataset 'bad-one' is damaged: {broken}") as caught:
        sql(shelf, 'SELECT count(*) FROM good JOIN "bad-one" USING (ts)')
    assert "catalog repair" in caught.value.do
    with pytest.raises(DataError, match="the query cannot be answered"):
        sql(shelf, "SELECT count(*) FROM nowhere")


def test_a_damaged_frame_of_a_run_is_left_out_too(shelf: Catalog, tmp_path: Path) -> None:
    (tmp_path / "fills.parquet").write_bytes(b"broken")
    pl.DataFrame({"n": [1, 2]}).write_parquet(tmp_path / "equity.parquet")
    said: list[str] = []
    assert sql(shelf, "SELECT sum(n) FROM run.equity", tmp_path, say=said.append).item() == 3
    assert "table run.fills is damaged" in said[0]
    with pytest.raises(DataError, match=r"table run.fills is damaged") as caught:
        sql(shelf, "SELECT * FROM run.fills", tmp_path)
    assert caught.value.do == "write the run again"


@pytest.mark.parametrize(
    "ask",
    [
        lambda shelf: diff(shelf, "bad-one"),
        lambda shelf: diff(shelf, "good", "bad-one"),
        lambda shelf: check_bars("bad-one"),
        lambda shelf: export(shelf, "bad-one", shelf.root / "out.parquet"),
        lambda shelf: rbt.load("bad-one", start="2000-01-01"),
    ],
    ids=["diff", "diff of two", "check", "export", "load"],
)
def test_whoever_needs_damaged_bars_says_so_in_one_message(shelf: Catalog, broken: str, ask: Callable[[Catalog], object]) -> None:
    with pytest.raises(DataError, match=f"snapshot bad-one@[0-9a-f]{{12}} is damaged: {broken}") as caught:
        ask(shelf)
    assert "rustybt catalog verify" in caught.value.do


def test_the_tables_of_the_catalog_are_read_without_its_bars(shelf: Catalog, broken: str) -> None:
    assert sorted(table(shelf, "versions")["dataset"]) == ["bad-one", "good"]
    assert table(shelf, "runs").height == 0
