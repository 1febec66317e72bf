"""The benchmark's harness on tiny sizes: it measures, compares and tells a wrong result. Nothing here looks at a duration."""

from __future__ import annotations

import io
import json
import math
import textwrap
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from benchmarks import (
    check,
    cluster,
    exactness,
    ingestion,
    latency,
    markets,
    opening,
    parts,
    processes,
    report,
    rivals,
    scale,
    scanning,
    workloads,
)
from benchmarks.__main__ import arguments
from benchmarks.cases import CASES, Case
from benchmarks.columns import COLUMNS, PACKAGES, families, floor, ours, studied, swept, twin
from benchmarks.columns.latency import by_hand, terms
from benchmarks.columns.opening import prepare as prepare_opening
from benchmarks.markets import MARKETS, Bars, Market, draw
from benchmarks.models import Findings, Goal, Measured, Table, Task, ratio
from benchmarks.studies import STUDIES
from benchmarks.timing import peak_mib, rounds_for
from rustybt.data import caching
from rustybt.kernel import simulate
from rustybt.kernel.example import one_asset
from rustybt.kernel.twin import load
from rustybt.model import Asset
from rustybt.sweeps import learn

TINY = {name: Market(m.seed, min(m.assets, 12), 700, m.drift, m.volatility, m.first, m.daily) for name, m in MARKETS.items()}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every market cut down to 700 bars, none stored in the repository."""
    monkeypatch.setattr(markets, "MARKETS", TINY)
    monkeypatch.setattr(markets, "FOLDER", tmp_path)


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A module for a worker: it counts its runs, and fails when it is told to."""
    (tmp_path / "counted.py").write_text(
        textwrap.dedent(
            """
            from benchmarks.models import Job

            def prepare(case):
                runs = []
                def run():
                    runs.append(1)
                    if len(runs) == case.get("fails_at"):
                        raise ValueError("the third is too much")
                    return {"runs": len(runs), "final_equity": case.get("equity", 1.0), "orders": 3}
                return Job(run, {"door_s": 0.5})
            """
        )
    )
    root = Path(processes.__file__).resolve().parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
    return "counted"


def test_the_same_seed_draws_the_same_bars() -> None:
    one, two = draw(TINY["daily_500"]), draw(TINY["daily_500"])
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("ts", *markets.FIELDS, "volume"))
    assert one.close.shape == (12, 700)
    assert (one.high >= np.maximum(one.open, one.close)).all()
    assert (one.low <= np.minimum(one.open, one.close)).all()
    assert one.close.min() >= 1


def test_the_first_bars_of_the_workloads_are_those_that_their_equities_were_computed_on() -> None:
    """The order of the draws is part of the definition; these are cents of the first close of each market of one asset."""
    assert draw(MARKETS["daily_1"]).close[0, :3].tolist() == [9754, 9970, 9992]
    assert draw(MARKETS["stops_1"]).close[0, :1].tolist() == [99_757]


@pytest.mark.usefixtures("tiny")
def test_a_stored_market_is_read_back_unchanged(tmp_path: Path) -> None:
    drawn, read = draw(TINY["stops_1"]), markets.read("stops_1")
    assert all(np.array_equal(getattr(drawn, name), getattr(read, name)) for name in ("ts", *markets.FIELDS, "volume"))
    assert [path.name for path in tmp_path.iterdir()] == ["stops_1.npz"]


def test_the_pass_by_hand_on_five_bars() -> None:
    """Bought at 11.00 and 9.00, sold at 12.00: worked out on paper, a fee of 10 bps each side."""
    opened, close = np.array([10.0, 11.0, 12.0, 9.0, 10.0]), np.array([10.0, 11.0, 12.0, 9.0, 10.0])
    want = np.array([1, 0, 1, 1, 1], np.uint8)
    equity, orders = floor.follow(want, opened, close, 1000.0, (10.0, 0.001))
    assert orders == 3
    assert equity[-1] == pytest.approx(1000 - 110.11 + 119.88 - 90.09 + 100)


def test_averages_are_compared_as_whole_cents() -> None:
    """Both averages of 3, 3, 3 are 3: a tie, which is not above."""
    assert floor.above(np.array([3, 3, 3, 4]), 1, 3).tolist() == [0, 0, 0, 1]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.variants == 1])
