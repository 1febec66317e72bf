"""A run directory is audited from its own files, and one changed digit is found."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine import verify_saved
from rustybt.model import Panel
from rustybt.testing import markets


@pytest.fixture
def folder(panel: Panel, cross: rbt.Strategy, tmp_path: Path) -> Path:
    result = rbt.run(cross, panel, costs=rbt.costs(commission=rbt.bps(10)))
    assert result.fills.height > 4
    return result.save(tmp_path / "run")


def bend(path: Path, column: str, step: str) -> None:
    """Change the last number of a column."""
    frame = pl.read_parquet(path)
    last = pl.int_range(pl.len()) == pl.col(column).is_not_null().arg_true().last()
    bent = pl.when(last).then(pl.col(column) + Decimal(step)).otherwise(column).cast(frame[column].dtype)
    frame.with_columns(bent.alias(column)).write_parquet(path)


def test_an_untouched_run_passes_every_check(folder: Path) -> None:
    found = verify_saved(folder)
    assert found.ok
    assert [check.name for check in found.checks] == ["journal", "fills", "manifest"]


def test_deposits_and_withdrawals_are_in_the_journal(panel: Panel, cross: rbt.Strategy, tmp_path: Path) -> None:
    days = panel.frame["ts"].unique().sort()
    flows = pl.DataFrame({"ts": [days[5], days[40]], "amount": [Decimal(5000), Decimal(-1000)]})
    result = rbt.run(cross, panel, flows=flows)
    assert result.journal.filter(pl.col("account") == "equity:deposits").height == 2
    assert verify_saved(result.save(tmp_path / "run")).ok


def abroad(convert: bool) -> rbt.Result:
    """Two assets of other currencies and one of the account's."""
    home = {"A0": {"currency": "EUR"}, "A1": {"currency": "GBP"}, "A2": {}}
    data = rbt.load(markets.market(assets=3, bars=30, seed=1).bars, stamp="close", assets=home)
    risen = pl.when(pl.col("close") > pl.col("close").shift(1)).then(0.2).otherwise(0.1)
    rates = [{"pair": pair, "ts": "2020-01-01", "rate": rate} for pair, rate in (("EUR/USD", "1.1"), ("GBP/USD", "1.3"))]
    costs = rbt.costs(commission=rbt.bps(10))
    return rbt.run(rbt.Strategy("risen", target=rbt.weight(risen)), data, costs=costs, rates=rates, convert=convert)


@pytest.mark.parametrize("convert", [True, False])
def test_a_run_in_several_currencies_passes_every_check(convert: bool, tmp_path: Path) -> None:
    result = abroad(convert)
    found = verify_saved(result.save(tmp_path / "run"))
    assert [check.ok for check in found.checks] == [True, True, True]
    fees = {
        name: result.fills.filter(pl.col("asset") == asset)["fee"].sum() for name, asset in (("USD", "A2"), ("EUR", "A0"), ("GBP", "A1"))
    }
    for name, fee in fees.items():
        assert f"{fee:f} {name}" in found.checks[1].detail
    bend(tmp_path / "run" / "fills.parquet", "fee", "0.00000001")
    assert [check.ok for check in verify_saved(tmp_path / "run").checks] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "column", "step", "said"),
    [
        ("journal", "amount", "0.00000001", "adds up to 0.00000001"),
        ("journal", "quantity", "1", "positions"),
        ("equity", "cash", "0.00000001", "cash"),
        ("equity", "equity", "0.00000001", "equity"),
        ("positions", "quantity", "1", "positions"),
        ("fills", "fee", "0.00000001", "commissions"),
    ],
)
def test_one_changed_digit_is_found(folder: Path, name: str, column: str, step: str, said: str) -> None:
    bend(folder / f"{name}.parquet", column, step)
    found = verify_saved(folder)
    assert not found.ok
    assert any(said in check.detail for check in found.checks if not check.ok)


def test_a_manifest_that_boasts_is_found(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["final_equity"] = str(Decimal(manifest["final_equity"]) + 1)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert [check.name for check in verify_saved(folder).checks if not check.ok] == ["manifest"]


def test_a_folder_without_frames_is_one_message(folder: Path) -> None:
    (folder / "journal.parquet").unlink()
    with pytest.raises(rbt.ConfigError, match="the run cannot be read"):
        verify_saved(folder)
