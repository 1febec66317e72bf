"""Strategies to JSON and back, and the identity that survives it."""

from __future__ import annotations

import functools
import json
import os
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rustybt.errors import LookaheadError, SpecError
from rustybt.spec import (
    Context,
    OnBar,
    Strategy,
    cron,
    every,
    exits,
    from_json,
    load_strategy,
    month_end,
    notional,
    quantity,
    spec_id,
    strategy,
    to_json,
    weight,
)

C, V = pl.col("close"), pl.col("volume")


def trade(context: Context) -> None:
    context.order("AAPL", 1)


@strategy
def cross(fast: int = 20, slow: int = 50) -> Strategy:
    up = C.rolling_mean(fast) > C.rolling_mean(slow)
    return Strategy(target=weight(pl.when(up).then(1.0).otherwise(0.0)))


@strategy
def ranked(top: int = 3, size: Decimal = Decimal("0.2"), name: str | None = None) -> Strategy:
    past = C.shift(21).over("asset") / C.shift(252).over("asset") - 1
    place = past.rank(descending=True).over("ts")
    return Strategy(
        target=weight(pl.when(place <= top).then(float(size)).otherwise(0.0)),
        universe=V.rolling_mean(20).over("asset") > 1000,
        schedule=month_end(),
        signals={"past": past, "place": place},
        warmup=252,
    )


@strategy
def guarded(stop: float = 0.05) -> Strategy:
    high = pl.col("high").rolling_max(20).shift(1)
    return Strategy(
        target=notional(pl.when(high < C).then(Decimal("1000.50")).otherwise(None)),
        exits=exits(stop_loss=stop, trailing="0.1", max_bars=30, cool_down=2),
        schedule=cron("30 15 * * mon-fri", zone="America/New_York"),
    )