def test_our_column_ends_where_the_pass_by_hand_ends(name: str) -> None:
    ran, wanted = ours.prepare({"workload": name}).run(), floor.prepare({"workload": name}).run()
    assert float(ran["final_equity"]) == pytest.approx(wanted["final_equity"], abs=0.0005)
    assert ran["orders"] == wanted["orders"]
    assert ran["orders"] > 0


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("name", ["W2 x100", "W2 x1000", "W3 x100"])
def test_a_sweep_ends_where_the_pass_by_hand_ends(name: str) -> None:
    ran, wanted = swept.prepare({"workload": name}).run(), floor.prepare({"workload": name}).run()
    assert float(ran["final_equity"]) == pytest.approx(wanted["final_equity"], abs=0.0005)
    assert ran["orders"] == wanted["orders"]
    assert ran["orders"] > 0


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.variants == 1])
def test_the_parts_of_a_run_give_the_same_result_as_the_run(name: str) -> None:
    from benchmarks.columns.parts import PARTS, prepare

    told = prepare({"workload": name}).run()
    assert set(PARTS) < set(told)
    assert told["final_equity"] == ours.prepare({"workload": name}).run()["final_equity"]


def test_a_column_runs_the_workloads_that_it_names_or_all() -> None:
    assert [name for name in CASES if COLUMNS["backtrader"].runs(name)] == ["W1", "W5"]
    assert all(COLUMNS["vectorbt"].runs(name) for name in CASES)


def test_every_environment_says_what_it_holds() -> None:
    assert {column.environment for column in COLUMNS.values()} - {None} | {opening.ZIPLINE} == set(PACKAGES)


def test_variants_are_spread_over_all_pairs() -> None:
    pairs = CASES["W2 x100"].pairs
    assert len(set(pairs)) == 100
    assert pairs[0] == (2, 3)
    assert pairs[-1] == (101, 102)
    assert Case("x", "daily_1", 1.0, "", windows=(20, 50)).pairs == [(20, 50)]


def test_a_part_of_the_bars_is_a_prefix() -> None:
    bars = draw(TINY["daily_500"])
    part = bars.part(2, 30)
    assert part.close.tolist() == bars.close[:2, :30].tolist()
    assert len(part.ts) == 30
    assert isinstance(part, Bars)
    assert part.price("close").shape == (30, 2)


def test_workers_take_turns_and_answer(child: str) -> None:
    first, second = processes.side_by_side([Task("a", child, {}), Task("b", child, {"equity": 2.0})], rounds=3)
    assert (first.error, second.error) == (None, None)
    assert len(first.seconds) == 4
    assert first.facts == {"runs": 2 + 2 * processes.TURN, "final_equity": 1.0, "orders": 3}
    assert second.facts["final_equity"] == 2.0
    assert first.notes["door_s"] == 0.5
    assert first.peak >= first.before > 0


def test_a_worker_that_fails_says_why_and_does_not_stop_the_others(child: str) -> None:
    bad, good = processes.side_by_side([Task("a", child, {"fails_at": 3}), Task("b", child, {})], rounds=3)
    assert bad.error == "ValueError: the third is too much"
    assert good.error is None
    assert good.facts["runs"] == 2 + 2 * processes.TURN
    (missing,) = processes.side_by_side([Task("c", "no_such_module", {})], rounds=1)
    assert missing.error == "ModuleNotFoundError: No module named 'no_such_module'"


def test_whole_processes_are_timed_without_the_first(child: str) -> None:
    walls = processes.whole_processes([Task("a", child, {}), Task("b", child, {"fails_at": 1})], rounds=2)
    assert len(walls["a"]) == 2
    assert walls["b"] == []


def measured(column: str, seconds: list[float], equity: float, orders: int = 58) -> Measured:
    return Measured(column, {}, seconds, {"final_equity": equity, "orders": orders}, peak=2.0, before=1.0)


def test_a_result_that_differs_is_wrong_and_a_slow_one_misses_its_goal() -> None:
    row = [measured("rustybt", [1, 1], 97_040.873), measured("floor", [1, 1], 97_040.874), measured("vectorbt", [1, 4], 1.0)]
    assert workloads._wrong({"W1": row}) == ["W1, floor: 97,040.874 after 58 orders, expected 97,040.873 after 58"]
    (goal,) = workloads._goals({"W1": row})
    assert (goal.measured, goal.wanted, goal.met) == (4.0, 5.0, False)
    assert workloads.fastest(row) is row[2]


