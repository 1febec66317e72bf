"""Callbacks: what is declared, how they are told apart and found again."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rustybt.errors import SpecError
from rustybt.spec.hooks import Context, OnBar, import_callback, import_path, json_copy, source_digest
from rustybt.spec.locate import find


def trade(context: Context) -> None:
    context.order("AAPL", 1)


def other(context: Context) -> None:
    context.order("AAPL", 2)


def bought(context: Context, quantity: int) -> None:
    context.order("AAPL", quantity)


class Holder:
    """An object that can be called."""

    def __call__(self, context: Context) -> None:
        context.order("AAPL", 1)

    @staticmethod
    def inside(context: Context) -> None:
        context.order("AAPL", 1)


def nested(quantity: object) -> Callable[[Context], None]:
    def inner(context: Context) -> None:
        context.order("AAPL", str(quantity))

    return inner


@pytest.mark.parametrize("lookback", [0, -1, 1.0, True, "5", None])
def test_a_lookback_below_one_row_is_refused(lookback: Any) -> None:
    with pytest.raises(SpecError, match="lookback"):
        OnBar(trade, lookback)


@pytest.mark.parametrize("callback", [None, 3, "trade"])
def test_what_cannot_be_called_is_refused(callback: Any) -> None:
    with pytest.raises(SpecError, match="cannot be called"):
        OnBar(callback)


@pytest.mark.parametrize("state", [[1], {"a": object()}, {1: 2}, {"a": (1, 2)}, {"a": float("nan")}, {"a": {2: 3}}, {"a": Decimal(1)}])
def test_a_state_that_json_would_change_is_refused(state: Any) -> None:
    with pytest.raises(SpecError) as error:
        OnBar(trade, 1, state)
    assert "state" in error.value.where


def test_every_run_gets_a_state_of_its_own() -> None:
    given = {"seen": [1]}
    hook = OnBar(trade, 1, given)
    given["seen"].append(2)
    hook.fresh_state()["seen"].append(3)
    assert hook.fresh_state() == {"seen": [1]}


def test_a_copy_is_deep_and_equal() -> None:
    value = {"a": [1, 2.5, None, True, {"b": "x"}]}
    copy = json_copy(value, "state")
    assert copy == value
    assert copy["a"] is not value["a"]


def test_a_function_of_a_module_is_found_again() -> None:
    for callback in (trade, Holder.inside):
        place, name = import_path(callback)
        assert import_callback(place, name) is callback


def test_a_function_of_a_file_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "hooks_of_mine.py"
    path.write_text("def act(context):\n    context.order('AAPL', 1)\n")
    act = find(str(path), "act")
    try:
        assert import_path(act) == (str(path.resolve()), "act")
        assert import_callback(*import_path(act)) is act
    finally:
        sys.path.remove(str(path.parent))
        del sys.modules[act.__module__]


@pytest.mark.parametrize(
    "callback", [lambda context: None, nested(1), functools.partial(trade), Holder(), Holder().__call__], ids=lambda c: type(c).__name__
)
def test_what_has_no_import_path_is_refused_with_what_to_do(callback: Any) -> None:
    with pytest.raises(SpecError) as error:
        import_path(callback)
    assert error.value.where.startswith("on_bar")
    assert "top of a module" in error.value.do


def test_a_name_that_means_something_else_now_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    before = trade
    monkeypatch.setattr(sys.modules[__name__], "trade", other)
    with pytest.raises(SpecError, match="is not this callback"):
        import_path(before)


@pytest.mark.parametrize(("place", "name"), [("no_such_module", "f"), ("json", "no_such_name"), ("json", "__name__"), ("gone.py", "f")])
def test_a_path_that_leads_nowhere_is_refused(place: str, name: str) -> None:
    with pytest.raises(SpecError):
        import_callback(place, name)


def test_the_digest_follows_the_source() -> None:
    assert source_digest(trade) == source_digest(trade)
    assert source_digest(trade) != source_digest(other)


def test_the_digest_follows_captured_values() -> None:
    assert source_digest(nested(1)) == source_digest(nested(1))
    assert source_digest(nested(1)) != source_digest(nested(2))
    assert source_digest(nested((1, "a"))) != source_digest(nested((1, "b")))
    assert source_digest(nested([1])) != source_digest(nested([1]))
    assert source_digest(functools.partial(bought, quantity=1)) != source_digest(functools.partial(bought, quantity=2))
    assert source_digest(Holder()) != source_digest(trade)


def test_a_callback_without_source_still_has_a_digest() -> None:
    made: dict[str, Any] = {}
    exec("def one(context): return 1\ndef two(context): return 2", made)
    assert source_digest(made["one"]) != source_digest(made["two"])
    assert source_digest(made["one"]) == source_digest(made["one"])
    assert len(source_digest(print)) == 64
