"""Files of a sweep that are damaged after it was opened: one message that names the file, and the same call makes it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rustybt as rbt
from rustybt.model import Panel
from rustybt.sweeps import Sweep, gather
from rustybt.testing import markets
from tests.sweeps.strategies import cross


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flipped(file: Path) -> None:
    """One bit, within the values: what Parquet itself does not notice."""
    held = bytearray(file.read_bytes())
    held[len(held) // 3] ^= 4
    file.write_bytes(held)


DAMAGES = (truncated, empty, flipped)
ASKED: dict[str, Callable[[Sweep], object]] = {
    "frame": lambda done: done.frame,
    "lazy": lambda done: done.results,
    "top": lambda done: done.top(),
    "slice": lambda done: done.slice(fast=3),
    "sql": lambda done: done.sql("select count(*) from sweep"),
    "failed": lambda done: done.failed,
    "shown": repr,
    "judgement": lambda done: done.judgement(),
}


@pytest.fixture(scope="module")
def panel() -> Panel:
    return markets.panel(assets=1, bars=120, seed=2)


def made(panel: Panel, out: Path, **more: Any) -> Sweep:
    return rbt.sweep(cross, panel, grid={"fast": [3, 5, 8], "slow": [5, 20]}, out=out, trials="off", curves=True, **more)


@pytest.mark.parametrize("damage", DAMAGES)
def test_rows_that_are_damaged_later_are_named_by_all_that_reads_them(panel: Panel, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    done, file = made(panel, tmp_path / "s"), tmp_path / "s" / "results.parquet"
    before, curves = file.read_bytes(), (tmp_path / "s" / "curves.parquet").read_bytes()
    damage(file)
    for name, asked in ASKED.items():
        with pytest.raises(rbt.ConfigError, match=r"results\.parquet cannot be read, it is damaged") as caught:
            asked(done)
        assert str(file) in str(caught.value), name
    with pytest.raises(rbt.ConfigError, match="results"):
        done.report(tmp_path / "page.html")
    assert done.run(1).final_equity  # follows from the parameters alone
    assert done.curves is not None
    with pytest.raises(rbt.ConfigError, match="delete it: the same call makes it again"):
        made(panel, tmp_path / "s")
    file.unlink()
    with pytest.raises(rbt.ConfigError, match=r"results\.parquet is gone"):
        done.top()
    again = made(panel, tmp_path / "s")
    assert file.read_bytes() == before
    assert (tmp_path / "s" / "curves.parquet").read_bytes() == curves
    assert done.top().equals(again.top())  # what was opened before reads it too


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_curves_leave_the_rows_readable(panel: Panel, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    done, file = made(panel, tmp_path / "s"), tmp_path / "s" / "curves.parquet"
    before = file.read_bytes()
    damage(file)
    assert done.frame.height == done.sql("select * from sweep").height == 6
    for asked in (lambda: done.curves, lambda: done.sql("select * from curves")):
        with pytest.raises(rbt.ConfigError, match=r"curves\.parquet cannot be read, it is damaged"):
            asked()
    file.unlink()
    assert made(panel, tmp_path / "s").curves is not None
    assert file.read_bytes() == before


def test_a_bit_of_a_part_is_noticed(panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "WRITE_EVERY", 0.0)

    def interrupt(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(panel, tmp_path / "s", progress=interrupt, workers=1)
    parts = sorted((tmp_path / "s" / "parts").glob("rows-*"))
    flipped(parts[-1])
    found = made(panel, tmp_path / "s")
    assert found.frame.equals(made(panel, tmp_path / "t").frame)
    said = f"{parts[-1].name} cannot be read, it is damaged: it holds other bytes than were written: its variants were run again."
    assert found.notes == (said,)
    assert not (tmp_path / "s" / "parts").exists()