def test_ratios_are_taken_round_by_round() -> None:
    assert ratio(measured("a", [9, 2, 8, 6], 0), measured("b", [1, 1, 2, 3], 0)) == 2.0


def test_findings_are_shown_and_written(tmp_path: Path) -> None:
    table = Table("T", ("a", "b", "c"), (("x", "y", "1"),), ("note",))
    found = Findings("s", (measured("rustybt", [1, 2], 3.0),), (table,), (Goal("g", 6, 5), Goal("h", 6, 5, least=False)), ("bad",))
    console = Console(width=100, record=True, file=io.StringIO())
    report.show(found, console)
    shown = console.export_text()
    assert "met   g: 6 x, wanted at least 5 x" in shown
    assert "MISSED  h: 6 x, wanted at most 5 x" in shown
    target, page = report.write([found], tmp_path)
    report.write([Findings("other", (), ())], tmp_path)
    suites = json.loads(target.read_text())["suites"]
    assert set(suites) == {"s", "other"}
    assert suites["s"]["measured"][0]["median_s"] == 2
    assert [goal["met"] for goal in suites["s"]["goals"]] == [True, False]
    assert page.read_text().startswith("# Measured")


def test_sizes_of_the_curves_reach_what_is_promised() -> None:
    large = scale.sizes(small=False)
    assert {(5_000, 2_520), (500, 2_520), (1, 10**7)} <= {(size.assets, size.bars) for size in large}
    assert max(size.assets * size.bars for size in scale.sizes(small=True)) < 10**6


def test_latency_compares_the_same_ten_numbers() -> None:
    """The ten expressions in numpy and in Polars, on the last bar of a small market."""
    bars = draw(Market(5, 3, 50, 0.0, 0.01, 100.0, daily=True))
    frame = ours.frame_of(bars)
    wanted = frame.select(expr.over("asset").alias(name) for name, expr in terms(50).items()).group_by(frame["asset"], maintain_order=True)
    fields = np.stack([bars.high / 100.0, bars.low / 100.0, bars.close / 100.0, bars.volume.astype(np.float64)])
    assert pytest.approx(wanted.last().drop("asset").to_numpy()) == by_hand(fields).T
    assert len(terms(50)) == 10


def test_the_command_line_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert arguments(["workloads", "--only", "W1", "--columns", "rustybt", "floor"]).only == ["W1"]
    assert tuple(arguments([]).columns) == tuple(COLUMNS)
    with pytest.raises(SystemExit):
        arguments(["speed"])
    assert "there is no suite speed" in capsys.readouterr().err


def test_rounds_are_odd_and_within_bounds() -> None:
    assert [rounds_for(slow, 8.0) for slow in (1e-6, 0.5, 1.0, 100.0)] == [31, 15, 7, 5]
    assert 1 < peak_mib() < 10**6


def test_every_suite_names_a_module_that_a_worker_can_prepare() -> None:
    for module in (
        parts.MODULE,
        latency.MODULE,
        opening.MODULE,
        scale.MODULE,
        exactness.MODULE,
        *(f"benchmarks.columns.{c}" for c in ("ours", "floor")),
    ):
        assert callable(import_module(module).prepare)


def test_every_way_of_opening_reads_the_same_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTYBT_PREPARED", "off")  # what one of the ways changes is put back
    ways = [prepare_opening({"way": way, "assets": 3, "bars": 30}).run() for way in opening.WAYS]
    assert {way["rows"] for way in ways} == {90}
    assert [way["sum"] for way in ways] == pytest.approx([ways[0]["sum"]] * len(ways), rel=1e-12)
    monkeypatch.undo()
    caching()


def test_a_desk_that_is_run_again_does_the_same_work_from_the_same_state() -> None:
    rows = [100, (100, 130, 90, 120), 0, 125, (50, 60, 40, 55), 70]
    given = one_asset(rows, offers={0: 10, 1: 0, 3: 7}, stop=20_000_000, fee_rate=1_000_000)
    desk, expected = twin.Desk(load("python"), given, 1.0), simulate(*given)
    assert desk.rows == expected.log.rows > 3
    for _ in range(3):
        assert desk.seconds() >= 0
        assert desk.final_equity == expected.equity[-1] != expected.equity[0]


