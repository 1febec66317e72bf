from __future__ import annotations

from decimal import Decimal

import pytest

from rustybt.errors import ConfigError
from rustybt.execution import VolumeCap, costs, volume_cap
from rustybt.model import Asset

A = Asset.of("A")


def test_a_cap_is_a_share_of_the_volume_in_1e8() -> None:
    rows = costs(volume_cap=volume_cap("0.1", unfilled="cancel")).rows(A, 8)
    assert (rows["cap_share"], rows["cap_carry"]) == (10_000_000, 0)
    assert costs().rows(A, 8)["cap_share"] == 0


@pytest.mark.parametrize(("name", "share"), [("conservative", "0.025"), ("balanced", "0.1"), ("aggressive", "0.25")])
def test_policies_are_shares_that_carry_on(name: str, share: str) -> None:
    assert costs(volume_cap=name).volume_cap == VolumeCap(Decimal(share), carry=True)


def test_a_plain_share_is_taken_and_written_to_the_manifest() -> None:
    assert costs(volume_cap="0.05").to_dict()["volume_cap"] == {"share": "0.05", "carry": True}
    assert "volume_cap" not in costs().to_dict()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (0, "a volume cap of 0 is not above 0"),
        ("-0.1", "a volume cap of -0.1 is not above 0"),
        ("1.5", "a volume cap of 1.5 is not above 0"),
        ("0.000000001", "finer than 1e-8"),
        ("greedy", "there is no policy 'greedy'"),
        ("nan", "there is no policy 'nan'"),
        (True, "is not a number"),
    ],
)
def test_nonsense_is_refused_with_the_value(given: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        costs(volume_cap=given)


def test_what_becomes_of_the_rest_is_one_of_two_words() -> None:
    with pytest.raises(ConfigError, match="unfilled 'wait' is unknown"):
        volume_cap("0.1", unfilled="wait")
