"""Simulated vendors: a plan of faults that cannot strike is refused, so that no test passes for want of it."""

from __future__ import annotations

from typing import Any

import pytest

from rustybt.errors import ConfigError
from rustybt.testing.vendors import Vendor


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("typo", {}, "there is no fault 'typo'"),
        ("", {}, "there is no fault ''"),
        ("down", {"times": 0}, "times=0, skip=0 never strikes"),
        ("down", {"skip": -1}, "times=1, skip=-1 never strikes"),
    ],
)
def test_a_fault_that_cannot_strike_is_refused(kind: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Vendor([]).fail(kind, **more)


def test_the_message_lists_the_faults() -> None:
    with pytest.raises(ConfigError) as caught:
        Vendor([]).fail("slow")  # type: ignore[arg-type]
    assert "limited, down, broken, cut, reset, silent, shuffled, repeated" in caught.value.do
