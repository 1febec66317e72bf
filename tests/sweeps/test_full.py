"""Disks that are full, and places that can only be read: one message, nothing half-written, and the same call goes on."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import Sweep, TrialRegistry, gather, options
from rustybt.sweeps.registry import Trial
from rustybt.testing import markets
from tests.sweeps.strategies import cross

GRID = {"fast": list(range(3, 13)), "slow": list(range(15, 25))}


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=1, bars=60, seed=2)


def sweep(panel: Panel, out: Path | None, **more: Any) -> Sweep:
    return rbt.sweep(cross, panel, **({"grid": GRID, "out": out, "trials": "off", "workers": 1, "curves": out is not None} | more))


@pytest.fixture
def cramped() -> Iterator[Any]:
    """Files of this process can have so many bytes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, usual[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@pytest.mark.parametrize("most", [0, 30, 2_200, 6_500, 6_750, 9_000])
def test_a_full_disk_is_one_message_and_the_same_call_goes_on(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cramped: Any, most: int
) -> None:
    monkeypatch.setattr(gather, "WRITE_EVERY", -1.0)
    monkeypatch.setattr(options, "CHUNK", 20)
    out, whole = tmp_path / "s", tmp_path / "whole"
    cramped(most)
    with pytest.raises(rbt.ConfigError, match=r"(?s)cannot write the sweep: File too large.*free some space.*the same call goes on"):
        sweep(panel, out)
    held = [file for file in out.glob("**/*") if file.is_file()]
    assert not [file for file in held if file.suffix in (".part", ".tmp")]
    cramped(resource.RLIM_INFINITY)
    told: list[int] = []
    sweep(panel, out, progress=lambda done, total: told.append(done))
    sweep(panel, whole)
    for name in ("results.parquet", "curves.parquet"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    if any(file.name.startswith("rows-") for file in held):
        assert told[0] > 0


def test_a_judgement_that_cannot_be_kept_is_given(panel: Panel, tmp_path: Path, cramped: Any) -> None:
    done = sweep(panel, tmp_path / "s")
    cramped(100)
    found = done.judgement()
    cramped(resource.RLIM_INFINITY)
    assert found.tested
    assert not list(tmp_path.glob("s/judgement*"))
    assert not list(tmp_path.glob("s/.*"))
    assert sweep(panel, tmp_path / "s").judgement().to_dict() == found.to_dict()


def test_a_registry_and_a_storage_on_a_full_disk(panel: Panel, tmp_path: Path, cramped: Any) -> None:
    registry, storage = TrialRegistry(tmp_path / "t.sqlite"), tmp_path / "q.sqlite"
    registry.record("data", [Trial(f"{at:064}", "cross", 0.1) for at in range(50)])
    before = registry.frame()
    cramped((tmp_path / "t.sqlite").stat().st_size)
    with pytest.raises(rbt.ConfigError, match=r"(?s)trial registry .*(full|allows no larger file).*t\.sqlite.*free some space"):
        registry.record("data", [Trial(f"{at:064}", "other", 0.1) for at in range(1000, 5000)])
    done = sweep(panel, None, trials=tmp_path / "t.sqlite", grid={"fast": list(range(2, 30)), "slow": list(range(31, 61))})
    assert any("were not counted" in note for note in done.notes)
    space: dict[str, Any] = {"fast": rbt.Range(3, 12), "slow": rbt.Range(15, 25)}
    with pytest.raises(rbt.ConfigError, match=r"(?s)store of searched variants .*(full|allows no larger file).*q\.sqlite.*free some space"):
        rbt.search(cross, panel, space=space, trials=60, batch=2, storage=storage, registry="off", method="random")
    cramped(resource.RLIM_INFINITY)
    assert registry.frame().equals(before)
    again = rbt.search(cross, panel, space=space, trials=60, batch=2, storage=storage, registry="off", method="random")
    plain = rbt.search(cross, panel, space=space, trials=60, batch=2, registry="off", method="random")
    assert again.frame.equals(plain.frame)
    assert again.evaluated < plain.evaluated


def test_processes_without_room_for_what_they_need(panel: Panel, cramped: Any) -> None:
    cramped(1000)
    with pytest.raises(rbt.ConfigError, match=r"(?s)cannot write what the processes need: File too large.*set TMPDIR"):
        sweep(panel, None, executor="processes", workers=2)


@pytest.mark.parametrize("finished", [True, False])
def test_a_finished_sweep_can_be_read_where_nothing_can_be_written(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: bool
) -> None:
    done, out = sweep(panel, tmp_path / "s"), tmp_path / "s"
    if not finished:
        (out / "results.parquet").unlink()
    usual = os.open

    def refuse(path: Any, flags: int, *more: Any, **others: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and str(path).startswith(str(tmp_path)):
            raise PermissionError(13, "Permission denied", str(path))
        return usual(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", refuse)
    if finished:
        assert sweep(panel, out).top(3).equals(done.top(3))
        return
    with pytest.raises(rbt.ConfigError, match="cannot write the sweep: Permission denied"):
        sweep(panel, out)