@pytest.mark.parametrize(("tick", "scale", "kind"), [("0.01", 2, "same"), ("0.0001", 2, "divided"), ("0.01", 8, "multiplied")])
def test_the_promise_of_a_row_follows_from_the_scales(tick: str, scale: int, kind: str) -> None:
    given = one_asset([100, 101], {0: 1}, assets=[Asset.of("A", tick_size=tick, lot_size="1")], money_scale=scale)
    assert twin.Desk(load("python"), given, 1.0).kind == kind in exactness.KINDS


def test_a_twin_that_does_other_work_is_a_wrong_result() -> None:
    same = {"final_equity": {"exact": 100.0, "float": 100.00000001}, "rows": {"exact": 1000, "float": 1001}}
    assert exactness.differences(same) == []
    other = {"final_equity": {"exact": 100.0, "float": 101.0}, "rows": {"exact": 1000, "float": 900}}
    assert exactness.differences(other) == ["float ends at 101.000, exact at 100.000", "float writes 900 rows, exact 1,000"]


def test_the_median_process_of_a_size_counts_unless_one_failed() -> None:
    ran = [Measured("a", {}, facts={"door_cpu_s": 1.0, "run_cpu_s": seconds}) for seconds in (3.0, 1.0, 2.0)]
    assert scale.middle(ran).facts["run_cpu_s"] == 2.0
    failed = Measured("a", {}, error="no memory")
    assert scale.middle([*ran, failed]) is failed


@pytest.mark.parametrize("family", sorted(families.FAMILIES))
def test_families_give_the_same_rows_learned_and_called(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn, "FEW", learn.FEW)  # put back at the end: `prepare` sets it
    few = {name: list(values)[:4] for name, values in families.GRIDS[family](100).items()}
    monkeypatch.setitem(families.GRIDS, family, lambda _: few)
    case = {"family": family, "variants": 100, "assets": 3 if family == "winners" else 1, "bars": 330, "workers": 1}
    learned, called = (families.prepare(case | {"called": how}).run() for how in (False, True))
    assert learned["digest"] == called["digest"]
    assert learned["rows"] == math.prod(len(values) for values in few.values())
    assert families.prepare(case | {"bars": 331}).run()["digest"] != called["digest"]


def test_what_a_cluster_is_sent_is_weighed() -> None:
    pytest.importorskip("ray")
    sent = {what: size for what, _, size in cluster.sending(2) + cluster.driver_memory(200)}
    assert sent["bars, 2 x 2,520"].endswith(" B a row")
    assert 60 < float(sent["its rows, sent back"].split()[0]) < 124, "nothing of a row is sent that its frame does not hold"
    with cluster.chunks_of(1):
        one = cluster.swept(cluster.panel(1, 90), 3, 1, "threads")
    assert one.digest == cluster.swept(cluster.panel(1, 90), 3, 2, "threads").digest


@pytest.mark.parametrize("name", ["windows", "coarser", "books"])
def test_plain_python_gives_the_results_of_rustybt(name: str) -> None:
    pair = check.PAIRS[name].func(600)  # type: ignore[attr-defined]
    mine, plain = pair.ours(), pair.beside()
    assert pair.differ(mine, plain) == ""
    if name == "windows":
        plain["mean"][100] += 1e-6
        assert pair.differ(mine, plain).startswith("mean, bar 100: ")
    elif name == "coarser":
        assert pair.differ(mine[:-1], plain).startswith(f"{len(plain) - 1} bars, expected {len(plain)}")
    else:
        plain[0][50] += Decimal("0.00000001")
        assert pair.differ(mine, plain).startswith("bar 50: ")


def test_a_slower_or_wrong_workload_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    differs = [""]

    def pair() -> check.Pair:
        return check.Pair("W1", lambda: sum(range(3_000)), lambda: sum(range(3_000)), lambda a, b: differs[0])

    monkeypatch.setattr(check, "PAIRS", {"W1": pair})
    monkeypatch.setattr(check, "BUDGET", 0.0)
    monkeypatch.setattr(check, "ROUNDS", 1)  # before each the whole heap of the tests is collected
    monkeypatch.setattr(check, "AGAIN", 1)
    file = tmp_path / "thresholds.json"

    def ended(most: float | None, *more: str) -> tuple[int, str]:
        file.write_text(json.dumps({} if most is None else {"W1": most}))
        return check.main(["--thresholds", str(file), *more]), capsys.readouterr().out

    assert ended(1e6)[0] == 0
    code, out = ended(1e-6)
    assert code == 1
    assert "W1" in out
    assert "slower" in out
    assert ended(None)[0] == 1
    assert ended(1e-6, "--accept")[0] == 0
    assert json.loads(file.read_text())["W1"] > 1e-6
    differs[0] = "9 orders, expected 8"
    code, out = ended(1e6)
    assert code == 1
    assert "wrong: 9 orders" in out
    assert ended(1e6, "--accept")[0] == 1