GOLDEN = {
    "cross": "13cce6c7259d614d8aa9c2a72f6168c4e7ec64129d55cc033937c4f7f0ad0ead",
    "ranked": "b9f3751ee28ae6dcf42bb6d618068607ad2f6e114c9a13b70f5ad738583ea77c",
    "guarded": "2c0175016f73a2ec678627049db888ff05f89202ca7d1ec6369826e81b32e80b",
}
MADE = {"cross": cross(), "ranked": ranked(), "guarded": guarded()}
FRAME = pl.DataFrame(
    {
        "ts": [i // 3 for i in range(900)],
        "asset": ["A", "B", "C"] * 300,
        "high": [11.0 + (i * 7) % 13 / 10 for i in range(900)],
        "close": [10.0 + (i * 11) % 17 / 10 for i in range(900)],
        "volume": [900.0 + (i * 5) % 400 for i in range(900)],
    }
)


@pytest.mark.parametrize("name", MADE)
def test_the_identity_is_pinned(name: str) -> None:
    """These change only with `rustybt.spec.identity.VERSION`, or with a release of Polars that means something else by the same words."""
    assert MADE[name].spec_id == GOLDEN[name]


@pytest.mark.parametrize("name", MADE)
def test_a_strategy_survives_json(name: str) -> None:
    made = MADE[name]
    again = from_json(to_json(made))
    assert again == made
    assert again.spec_id == spec_id(made) == made.spec_id
    assert to_json(again) == to_json(made)
    assert list(again.terms()) == list(made.terms())
    assert dict(again.params) == dict(made.params)
    assert (again.schedule, again.exits, again.warmup) == (made.schedule, made.exits, made.warmup)


@pytest.mark.parametrize("name", MADE)
def test_a_strategy_from_json_evaluates_alike(name: str) -> None:
    made, again = MADE[name], from_json(to_json(MADE[name]))
    assert FRAME.select(**made.terms()).equals(FRAME.select(**again.terms()))


def test_the_identity_is_the_same_in_another_process() -> None:
    code = (
        "import sys, rustybt.spec as s\nfor line in sys.stdin.read().split('\\x00'): print(s.from_json(line).spec_id)\n"
        "import polars as pl\nc = pl.col('close')\n"
        "print(s.Strategy('x', {'b': 1, 'a': 2}, s.weight(c.rolling_mean(5)), signals={'y': c, 'x': -c}).spec_id)"
    )
    texts = "\x00".join(to_json(made) for made in MADE.values())
    environment = os.environ | {"PYTHONHASHSEED": "7", "POLARS_MAX_THREADS": "1"}
    other = subprocess.run([sys.executable, "-c", code], input=texts, capture_output=True, text=True, check=True, env=environment)
    here = Strategy("x", {"a": 2, "b": 1}, weight(C.rolling_mean(5)), signals={"x": -C, "y": C}).spec_id
    assert other.stdout.split() == [*(made.spec_id for made in MADE.values()), here]


def test_the_order_of_names_is_kept_in_json_and_left_out_of_the_identity() -> None:
    one = Strategy("s", {"a": 1, "b": 2}, weight(1), signals={"x": C, "y": V})
    two = Strategy("s", {"b": 2, "a": 1}, weight(1), signals={"y": V, "x": C})
    assert one == two
    assert list(from_json(to_json(two)).terms()) == ["y", "x", "target"]


@pytest.mark.parametrize(
    "other",
    [
        Strategy("s", {"a": 1}, weight(C)),
        Strategy("s", {"a": 1.0}, weight(C)),
        Strategy("s", {"a": True}, weight(C)),
        Strategy("s", {"a": "1"}, weight(C)),
        Strategy("s", {"a": Decimal(1)}, weight(C)),
        Strategy("s", {"b": 1}, weight(C)),
        Strategy("s", {}, weight(C)),
        Strategy("s", {"a": 1}, quantity(C)),
        Strategy("s", {"a": 1}, weight(C.shift(1))),
        Strategy("s", {"a": 1}, weight(C), universe=V > 0),
        Strategy("s", {"a": 1}, weight(C), schedule=every(1)),
        Strategy("s", {"a": 1}, weight(C), schedule=every(1, 1)),
        Strategy("s", {"a": 1}, weight(C), exits=exits(max_bars=1)),
        Strategy("s", {"a": 1}, weight(C), exits=exits(cool_down=1)),
        Strategy("s", {"a": 1}, weight(C), signals={"x": C}),
        Strategy("s", {"a": 1}, weight(C), signals={"y": C}),
        Strategy("s", {"a": 1}, weight(C), warmup=0),
        Strategy("s", {"a": 1}, weight(C), on_bar=OnBar(trade)),
        Strategy("s", {"a": 1}, weight(C), on_bar=OnBar(trade, 2)),
        Strategy("s", {"a": 1}, weight(C), on_bar=OnBar(trade, 1, {"n": 1})),
        Strategy("s", {"a": 1}, weight(C), declared={"plug": 5}),
        Strategy("s", {"a": 1}, weight(C), cancel_policy="never"),
        Strategy("s", {"a": 1}, weight(C), cancel_policy="end_of_day"),
    ],
)
def test_every_part_is_in_the_identity(other: Strategy) -> None:
    ids = test_every_part_is_in_the_identity.__dict__.setdefault("ids", set())
    assert other.spec_id not in ids
    ids.add(other.spec_id)
    assert from_json(to_json(other)) == other


def test_a_name_is_not_in_the_identity() -> None:
    assert Strategy("a", target=weight(1)).spec_id == Strategy("b", target=weight(1)).spec_id


def test_trailing_zeros_of_a_decimal_do_not_matter() -> None:
    assert Strategy("s", {"a": Decimal("1.50")}, weight(1)) == Strategy("s", {"a": Decimal("1.5")}, weight(1))


def test_a_callback_of_a_module_survives_json() -> None:
    made = Strategy("s", on_bar=OnBar(trade, 5, {"seen": [1, {"a": None}]}))
    again = from_json(to_json(made))
    assert again == made
    assert again.on_bar is not None
    assert again.on_bar.callback is trade
    assert (again.on_bar.lookback, again.on_bar.state) == (5, {"seen": [1, {"a": None}]})


@pytest.mark.parametrize("callback", [lambda context: None, functools.partial(trade)], ids=["lambda", "partial"])
def test_a_callback_without_a_path_works_here_but_is_not_written(callback: Any) -> None:
    made = Strategy("s", on_bar=callback)
    assert len(made.spec_id) == 64
    with pytest.raises(SpecError, match="cannot be written to JSON") as error:
        to_json(made)
    assert "top of a module" in error.value.do


FILE = """
import rustybt.spec as rbt

def act(context):
    context.order("AAPL", 1)

@rbt.strategy
def mine() -> rbt.Strategy:
    return rbt.Strategy(on_bar=rbt.OnBar(act, lookback=2))
"""


@pytest.fixture
def file_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "mine.py").write_text(FILE)
    return to_json(load_strategy(str(tmp_path / "mine.py"))())


