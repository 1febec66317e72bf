from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rustybt import kernel, reference
from rustybt.model import Outcome
from rustybt.testing import soak
from rustybt.testing.golden import read_case


@pytest.fixture(autouse=True)
def _reference_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner is tested here, not the kernel: comparing the reference with itself needs no compiled code."""
    monkeypatch.setattr(kernel, "simulate", reference.simulate)


def run(folder: Path, *words: str) -> int:
    return soak.main([*words, "--first", "0", "--cases", str(folder / "cases")])


def test_shards_add_up_to_all_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for shard in ("0", "1", "2"):
        assert run(tmp_path, "--sessions", "20", "--shards", "3", "--shard", shard, "--out", str(tmp_path / shard)) == 0
    capsys.readouterr()
    assert soak.main(["--report", *(str(tmp_path / shard) for shard in "012")]) == 0
    totals = json.loads(capsys.readouterr().out)
    assert run(tmp_path, "--sessions", "20", "--out", str(tmp_path / "whole")) == 0
    whole = json.loads((tmp_path / "whole").read_text())
    assert totals["sessions"] == 20
    assert {name: totals[name] for name in ("rows", "fills", "overflows")} == {name: whole[name] for name in ("rows", "fills", "overflows")}
    assert totals["differing"] == totals["breaches"] == 0
    assert totals["fills"] > 0


def test_a_stopped_shard_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    def stop_after_five(*call: object) -> object:
        seeds.append(1)
        if len(seeds) == 6:
            raise KeyboardInterrupt
        return original(*call)  # type: ignore[arg-type]

    original = soak.examine
    monkeypatch.setattr(soak, "examine", stop_after_five)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "--sessions", "9", "--out", str(tmp_path / "state"))
    assert json.loads((tmp_path / "state").read_text())["done"] == 5
    monkeypatch.setattr(soak, "examine", original)
    run(tmp_path, "--sessions", "9", "--out", str(tmp_path / "state"))
    run(tmp_path, "--sessions", "9", "--out", str(tmp_path / "fresh"))
    resumed, fresh = (json.loads((tmp_path / name).read_text()) | {"seconds": 0} for name in ("state", "fresh"))
    assert resumed == fresh


def test_a_difference_becomes_a_golden_case_and_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*drawn: object) -> Outcome:
        outcome = reference.simulate(*drawn)  # type: ignore[arg-type]
        return replace(outcome, equity=outcome.equity + 1)

    monkeypatch.setattr(kernel, "simulate", wrong)
    assert run(tmp_path, "--sessions", "2", "--out", str(tmp_path / "state")) == 1
    tally = json.loads((tmp_path / "state").read_text())
    assert (tally["differing"], tally["seeds"]) == (2, [0, 1])
    case = read_case((tmp_path / "cases" / "soak_1.txt").read_text())
    assert len(case.balances) > 0


def test_money_that_is_a_float_is_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(soak, "float_columns", lambda drawn, found: ["equity.cash"])
    assert run(tmp_path, "--sessions", "20", "--out", str(tmp_path / "state")) == 1
    tally = json.loads((tmp_path / "state").read_text())
    assert (tally["floats"], tally["seeds"]) == (2, [0, 16]), "of every 16th"
    capsys.readouterr()
    assert soak.main(["--report", str(tmp_path / "state")]) == 1
    assert json.loads(capsys.readouterr().out)["floats"] == 2


def test_a_state_of_other_sessions_is_refused(tmp_path: Path) -> None:
    run(tmp_path, "--sessions", "2", "--out", str(tmp_path / "state"))
    with pytest.raises(SystemExit, match="counts other sessions"):
        run(tmp_path, "--sessions", "3", "--out", str(tmp_path / "state"))


def test_a_shard_that_does_not_exist_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run(tmp_path, "--shards", "2", "--shard", "2", "--out", str(tmp_path / "state"))
    assert caught.value.code == 2
