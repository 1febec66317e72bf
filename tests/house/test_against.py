"""A change is kept where it saves enough and nothing differs. No durations of the machine are looked at."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from benchmarks import against, processes, profiling
from benchmarks.__main__ import main
from benchmarks.models import Job, Measured, Task


def measured(equity: float) -> Measured:
    return Measured("x", {}, [1.0], {"final_equity": equity})


@pytest.mark.parametrize(
    ("after", "equity", "said"),
    [([0.90, 0.95, 0.80], 1.0, "keep"), ([0.96, 0.97, 1.2], 1.0, "take back"), ([0.5, 0.5, 0.5], 2.0, "wrong")],
)
def test_five_percent_and_the_same_results_decide(after: list[float], equity: float, said: str) -> None:
    row = against.compared("W1", measured(1.0), measured(equity), {"before": [1.0, 1.0, 1.0], "after": after})
    assert row[:2] == ("W1", said)


@pytest.fixture
def trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two checkouts: the module that a worker runs is another in each."""
    monkeypatch.setenv("PYTHONPATH", str(Path(processes.__file__).resolve().parents[1]))
    made = tmp_path / "before", tmp_path / "after"
    for number, tree in enumerate(made):
        tree.mkdir()
        code = f"""
            from benchmarks.models import Job

            def prepare(case):
                return Job(lambda: {{"final_equity": case["equity"] + {number} * case["differs"], "orders": 3}})
            """
        (tree / "counted.py").write_text(textwrap.dedent(code))
    return made


@pytest.mark.parametrize("differs", [0, 1])
def test_two_checkouts_take_turns(trees: tuple[Path, Path], differs: int) -> None:
    case = {"equity": 1.0, "differs": differs}
    before, after = (Task(tree.name, "counted", case, root=str(tree)) for tree in trees)
    findings = against.measure({"W1": (before, after)}, rounds=2)
    assert [len(one.seconds) for one in findings.measured] == [3, 3]
    assert (findings.tables[0].rows[0][1] == "wrong") is bool(differs)
    assert len(findings.wrong) == differs
    failing = Task("before", "no_such_module", {})
    assert "No module named 'no_such_module'" in against.measure({"W1": (failing, after)}, rounds=1).wrong[0]


def test_a_tree_without_an_environment_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["against", str(tmp_path)])
    assert "run make setup there" in capsys.readouterr().err


def test_a_profile_names_functions_with_their_shares() -> None:
    def slow() -> dict[str, int]:
        return {"sum": sum(range(50_000))}

    table = profiling.profiled("W1", Job(slow))
    assert any(row[0].startswith("tests/house/test_against.py") and row[0].endswith("slow") for row in table.rows)
    shares = [float(row[1].rstrip("%")) for row in table.rows]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=2)
