from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.main import get_command

from rustybt.cli import build_app
from rustybt.cli.options import ACCOUNT, READING

Command = Callable[..., Any]


def test_run_prints_one_document_with_the_promised_keys(rustybt: Command, bars: str, cross: str) -> None:
    ran = rustybt("run", cross, "--data", bars, "--set", "fast=8", "--commission-bps", "10", "--json")
    assert ran.code == 0
    found = ran.json
    assert {"identity", "final_equity", "orders", "fills", "trades", "bars", "assets", "metrics", "warnings"} <= set(found)
    assert found["bars"] == 200
    assert found["assets"] == 3
    assert Decimal(found["final_equity"]) > 0
    assert len(found["identity"]["run_id"]) == 64


def test_run_takes_slower_files_and_datasets_beside_the_bars(
    rustybt: Command, bars: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rustybt as rbt

    weeks = tmp_path / "weeks.parquet"
    rbt.resample(rbt.load(bars), "1w").write_parquet(weeks)
    spec = tmp_path / "two.py"
    spec.write_text(
        "import polars as pl, rustybt as rbt\n"
        "@rbt.strategy\ndef two() -> rbt.Strategy:\n"
        "    up = pl.col('close') > pl.col('week_close')\n"
        "    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.1).otherwise(0.0)))\n"
    )
    ran = rustybt("run", f"{spec}:two", "--data", bars, "--attach", f"week={weeks}", "--json")
    assert ran.code == 0
    assert ran.json["fills"] > 0
    assert any("week_* are joined" in note for note in ran.json["warnings"])
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    assert rustybt("ingest", str(weeks), "--name", "weeks", "--stamp", "close").code == 0
    named = rustybt("run", f"{spec}:two", "--data", bars, "--attach", "week=weeks", "--json")
    assert named.json["final_equity"] == ran.json["final_equity"]


def test_run_takes_time_and_access_as_flags(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    halts = tmp_path / "halts.csv"
    halts.write_text("asset,start,end\n*,1990-01-01,2100-01-01\n")
    plain = rustybt("run", cross, "--data", bars, "--json").json
    assert rustybt("run", cross, "--data", bars, "--json", "--halts", str(halts)).json["fills"] == 0
    late = [rustybt("run", cross, "--data", bars, "--json", "--latency", text).json for text in ("2bars", "iex", "900h")]
    assert len({plain["final_equity"], *(run["final_equity"] for run in late)}) > 2
    rest = ("--intrabar", "optimistic", "--finer", bars, "--bands", "0.1", "--stale", "3")
    assert any("upper bound" in note for note in rustybt("run", cross, "--data", bars, "--json", *rest).json["warnings"])
    bad = rustybt("run", cross, "--data", bars, "--latency", "soon")
    assert bad.code == 2
    assert "delay 'soon' is not a time" in bad.err


SETTINGS = """
cash = "50000"
settlement = "T+1"
[costs.commission]
rate = "0.001"
[controls]
order_notional = {value = 5000, action = "reduce"}
[carry]
credit = "0.02"
"""


def test_settings_of_a_file_hold_in_run_sweep_and_verify(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    file, out = tmp_path / "broker.toml", tmp_path / "out"
    file.write_text(SETTINGS)
    ran = rustybt("run", cross, "--data", bars, "--settings", str(file), "--out", str(out), "--json").json
    config = rustybt_manifest(out)["config"]
    assert config["controls"] == {"order_notional": {"value": "5000", "action": "reduce"}, "flatten": False}
    assert (config["cash"], config["settlement"], config["costs"]["commission"]["rate"]) == ("50000", 1, "0.001")
    assert pl.read_parquet(out / "violations.parquet").height > 0
    grid = ("--grid", "fast=5", "--settings", str(file), "--json")
    assert rustybt("sweep", cross, "--data", bars, *grid).json["best"]["final_equity"] == ran["final_equity"]
    found = rustybt("verify", cross, "--data", bars, "--points", "2", "--settings", str(file), "--json").json
    assert found["ok"]
    assert "kernel = Decimal reference" in [check["name"] for check in found["checks"]]


def test_a_flag_goes_before_the_file(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    file, out = tmp_path / "broker.toml", tmp_path / "out"
    file.write_text(SETTINGS)
    flags = ("--settings", str(file), "--cash", "7000", "--fill", "next_close")
    rustybt("run", cross, "--data", bars, *flags, "--out", str(out))
    config = rustybt_manifest(out)["config"]
    assert (config["cash"], config["fill"], config["settlement"]) == ("7000", "next_close", 1)
    twice = rustybt("run", cross, "--data", bars, *flags, "--slippage-bps", "2")
    assert twice.code == 2
    assert "costs in flags and in the file" in twice.err


def test_a_mistake_in_the_file_is_told_with_its_name(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    file = tmp_path / "broker.toml"
    file.write_text('[controls]\ndrawdown = "ten"\n')
    for command in (("run",), ("verify",), ("sweep", "--grid", "fast=5")):
        told = rustybt(*command, cross, "--data", bars, "--settings", str(file), "--json")
        assert told.code == 2
        assert told.json["error"]["what"] == "drawdown 'ten' is not a number"
        assert told.json["error"]["where"] == f"{file}, drawdown"


def test_verify_compares_orders_with_the_reference_and_leaves_callbacks_out(rustybt: Command, bars: str, tmp_path: Path) -> None:
    mine = tmp_path / "orders.py"
    mine.write_text(
        "import polars as pl\nimport rustybt as rbt\n\n"
        "@rbt.strategy\ndef limits() -> rbt.Strategy:\n"
        "    return rbt.Strategy(orders=[rbt.order('limit', 3, limit=pl.col('close') * 0.99)])\n\n"
        "@rbt.strategy\ndef calls() -> rbt.Strategy:\n"
        "    return rbt.Strategy(on_bar=buy)\n\n"
        "def buy(context):\n    context.order(context.bars['asset'][0], 1)\n"
    )
    data = ("--data", bars, "--points", "2", "--json")
    names = {}
    for name in ("limits", "calls"):
        found = rustybt("verify", f"{mine}:{name}", *data).json
        assert found["ok"], found
        names[name] = [check["name"] for check in found["checks"]]
    assert "kernel = Decimal reference" in names["limits"]
    assert "kernel = Decimal reference" not in names["calls"]


def rustybt_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run directory."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def test_run_writes_a_directory_that_polars_reads_and_report_renders(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran = rustybt("run", cross, "--data", bars, "--out", str(folder), "--json").json
    assert pl.read_parquet(folder / "fills.parquet").height == ran["fills"]
    assert pl.read_parquet(folder / "equity.parquet")["equity"][-1] == Decimal(ran["final_equity"])
    page = rustybt("report", str(folder), "--json").json["report"]
    assert ran["identity"]["run_id"][:12] in Path(page).read_text()


def test_run_writes_the_books_as_plain_text(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    ran = rustybt("run", cross, "--data", bars, "--beancount", str(tmp_path / "books.beancount"), "--json").json
    text = Path(ran["beancount"]).read_text()
    assert text.count("  order: ") == ran["fills"] > 0
    assert " balance Assets:Cash " in text


def test_run_in_words_shows_the_funnel_and_the_books(rustybt: Command, bars: str, cross: str) -> None:
    ran = rustybt("run", cross, "--data", bars)
    assert ran.code == 0
    assert "fills" in ran.out
    assert "books balance" in ran.out


def test_verify_passes_a_clean_strategy(rustybt: Command, bars: str, cross: str) -> None:
    found = rustybt("verify", cross, "--data", bars, "--points", "3", "--json").json
    assert found["ok"] is True
    assert {"bulk = bar by bar", "kernel = Decimal reference", "books"} <= {check["name"] for check in found["checks"]}


def test_verify_audits_a_run_directory_without_strategy_or_bars(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    rustybt("run", cross, "--data", bars, "--out", str(tmp_path / "out"))
    found = rustybt("verify", str(tmp_path / "out"), "--json")
    assert (found.code, found.json["ok"]) == (0, True)
    assert [check["name"] for check in found.json["checks"]] == ["journal", "fills", "manifest"]
    equity = pl.read_parquet(tmp_path / "out" / "equity.parquet")
    equity.with_columns(pl.col("cash") + Decimal(1)).write_parquet(tmp_path / "out" / "equity.parquet")
    assert rustybt("verify", str(tmp_path / "out")).code == 1


def test_sweep_reports_variants_and_the_best(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.parquet"
    grid = ("--grid", "fast=3,5", "--grid", "slow=5:20:5", "--where", "fast < slow")
    found = rustybt("sweep", cross, "--data", bars, *grid, "--out", str(rows), "--json").json
    assert found["variants"] == 7
    assert found["failed"] == 0
    assert pl.read_parquet(rows).height == 7
    assert found["trials"] >= 7
    assert 0 < found["best"]["deflated_sharpe"] <= found["best"]["probabilistic_sharpe"] < 1
    assert found["warnings"] == []


def test_a_sweep_shows_its_luck_and_counts_where_it_is_told(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    grid, mine = ("--grid", "fast=3,5"), tmp_path / "mine.sqlite"
    shown = rustybt("sweep", cross, "--data", bars, *grid, "--trials", str(mine)).out
    assert "deflated_sharpe" in shown
    assert "2 trials were run on this data" in shown
    assert rustybt("sweep", cross, "--data", bars, "--grid", "fast=4", "--trials", str(mine), "--json").json["trials"] == 3
    assert rustybt("sweep", cross, "--data", bars, *grid, "--trials", "off", "--json").json["trials"] == 2
    refused = rustybt("sweep", cross, "--data", bars, *grid, "--trials", cross.partition(":")[0])
    assert refused.code == 2
    assert "no SQLite file" in refused.err


def test_runs_are_counted_where_they_are_told(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    mine = ("--data", bars, "--trials", str(tmp_path / "mine.sqlite"))
    assert rustybt("run", cross, *mine, "--json").json["trials"] == 1
    assert rustybt("sweep", cross, *mine, "--grid", "fast=4,5", "--json").json["trials"] == 2  # 5 is the default: the run before
    assert "3 trials were run on this data" in rustybt("run", cross, *mine, "--set", "fast=7").out
    assert rustybt("run", cross, "--data", bars, "--trials", "off", "--json").json["trials"] is None
    assert rustybt("run", cross, "--data", bars, "--trials", cross.partition(":")[0]).code == 2


def test_run_shows_intervals_when_asked(rustybt: Command, bars: str, cross: str) -> None:
    assert "95 % confidence" in rustybt("run", cross, "--data", bars, "--intervals").out
    found = rustybt("run", cross, "--data", bars, "--intervals", "--json").json["intervals"]
    assert found[0].keys() == {"metric", "value", "low", "high"}


def test_explain_shows_the_lookback(rustybt: Command, cross: str) -> None:
    assert "19 rows" in rustybt("explain", cross).out
    assert rustybt("explain", cross, "--set", "slow=50", "--json").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "CROSS", "--data", "nowhere.parquet"], 1, "nowhere.parquet"),
        (["run", "CROSS", "--data", "BARS", "--set", "fats=3"], 2, "fats"),
        (["run", "CROSS", "--data", "BARS", "--set", "fast"], 2, "has no value"),
        (["run", "CROSS", "--data", "BARS", "--set", "fast=many"], 2, "fast"),
        (["run", "CROSS", "--data", "BARS", "--cash", "-5"], 2, "cash -5 is not positive"),
        (["run", "CROSS", "--data", "BARS", "--fill", "yesterday"], 2, "next_open"),
        (["run", "CROSS", "--data", "BARS", "--benchmark", "NOPE"], 2, "NOPE"),
        (["run", "CROSS", "--data", "BARS", "--out", "/proc/nothing"], 2, "choose a folder that can be written"),
        (["run", "missing.py:cross", "--data", "BARS"], 1, "missing.py"),
        (["run", "CROSS", "--data", "BARS", "--asset-class", "stone"], 2, "stone"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=9", "--where", "fast < 5"], 2, "leaves none"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=1:100000000000"], 2, "100,000,000,000 variants are more than 1,000,000"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=50:5:5"], 2, "the first value, 50, is above the last, 5"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=5:9:0"], 2, "is not first:last:step"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=0.5:2:0.5"], 2, "fast"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=5", "--grid", "fast=5"], 2, "given twice"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=5", "--method", "latin"], 2, "--method is of a drawing"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=5", "--samples", "7"], 2, "--samples is of a drawing"),
        (["sweep", "CROSS", "--data", "BARS", "--space", "fast=5..9", "--seed", "-1"], 2, "-1 is no whole number"),
        (["sweep", "CROSS", "--data", "BARS"], 2, "there are no variants"),
        (["sweep", "CROSS", "--data", "BARS", "--space", "fast=5..9", "--grid", "fast=5"], 2, "--grid and --space are given together"),
        (["sweep", "CROSS", "--data", "BARS", "--space", "fast=5..9", "--space", "fast=3"], 2, "--space names 'fast' twice"),
        (["search", "CROSS", "--data", "BARS", "--space", "fast=5..9", "--space", "fast=3"], 2, "--space names 'fast' twice"),
        (["sweep", "CROSS", "--data", "BARS", "--space", "fast=40..5"], 2, "the first value, 40, is above the last, 5"),
        (["sweep", "CROSS", "--data", "BARS", "--grid", "fast=5", "--by", "error"], 2, "no metric 'error'"),
        (["search", "CROSS", "--data", "BARS", "--space", "fast=40..5"], 2, "the first value, 40, is above the last, 5"),
        (["report", "/nowhere"], 2, "no run here"),
        (["verify", "CROSS"], 2, "name a file of bars"),
    ],
)
def test_a_users_mistake_is_one_message_and_no_traceback(
    rustybt: Command, bars: str, cross: str, arguments: list[str], code: int, words: str
) -> None:
    given = [{"CROSS": cross, "BARS": bars}.get(a, a) for a in arguments]
    ran = rustybt(*given)
    assert ran.code == code
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert "do:" in ran.err


def test_grids_add_up_and_a_sweep_that_failed_as_a_whole_says_so(rustybt: Command, bars: str, cross: str) -> None:
    usual = ("sweep", cross, "--data", bars, "--trials", "off", "--no-judge", "--json")
    assert rustybt(*usual, "--grid", "fast=5:6", "--grid", "fast=8").json["variants"] == 3
    failed = rustybt(*usual, "--grid", "fast=0,-1")
    assert (failed.code, failed.json["failed"]) == (1, 2)


def test_ranges_of_fractions_are_exact() -> None:
    from rustybt.cli.sweep import steps

    assert steps("x=0.1:0.5:0.1", "0.1:0.5:0.1", "--grid") == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    assert steps("x=9:5:-2", "9:5:-2", "--grid") == ["9", "7", "5"]


def test_an_error_with_json_is_one_document(rustybt: Command, cross: str) -> None:
    ran = rustybt("run", cross, "--data", "nowhere.parquet", "--json")
    assert ran.json["ok"] is False
    assert ran.json["error"]["kind"] == "DataError"


def test_a_look_ahead_is_refused_before_anything_is_read(rustybt: Command, tmp_path: Path) -> None:
    path = tmp_path / "peek.py"
    path.write_text(
        "import polars as pl\nimport rustybt as rbt\n\n"
        "@rbt.strategy\ndef peek() -> rbt.Strategy:\n    return rbt.Strategy(target=rbt.weight(pl.col('close').shift(-1) / 1e9))\n"
    )
    ran = rustybt("run", str(path), "--data", "nowhere.parquet")
    assert ran.code == 1
    assert "shift(-1)" in ran.err


def test_interrupted_run_writes_nothing(rustybt: Command, bars: str, cross: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rustybt.engine.result.Result.trades", property(stop))
    folder = tmp_path / "out"
    ran = rustybt("run", cross, "--data", bars, "--out", str(folder))
    assert ran.code == 1
    assert "interrupted" in ran.err
    assert not folder.exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".out")]


def test_unknown_option_is_bad_usage(rustybt: Command) -> None:
    assert rustybt("run", "--no-such-option").code == 2


def test_version(rustybt: Command) -> None:
    assert rustybt("--version").out.strip().count(".") == 2


def test_a_cold_kernel_is_announced_on_stderr_and_a_warm_one_is_not(
    rustybt: Command, bars: str, cross: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_module("rustybt.kernel.warm")  # the package's attribute of that name is the function
    warming, compiled = sys.modules["rustybt.kernel.warm"], list[bool]()
    monkeypatch.setattr("rustybt.kernel.mode.MODE", "compiled")
    monkeypatch.setattr(warming, "is_warm", lambda: bool(compiled))
    monkeypatch.setattr(warming, "warm", lambda: compiled.append(True))  # all of it, else the next command would say so again
    for said in (True, False):
        ran = rustybt("run", cross, "--data", bars, "--json")
        assert ran.code == 0
        assert ran.json["bars"] == 200
        assert ("compiling the kernel, once" in ran.err) is said
    assert compiled == [True]


def test_a_pass_over_variants_that_is_not_compiled_is_announced(
    rustybt: Command, bars: str, cross: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warming = import_module("rustybt.sweeps.warming")
    monkeypatch.setattr("rustybt.kernel.mode.MODE", "compiled")
    monkeypatch.setattr(sys.modules["rustybt.kernel.warm"], "is_warm", lambda: True)
    for kept, said in ((tmp_path, True), (warming.folder_for_now(), False)):
        monkeypatch.setattr(warming, "folder_for_now", lambda kept=kept: kept)
        warming.compile_now()  # kept where it belongs, by this process or one before
        ran = rustybt("sweep", cross, "--data", bars, "--grid", "fast=2,3", "--json")
        assert ran.code == 0
        assert ("compiling the pass over variants, once" in ran.err) is said


def test_a_kernel_that_cannot_be_kept_does_not_claim_to_be_compiled_once(
    rustybt: Command, bars: str, cross: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_module("rustybt.kernel.warm")
    monkeypatch.setattr("rustybt.kernel.mode.MODE", "compiled")
    monkeypatch.setattr(sys.modules["rustybt.kernel.warm"], "folder_for_now", lambda: None)
    ran = rustybt("run", cross, "--data", bars, "--json")
    assert ran.code == 0
    assert "compiling the kernel" not in ran.err


def test_a_reader_of_large_files_that_is_not_compiled_is_announced(
    rustybt: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bars.csv").write_text("ts,asset,open,high,low,close,volume\n2024-01-02T00:00:00Z,A,1.5,2,1,1.25,7\n")
    for cold in (True, False):
        monkeypatch.setattr("rustybt.data.compiling.will_compile", lambda files, cold=cold: cold and files == [str(tmp_path / "bars.csv")])
        ran = rustybt("ingest", str(tmp_path / "bars.csv"), "--name", "bars", "--stamp", "close", "--json")
        assert ran.code == 0
        assert ("compiling the reader of large files, once" in ran.err) is cold


def test_warming_says_when_nothing_could_be_kept(rustybt: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rustybt.kernel.warm", lambda also: None)
    assert "nothing could be kept" in rustybt("warm").err
    assert rustybt("warm", "--json").json["cache"] is None


@pytest.mark.parametrize("verb", ["run", "sweep", "verify"])
def test_commands_over_data_have_the_same_options_of_reading(verb: str) -> None:
    command = get_command(build_app()).commands[verb]  # type: ignore[attr-defined]
    names = [parameter.name for parameter in command.params]
    assert names[:2] == ["strategy", "data"]
    assert "reading" not in names
    first = names.index("stamp")
    assert names[first : first + len(READING) + 1] == [*READING, "cash"]


def test_the_options_of_reading_reach_the_door(rustybt: Command, bars: str, cross: str) -> None:
    whole, part = (rustybt("run", cross, "--data", bars, "--json", *more).json["bars"] for more in ((), ("--start", "2020-03-01")))
    assert 0 < part < whole
    assert rustybt("verify", cross, "--data", bars, "--column", "close=nowhere").code != 0
    assert "tick" in rustybt("sweep", cross, "--data", bars, "--grid", "fast=5", "--tick-size", "0").err


@pytest.mark.parametrize("verb", ["sweep", "search", "walk-forward", "cross-validate", "verify"])
def test_commands_over_variants_have_the_same_options_of_the_account(verb: str) -> None:
    names = [parameter.name for parameter in get_command(build_app()).commands[verb].params]  # type: ignore[attr-defined]
    first = names.index("cash")
    assert names[first : first + len(ACCOUNT)] == [*ACCOUNT]
    assert "account" not in names


def test_the_options_of_the_account_reach_a_proof(rustybt: Command, bars: str, cross: str) -> None:
    costly = ("--slippage-bps", "5", "--costs-profile", "ib_us_equity_fixed", "--volume-cap", "0.5")
    assert rustybt("verify", cross, "--data", bars, *costly, "--points", "2", "--json").json["ok"]
    assert "no_such" in rustybt("verify", cross, "--data", bars, "--costs-profile", "no_such").err


def test_a_sweep_draws_from_a_space_into_a_directory(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    command = ("sweep", cross, "--data", bars, "--space", "fast=3..9", "--space", "slow=12,20", "--samples", "6", "--method", "latin")
    out = ("--out", str(tmp_path / "s"), "--trials", "off", "--json")
    found = rustybt(*command, *out, "--curves").json
    assert (found["variants"], found["failed"], found["out"]) == (6, 0, str(tmp_path / "s"))
    rows = pl.read_parquet(tmp_path / "s" / "results.parquet")
    assert set(rows["slow"]) == {12, 20}
    assert rows["fast"].is_between(3, 9).all()
    assert pl.read_parquet(tmp_path / "s" / "curves.parquet").height == 6 * 200
    assert rustybt(*command, *out, "--curves").json == found
    assert "another sweep" in rustybt(*command, *out, "--seed", "9").err
    assert "6 variants on 1 dataset" in rustybt(*command, "--explain").out
    assert rustybt(*command, "--explain", "--json").json["together"] == 6
    assert "curves have no place" in rustybt(*command, "--curves").err
