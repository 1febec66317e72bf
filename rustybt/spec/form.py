"""Form: expressions in RustyBT's own words, as lists that JSON can hold.

Polars writes the same expression differently from one release to the next, and lists as Arrow bytes with flags that depend on how they
were made. A form is free of both: equal expressions have equal forms, in every process. Each node is a list that starts with
its word::

    pl.col("close").shift(1).over("asset")
    ["over", ["call", "shift", [], [["col", "close"], ["lit", "int", 1]]], [["col", "asset"]], null, "GroupsToRows"]

To add a node of a later Polars: add its word to ``vocabulary.py`` (functions) or a row to ``FIELDS`` (all else). A word that Polars renames
keeps its old form by an entry in ``RENAMED``.
"""

from __future__ import annotations

import math
import re
from typing import Any

import polars as pl

from rustybt.errors import SpecError
from rustybt.spec import tree
from rustybt.spec.tree import Node
from rustybt.spec.values import decode_plain, decode_scalar, encode_plain, encode_scalar
from rustybt.spec.vocabulary import GROUPS, OPAQUE, ORDERED, ROW_BY_ROW, WHOLE

type Form = list[Any]

FIELDS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # Polars' kind: our word, fields that hold expressions, fields that hold plain values
    "BinaryExpr": ("binary", ("left", "right"), ("op",)),
    "Ternary": ("when", ("predicate", "truthy", "falsy"), ()),
    "Cast": ("cast", ("expr",), ("dtype", "options")),
    "RenameAlias": ("rename", ("expr",), ("function",)),
    "Explode": ("explode", ("input",), ("options",)),
    "Sort": ("sort", ("expr",), ("options",)),
    "SortBy": ("sort_by", ("expr", "by"), ("sort_options",)),
    "Gather": ("gather", ("expr", "idx"), ("returns_scalar", "null_on_oob")),
    "Filter": ("filter", ("input", "by"), ()),
    "Slice": ("slice", ("input", "offset", "length"), ()),
    "Eval": ("eval", ("expr", "evaluation"), ("variant",)),
    "StructEval": ("struct_eval", ("expr", "evaluation"), ("variant",)),
    "Rolling": ("rolling", ("function", "index_column"), ("period", "offset", "closed_window")),
}
WORDS = {word: kind for kind, (word, _, _) in FIELDS.items()}
LEAVES = {"Column": "col", "Selector": "selector", "Field": "field"}
LEAF_WORDS = {word: kind for kind, word in LEAVES.items()}
RENAMED: dict[str, str] = {"RLEID": "rle_id", "RLE": "rle", "RoundSF": "round_sf", "TemporalExpr.DSTOffset": "temporal_expr.dst_offset"}
OPAQUE_OPTIONS = frozenset({"StructExpr.MapFieldNames"})
CALLBACK = "a Python callback, whose pickle is code that would run when the expression does"


def _word(name: str) -> str:
    return RENAMED.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


AGGREGATES = {
    _word(name): name
    for name in "Min Max Median NUnique First Last FirstNonNull LastNonNull Mean Implode Count Quantile Sum AggGroups Std Var Item".split()
}
FUNCTIONS = {name: _word(name) for name in sorted(ROW_BY_ROW | WHOLE | ORDERED | OPAQUE)}
FUNCTION_WORDS = {word: name for name, word in FUNCTIONS.items()}


def encode(expr: pl.Expr, *, identity: bool = False) -> Form:
    """The form of an expression.

    Args:
        expr: any expression of known nodes.
        identity: for hashing: a Python callback is written as its digest and a plugin without its folder. Such a form cannot be read back.

    Raises:
        SpecError: a node is unknown or cannot be written (a Python callback, a NaN or infinite literal); the message renders it.

    Example:
        >>> encode(pl.col("close") / 2)
        ['binary', ['col', 'close'], ['lit', 'int', 2], 'TrueDivide']
    """
    return _encode(tree.parse(expr), identity)


