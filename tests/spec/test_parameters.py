"""Parameter types, ranges, choices and their texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustybt.errors import ConfigError, SpecError
from rustybt.spec.parameters import Parameter, Range, read_parameter, unknown_names


def parameter(annotation: Any, default: Any = None, *, required: bool = True) -> Parameter:
    return read_parameter("p", annotation, default, required=required)


@pytest.mark.parametrize(
    ("annotation", "given_", "kept"),
    [
        (int, 3, 3), (int, np.int64(3), 3), (float, 3, 3.0), (float, 0.5, 0.5), (float, np.float64(0.5), 0.5), (str, "x", "x"),
        (bool, True, True), (Decimal, "0.10", Decimal("0.10")), (Decimal, 1, Decimal(1)), (Decimal, 0.1, Decimal("0.1")),
        (Literal["a", "b"], "b", "b"), (Literal[1, 2], 2, 2), (int | None, None, None), (int | None, 4, 4),
        (Annotated[int, Range(2, 200)], 2, 2), (Annotated[int, Range(2, 200)], 200, 200),
        (Annotated[float, Range(0.1, 0.5, 0.1)], 0.3, 0.3),
        (Annotated[int | None, Range(1, 5)], 5, 5), (Annotated[int, Range(1, 5)] | None, None, None),
        (Annotated[int, Range(low=1)], 10**12, 10**12), (Annotated[Decimal, Range(0, 1)], "0.5", Decimal("0.5")),
    ],
)  # fmt: skip
def test_a_good_value_is_kept_in_its_exact_type(annotation: Any, given_: Any, kept: Any) -> None:
    value = parameter(annotation).check(given_)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("annotation", "given_"),
    [
        (int, True), (int, 3.0), (int, "3"), (int, None), (float, True), (float, "0.5"), (float, float("nan")), (float, float("inf")),
        (str, 3), (bool, 1), (bool, "true"), (Decimal, True), (Decimal, "x"), (Decimal, "NaN"), (Literal["a", "b"], "c"),
        (Literal[1, 2], True),
        (Literal[1, 2], 1.0), (Annotated[int, Range(2, 200)], 1), (Annotated[int, Range(2, 200)], 201),
        (Annotated[int, Range(0, 10, 5)], 4),
        (Annotated[float, Range(0.1, 0.5, 0.1)], 0.25), (Annotated[int | None, Range(1, 5)], 6),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_with_name_value_and_what_is_allowed(annotation: Any, given_: Any) -> None:
    with pytest.raises(ConfigError) as error:
        parameter(annotation).check(given_)
    assert "'p'" in error.value.what
    assert repr(given_) in error.value.what
    assert error.value.do.startswith("give ")


def test_a_refusal_tells_the_range() -> None:
    with pytest.raises(ConfigError) as error:
        parameter(Annotated[int, Range(2, 200)]).check(500)
    assert str(error.value) == "parameter 'p' cannot be 500\n  where: parameter 'p'\n  do:    give a whole number in 2..200"


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "10", 10), (int, " -3 ", -3), (float, "1e-3", 0.001), (float, "2", 2.0), (str, " as is ", " as is "), (bool, "Yes", True),
        (bool, "off", False), (bool, "0", False), (Decimal, "0.10", Decimal("0.10")), (Literal["a", "b"], "b", "b"),
        (Literal[5, 10], "10", 10), (Literal[0, 1], "0", 0), (Literal[False, True], "False", False),
        (int | None, "none", None), (int | None, "7", 7),
    ],
)  # fmt: skip
def test_a_text_becomes_the_value_it_means(annotation: Any, text: str, value: Any) -> None:
    parsed = parameter(annotation).parse(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "ten"), (int, "1.5"), (int, ""), (float, "x"), (float, "nan"), (bool, "maybe"), (Decimal, "1,5"), (Literal["a"], "b"),
        (Literal[5], "five"), (Annotated[int, Range(2, 9)], "1"),
    ],
)  # fmt: skip
def test_a_text_that_means_nothing_is_refused_with_what_is_allowed(annotation: Any, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parameter(annotation).parse(text)
    assert repr(text) in error.value.what or text in error.value.what


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False)))
def test_a_value_written_and_parsed_is_the_same(value: int | float | Decimal) -> None:
    assert parameter(type(value)).parse(str(value)) == value


@pytest.mark.parametrize(
    "annotation", [list[int], "int", int | str, object, dict, Annotated[str, Range(1, 2)], Annotated[bool, Range(0, 1)], np.int64]
)
def test_a_type_that_is_not_supported_is_refused_by_name(annotation: Any) -> None:
    with pytest.raises(SpecError) as error:
        parameter(annotation)
    assert "'p'" in error.value.where


@pytest.mark.parametrize(("annotation", "default"), [(int, "x"), (Annotated[int, Range(2, 9)], 1), (Literal["a"], "b"), (int, None)])
def test_a_default_outside_its_own_rule_is_refused(annotation: Any, default: Any) -> None:
    with pytest.raises(SpecError, match="default"):
        parameter(annotation, default, required=False)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Range(5, 2), lambda: Range(0, 1, 0), lambda: Range(0, 1, -1), lambda: Range(None, 9, 2), lambda: Range(float("nan"), 1),
        lambda: Range("a", "b"), lambda: Range(True, 5),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_is_refused(make: Any) -> None:
    with pytest.raises(SpecError):
        make()


def test_values_of_a_range_are_exact_and_hold_both_ends() -> None:
    assert list(Range(2, 5).values()) == [2, 3, 4, 5]
    assert list(Range(0.1, 0.5, 0.1).values()) == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert list(Range(Decimal("0.1"), Decimal("0.35"), Decimal("0.1")).values()) == [Decimal("0.1"), Decimal("0.2"), Decimal("0.3")]
    assert all(Range(0.1, 0.5, 0.1).holds(value) for value in Range(0.1, 0.5, 0.1).values())


@pytest.mark.parametrize("limits", [Range(), Range(1), Range(0.1, 0.5), Range(None, 4)])
def test_a_range_without_an_end_or_a_step_has_no_values(limits: Range) -> None:
    with pytest.raises(SpecError, match="no end"):
        limits.values()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as error:
        unknown_names(["fsat"], ["fast", "slow"], "strategy 's'")
    assert error.value.do == "did you mean 'fast'?"
    with pytest.raises(ConfigError) as error:
        unknown_names(["zzz"], ["fast", "slow"], "strategy 's'")
    assert error.value.do == "it takes fast, slow"
    with pytest.raises(ConfigError) as error:
        unknown_names(["zzz"], [], "strategy 's'")
    assert error.value.do == "it takes no parameters"
