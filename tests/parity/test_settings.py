"""Every setting of a run, alone and together: all bars at once, bar by bar, the Decimal reference and the saved run agree."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

import rustybt as rbt
from rustybt.cli.verify import against_reference
from rustybt.engine import configure, run_configured, verify_saved, walk
from rustybt.errors import ConfigError, SpecError
from tests.parity.settings import World, settings, world
from tests.parity.strategies import strategy
from tests.parity.test_engines import assert_same

SEEDS = range(40)
REFUSED = ("its commission has tiers", "target weights add up", "is less than a lot", "display is", "outside of the data")
"""What settings at random may contradict each other, or the strategy, in."""


def case(seed: int) -> tuple[dict[str, rbt.Strategy], World, dict[str, Any]]:
    random = Random(seed)
    given = world(random)
    wanted = settings(random, given)
    count = random.choice((1, 1, 2))
    return {f"sleeve{i}": strategy(random, len(given.names), count) for i in range(count)}, given, wanted


def run_or_nothing(seed: int) -> rbt.Result | None:
    """The run of a seed; None where its settings contradict one another."""
    sleeves, given, wanted = case(seed)
    try:
        return run_configured(sleeves, given.panel, configure(**wanted))
    except (ConfigError, SpecError) as refused:
        if not any(words in refused.what for words in REFUSED):
            raise
        return None


@pytest.mark.parametrize("seed", SEEDS)
def test_runs_by_any_settings_agree_and_can_be_audited(seed: int, tmp_path: Path) -> None:
    bulk = run_or_nothing(seed)
    if bulk is None:
        return
    sleeves, given, wanted = case(seed)
    assert_same(bulk, walk(sleeves, given.panel, configure(**wanted)))
    found = against_reference(bulk)
    assert found["ok"], found["detail"]
    audit = verify_saved(bulk.save(tmp_path / "run"))
    assert audit.ok, audit
    assert json.dumps(dict(bulk.metrics), allow_nan=False)
    for method in ("fifo", "average"):
        bulk.lots(method)  # checks by itself that gains add up to the profit


def test_every_setting_is_drawn() -> None:
    drawn = {name for seed in range(300) for name in case(seed)[2]}
    assert drawn | {"currency"} == set(inspect.signature(rbt.run).parameters) - {"strategy", "data"}


def test_most_of_them_run() -> None:
    """Else there would be little to compare."""
    ran = [run for run in map(run_or_nothing, SEEDS) if run is not None]
    assert sum(run.counts()["fills"] > 0 for run in ran) > len(SEEDS) / 2
