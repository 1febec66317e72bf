from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rustybt.cli import main
from rustybt.testing import markets


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


@pytest.fixture
def rustybt(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def call(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        captured = capsys.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def bars(tmp_path: Path) -> str:
    path = tmp_path / "bars.parquet"
    markets.market(assets=3, bars=200, seed=4).bars.write_parquet(path)
    return str(path)


@pytest.fixture
def cross(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(
        "import polars as pl\n"
        "import rustybt as rbt\n\n"
        "@rbt.strategy\n"
        "def cross(fast: int = 5, slow: int = 20) -> rbt.Strategy:\n"
        "    up = pl.col('close').rolling_mean(fast) > pl.col('close').rolling_mean(slow)\n"
        "    return rbt.Strategy(target=rbt.weight(pl.when(up).then(0.3).otherwise(0.0)))\n"
    )
    return f"{path}:cross"
