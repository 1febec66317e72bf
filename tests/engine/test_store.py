from __future__ import annotations

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.store import FRAMES, report_of
from rustybt.model import Panel
from rustybt.spec import from_json


@pytest.fixture
def result(panel: Panel, cross: rbt.Strategy) -> rbt.Result:
    return rbt.run(cross, panel, benchmark=panel.symbols[0], costs=rbt.costs(commission=rbt.bps(10), slippage=rbt.bps(2)))


def test_a_run_directory_holds_every_frame_and_a_manifest(result: rbt.Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    for name in FRAMES:
        assert pl.read_parquet(folder / f"{name}.parquet").equals(getattr(result, name), null_equal=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["identity"] == dict(result.identity)
    assert manifest["final_equity"] == result.final_equity
    assert from_json(json.dumps(manifest["strategies"]["cross"])) == result.sleeves["cross"]


def test_duckdb_reads_exact_money(result: rbt.Result, tmp_path: Path) -> None:
    folder = result.save(tmp_path / "run")
    with duckdb.connect() as database:
        rows = database.sql(f"select sum(fee) from '{folder}/fills.parquet'").fetchall()
    assert rows == [(result.fills["fee"].sum(),)]


def test_an_earlier_run_is_replaced_but_nothing_else(result: rbt.Result, tmp_path: Path) -> None:
    result.save(tmp_path / "run")
    result.save(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(rbt.ConfigError, match="not a run"):
        result.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"


def test_a_failed_write_leaves_nothing(result: rbt.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(rbt.ConfigError, match="No space left"):
        result.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_run_stays_until_the_new_one_is_in_its_place(
    result: rbt.Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = result.save(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    plain = Path.replace

    def stopped(self: Path, target: Path) -> Path:
        if target == folder and not self.name.endswith(".before"):
            raise KeyboardInterrupt
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        result.save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_page_cannot_take_the_place_of_a_folder(result: rbt.Result, place: str) -> None:
    with pytest.raises(rbt.ConfigError, match="cannot write the report: Is a directory"):
        result.report(place)


def test_a_path_that_is_none_is_refused_by_name(result: rbt.Result) -> None:
    for call, where in (
        (result.report, "report"),
        (result.save, "save"),
        (result.to_beancount, "to_beancount"),
        (rbt.settings, "settings"),
    ):
        with pytest.raises(rbt.ConfigError, match="5 is no path") as caught:
            call(5)  # type: ignore[arg-type]
        assert caught.value.where == where


def test_the_report_of_a_saved_run_is_the_report_of_the_run(result: rbt.Result, tmp_path: Path) -> None:
    live = result.report(tmp_path / "live.html")
    saved = report_of(result.save(tmp_path / "run"))
    assert saved.read_text() == live.read_text()
    assert result.identity["run_id"] in live.read_text()


@pytest.mark.parametrize("damage", ["manifest", "frame"])
def test_a_damaged_run_is_one_message(result: rbt.Result, tmp_path: Path, damage: str) -> None:
    folder = result.save(tmp_path / "run")
    name = "manifest.json" if damage == "manifest" else "equity.parquet"
    (folder / name).write_bytes((folder / name).read_bytes()[:20])
    with pytest.raises(rbt.ConfigError, match="cannot be read"):
        report_of(folder)


def test_slippage_is_a_cost_of_its_own(result: rbt.Result) -> None:
    assert result.metrics["cost_slippage"] > 0
    assert result.metrics["costs"] == pytest.approx(result.metrics["cost_slippage"] + result.metrics["cost_commission"])


def test_weights_are_positions_over_equity(result: rbt.Result) -> None:
    weights = result.weights.group_by("ts").agg(pl.col("weight").abs().sum())
    used = result.equity.select("ts", used=pl.col("gross").cast(pl.Float64) / pl.col("equity").cast(pl.Float64))
    joined = weights.join(used, on="ts")
    assert (joined["weight"] - joined["used"]).abs().max() < 1e-9  # type: ignore[operator]


def test_the_report_shows_what_quantisation_left_and_so_does_that_of_a_saved_run(result: rbt.Result, tmp_path: Path) -> None:
    page = result.report(tmp_path / "live.html").read_text()
    assert 'id="residuals"' in page
    assert f'<td class="">{result.residuals["asset"][0]}</td>' in page
    folder = result.save(tmp_path / "run")
    assert 'id="residuals"' in report_of(folder).read_text()
    (folder / "residuals.parquet").unlink()  # a run of an earlier version
    assert 'id="residuals"' not in report_of(folder).read_text()
