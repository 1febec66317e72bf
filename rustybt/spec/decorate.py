"""Decorate: turn a function with typed parameters into a family of strategies."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, get_type_hints, overload

from rustybt.errors import ConfigError, RustyBTError, SpecError
from rustybt.spec.locate import PREFIX, find, place_of
from rustybt.spec.parameters import Parameter, Scalar, read_parameter, unknown_names
from rustybt.spec.strategy import Strategy, building, stamped


class StrategyFunction:
    """A function of typed parameters that makes a `Strategy`; made by `strategy`.

    Calling it checks the values, calls the function, and stamps name and parameters on what it returns.
    It pickles by where it can be imported from.

    Attributes:
        name: of the function, or as given to `strategy`.
        function: what was decorated.
        parameters: `Parameter` by name, in the order of the function.
    """

    def __init__(self, function: Callable[..., Strategy], name: str = "") -> None:
        functools.update_wrapper(self, function)
        self.__module__: str = function.__module__
        self.__qualname__: str = function.__qualname__
        self.function = function
        self.name = name or function.__name__
        self.parameters: Mapping[str, Parameter] = MappingProxyType(_read_signature(function, self.name))

    @property
    def defaults(self) -> dict[str, Scalar]:
        """Default values by name, of the parameters that have one."""
        return {p.name: p.default for p in self.parameters.values() if not p.required}

    def check(self, values: Mapping[str, object]) -> dict[str, Scalar]:
        """All parameter values, defaults filled in, each in its exact type.

        Raises:
            ConfigError: unknown name, wrong type, out of range, not a choice, or a required one is missing.
        """
        where = f"strategy {self.name!r}"
        unknown_names(values, self.parameters, where)
        missing = [p.name for p in self.parameters.values() if p.required and p.name not in values]
        if missing:
            raise ConfigError(f"parameter {missing[0]!r} has no value", where=where, do=f"give {self.parameters[missing[0]].allowed}")
        try:
            return {name: p.check(values[name]) if name in values else p.default for name, p in self.parameters.items()}
        except RustyBTError as error:
            raise _placed(error, where) from None

    def parse(self, texts: Mapping[str, str]) -> dict[str, Scalar]:
        """Typed values from texts, as a command line gives them; only the names that were given.

        Raises:
            ConfigError: as `check`.
        """
        where = f"strategy {self.name!r}"
        unknown_names(texts, self.parameters, where)
        try:
            return {name: self.parameters[name].parse(text) for name, text in texts.items()}
        except RustyBTError as error:
            raise _placed(error, where) from None

    def __call__(self, *args: object, **kwargs: object) -> Strategy:
        """The strategy for these parameter values.

        Raises:
            ConfigError: a value is not allowed.
            SpecError: the function returned something else than a Strategy. Errors of the function keep their type and name the strategy.
        """
        params = self.check(self._named(args, kwargs))
        token = building.set(self.name)
        try:
            made = self.function(**params)
        except RustyBTError as error:
            _placed(error, f"strategy {self.name!r}")
            raise
        except Exception as error:
            error.add_note(f"in strategy {self.name!r} with {_shown(params)}")
            raise
        finally:
            building.reset(token)
        if not isinstance(made, Strategy):
            raise SpecError(
                f"it returned a {type(made).__name__}", where=f"strategy {self.name!r}", do="return rustybt.Strategy(target=weight(...))"
            )
        return stamped(made, self.name, params)

    def _named(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
        if not args:
            return kwargs
        try:
            positional = inspect.signature(self.function).bind_partial(*args).arguments
        except TypeError as error:
            raise ConfigError(str(error), where=f"strategy {self.name!r}", do="give parameters by name") from None
        twice = [name for name in positional if name in kwargs]
        if twice:
            raise ConfigError(f"parameter {twice[0]!r} is given twice", where=f"strategy {self.name!r}", do="give it once")
        return {**positional, **kwargs}

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self.__module__.startswith(PREFIX):
            return find, (place_of(self.__module__), self.__qualname__)
        return self.__qualname__

    def __repr__(self) -> str:
        lines = "".join(f"\n  {parameter}" for parameter in self.parameters.values())
        return f"strategy {self.name!r}" + (lines or " without parameters")


@overload
def strategy(function: Callable[..., Strategy], /) -> StrategyFunction: ...
@overload
def strategy(*, name: str) -> Callable[[Callable[..., Strategy]], StrategyFunction]: ...
def strategy(
    function: Callable[..., Strategy] | None = None, /, *, name: str = ""
) -> StrategyFunction | Callable[[Callable[..., Strategy]], StrategyFunction]:
    """Make a function of typed parameters a family of strategies.

    Args:
        function: returns a `Strategy`; every parameter is typed ``int``, ``float``, ``str``, ``bool``, ``Decimal``, ``Literal[...]``
            or ``Annotated[int, Range(2, 200)]``, or one of these ``| None``.
        name: instead of the function's name.

    Returns:
        A `StrategyFunction`: call it with parameters to get a Strategy.

    Raises:
        SpecError: a parameter has no type, a type that is not supported, or a default outside its range.

    Example:
        >>> import polars as pl
        >>> from rustybt.spec import Strategy, weight
        >>> @strategy
        ... def above(window: int = 20) -> Strategy:
        ...     up = pl.col("close") > pl.col("close").rolling_mean(window)
        ...     return Strategy(target=weight(pl.when(up).then(1.0).otherwise(0.0)))
        >>> dict(above(window=50).params), above.defaults
        ({'window': 50}, {'window': 20})
    """
    if function is None:
        return functools.partial(StrategyFunction, name=name)
    if not callable(function) or isinstance(function, type):
        raise SpecError(f"@strategy was given a {type(function).__name__}", where="@strategy", do="put it above a function")
    return StrategyFunction(function)


def _read_signature(function: Callable[..., Strategy], name: str) -> dict[str, Parameter]:
    where = f"strategy {name!r}"
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:  # noqa: BLE001  # an annotation is any expression
        raise SpecError(f"its annotations cannot be read: {error}", where=where, do="import the types at the top of the module") from None
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise SpecError(f"parameter {str(parameter)!r} has no name of its own", where=where, do="write each parameter out")
        if parameter.name not in hints:
            raise SpecError(f"parameter {parameter.name!r} has no type", where=where, do=f"write {parameter.name}: int = ...")
        required = parameter.default is parameter.empty
        try:
            found[parameter.name] = read_parameter(parameter.name, hints[parameter.name], parameter.default, required=required)
        except SpecError as error:
            raise _placed(error, where) from None
    return found


def _placed(error: RustyBTError, where: str) -> RustyBTError:
    if where not in error.where:
        error.where = f"{where}, {error.where}" if error.where else where
    return error


def _shown(params: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in params.items()) or "no parameters"