def test_a_callback_of_a_file_is_read_in_another_process(file_text: str) -> None:
    code = "import sys, rustybt.spec as s; print(s.from_json(sys.stdin.read()).spec_id)"
    other = subprocess.run([sys.executable, "-c", code], input=file_text, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == json.loads(file_text)["spec_id"]


def test_a_callback_that_has_changed_is_refused(file_text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FILE.replace('"AAPL", 1', '"AAPL", 2'))
    with pytest.raises(SpecError, match="source has changed"):
        from_json(file_text)


def test_the_folder_of_a_callback_is_not_in_the_identity(file_text: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "mine.py"
    moved.write_text(FILE)
    assert load_strategy(str(moved))().spec_id == json.loads(file_text)["spec_id"]


def test_the_text_never_holds_a_pickle_and_has_one_line_per_part() -> None:
    lines = to_json(MADE["ranked"]).splitlines()
    names = [line.split('"')[1] for line in lines[1:-1]]
    assert names == [
        "format", "version", "name", "params", "target", "universe", "signals", "orders", "schedule", "exits", "warmup", "on_bar",
        "declared", "spec_id",
    ]  # fmt: skip


def changed(**parts: Any) -> str:
    return json.dumps({name: value for name, value in (json.loads(to_json(MADE["ranked"])) | parts).items() if value != "remove"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (None, "not JSON"),
        ("[]", "not the JSON of a strategy"),
        ('{"format": "other"}', "not the JSON of a strategy"),
        (changed(version=99), "version 99"),
        (changed(warmup=10), "it was changed"),
        (changed(name=3), "name 3"),
        (changed(target="remove"), "KeyError 'target'"),
        (changed(target=["weight"]), "IndexError"),
        (changed(target=["size", ["col", "close"]]), "KeyError 'SIZE'"),
        (changed(target=["weight", ["brandnew"]]), "not an expression"),
        (changed(schedule={"kind": "hourly"}), "'hourly' is unknown"),
        (changed(schedule={"kind": "every", "hours": 1}), "malformed"),
        (changed(exits={"stop_loss": "2"}), "out of range"),
        (changed(signals={"x": 1}), "malformed"),
        (changed(params=[1]), "malformed"),
        (changed(on_bar={"place": "no_such_module", "name": "f"}), "there is no module"),
    ],
)
def test_a_text_that_is_no_strategy_is_refused_in_one_message(text: Any, said: str) -> None:
    with pytest.raises(SpecError, match=said) as error:
        from_json(text)
    assert error.value.do


def test_a_look_ahead_cannot_come_in_through_json() -> None:
    text = changed(spec_id="remove", target=["weight", ["call", "shift", [], [["col", "close"], ["lit", "int", -1]]]])
    with pytest.raises(LookaheadError):
        from_json(text)


def test_a_change_by_hand_is_accepted_without_the_old_identity() -> None:
    assert from_json(changed(warmup=10, spec_id="remove")).warmup == 10


def test_a_term_that_json_cannot_hold_is_refused_by_name() -> None:
    made = Strategy("s", target=weight(1), signals={"deep": C.is_in([[1.0]])})
    with pytest.raises(SpecError, match="JSON cannot hold") as error:
        to_json(made)
    assert error.value.where.startswith("strategy 's', term 'deep'")


def test_errors_of_the_form_pickle() -> None:
    with pytest.raises(SpecError) as error:
        from_json("{")
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
