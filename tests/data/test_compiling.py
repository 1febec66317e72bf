"""What large files have compiled is compiled beforehand, all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rustybt.data import compiling

SCRIPT = """
import sys
from pathlib import Path
import polars as pl
from rustybt.data import compiling, ingest, load
from rustybt.data.catalog import bars
from rustybt.data.text import read
home, path = Path(sys.argv[1]), sys.argv[2]
kept = lambda: sorted(str(one) for one in home.rglob("*.nbc"))
assert not compiling.is_compiled() and not kept()
compiling.compile_now()
before = kept()
assert compiling.is_compiled() and before
read.WORTH, bars.LARGE = 0, 0
ingest(path, "bars", catalog=home / "catalog", stamp="close")
assert load(path, stamp="close").frame.height == 3
assert kept() == before
"""


def test_a_large_file_has_nothing_left_to_compile(tmp_path: Path) -> None:
    lines = ["ts,asset,open,high,low,close,volume", *(f"2024-01-0{day}T00:00:00Z,A,1.5,2,1,1.25,7.0" for day in (1, 2, 3))]
    (tmp_path / "bars.csv").write_text("\n".join(lines) + "\n")
    given = {name: value for name, value in os.environ.items() if name != "RUSTYBT_KERNEL"} | {"RUSTYBT_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "cache"), str(tmp_path / "bars.csv")]
    done = subprocess.run(command, env=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_large_files_of_lines_are_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bars.csv").write_text("some lines")
    (tmp_path / "bars.parquet").write_text("some bytes")
    both = [str(tmp_path / name) for name in ("bars.csv", "bars.parquet")]
    monkeypatch.setattr(compiling, "is_compiled", lambda: False)
    assert not compiling.will_compile(both)
    monkeypatch.setattr(compiling, "WORTH", 10)
    assert compiling.will_compile(both)
    assert not compiling.will_compile(both[1:])
    assert not compiling.will_compile(None)
    monkeypatch.setattr(compiling, "is_compiled", lambda: True)
    assert not compiling.will_compile(both)
