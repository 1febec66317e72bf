"""Functions of typed parameters as families of strategies."""

from __future__ import annotations

import inspect
import pickle
from decimal import Decimal
from typing import Annotated, Any, Literal

import polars as pl
import pytest

from rustybt.errors import ConfigError, RustyBTError, SpecError
from rustybt.spec import Parameter, Range, Strategy, StrategyFunction, strategy, weight

CLOSE = pl.col("close")


@strategy
def cross(
    fast: Annotated[int, Range(2, 200)] = 20, slow: int = 50, side: Literal["long", "both"] = "long", size: Decimal = Decimal("0.5")
) -> Strategy:
    """Long above, flat below."""
    if fast >= slow:
        raise SpecError(f"fast {fast} is not below slow {slow}", do="give fast < slow")
    up = CLOSE.rolling_mean(fast) > CLOSE.rolling_mean(slow)
    return Strategy(target=weight(pl.when(up).then(float(size)).otherwise(0.0 if side == "long" else -float(size))))


@strategy
def needs(window: int, scale: float = 1.0) -> Strategy:
    return Strategy(target=weight(CLOSE.rolling_mean(window) * scale))


@strategy(name="renamed")
def original() -> Strategy:
    return Strategy("mine", target=weight(1))


def test_a_call_stamps_the_name_and_every_parameter() -> None:
    made = cross(fast=10)
    assert made.name == "cross"
    assert dict(made.params) == {"fast": 10, "slow": 50, "side": "long", "size": Decimal("0.5")}


def test_the_same_values_make_equal_strategies_however_they_are_given() -> None:
    assert cross(10, 60) == cross(slow=60, fast=10) == cross(10, slow=60)
    assert needs(5, 2) == needs(5, 2.0)
    assert cross(10) != cross(11)
    assert len({cross(fast, slow).spec_id for fast in (5, 10) for slow in (20, 30)}) == 4


def test_it_says_what_it_takes() -> None:
    assert isinstance(cross, StrategyFunction)
    assert cross.name == "cross"
    assert cross.defaults == {"fast": 20, "slow": 50, "side": "long", "size": Decimal("0.5")}
    assert cross.parameters["fast"] == Parameter("fast", int, 20, Range(2, 200))
    assert cross.parameters["side"].choices == ("long", "both")
    assert needs.parameters["window"].required
    assert needs.defaults == {"scale": 1.0}
    assert cross.__doc__ == "Long above, flat below."
    assert list(inspect.signature(cross).parameters) == ["fast", "slow", "side", "size"]
    assert "fast: a whole number in 2..200, default 20" in repr(cross)
    assert "without parameters" in repr(original)


def test_a_name_of_its_own_wins() -> None:
    assert (original.name, original().name) == ("renamed", "renamed")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cross(fast=1), "'fast' cannot be 1"),
        (lambda: cross(fast=True), "'fast' cannot be True"),
        (lambda: cross(fats=3), "no parameter 'fats'"),
        (lambda: cross(side="short"), "'side' cannot be 'short'"),
        (lambda: needs(), "'window' has no value"),
        (lambda: cross(1, 2, "long", 4, 5), "too many positional"),
        (lambda: cross(10, fast=10), "'fast' is given twice"),
    ],
)
def test_a_bad_call_is_refused_in_one_message_with_strategy_and_parameter(call: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        call()
    assert error.value.where.startswith(("strategy 'cross'", "strategy 'needs'"))
    assert error.value.do


def test_texts_are_parsed_by_type() -> None:
    assert cross.parse({"fast": "10", "size": "0.25"}) == {"fast": 10, "size": Decimal("0.25")}
    assert cross(**cross.parse({"fast": "10"})) == cross(10)
    with pytest.raises(ConfigError, match="no parameter 'fsat'") as error:
        cross.parse({"fsat": "10"})
    assert error.value.do == "did you mean 'fast'?"
    with pytest.raises(ConfigError) as error:
        cross.parse({"fast": "1"})
    assert error.value.where == "strategy 'cross', parameter 'fast'"


def test_an_error_of_ours_inside_the_function_names_the_strategy() -> None:
    with pytest.raises(SpecError, match="fast 60 is not below slow 50") as error:
        cross(60)
    assert error.value.where == "strategy 'cross'"


def test_any_other_error_keeps_its_type_and_is_noted() -> None:
    @strategy
    def broken(n: int = 0) -> Strategy:
        return Strategy(target=weight(1 / n))

    with pytest.raises(ZeroDivisionError) as error:
        broken()
    assert error.value.__notes__ == ["in strategy 'broken' with n=0"]


def test_a_term_refused_inside_the_function_names_the_strategy_and_the_term() -> None:
    @strategy
    def bad() -> Strategy:
        return Strategy(target=weight(1), universe=True)  # type: ignore[arg-type]

    with pytest.raises(SpecError) as error:
        bad()
    assert error.value.where == "strategy 'bad', term 'universe'"


def test_a_strategy_made_of_another_takes_the_outer_name() -> None:
    @strategy
    def outer(n: int = 5) -> Strategy:
        return cross(fast=n)

    assert outer().name == "outer"
    assert dict(outer(7).params) == {"n": 7}


def test_something_else_than_a_strategy_is_refused() -> None:
    @strategy
    def wrong() -> Strategy:
        return weight(1)  # type: ignore[return-value]

    with pytest.raises(SpecError, match="returned a Target"):
        wrong()


def untyped(n=5) -> Strategy:  # type: ignore[no-untyped-def]  # noqa: ANN001
    return Strategy(target=weight(n))


def starred(*values: int) -> Strategy:
    return Strategy(target=weight(len(values)))


def keyed(**values: int) -> Strategy:
    return Strategy(target=weight(len(values)))


def positional(n: int = 1, /) -> Strategy:
    return Strategy(target=weight(n))


def out_of_range(n: Annotated[int, Range(2, 9)] = 1) -> Strategy:
    return Strategy(target=weight(n))


def unknown_type(n: Nowhere = 1) -> Strategy:  # type: ignore[name-defined]  # noqa: F821
    return Strategy(target=weight(n))


@pytest.mark.parametrize("function", [untyped, starred, keyed, positional, out_of_range, unknown_type])
def test_a_signature_that_cannot_be_read_is_refused_at_once(function: Any) -> None:
    with pytest.raises(SpecError) as error:
        strategy(function)
    assert f"strategy '{function.__name__}'" in error.value.where
    assert error.value.do


@pytest.mark.parametrize("thing", [3, "name", Strategy])
def test_only_functions_can_be_decorated(thing: Any) -> None:
    with pytest.raises(SpecError, match="@strategy was given"):
        strategy(thing)


def test_it_pickles_by_import_path() -> None:
    assert pickle.loads(pickle.dumps(cross)) is cross


def test_parameter_errors_pickle() -> None:
    with pytest.raises(ConfigError) as error:
        cross(fast=1)
    twin: RustyBTError = pickle.loads(pickle.dumps(error.value))
    assert str(twin) == str(error.value)