def decode(form: Form) -> pl.Expr:
    """The expression of a form.

    Raises:
        SpecError: the form is not understood.

    Example:
        >>> str(decode(["call", "abs", [], [["col", "close"]]]))
        'col("close").abs()'
    """
    try:
        return tree.build(_decode(form))
    except (KeyError, IndexError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise SpecError(f"not an expression: {_short(form)} ({error})", where="strategy JSON", do="write it with to_json") from None


def _encode(node: Node, identity: bool) -> Form:
    if isinstance(node, str):
        return [node.lower()] if node in ("Len", "Element") else _refuse(node, "is not known")
    kind, held = next(iter(node.items()))
    if kind in LEAVES:
        return [LEAVES[kind], encode_plain(held)]
    if kind == "Literal":
        return ["lit", *_literal(node, held)]
    if kind == "Alias":
        return ["alias", _encode(held[0], identity), held[1]]
    if kind == "KeepName":
        return ["keep_name", _encode(held, identity)]
    if kind == "Over":
        return _encode_over(held, identity)
    if kind == "Agg":
        return _encode_aggregate(node, identity)
    if kind == "Function":
        return _encode_function(node, held, identity)
    if kind in OPAQUE:
        return _encode_opaque(node, identity)
    if kind not in FIELDS or set(held) != {*FIELDS[kind][1], *FIELDS[kind][2]}:
        return _refuse(node, f"({kind}) is not known")
    if kind == "RenameAlias" and "Map" in held["function"]:
        return _encode_opaque(node, identity)
    word, inner, plain = FIELDS[kind]
    return [word, *(_encode_field(held[name], identity) for name in inner), *(encode_plain(held[name]) for name in plain)]


def _encode_field(value: Any, identity: bool) -> Form:
    return [_encode(child, identity) for child in value] if isinstance(value, list) else _encode(value, identity)


def _encode_over(held: dict[str, Any], identity: bool) -> Form:
    keys = [_encode(child, identity) for child in held["partition_by"]]
    order = held["order_by"] and [_encode(held["order_by"][0], identity), encode_plain(held["order_by"][1])]
    return ["over", _encode(held["function"], identity), keys, order, held["mapping"]]


def _encode_aggregate(node: Node, identity: bool) -> Form:
    name = tree.call(node)[0].removeprefix("Agg.")
    if _word(name) not in AGGREGATES:
        return _refuse(node, f"({name}) is not known")
    slot = tree.children(node)[0]
    child = _encode(slot.node, identity)
    slot.put("Element")  # a hole of the right shape: what is left are the options
    return ["agg", _word(name), encode_plain(tree.body(node)[name]), child]


def _encode_function(node: Node, held: dict[str, Any], identity: bool) -> Form:
    name, options = _split(held["function"])
    if name in GROUPS and options:
        inner, options = _split(options[0])
        name = f"{name}.{inner}"
    if name in OPAQUE or name in OPAQUE_OPTIONS or tree.is_callback(node):
        if name != "FfiPlugin":
            return _encode_opaque(node, identity)
        if identity:
            options = [{**options[0], "lib": re.split(r"[/\\]", options[0]["lib"])[-1]}]
    if name not in FUNCTIONS:
        return _refuse(node, f"({name}) is not known")
    return ["call", FUNCTIONS[name], encode_plain(options), [_encode(child, identity) for child in held["input"]]]


def _encode_opaque(node: Node, identity: bool) -> Form:
    if not identity:
        return _refuse(node, "holds a Python callback, which JSON cannot")
    window = [encode_plain({**tree.call(node)[1], "function": None})] if tree.is_callback(node) else []
    return ["opaque", tree.symbol(node), [_encode(slot.node, identity) for slot in tree.children(node)], *window]


def _literal(node: Node, held: dict[str, Any]) -> Form:
    kind, value = next(iter(held.items()))
    if kind == "Dyn":
        word, number = next(iter(value.items()))
        if word not in ("Int", "Float") or number is None or not math.isfinite(number):
            return _refuse(node, "is a NaN or infinite literal, which JSON cannot hold")
        return [word.lower(), number]
    try:
        return encode_scalar({"Series": value} if kind == "Series" else value)
    except ValueError as error:
        return _refuse(node, str(error), "use lists of numbers, texts, dates or times")


def _decode(form: Form) -> Node:
    word, *rest = form
    if word in ("len", "element"):
        return str(word).capitalize()
    if word in LEAF_WORDS:
        return {LEAF_WORDS[word]: decode_plain(rest[0])}
    if word == "lit":
        return {"Literal": _decode_literal(rest)}
    if word == "alias":
        return {"Alias": [_decode(rest[0]), rest[1]]}
    if word == "keep_name":
        return {"KeepName": _decode(rest[0])}
    if word == "over":
        order = rest[2] and [_decode(rest[2][0]), decode_plain(rest[2][1])]
        return {
            "Over": {"function": _decode(rest[0]), "partition_by": [_decode(k) for k in rest[1]], "order_by": order, "mapping": rest[3]}
        }
    if word == "agg":
        node: Node = {"Agg": {AGGREGATES[rest[0]]: decode_plain(rest[1])}}
        tree.children(node)[0].put(_decode(rest[2]))
        return node
    if word == "call":
        return _decode_function(*rest)
    _, inner, plain = FIELDS[WORDS[word]]
    held = {name: _decode_field(value) for name, value in zip(inner, rest[: len(inner)], strict=True)}
    options = {name: decode_plain(value) for name, value in zip(plain, rest[len(inner) :], strict=True)}
    if word == "rename" and "Map" in options["function"]:
        raise ValueError(CALLBACK)
    return {WORDS[word]: held | options}


def _decode_field(value: Any) -> Any:
    return [_decode(child) for child in value] if not value or isinstance(value[0], list) else _decode(value)


def _decode_function(word: str, options: list[Any], inputs: list[Form]) -> Node:
    name: Any = FUNCTION_WORDS[word]
    group, _, inner = name.partition(".")
    plain = decode_plain(options)
    function = {inner or group: plain[0]} if plain else (inner or group)
    node: Node = {"Function": {"input": [_decode(child) for child in inputs], "function": {group: function} if inner else function}}
    if (name in OPAQUE and name != "FfiPlugin") or name in OPAQUE_OPTIONS or tree.is_callback(node):
        raise ValueError(CALLBACK)
    return node


def _decode_literal(rest: Form) -> dict[str, Any]:
    if rest[0] in ("int", "float"):
        return {"Dyn": {rest[0].capitalize(): rest[1]}}
    scalar = decode_scalar(rest)
    return scalar if "Series" in scalar else {"Scalar": scalar}


def _split(value: Any) -> tuple[str, list[Any]]:
    """The word of an enum value and its payload, as a list of none or one: a null payload is not a missing one."""
    if isinstance(value, str):
        return value, []
    name, payload = next(iter(value.items()))
    return name, [payload]


def _refuse(node: Node, why: str, do: str = "use plain Polars operations and finite numbers") -> Form:
    raise SpecError(f"{tree.render(node)} {why}", where=f"node {tree.kind(node)}", do=do)


def _short(form: object) -> str:
    text = str(form)
    return text if len(text) <= 80 else text[:77] + "..."