def test_every_checked_workload_has_a_threshold() -> None:
    assert json.loads(check.FILE.read_text()).keys() == check.PAIRS.keys()


def test_ingestion_agrees_with_pandas_on_rows_bad_rows_and_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = ingestion.measure(small=True, rounds=0, say=lambda _: None)
    assert not found.wrong
    assert {one.facts["bad"] for one in found.measured} == {ingestion.SMALL["assets"] * (ingestion.SMALL["bars"] // ingestion.DIRTY)}
    assert not list(tmp_path.glob("rustybt-ingestion-*")), "what was generated is removed"


def test_a_file_repeated_under_other_names_is_a_larger_one(tmp_path: Path) -> None:
    ingestion.write_file(tmp_path / "bars.csv", 2, 50)
    ingestion.repeat_file(tmp_path / "bars.csv", tmp_path / "larger.csv", 3)
    once, thrice = (pl.read_csv(tmp_path / name) for name in ("bars.csv", "larger.csv"))
    assert thrice["asset"].unique().sort().to_list() == ["A0000", "A0001", "B0000", "B0001", "C0000", "C0001"]
    assert thrice.drop("asset").equals(pl.concat([once.drop("asset")] * 3))


def test_scanning_reads_the_part_and_passes_over_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(scanning, "SMALL", {"assets": 5, "bars": 140_000})
    found = scanning.measure(small=True, rounds=0, say=lambda _: None)
    assert not found.wrong
    assert not list(tmp_path.glob("rustybt-scanning-*"))
    kept, groups = (int(word) for word in found.tables[0].notes[-1].rstrip(".").split(": ")[1].split(" of "))
    assert 0 < kept < groups / 2


def test_every_study_runs_all_variants_of_its_grid_and_trades() -> None:
    for name, study in STUDIES.items():
        facts = studied.prepare({"study": name, "bars": 160, "small": True, "workers": 1}).run()
        assert facts["rows"] == len(study.variants(small=True)) == 4 ** len(study.grid)
        assert facts["orders"] > 0
        assert len(study.variants(small=False)) == (5_000 if name.endswith("x5000") else 1_000)


def test_rivals_that_cannot_be_installed_are_left_out_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "environment", lambda name: (None, f"{name}: cannot be installed (no network)"))
    monkeypatch.setattr(rivals, "STUDIES", {"rsi": STUDIES["rsi"]})
    asked = list[Task]()

    def measured(tasks: list[Task], **_: object) -> list[Measured]:
        asked.extend(tasks)
        return [Measured(task.column, task.case, [1.0], {"final_equity": 1.0, "rows": 1}) for task in tasks]

    monkeypatch.setattr(rivals, "side_by_side", measured)
    found = rivals.measure(True, 1, lambda line: None)
    assert [task.column for task in asked] == ["rsi, rustybt"]
    assert (found.wrong, found.goals, found.tables[0].rows) == ((), (), ())
    assert found.tables[0].notes[-1] == "vectorbt: cannot be installed (no network)"


@pytest.mark.parametrize(("theirs", "wrong"), [(1_000_000.4, 0), (1_000_090.0, 2)])
def test_rivals_have_to_come_to_the_same_final_equity(monkeypatch: pytest.MonkeyPatch, theirs: float, wrong: int) -> None:
    monkeypatch.setattr(rivals, "environment", lambda name: (Path("python"), ""))
    monkeypatch.setattr(rivals, "STUDIES", {"rsi": STUDIES["rsi"]})

    def measured(tasks: list[Task], **_: object) -> list[Measured]:
        equity, took = (1_000_000.0, theirs, theirs), (1.0, 40.0, 20.0)
        return [
            Measured(task.column, task.case, [s], {"final_equity": e, "rows": 16}, busy=s)
            for task, e, s in zip(tasks, equity, took, strict=True)
        ]

    monkeypatch.setattr(rivals, "side_by_side", measured)
    found = rivals.measure(True, 1, lambda line: None)
    assert len(found.wrong) == wrong
    assert [(goal.measured, goal.wanted) for goal in found.goals] == [(20.0, rivals.ONE)]
