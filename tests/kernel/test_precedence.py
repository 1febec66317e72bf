"""Which exit of a bracket comes first, in the compiled kernel or its interpreter twin; the numbers are those of the golden cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustybt import kernel
from rustybt.model import Status
from rustybt.testing.golden import read_case

CASES = Path(__file__).parents[1] / "golden" / "cases"
TEXT = (CASES / "bracket_optimistic_the_target_comes_first.txt").read_text()
AS_LIMIT = "limit limit=105"


@pytest.mark.parametrize(
    ("change", "sold"),
    [
        (("", ""), 105),
        ((AS_LIMIT, "market_if_touched stop=105"), 105),
        ((AS_LIMIT, "limit_if_touched stop=104 limit=105"), 105),
        ((AS_LIMIT, "limit_if_touched stop=105 limit=107"), 90),  # never comes as far as 107, so nothing is certain
        ((AS_LIMIT, "limit limit=107"), 90),
        (("oco reduce_only\n0 A filled limit", "reduce_only\n0 A filled limit"), 90),
        (("intrabar=optimistic", "intrabar=nearest"), 90),
        (("[orders]", "[finer]\n2 A 97 98 89\n[orders]"), 90),
        (("intrabar=optimistic", ""), 90),
        (("[orders]", "[barred]\n2 A buying\n[orders]"), 105),
    ],
)
def test_a_stop_gives_way_to_a_target_that_comes_first(change: tuple[str, str], sold: int) -> None:
    text = TEXT.replace(*change, 1) if change[0] else TEXT
    assert not change[0] or text != TEXT
    log = kernel.simulate(*read_case(text).session).log
    assert log.price[(log.status == Status.FILLED) & (log.filled < 0)].tolist() == [sold]


def test_a_short_mirrors_it() -> None:
    log = kernel.simulate(*read_case((CASES / "bracket_of_a_short_optimistic_takes_the_target_first.txt").read_text()).session).log
    assert log.price[(log.status == Status.FILLED) & (log.filled > 0)].tolist() == [95]


@pytest.mark.parametrize("gain", ["market_if_touched stop=95", "limit_if_touched stop=96 limit=95"])
def test_a_short_waits_for_a_fall_to_its_target(gain: str) -> None:
    text = (CASES / "bracket_of_a_short_optimistic_takes_the_target_first.txt").read_text().replace("limit limit=95", gain)
    log = kernel.simulate(*read_case(text).session).log
    assert log.price[(log.status == Status.FILLED) & (log.filled > 0)].tolist() == [95]
