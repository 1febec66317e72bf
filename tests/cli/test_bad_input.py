"""Bad input at the command line: one clear message, exit code 1 or 2, nothing written half."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., Any]
PRICES = ("open", "high", "low", "close")
HEAD = "import polars as pl\nimport rustybt as rbt\n\n"


def frame(bars: int = 40, assets: tuple[str, ...] = ("A", "B")) -> pl.DataFrame:
    """Daily bars, rising by one a day."""
    start = datetime(2020, 1, 1, 21, tzinfo=UTC)
    rows = [
        {"ts": start + timedelta(days=day), "asset": name, "open": c, "high": c + 1, "low": c - 1, "close": c, "volume": 1000.0}
        for name in assets
        for day, c in enumerate(100.0 + i for i in range(bars))
    ]
    return pl.DataFrame(rows, schema_overrides={"ts": pl.Datetime("us", "UTC")})


def at(row: int, column: str, value: float | None) -> pl.Expr:
    """A column with one value replaced."""
    return pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value, dtype=pl.Float64)).otherwise(column).alias(column)


@pytest.fixture
def run(rustybt: Command, tmp_path: Path, cross: str) -> Command:
    """Runs a strategy on bars with an output folder and a report, and checks that a refusal leaves neither."""

    def call(bars: pl.DataFrame | Path | None = None, strategy: str = cross, *options: str) -> Any:
        path = bars if isinstance(bars, Path) else tmp_path / "bad.parquet"
        if not isinstance(bars, Path):
            (frame() if bars is None else bars).write_parquet(path)
        before = sorted(tmp_path.iterdir())
        folder, page = tmp_path / "out", tmp_path / "page.html"
        ran = rustybt("run", strategy, "--data", str(path), "--stamp", "close", "--out", str(folder), "--report", str(page), *options)
        assert "Traceback" not in ran.err
        if ran.code:
            assert ran.code in (1, 2)
            assert len(re.findall(r"^(Config|Data|Ledger|Lookahead|Spec)Error: ", ran.err, re.MULTILINE)) == 1
            assert sorted(p for p in tmp_path.iterdir() if p.name != "__pycache__") == [p for p in before if p.name != "__pycache__"]
        return ran

    return call


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., str]:
    """A strategy file with one function body."""

    def write(body: str, head: str = HEAD) -> str:
        path = tmp_path / "spec.py"
        path.write_text(f"{head}@rbt.strategy\ndef s(n: int = 5) -> rbt.Strategy:\n    {body}\n")
        return str(path)

    return write


def weight(text: str) -> str:
    return f"return rbt.Strategy(target=rbt.weight({text}))"


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (pl.concat([frame(), frame()[:1]]), "repeat the asset and time"),
        (frame().with_columns(pl.when(pl.col("close") > 101).then("ts")), "null ts"),
        (frame().with_columns(pl.when(pl.col("close") > 101).then("asset")), "null asset"),
        (frame().with_columns(pl.col("ts").dt.replace_time_zone(None)), "no time zone"),
        (frame().with_columns(pl.lit(math.nan).alias("close")), "no row can be used"),
        (frame().with_columns(pl.col(*PRICES) * 1e16), "beyond the scale"),
        (frame().with_columns(volume=pl.lit(1e19)), "beyond the scale"),
        (frame().clear(), "no rows"),
        (frame().drop("close"), "'close' is missing"),
        (frame().rename({"asset": "code"}), 'if a column names the assets, say which: columns={"asset":'),
        (frame().with_columns(pl.col("close").cast(pl.String)), "not numbers"),
    ],
)
def test_bars_that_cannot_be_used_are_refused(run: Command, bars: pl.DataFrame, words: str) -> None:
    ran = run(bars)
    assert ran.code == 1
    assert words in ran.err


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (at(30, "high", 1.0), "high below low"),
        (at(30, "close", -5.0), "zero or negative price"),
        (at(30, "low", 0.0), "zero or negative price"),
        (at(30, "close", math.nan), "NaN or infinite price"),
        (at(30, "high", math.inf), "NaN or infinite price"),
        (at(30, "open", None), "null price"),
        (at(30, "volume", -1.0), "NaN, infinite or negative volume"),
    ],
)
def test_a_dirty_row_is_set_aside_and_said(run: Command, expr: pl.Expr, reason: str) -> None:
    ran = run(frame().with_columns(expr))
    assert ran.code == 0
    assert f"1 {reason}" in ran.out


def test_unsorted_rows_and_other_zones_give_the_same_run(run: Command) -> None:
    finals = set()
    for bars in (frame(), frame().reverse(), frame().with_columns(pl.col("ts").dt.convert_time_zone("America/New_York"))):
        ran = run(bars)
        assert ran.code == 0
        finals.add(next(line for line in ran.out.splitlines() if line.startswith("final equity")))
    assert len(finals) == 1


@pytest.mark.parametrize("bars", [frame()[:1], frame(bars=1), frame(assets=("A",))], ids=["one bar", "one bar each", "one asset"])
def test_the_smallest_data_run_and_render(run: Command, bars: pl.DataFrame, tmp_path: Path) -> None:
    ran = run(bars)
    assert ran.code == 0
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("name", ["ts", "asset", "close", "x", "[red]", "[/]", "ÄÖ 漢字 🚀", "a/b'\"", "^.*$", "<script>"])
def test_an_asset_may_have_any_name(run: Command, name: str, tmp_path: Path) -> None:
    ran = run(frame(assets=tuple(sorted(("A", name)))).with_columns(at(20, "high", 1.0)).with_columns(at(60, "high", 1.0)))
    assert ran.code == 0
    assert (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (weight("pl.col('clsoe') / 1e9"), 1, "did you mean 'close'"),
        (weight("pl.col('close').shift(-1) / 1e9"), 1, "1 bar ahead"),
        (weight("pl.lit(1.0) / (pl.col('close') - pl.col('close'))"), 1, "infinite"),
        (weight("(pl.col('close') - pl.col('close')) / (pl.col('close') - pl.col('close'))"), 1, "NaN"),
        (weight("float('nan')"), 1, "nan"),
        (weight("pl.col('asset').cast(pl.String)"), 1, "not a number"),
        (weight("pl.col('close') > 5"), 1, "true or false"),
        (weight("pl.concat_list('open', 'close')"), 1, "not a number"),
        (weight("0.8"), 2, "max_gross"),
        ("return rbt.Strategy(target=rbt.quantity(pl.lit(2**64 - 1, dtype=pl.UInt64)))", 1, "too large"),
        ("return rbt.Strategy(target=rbt.quantity(10**15))", 1, "does not fit"),
        ("return None", 1, "returned a NoneType"),
        ("raise ValueError('boom')", 1, "ValueError: boom"),
        ("raise SystemExit(7)", 1, "SystemExit: 7"),
        ("return s()", 1, "RecursionError"),
        ("return rbt.Strategy(target=", 1, "SyntaxError"),
        ("return rbt.Strategy(on_bar=lambda context: 1 / 0)", 1, "ZeroDivisionError"),
    ],
)
def test_a_strategy_that_cannot_be_run_is_one_message(run: Command, spec: Callable[..., str], body: str, code: int, words: str) -> None:
    ran = run(None, spec(body))
    assert ran.code == code
    assert words in ran.err
    assert "  where: " in ran.err


@pytest.mark.parametrize("head", ["import nothing_like_this\n", "import sys\nsys.exit(3)\n", "1 / 0\n", "from rustybt import Strateggy\n"])
def test_a_file_that_fails_to_import_names_its_line(run: Command, spec: Callable[..., str], head: str) -> None:
    ran = run(None, spec("return None", head + HEAD))
    assert ran.code == 1
    assert f"line {head.count(chr(10))}" in ran.err


def test_a_variant_whose_function_fails_is_a_row_and_not_the_end(rustybt: Command, bars: str, spec: Callable[..., str]) -> None:
    path = spec("if n == 6:\n        raise ValueError('boom [/]')\n    " + weight("0.1"))
    ran = rustybt("sweep", path, "--data", bars, "--grid", "n=5,6,7")
    assert ran.code == 0
    assert "3 variants, 1 failed" in ran.out
    assert "the first that failed: ValueError: boom [/]" in ran.out


def test_naive_times_and_other_column_names_can_be_said_on_the_command_line(rustybt: Command, cross: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    theirs = frame().with_columns(pl.col("ts").dt.replace_time_zone(None)).rename({"close": "Last", "ts": "When"})
    theirs.with_columns(pl.col("When").dt.to_string("%Y-%m-%d %H:%M:%S")).write_csv(path)
    options = ("--column", "close=Last", "--column", "ts=When", "--timezone", "UTC", "--stamp", "open", "--interval", "1d")
    assert rustybt("run", cross, "--data", str(path), *options).code == 0
    refused = rustybt("run", cross, "--data", str(path), "--column", "close")
    assert refused.code == 2
    assert "write --column close=Last" in refused.err


def test_an_asset_that_is_not_in_the_data_is_refused(run: Command, spec: Callable[..., str]) -> None:
    ran = run(None, spec(weight("pl.when(pl.col('asset') == 'NOPE').then(0.5).otherwise(0.0)")))
    assert ran.code == 1
    assert "no asset that term 'target' is for is in the data: 'NOPE'" in ran.err


@pytest.mark.parametrize("given", ["n=0", "n=501", "n=2.5", "n=", "=3"])
def test_parameters_out_of_range_are_refused(run: Command, spec: Callable[..., str], given: str, tmp_path: Path) -> None:
    path = Path(spec(weight("n / 1e9")))
    text = path.read_text().replace("n: int", "n: Annotated[int, rbt.Range(1, 500)]")
    path.write_text("from typing import Annotated\n" + text)
    ran = run(None, str(path), "--set", given)
    assert ran.code == 2
    assert "  do:    " in ran.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--set", "n=5", "--set", "n=6"), "--set n is given twice, as '5' and '6'"),
        (("--column", "close=close", "--column", "close=open"), "--column close is given twice"),
        (("--set", "=5"), "--set '=5' has no name"),
        (("--interval", "foo"), "interval 'foo' is not understood"),
        (("--timezone", "Mars/Olympus"), "there is no time zone 'Mars/Olympus'"),
        (("--slippage-bps", "100000"), "slippage rate 10 is outside 0..1"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_and_named(
    run: Command, spec: Callable[..., str], options: tuple[str, ...], words: str
) -> None:
    ran = run(None, spec(weight("n / 1e9")), *options)
    assert ran.code == 2
    assert words in ran.err


@pytest.mark.parametrize("option", ["--data", "--out", "--report"])
def test_an_empty_name_is_no_place(rustybt: Command, bars: str, cross: str, option: str) -> None:
    given = {"--data": bars} | {option: ""}
    ran = rustybt("run", cross, *(part for pair in given.items() for part in pair))
    assert ran.code in (1, 2)
    assert "is empty" in ran.err


def test_an_error_from_within_polars_names_the_line_of_the_strategy(run: Command, spec: Callable[..., str]) -> None:
    ran = run(None, spec(weight("pl.col('close').rolling_mean(-2)")))
    assert ran.code == 1
    assert re.search(r"where: .*spec\.py, line 6$", ran.err, re.MULTILINE)


@pytest.mark.parametrize("manifest", ["{}", "[]", '"text"', '{"identity": {}, "strategies": {}}'])
def test_a_folder_with_another_manifest_is_no_run_and_is_never_replaced(
    rustybt: Command, bars: str, cross: str, tmp_path: Path, manifest: str
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest)
    for command in ("report", "verify"):
        ran = rustybt(command, str(folder))
        assert ran.code == 2
        assert "the manifest is not that of a run: it lacks " in ran.err
    if "identity" not in manifest:
        ran = rustybt("run", cross, "--data", bars, "--out", str(folder))
        assert ran.code == 2
        assert "holds something that is not a run" in ran.err
    assert (folder / "manifest.json").read_text() == manifest


def test_a_run_whose_manifest_is_damaged_within_is_refused(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert rustybt("run", cross, "--data", bars, "--out", str(folder)).code == 0
    held = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(held | {"config": {}}))
    ran = rustybt("report", str(folder))
    assert ran.code == 2
    assert "the run cannot be read" in ran.err


def test_a_run_does_not_take_the_place_of_a_sweep(rustybt: Command, bars: str, cross: str, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    assert rustybt("sweep", cross, "--data", bars, "--grid", "fast=2,3", "--grid", "slow=5", "--out", str(folder)).code == 0
    before = sorted(folder.iterdir())
    ran = rustybt("run", cross, "--data", bars, "--out", str(folder))
    assert ran.code == 2
    assert sorted(folder.iterdir()) == before


def test_verify_of_a_folder_that_is_no_run_says_so(rustybt: Command, tmp_path: Path) -> None:
    ran = rustybt("verify", str(tmp_path))
    assert ran.code == 2
    assert "there is no run here" in ran.err


def test_demo_refuses_a_place_before_it_computes(rustybt: Command, tmp_path: Path) -> None:
    (tmp_path / "sma_cross").mkdir()
    (tmp_path / "sma_cross" / "mine.txt").write_text("mine")
    ran = rustybt("demo", "--out", str(tmp_path))
    assert ran.code == 2
    assert "RustyBT" not in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["sma_cross"]


@pytest.mark.parametrize("where", ["file/out", "/proc/nothing/out", "full"])
def test_an_output_that_cannot_be_written_is_refused_before_the_run(
    rustybt: Command, bars: str, cross: str, tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    for option in ("--out", "--report"):
        ran = rustybt("run", cross, "--data", bars, option, str(tmp_path / where))
        assert ran.code == 2
        assert "do:    choose" in ran.err
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow", ".csv.gz", ".txt", ""])
@pytest.mark.parametrize("content", [b"", b"\x00" * 200, b"PAR1" + bytes(range(256)) + b"PAR1", "ts,asset\n1,ä\n".encode("latin-1")])
def test_a_file_of_something_else_is_refused_in_a_few_lines(run: Command, tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"junk{suffix}"
    path.write_bytes(content)
    ran = run(path)
    assert ran.code == 1
    assert len(ran.err) < 1000


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(run: Command, tmp_path: Path, part: float) -> None:
    path = tmp_path / "cut.parquet"
    frame().write_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    ran = run(path)
    assert ran.code == 1
    assert "cut.parquet" in ran.err


PAUSE = "import sys\n\ndef pause():\n    print('here', flush=True)\n    while True:\n        pass\n\n"
IN_A_BAR = "\n@rbt.strategy\ndef s() -> rbt.Strategy:\n    return rbt.Strategy(on_bar=lambda context: pause())\n"
WHILE_WRITING = (
    "plain = pl.DataFrame.write_parquet\n\n"
    "def write(self, file, **options):\n    plain(self, file, **options)\n    if 'trades' in str(file):\n        pause()\n\n"
    "pl.DataFrame.write_parquet = write\n\n"
    "@rbt.strategy\ndef s() -> rbt.Strategy:\n    return rbt.Strategy(target=rbt.weight(0.3))\n"
)


def interrupted(tmp_path: Path, text: str, *options: str) -> str:
    """What a run of a strategy that pauses says after Ctrl-C."""
    (tmp_path / "spec.py").write_text(HEAD + PAUSE + text)
    frame().write_parquet(tmp_path / "bars.parquet")
    command = [sys.executable, "-m", "rustybt", "run", str(tmp_path / "spec.py"), "--data", str(tmp_path / "bars.parquet")]
    with subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RUSTYBT_KERNEL": "python", "PYTHONDONTWRITEBYTECODE": "1"},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 1
    return said


@pytest.mark.parametrize("text", [IN_A_BAR, WHILE_WRITING], ids=["in a bar", "while writing"])
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    assert interrupted(tmp_path, text, "--out", str(tmp_path / "results" / "out")) == "interrupted: nothing was written\n"
    assert not list(tmp_path.glob("results/*"))


AFTER_THE_FRAMES = (
    "import rustybt.engine.result\n\n"
    "rustybt.engine.result.Result.report = lambda self, path: pause()\n\n"
    "@rbt.strategy\ndef s() -> rbt.Strategy:\n    return rbt.Strategy(target=rbt.weight(0.3))\n"
)


def test_ctrl_c_after_the_frames_are_written_owns_up_to_them(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = interrupted(tmp_path, AFTER_THE_FRAMES, "--out", str(out), "--report", str(tmp_path / "page.html"))
    assert said == f"interrupted: nothing was written but {out}\n"
    assert (out / "manifest.json").is_file()
    assert not (tmp_path / "page.html").exists()
