"""Expressions in our own form: every kind of node there and back, with equal values."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rustybt.errors import SpecError
from rustybt.spec import form, tree
from rustybt.spec.form import FUNCTION_WORDS, FUNCTIONS, Form, decode, encode
from rustybt.spec.tree import Node

C, H, V = pl.col("close"), pl.col("high"), pl.col("volume")
TS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=8 * i) for i in range(12)]
FRAME = pl.DataFrame(
    {
        "ts": [ts for ts in TS for _ in range(2)],
        "asset": pl.Series(["A", "B"] * 12, dtype=pl.Enum(["A", "B"])),
        "close": [10.0 + (i * 7) % 5 + i / 10 for i in range(24)],
        "high": [None if i % 9 == 4 else 12.0 + (i * 5) % 7 for i in range(24)],
        "volume": [100 + 10 * (i % 4) for i in range(24)],
        "name": ["x1", "y22"] * 12,
        "day": [date(2024, 1, 1 + i // 4) for i in range(24)],
        "many": [[i, i + 1] for i in range(24)],
    }
)
EXPRESSIONS = {
    "arithmetic": (C + H - V * 2 / 3 // 1 % 5) ** 2,
    "negation": -C.abs().sqrt().log().exp().floor(),
    "comparison": (C > H) & (C >= 1) | (C < 5) ^ (C <= 9) & (C == 3) | (C != 4),
    "missing": C.eq_missing(H) & H.ne_missing(None),
    "when": pl.when(C > H).then(1.0).when(C < 5).then(-1).otherwise(None),
    "cast": C.cast(pl.Int32, strict=False) + C.cast(pl.Float32),
    "cast with parameters": C.cast(pl.Decimal(18, 4)),
    "cast to enum": pl.col("name").cast(pl.Enum(["y22", "x1"])),
    "cast time": pl.col("ts").cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone("Asia/Tokyo").dt.hour(),
    "alias": C.alias("renamed"),
    "names": (C * 2).name.suffix("_x"),
    "keep name": (C * 2).alias("other").name.keep(),
    "shift": C.shift(1).over("asset") / C.shift(2, fill_value=0.0).over("asset"),
    "rolling": (C.rolling_mean(3) - C.rolling_std(4, min_samples=2, ddof=0)).over("asset"),
    "rolling weights": C.rolling_mean(3, weights=[0.2, 0.3, 0.5]).over("asset"),
    "rolling quantile": C.rolling_quantile(0.25, interpolation="linear", window_size=5).over("asset"),
    "rolling by": C.rolling_mean_by("ts", "16h", closed="both").over("asset"),
    "rolling rank": C.rolling_rank(4).over("asset"),
    "rolling pair": pl.rolling_corr(C, V, window_size=5).over("asset"),
    "rolling frame": C.mean().rolling("ts", period="1d"),
    "ewm": (C.ewm_mean(span=5, adjust=False) + C.ewm_std(half_life=3)).over("asset"),
    "ewm by": C.ewm_mean_by("ts", half_life="2d").over("asset"),
    "cumulative": (C.cum_sum() + C.cum_max() - V.cum_count()).over("asset"),
    "changes": (C.diff(2) + C.pct_change(3)).over("asset"),
    "fill": H.fill_null(0.0) + H.forward_fill(2).over("asset") + H.fill_null(strategy="zero"),
    "fill without limit": H.forward_fill().over("asset"),
    "nan": (C / C).fill_nan(None).is_not_nan() & C.is_finite() & C.is_null().not_(),
    "cross-section": C.rank(descending=True).over("ts") / pl.len().over("ts"),
    "cross-section statistics": ((C - C.mean()) / C.std()).over("ts") + C.median().over("ts") + C.quantile(0.4).over("ts"),
    "aggregates": (C.min() + C.max() + C.sum() + C.var(ddof=0) + C.n_unique() + C.count() + C.first() + C.last()).over("asset"),
    "ordered window": C.first().over("asset", order_by="ts", descending=True),
    "two keys": C.max().over("asset", pl.col("ts").dt.date()),
    "session": C.cum_sum().over("asset", pl.col("ts").dt.truncate("1d")),
    "horizontal": pl.max_horizontal(C, H) + pl.sum_horizontal(C, V) + pl.coalesce(H, C) + pl.mean_horizontal(C, V),
    "all horizontal": pl.all_horizontal(C > 1, H > 2) | pl.any_horizontal(C > 100, V > 5),
    "clip": C.clip(11, 12.5).round(1).sign(),
    "membership": pl.col("name").is_in(["x1", "z"]) | V.is_in([100, 110]) | V.is_in(pl.Series([120])) | V.is_in([]),
    "membership of dates": pl.col("day").is_in([date(2024, 1, 2), None]),
    "between": C.is_between(10, 12, closed="left"),
    "replace": V.replace({100: 1, 110: 2}) + V.replace_strict({100: 1.5, 110: 2.5}, default=0.0),
    "calendar": pl.col("ts").dt.month() + pl.col("ts").dt.weekday() + pl.col("day").dt.offset_by("1mo").dt.day(),
    "text": pl.col("name").str.starts_with("x") & pl.col("name").str.contains("[12]"),
    "strptime": pl.concat_str(pl.lit("2024-01-0"), pl.col("name").str.slice(1, 1)).str.strptime(pl.Date, "%Y-%m-%d"),
    "struct": pl.struct(C, H).struct.field("close"),
    "struct with fields": pl.struct(C, H).struct.with_fields(pl.field("close") * 2).struct.field("close"),
    "lists": pl.col("many").list.eval(pl.element() * 2).list.sum() + pl.col("many").list.get(0),
    "cumulative eval": C.cumulative_eval(pl.element().max()).over("asset"),
    "gather": C.sort_by("high", descending=True).gather(pl.lit(0)).first().over("ts"),
    "filter": C.filter(V > 110).sum().over("asset"),
    "sort": C.sort(descending=True).head(2).sum().over("asset") + C.slice(1, 2).sum().over("asset"),
    "top": C.top_k(1).sum().over("ts") + C.arg_max().over("ts"),
    "row index": pl.int_range(pl.len()).over("asset"),
    "bins": C.bin_intervals([11.0, 12.0], labels=["low", "mid", "high"]).cast(pl.String),
    "trigonometry": C.sin() + C.arctan() + pl.arctan2(C, V),
    "correlation": pl.corr(C, V).over("asset"),
    "run lengths": (C > 12).rle_id().over("asset"),
    "interpolate": H.interpolate().over("asset"),
    "hash": pl.col("name").hash(7),
    "dates": pl.lit(datetime(2024, 1, 2, tzinfo=UTC)) < pl.col("ts"),
    "durations": pl.col("ts") + pl.lit(timedelta(days=1, microseconds=3)),
    "decimal": C.cast(pl.Decimal(18, 2)) * pl.lit(Decimal("1.50")),
    "selector": pl.col("close", "high") * 2,
    "expression by regex": pl.col("^clo.*$"),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_survives_json_with_equal_values(name: str) -> None:
    expr = EXPRESSIONS[name]
    written = encode(expr)
    text = json.dumps(written, allow_nan=False)
    again = decode(json.loads(text))
    assert tree.render(tree.parse(again), 10_000) == tree.render(tree.parse(expr), 10_000)
    assert encode(again) == written
    assert FRAME.select(again).equals(FRAME.select(expr))


def test_different_expressions_have_different_forms() -> None:
    forms = [json.dumps(encode(expr)) for expr in EXPRESSIONS.values()]
    assert len(set(forms)) == len(forms)


NAIVE = datetime(2024, 1, 1, 1, 2, 3, 4)  # noqa: DTZ001  # a literal without a zone
LITERALS: list[object] = [
    0, -3, 2**40, 2**64, 0.1, -0.0, 5e-324, 1e308, 123456789.123456789, True, False, None, "text", "é\n\"'", b"\x00\xff", Decimal("1.10"),
    Decimal("-0.000001"), date(1960, 2, 29), NAIVE, datetime(2024, 1, 1, tzinfo=UTC), timedelta(-1, 2, 3),
    time(23, 59, 59, 999999), [1, 2], [1.5, None], [], ["a", None], [True], [date(2024, 1, 1)], [NAIVE],
    [Decimal("1.10"), Decimal(2)], [timedelta(1)], {"a": 1, "b": "x"}, np.float32(0.1), np.int8(-5), pl.Series("s", [1, 2]),
    pl.Series("e", ["b", "a"], dtype=pl.Enum(["a", "b"])), pl.Series([b"x"]), pl.Series([], dtype=pl.Float32),
]  # fmt: skip


@pytest.mark.parametrize("value", LITERALS, ids=repr)
def test_a_literal_keeps_value_and_type(value: object) -> None:
    expr = pl.lit(value)
    again = decode(json.loads(json.dumps(encode(expr), allow_nan=False)))
    before, after = pl.select(x=expr).to_series(), pl.select(x=again).to_series()
    assert after.dtype == before.dtype
    assert after.equals(before, null_equal=True)
    if isinstance(value, float) and value == 0:
        assert math.copysign(1, after.item()) == math.copysign(1, value)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Int128, pl.Float32, pl.String, pl.Date, pl.Datetime("ms"), pl.Boolean, pl.Null])
def test_a_typed_null_keeps_its_type(dtype: pl.DataType) -> None:
    again = decode(json.loads(json.dumps(encode(pl.lit(None, dtype=dtype)))))
    assert pl.select(x=again).dtypes == pl.select(x=pl.lit(None, dtype=dtype)).dtypes


def test_nan_and_infinity_inside_a_list_survive() -> None:
    values = [float("nan"), float("inf"), -float("inf"), 0.5]
    again = decode(json.loads(json.dumps(encode(C.is_in(values)), allow_nan=False)))
    frame = pl.DataFrame({"close": [*values, 1.0]})
    assert frame.select(again).to_series().to_list() == [True, True, True, True, False]


def test_the_form_of_a_list_does_not_depend_on_how_it_was_made() -> None:
    """Polars keeps flags (such as "sorted") in the bytes it writes."""
    plain, flagged = pl.Series([1, 2, 3]), pl.Series([1, 2, 3]).sort()
    assert tree.text(pl.lit(plain)) != tree.text(pl.lit(flagged))
    assert encode(pl.lit(plain)) == encode(pl.lit(flagged))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float32("nan")])
def test_a_nan_or_infinite_literal_is_refused_and_shown(value: float) -> None:
    with pytest.raises(SpecError, match="NaN or infinite") as error:
        encode(C * pl.lit(value))
    assert "Literal" in error.value.where


@pytest.mark.parametrize("value", [pl.Series([[1]]), pl.Series([{"a": 1}]), [[1, 2]]])
def test_a_nested_list_is_refused(value: object) -> None:
    with pytest.raises(SpecError, match="JSON cannot hold"):
        encode(pl.lit(value))


def plugin(lib: str) -> Node:
    options = {"flags": {"check_lengths": True, "flags": "LENGTH_PRESERVING"}, "lib": lib, "symbol": "my_plugin", "kwargs": [1, 2]}
    return {"Function": {"input": [{"Column": "close"}], "function": {"FfiPlugin": options}}}


def test_a_plugin_is_written_whole_and_hashed_without_its_folder() -> None:
    here, there = plugin("/one/libmine.so"), plugin("C:\\two\\libmine.so")
    assert encode_node(here) != encode_node(there)
    assert encode_node(here, identity=True) == encode_node(there, identity=True)
    assert encode_node(plugin("/one/other.so"), identity=True) != encode_node(here, identity=True)
    assert decode_node(encode_node(here)) == here


@pytest.mark.parametrize(
    "node",
    [
        {"AnonymousFunction": {"input": [{"Column": "close"}], "function": [1, 2], "options": {}}},
        {"Function": {"input": [{"Column": "close"}], "function": {"FoldHorizontal": {"callback": [1, 2], "returns_scalar": False}}}},
        {"RenameAlias": {"function": {"Map": [1, 2]}, "expr": {"Column": "close"}}},
    ],
)
def test_a_python_callback_is_refused_and_hashed_by_its_digest(node: Node) -> None:
    with pytest.raises(SpecError, match="Python callback"):
        encode_node(node)
    word, digest, inputs = encode_node(node, identity=True)
    assert (word, len(digest), inputs) == ("opaque", 64, [["col", "close"]])


def test_a_rolling_callback_is_refused_and_hashed_by_its_digest_and_its_window() -> None:
    three, four = (pl.col("close").rolling_map(max, size) for size in (3, 4))
    with pytest.raises(SpecError, match="Python callback"):
        encode(three)
    assert encode(three, identity=True)[1] == encode(four, identity=True)[1]
    assert encode(three, identity=True) != encode(four, identity=True)


@pytest.mark.parametrize(
    "read",
    [
        ["call", "anonymous_function", [[1, 2]], [["col", "close"]]],
        ["call", "fold_horizontal", [{"callback": [1, 2], "returns_scalar": False}], [["col", "close"]]],
        ["call", "rolling_expr", [{"function": {"Map": [1, 2]}, "options": {"window_size": 3}}], [["col", "close"]]],
        ["rename", ["col", "close"], {"Map": [1, 2]}],
    ],
)
def test_a_pickle_in_a_text_is_not_read(read: Form) -> None:
    with pytest.raises(SpecError, match="a Python callback"):
        decode(read)


def test_a_word_that_is_not_known_is_refused_by_name() -> None:
    nodes: list[Node] = [
        {"Function": {"input": [], "function": "Brandnew"}},
        {"Agg": {"Brandnew": {"input": "Element"}}},
        {"Brandnew": {"expr": "Len"}},
    ]
    for node in nodes:
        with pytest.raises(SpecError, match="not known"):
            encode_node(node)
    with pytest.raises(SpecError, match="not known"):
        encode_node({"Filter": {"input": "Len", "by": "Len", "brandnew": 1}})


def encode_node(node: Node, *, identity: bool = False) -> Form:
    return form._encode(node, identity)


def decode_node(written: Form) -> Node:
    return form._decode(json.loads(json.dumps(written)))


@pytest.mark.parametrize(
    "written",
    [
        [], ["brandnew"], ["call", "brandnew", [], []], ["call", "shift"], ["col"], ["lit", "brandnew", 1], ["lit"], ["over", ["col", "a"]],
        ["agg", "brandnew", "Element", ["len"]], ["binary", ["col", "a"], ["col", "b"], "Brandnew"], None, 3, "col", {"a": 1},
        ["lit", "list", "Int64", ["x"]], ["cast", ["col", "a"], {"Literal": "Brandnew"}, "Strict"],
    ],
)  # fmt: skip
def test_a_form_that_is_not_understood_is_refused(written: Form) -> None:
    with pytest.raises(SpecError) as error:
        decode(written)
    assert error.value.where == "strategy JSON"


def test_every_function_has_a_word_of_its_own() -> None:
    assert len(FUNCTION_WORDS) == len(FUNCTIONS)
    assert all(word == word.lower() and FUNCTION_WORDS[word] == name for name, word in FUNCTIONS.items())


LEAVES = st.one_of(
    st.sampled_from([C, H, V]),
    st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False), st.booleans()).map(pl.lit),
)


def grow(inner: st.SearchStrategy[pl.Expr]) -> st.SearchStrategy[pl.Expr]:
    return st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: pl.when(a > b).then(a).otherwise(b), inner, inner),
        st.builds(lambda a, n: a.shift(n).over("asset"), inner, st.integers(0, 50)),
        st.builds(lambda a, n: a.rolling_max(n).over("asset"), inner, st.integers(1, 50)),
        st.builds(lambda a: a.rank().over("ts"), inner),
        st.builds(lambda a, b: pl.min_horizontal(a, b), inner, inner),
        st.builds(lambda a, x: a.clip(x, None), inner, st.floats(-1e9, 1e9)),
    )


@given(st.recursive(LEAVES, grow, max_leaves=8))
@settings(max_examples=150)
def test_any_tree_survives_unchanged(expr: pl.Expr) -> None:
    again = decode(json.loads(json.dumps(encode(expr), allow_nan=False)))
    assert tree.parse(again) == tree.parse(expr)
