from __future__ import annotations

from typing import Any

import pytest

from rustybt.engine import configure
from rustybt.engine.tables import build_tables
from rustybt.errors import ConfigError
from rustybt.execution import Commission, costs, per_share, tiered
from rustybt.model import Asset
from rustybt.spec import Strategy, weight


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cash": 0}, "cash 0 is not positive"),
        ({"cash": "lots"}, "'lots' is not a number"),
        ({"cash": float("nan")}, "is not finite"),
        ({"cash": "1e99999999"}, "exponent beyond 60"),
        ({"cash": "1e-99999999"}, "exponent beyond 60"),
        ({"costs": 0.001}, "is not a Costs"),
        ({"fill": "yesterday"}, "fill 'yesterday' is unknown"),
        ({"sizing": "never"}, "sizing 'never' is unknown"),
        ({"max_gross": 0}, "max_gross 0 is not in"),
        ({"max_gross": "0.000000001"}, "is not in"),
        ({"money_scale": 99}, "money_scale 99 is outside"),
        ({"money_scale": True}, "money_scale True is outside"),
    ],
)
def test_bad_settings_are_refused_by_name(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        configure(**settings)


@pytest.mark.parametrize("commission", [tiered({0: per_share("1e40")}), per_share("1e-30"), per_share("1e40")])
def test_costs_that_cannot_be_counted_are_refused_by_asset(commission: Commission) -> None:
    with pytest.raises(ConfigError, match=r"too large or too finely divided") as refused:
        build_tables({"s": Strategy(target=weight(0.5))}, (Asset.of("A"),), configure(costs=costs(commission=commission)))
    assert "'A'" in refused.value.where


def test_equal_settings_have_equal_plain_form() -> None:
    assert configure(cash="1000", max_gross="1.0").to_dict() == configure(cash=1000, max_gross=1).to_dict()
