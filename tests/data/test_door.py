"""Every form of source gives the same panel; what cannot be read is refused with one message."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from rustybt.data import load
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset, Panel
from tests.data.conftest import Make


@pytest.fixture
def bars(make: Make) -> pl.DataFrame:
    return make({"AAPL": [10.25, 11.5, 12.75], "MSFT": [20, 21]}).with_columns(score=pl.lit(1.5))


@pytest.fixture
def panel(bars: pl.DataFrame) -> Panel:
    return load(bars, stamp="close")


def same(one: Panel, other: Panel) -> bool:
    return one.frame.equals(other.frame) and one.snapshot == other.snapshot and bool((one.close == other.close).all())


@pytest.mark.parametrize("suffix", ["parquet", "csv", "csv.gz", "arrow", "ipc", "feather"])
def test_every_file_type_gives_the_panel_of_the_frame(bars: pl.DataFrame, panel: Panel, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bars.{suffix}"
    match suffix:
        case "parquet":
            bars.write_parquet(path)
        case "csv":
            bars.write_csv(path)
        case "csv.gz":
            import gzip

            path.write_bytes(gzip.compress(bars.write_csv().encode()))
        case _:
            bars.write_ipc(path)
    assert same(load(path, stamp="close"), panel)
    assert same(load(str(path), stamp="close"), panel)


def test_every_frame_gives_the_same_panel(bars: pl.DataFrame, panel: Panel) -> None:
    for form in (
        bars.lazy(),
        bars.to_arrow(),
        bars.to_pandas(),
        bars.to_pandas().set_index(["ts", "asset"]),
        bars.rechunk().lazy().filter(True),
    ):
        assert same(load(form, stamp="close"), panel)


def test_a_pandas_frame_indexed_by_an_unnamed_time_is_understood(bars: pl.DataFrame) -> None:
    one = bars.filter(pl.col("asset") == "AAPL").to_pandas().set_index("ts").rename_axis(index=None)
    assert load(one, stamp="close").bars == 3


def test_a_pandas_frame_with_columns_of_two_levels_is_refused(bars: pl.DataFrame) -> None:
    wide = bars.to_pandas().pivot(index="ts", columns="asset", values=["open", "close"])
    with pytest.raises(DataError, match="columns of several levels"):
        load(wide)


def test_chunked_columns_are_read_whole(bars: pl.DataFrame, panel: Panel) -> None:
    assert same(load(pl.concat([bars[:2], bars[2:]], rechunk=False), stamp="close"), panel)


def test_a_glob_and_a_list_of_files_are_one_source(bars: pl.DataFrame, panel: Panel, tmp_path: Path) -> None:
    bars[:2].write_parquet(tmp_path / "a.parquet")
    bars[2:].write_parquet(tmp_path / "b.parquet")
    assert same(load(tmp_path / "*.parquet", stamp="close"), panel)
    assert same(load([tmp_path / "b.parquet", tmp_path / "a.parquet"], stamp="close"), panel)


def test_files_without_an_asset_column_hold_the_asset_of_their_name(bars: pl.DataFrame, panel: Panel, tmp_path: Path) -> None:
    for (symbol,), part in bars.group_by("asset"):
        part.drop("asset").write_csv(tmp_path / f"{symbol}.csv")
    found = load(tmp_path / "*.csv", stamp="close")
    assert same(found, panel)
    assert "the asset that its name says" in found.warnings[0]


def test_a_panel_is_returned_as_it_is_and_takes_no_options(panel: Panel) -> None:
    assert load(panel) is panel
    with pytest.raises(ConfigError, match="stamp cannot be applied to a panel"):
        load(panel, stamp="close")


def test_the_grid_is_the_frame_laid_out(panel: Panel) -> None:
    assert panel.symbols == ("AAPL", "MSFT")
    assert panel.close.tolist() == [[102_500, 200_000], [115_000, 210_000], [127_500, 0]]
    assert panel.high.tolist()[2] == [137_500, 0]
    assert panel.row_bar.tolist() == [0, 1, 2, 0, 1]
    assert panel.offsets.tolist() == [0, 3, 5]
    assert not panel.dense
    for array in (panel.open, panel.high, panel.low, panel.close):
        assert array.dtype == np.int64
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_the_frame_has_the_columns_of_the_contract(panel: Panel) -> None:
    fields = ["open", "high", "low", "close", "volume"]
    expected = [
        "ts",
        "asset",
        "session",
        *fields,
        *(f"{kind}_{name}" for kind in ("ticks", "adj", "ticks_adj") for name in fields),
        "score",
    ]
    assert panel.frame.columns == expected
    assert panel.frame.schema["ts"] == pl.Datetime("us", "UTC")
    assert panel.frame.schema["asset"] == pl.Enum(["AAPL", "MSFT"])
    assert panel.frame.schema["session"] == pl.Date
    assert all(panel.frame.schema[name] == pl.Int64 for name in expected if name.startswith("ticks"))
    assert panel.trusted == ("score",)


def test_without_events_adjusted_columns_are_the_raw_ones(panel: Panel) -> None:
    assert panel.adj_digits == 0
    for name in ("open", "close", "volume"):
        assert panel.frame[f"adj_{name}"].equals(panel.frame[name], null_equal=False)
        assert panel.frame[f"ticks_adj_{name}"].equals(panel.frame[f"ticks_{name}"])
        raw, adjusted = panel.frame[name].to_numpy(), panel.frame[f"adj_{name}"].to_numpy()
        assert np.shares_memory(raw, adjusted)


def test_assets_lie_in_byte_order(make: Make) -> None:
    panel = load(make({"b": [1], "Ä": [2], "B": [3], "a": [4], "Z1": [5], "Z": [6]}), stamp="close")
    assert panel.symbols == tuple(sorted(("b", "Ä", "B", "a", "Z1", "Z"), key=str.encode))
    assert panel.close[0].tolist() == [30_000, 60_000, 50_000, 40_000, 10_000, 20_000]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["MSFT", "AAPL", "X"])])
def test_categories_of_the_source_do_not_matter(bars: pl.DataFrame, panel: Panel, dtype: pl.DataType) -> None:
    assert same(load(bars.with_columns(pl.col("asset").cast(dtype)), stamp="close"), panel)


def test_whole_numbers_are_names_and_other_types_are_not(bars: pl.DataFrame) -> None:
    assert load(bars.with_columns(asset=pl.lit(7)).unique("ts"), stamp="close").symbols == ("7",)
    with pytest.raises(DataError, match="asset holds Float64, not names"):
        load(bars.with_columns(asset=pl.lit(7.0)), stamp="close")


def test_snapshots_tell_contents_apart(bars: pl.DataFrame, panel: Panel) -> None:
    others = [
        load(bars.with_columns(pl.col("close") + pl.lit([0.01, 0, 0, 0, 0]).explode()), stamp="close"),
        load(bars.with_columns(pl.col("volume") + 1), stamp="close"),
        load(bars.with_columns(pl.col("score") + 1), stamp="close"),
        load(bars.with_columns(score=pl.lit("x")), stamp="close"),
        load(bars, stamp="close", tick_size="0.01"),
        load(bars, stamp="close", calendar="XNYS"),
        load(bars, stamp="close", assets=["AAPL"]),
        load(bars, stamp="close", extras=[]),
        load(bars, stamp="open", interval="1m"),
    ]
    assert len({panel.snapshot, *(other.snapshot for other in others)}) == len(others) + 1
    assert load(bars, stamp="close").snapshot == panel.snapshot
    assert len(panel.snapshot) == 64


def test_increments_come_from_the_preset_the_setting_or_the_declaration(bars: pl.DataFrame) -> None:
    own = Asset.of("MSFT", tick_size="0.25", lot_size=10)
    found = load(bars, stamp="close", tick_size="0.01", assets={"AAPL": {"lot_size": 100, "currency": "EUR"}, "MSFT": own})
    assert found.assets == (Asset.of("AAPL", tick_size="0.01", lot_size=100, currency="EUR"), own)
    assert found.close[0].tolist() == [1025, 80]
    assert load(bars, stamp="close", asset_class="crypto").assets[0].tick_size == Decimal("0.00000001")


def test_declarations_are_checked(bars: pl.DataFrame) -> None:
    declared: list[tuple[Any, str]] = [
        ({"AAPL": {"tick": 1}}, "unknown setting 'tick'"),
        ({"AAPL": 5}, "metadata of 'AAPL' is a int"),
        ({"AAPL": Asset.of("MSFT")}, "filed under 'AAPL'"),
        ({"AAPL": {"listed": "soon"}}, "listed 'soon' is not a date"),
        ({"AAPL": {"tick_size": "x"}}, "tick_size 'x' is not a number"),
        ({"AAPL": {"tick_size": "1e400"}}, "tick_size '1e400' has an exponent beyond"),
        ({"AAPL": {"tick_size": "1e30"}}, "is not in 1E-18..1E\\+18"),
    ]
    for assets, message in declared:
        with pytest.raises(ConfigError, match=message):
            load(bars, stamp="close", assets=assets)
    unused = load(bars, stamp="close", extras=[], assets={"APPL": {"lot_size": 5}})
    assert unused.warnings == ("Metadata of 1 assets is not used, they have no bar (first: 'APPL').",)


def test_a_list_of_assets_selects(bars: pl.DataFrame) -> None:
    assert load(bars, stamp="close", assets=["MSFT"]).symbols == ("MSFT",)
    with pytest.raises(DataError, match="asset 'APPL' is not in the source") as caught:
        load(bars, stamp="close", assets=["MSFT", "APPL"])
    assert "did you mean 'AAPL'" in caught.value.do
    with pytest.raises(DataError, match="list of assets is empty"):
        load(bars, assets=[])
    with pytest.raises(ConfigError, match="assets is the text 'MSFT'"):
        load(bars, assets="MSFT")


@pytest.mark.parametrize(("option", "value"), [("stamp", "start"), ("dirty", "drop"), ("asset_class", "bond")])
def test_unknown_words_in_options_are_refused(bars: pl.DataFrame, option: str, value: Any) -> None:
    given: dict[str, Any] = {option: value}
    with pytest.raises(ConfigError, match=value):
        load(bars, **given)


def test_a_price_beyond_the_scale_is_refused(bars: pl.DataFrame) -> None:
    with pytest.raises(DataError, match=r"volume 1e\+19 is beyond the scale") as caught:
        load(bars.with_columns(volume=pl.lit(1e19)), stamp="close")
    assert caught.value.where.startswith("asset 'AAPL'")
    assert 'volume_step="10000"' in caught.value.do
    assert load(bars.with_columns(volume=pl.lit(1e19)), stamp="close", volume_step=10_000).frame["ticks_volume"][0] == 10**15


def test_missing_files_and_globs_without_matches_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="the glob matches no file"):
        load(tmp_path / "*.parquet")
    with pytest.raises(DataError, match="the source is a folder"):
        load(tmp_path)
    with pytest.raises(DataError, match="cannot be read from a int"):
        load(5)


def test_unknown_and_empty_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bars.xlsx").write_text("x")
    with pytest.raises(DataError, match=r"unknown file type '\.xlsx'"):
        load(tmp_path / "bars.xlsx")
    (tmp_path / "bars.parquet").write_bytes(b"")
    with pytest.raises(DataError, match="the file is empty"):
        load(tmp_path / "bars.parquet")


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_truncated_or_foreign_file_is_refused_with_its_name(bars: pl.DataFrame, tmp_path: Path, suffix: str) -> None:
    good = tmp_path / f"good.{suffix}"
    if suffix == "parquet":
        bars.write_parquet(good)
    else:
        bars.write_ipc(good)
    whole = good.read_bytes()
    damaged = [whole[: len(whole) * i // 10] for i in range(1, 10)] + [whole[len(whole) // 2 :], np.random.default_rng(5).bytes(300)]
    for i, content in enumerate(damaged):
        path = tmp_path / f"bad{i}.{suffix}"
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            load(path, stamp="close")
        assert str(path) in caught.value.where


@pytest.mark.parametrize(
    "text", ["ts,asset,open\n", "\x00\xff\xfe", "ts,asset,open,high,low,close,volume\nyesterday,A,1,1,1,1,1\n", "a,b\n1,2,3,4\n"]
)
def test_text_that_holds_no_bars_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.csv").write_text(text, encoding="latin-1")
    with pytest.raises(DataError) as caught:
        load(tmp_path / "bad.csv", stamp="close")
    assert "bad.csv" in caught.value.where


def test_one_damaged_file_of_many_is_named(bars: pl.DataFrame, tmp_path: Path) -> None:
    for name in "abc":
        bars.write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "b.parquet").read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read") as caught:
        load(tmp_path / "*.parquet")
    assert caught.value.where == str(tmp_path / "b.parquet")


def test_files_of_different_types_are_refused(bars: pl.DataFrame, tmp_path: Path) -> None:
    bars.write_parquet(tmp_path / "a.parquet")
    bars.with_columns(pl.col("ts").cast(pl.String)).write_parquet(tmp_path / "b.parquet")
    bars.with_columns(pl.col("ts").dt.convert_time_zone("Asia/Tokyo")).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(DataError, match="which names no instant"):
        load([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    with pytest.raises(DataError, match="do not fit together") as caught:
        load([tmp_path / "a.parquet", tmp_path / "c.parquet"])
    assert caught.value.where.endswith("a.parquet and 1 more")


def test_a_lazy_frame_that_fails_is_refused(bars: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="the frame cannot be evaluated"):
        load(bars.lazy().with_columns(pl.col("nothing")))
    with pytest.raises(DataError, match="the frame cannot be evaluated"):
        load(bars.lazy().with_columns(pl.col("asset").cast(pl.Float64)))


def test_heavy_libraries_stay_out_until_they_are_needed() -> None:
    code = (
        "import sys; from rustybt.data import load, demo_events; demo_events();"
        "print([m for m in ('pandas', 'exchange_calendars', 'numba', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("kind", "said"), [("future", 1), ("equity", 0)])
def test_a_future_below_zero_is_said_apart(kind: str, said: int) -> None:
    """Crude oil, delivery in May 2020."""
    days = [date(2020, 4, 17), date(2020, 4, 20), date(2020, 4, 21)]
    prices = {"open": [19.85, 17.73, -14.0], "high": [20.0, 17.85, 13.86], "low": [17.31, -40.32, -16.74], "close": [18.27, -37.63, 10.01]}
    panel = load(
        pl.DataFrame({"ts": days, "asset": ["CLK0"] * 3, **prices, "volume": [9, 9, 9]}),
        stamp="session",
        asset_class=kind,
        tick_size="0.01",
    )
    found = [note for note in panel.warnings if "below zero" in note]
    assert (len(found), panel.quarantine.height, panel.bars) == (said, 2, 1)
    assert all("2 of them" in note and "'CLK0', 2020-04-20" in note for note in found)


@pytest.mark.parametrize("kind", ["pandas", "arrow"])
def test_who_changes_a_table_afterwards_does_not_change_the_panel(kind: str, tmp_path: Path) -> None:
    """Both libraries hand their memory over without a copy."""
    prices = {name: np.array([10.0, 10.5, 10.25]) for name in ("open", "high", "low", "close", "volume")}
    stamps = np.array(["2024-03-04T21", "2024-03-05T21", "2024-03-06T21"], dtype="datetime64[us]")
    if kind == "pandas":
        source = pytest.importorskip("pandas").DataFrame({"ts": stamps, "asset": "A", **prices}, copy=False)
    else:
        pa = pytest.importorskip("pyarrow")
        source = pa.table({"ts": pa.array(stamps), "asset": ["A"] * 3, **{name: pa.array(array) for name, array in prices.items()}})
    panel = load(source, stamp="close", timezone="UTC")
    before = panel.frame.to_dicts()
    if kind == "pandas":
        source.loc[:, ["open", "high", "low", "close", "volume"]] = 7.0
    for array in prices.values():
        array[:] = 7.0
    stamps[:] = np.datetime64("1999-01-01")
    assert panel.frame.to_dicts() == before


def test_rows_that_are_set_aside_leave_the_frame_of_the_user_as_it_was() -> None:
    """Its columns are read where they lie, and what is left of a panel's own rows moves up in place."""
    days = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2020, 3, 31), "1d", time_zone="UTC", eager=True)
    price = pl.Series([10.0 + day % 7 for day in range(len(days))])
    columns = {"ts": days, "asset": pl.Series(["A"] * len(days), dtype=pl.Enum(["A"])), "open": price, "high": price + 1.0}
    frame = pl.DataFrame(
        columns | {"low": price - 1.0, "close": price.clone(), "volume": pl.Series(range(1, len(days) + 1)).cast(pl.Float64)}
    )
    frame = frame.with_columns(low=pl.when(pl.col("ts").dt.ordinal_day() == 5).then(99.0).otherwise("low"))
    rows = frame.rows()
    assert load(frame, stamp="close").quarantine.height == 1
    assert frame.rows() == rows
