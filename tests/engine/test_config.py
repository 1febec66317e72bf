from __future__ import annotations

from typing import Any

import pytest

from rustybt.engine import configure
from rustybt.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cash": 0}, "cash 0 is not positive"),
        ({"cash": "lots"}, "'lots' is not a number"),
        ({"cash": float("nan")}, "is not finite"),
        ({"costs": 0.001}, "is not a Costs"),
        ({"fill": "yesterday"}, "fill 'yesterday' is unknown"),
        ({"sizing": "never"}, "sizing 'never' is unknown"),
        ({"max_gross": 0}, "max_gross 0 is not in"),
        ({"max_gross": "0.000000001"}, "is not in"),
        ({"money_scale": 99}, "money_scale 99 is outside"),
    ],
)
def test_bad_settings_are_refused_by_name(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        configure(**settings)


def test_equal_settings_have_equal_plain_form() -> None:
    assert configure(cash="1000", max_gross="1.0").to_dict() == configure(cash=1000, max_gross=1).to_dict()
