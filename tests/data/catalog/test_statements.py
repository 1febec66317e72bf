"""A query only reads."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.data import Catalog
from rustybt.data.catalog import sql
from rustybt.data.catalog.reading import BARS
from rustybt.errors import ConfigError, DataError
from rustybt.testing import markets


@pytest.fixture
def bars() -> pl.DataFrame:
    return markets.market(assets=2, bars=40, seed=4).bars


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{file}'",
        "SELECT 1; COPY (SELECT 1) TO '{file}'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'",
        "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{file}'",
        "WITH one AS (COPY (SELECT 1) TO '{file}') SELECT * FROM one",
        "WITH one AS (/* not seen */ COPY (SELECT 1) TO '{file}') SELECT * FROM one",
        "SELECT '--', one FROM (WITH two AS (COPY (SELECT 1 AS one) TO '{file}') SELECT 1 AS one)",
        "FROM query('WITH one AS (COPY (SELECT 1) TO ''{file}'') SELECT * FROM one')",
        "PREPARE one AS COPY (SELECT 1) TO '{file}'",
        "EXPORT DATABASE '{file}'",
        "ATTACH '{file}' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET log_query_path = '{file}'",
        "UPDATE EXTENSIONS",
    ],
)
def test_a_query_that_may_write_is_refused(shelf: Catalog, bars: pl.DataFrame, query: str) -> None:
    file = shelf.folder(rbt.ingest(bars, "a").snapshot) / BARS
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="is refused, a query only reads") as caught:
        sql(shelf, query.format(file=file))
    assert "rustybt catalog export" in caught.value.do
    assert file.read_bytes() == before
    with pytest.raises(ConfigError):
        sql(shelf, query.format(file=shelf.root / "new"))
    assert not (shelf.root / "new").exists()


def test_a_function_of_the_database_writes_no_log(shelf: Catalog) -> None:
    with pytest.raises(DataError, match="has been locked"):
        sql(shelf, f"FROM enable_logging(storage = 'file', storage_path = '{shelf.root / 'new'}')")
    assert not (shelf.root / "new").exists()


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT count(*) FROM a", 1),
        ("SELECT * FROM a ORDER BY random() LIMIT 3;", 3),
        ("FROM '{folder}/mine.parquet'", 2),
        ("FROM '{folder}/mine.csv'", 2),
        ("DESCRIBE SELECT asset FROM a", 1),
        ("EXPLAIN SELECT * FROM a", 1),
        ("EXPLAIN ANALYZE SELECT * FROM a", 1),
        ("EXPLAIN (FORMAT json) SELECT * FROM a", 1),
        ("EXPLAIN (SELECT 1)", 1),
        ("PIVOT (SELECT asset, close FROM a) ON asset USING max(close)", 1),
        ("CREATE TEMP TABLE few AS SELECT 7 AS n; INSERT INTO few VALUES (8); SELECT n FROM few", 2),
        ("SELECT 'COPY' AS \"copy\"", 1),
    ],
)
def test_what_reads_is_answered(shelf: Catalog, bars: pl.DataFrame, tmp_path: Path, query: str, rows: int) -> None:
    rbt.ingest(bars, "a")
    pl.DataFrame({"n": [1, 2]}).write_parquet(tmp_path / "mine.parquet")
    pl.DataFrame({"n": [1, 2]}).write_csv(tmp_path / "mine.csv")
    assert sql(shelf, query.format(folder=tmp_path)).height == rows
