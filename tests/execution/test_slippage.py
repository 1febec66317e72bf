from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from rustybt.errors import ConfigError
from rustybt.execution import (
    Slippage,
    asymmetric,
    bps,
    costs,
    half_spread,
    slippage_term,
    square_root,
    ticks,
    volatility_share,
    volume_share,
)


def test_parts_add_up_and_plain_ones_stay_plain() -> None:
    both = ticks(2) + square_root("0.01") + volume_share("0.1") + Slippage(rate=Decimal("0.001"))
    assert both.coefficients() == (100_000, 2, 10_000_000, 1_000_000, 0)
    assert not both.plain
    assert (ticks(2) + Slippage(rate=Decimal("0.001"))).plain
    assert both.rows() == {"slip_rate": 0, "slip_ticks": 0}


def test_half_a_spread_of_a_fraction_is_a_rate() -> None:
    assert half_spread("0.0004") == Slippage(rate=Decimal("0.0002"))
    assert half_spread().spread


def test_terms_are_equal_when_they_are_written_the_same_way() -> None:
    one, other = slippage_term(pl.col("high") / 2), slippage_term(pl.col("high") / 2)
    assert one == other
    assert hash(one) == hash(other)
    assert one != slippage_term(pl.col("low") / 2)
    assert one.to_dict() == other.to_dict()
    assert one + ticks(1) == Slippage(ticks=1, rate_term=one.rate_term)


def test_basis_points_add_up_with_slippage_on_either_side() -> None:
    assert bps(2) + ticks(1) == ticks(1) + bps(2) == Slippage(rate=Decimal("0.0002"), ticks=1)
    with pytest.raises(ConfigError, match="a plain rate"):
        _ = ticks(1) + bps(2, minimum=1)


def test_sides_differ_only_where_they_were_told_to() -> None:
    assert ticks(1).sides() == (ticks(1), ticks(1))
    assert asymmetric(buy=bps(2), sell=ticks(3)).sides() == (Slippage(rate=Decimal("0.0002")), ticks(3))
    assert costs(slippage=asymmetric(buy=bps(2), sell=ticks(3))).to_dict()["slippage"]["sell"] == {"rate": "0", "ticks": 3}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: volume_share(-1), "volume_share -1 is outside"),
        (lambda: square_root("1000.1"), "square_root 1000.1 is outside"),
        (lambda: volatility_share("nan"), "is not finite"),
        (lambda: volume_share("0.000000001"), "finer than 1e-8"),
        (lambda: half_spread(-1), "slippage rate -0.5 is outside"),
        (lambda: slippage_term(), "neither a rate nor ticks"),
        (lambda: slippage_term("spread"), "is not an expression"),  # type: ignore[arg-type]
        (lambda: volatility_share(1, volatility=0.02), "is not an expression"),  # type: ignore[arg-type]
        (lambda: asymmetric(buy=asymmetric(buy=1, sell=ticks(1)), sell=ticks(1)), "outside 0..1"),
        (lambda: asymmetric(buy=asymmetric(buy=0, sell=ticks(1)), sell=ticks(1)), "for purchases has its own"),
        (lambda: asymmetric(buy=0, sell=asymmetric(buy=0, sell=ticks(1))), "for sales has its own"),
        (lambda: asymmetric(buy=0, sell=ticks(1)) + ticks(1), "differs by side"),
        (
            lambda: volatility_share(1, volatility=pl.col("a")) + volatility_share(1, volatility=pl.col("b")),
            "both slippages set volatility",
        ),
    ],
)
def test_nonsense_is_refused_with_the_value(make: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()  # type: ignore[operator]
