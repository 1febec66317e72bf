"""The nodes of an expression tree: parsing, building, and walking. Import them from `rustybt.spec.tree`."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import polars as pl

from rustybt.errors import MissingExtraError, SpecError
from rustybt.spec.pack import pack
from rustybt.spec.vocabulary import GROUPS, LEAVES, ROW_BY_ROW, TRANSPARENT

type Node = dict[str, Any] | str
"""One node: ``{"Kind": payload}``, or a bare string for a node without payload (``"Len"``, ``"Element"``)."""

_SLOTS: dict[str, tuple[tuple[str, str], ...]] = {
    "Cast": (("expr", "input"),),
    "RenameAlias": (("expr", "input"),),
    "Explode": (("input", "input"),),
    "BinaryExpr": (("left", "input"), ("right", "input")),
    "Ternary": (("predicate", "input"), ("truthy", "input"), ("falsy", "input")),
    "Sort": (("expr", "input"),),
    "SortBy": (("expr", "input"), ("by", "input")),
    "Gather": (("expr", "input"), ("idx", "input")),
    "Filter": (("input", "input"), ("by", "input")),
    "Slice": (("input", "input"), ("offset", "input"), ("length", "input")),
    "Eval": (("expr", "input"), ("evaluation", "evaluation")),
    "StructEval": (("expr", "input"), ("evaluation", "evaluation")),
    "Over": (("function", "function"), ("partition_by", "key")),
    "Rolling": (("function", "function"), ("index_column", "index")),
    "Function": (("input", "input"),),
    "AnonymousFunction": (("input", "input"),),
    "AnonymousAgg": (("input", "input"),),
}


class Slot(NamedTuple):
    """A place in a node that holds a child.

    Attributes:
        holder: the dict or list that holds it.
        at: its key or index in the holder.
        role: ``input``, ``function`` (of a window), ``key`` (of a partition), ``order``, ``index`` (of `rolling`) or
            ``evaluation`` (of a list, struct or cumulative eval).
    """

    holder: Any
    at: str | int
    role: str

    @property
    def node(self) -> Node:
        """The child held now."""
        child: Node = self.holder[self.at]
        return child

    def put(self, node: Node) -> None:
        """Replace the child, in place."""
        self.holder[self.at] = node


def parse(expr: pl.Expr) -> Node:
    """The tree of an expression. Every call gives fresh dicts, which may be changed.

    Raises:
        MissingExtraError: the expression holds a Python callback, which Polars writes only with `cloudpickle` installed.
        SpecError: Polars cannot write the expression.

    Example:
        >>> parse(pl.col("close"))
        {'Column': 'close'}
    """
    node: Node = json.loads(text(expr))
    return node


def text(expr: pl.Expr) -> str:
    """The JSON text of an expression, as this version of Polars writes it: a cache key, not an identity.

    Example:
        >>> text(pl.col("close"))
        '{"Column":"close"}'
    """
    if not isinstance(expr, pl.Expr):
        raise SpecError(f"{expr!r} is not a Polars expression", do="give a pl.Expr such as pl.col('close')")
    try:
        return str(expr.meta.serialize(format="json"))
    except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
        if "cloudpickle" in str(error):
            what = "an expression with a Python callback needs the package cloudpickle to be read"
            raise MissingExtraError(
                what, where=str(expr)[:120], do="pip install 'rustybt[callbacks]', or write the callback as an expression"
            ) from None
        raise SpecError(f"Polars cannot write this expression: {error}", where=str(expr)[:120], do="use plain Polars operations") from None


def build(node: Node) -> pl.Expr:
    """The expression of a tree, exact to the last bit of every number (see `rustybt.spec.pack`).

    Callbacks and plugins carry flags that only Polars' JSON form spells out; a tree with one is read from that.

    Example:
        >>> str(build({"Column": "close"}))
        'col("close")'
    """
    try:
        return pl.Expr.deserialize(io.BytesIO(pack(node)), format="binary")
    except pl.exceptions.ComputeError:
        return pl.Expr.deserialize(io.StringIO(json.dumps(node)), format="json")


def key(node: Node) -> str:
    """A text equal for equal trees, to share nodes by.

    Example:
        >>> key({"Column": "close"})
        '{"Column":"close"}'
    """
    return json.dumps(node, sort_keys=True, separators=(",", ":"))


def kind(node: Node) -> str:
    """The kind of a node: ``Column``, ``Over``, ``Function``, ...

    Example:
        >>> kind(parse(pl.col("close").shift(1)))
        'Function'
    """
    return node if isinstance(node, str) else next(iter(node))


def body(node: Node) -> Any:
    """The payload of a node, None when it has none."""
    return None if isinstance(node, str) else next(iter(node.values()))


def call(node: Node) -> tuple[str, Any]:
    """Name and options of an operation: dotted for functions, aggregations and evals; the kind for all else.

    Example:
        >>> call(parse(pl.col("close").is_null())), call(parse(pl.col("close").sum()))[0]
        (('Boolean.IsNull', None), 'Agg.Sum')
    """
    tag, held = kind(node), body(node)
    if tag == "Agg":
        return f"Agg.{next(iter(held))}", next(iter(held.values()))
    if tag == "Eval":
        name, options = _split(held["variant"])
        return f"Eval.{name}", options
    if tag != "Function":
        return tag, held
    name, options = _split(held["function"])
    if name in GROUPS and options is not None:
        inner, options = _split(options)
        name = f"{name}.{inner}"
    return name, options


def _split(value: Any) -> tuple[str, Any]:
    return (value, None) if isinstance(value, str) else next(iter(value.items()))


def children(node: Node) -> list[Slot]:
    """The slots that hold the children of a node, in reading order.

    Example:
        >>> [slot.node for slot in children(parse(pl.col("high") - pl.col("low")))]
        [{'Column': 'high'}, {'Column': 'low'}]
    """
    if isinstance(node, str):
        return []
    tag, held = next(iter(node.items()))
    if tag == "KeepName":
        return [Slot(node, tag, "input")]
    if tag == "Alias":
        return [Slot(held, 0, "input")]
    if tag == "Agg":
        return [_aggregated(held)]
    slots: list[Slot] = []
    for name, role in _SLOTS.get(tag, ()):
        value = held.get(name)
        if isinstance(value, list):
            slots += [Slot(value, i, role) for i in range(len(value))]
        elif value is not None:
            slots.append(Slot(held, name, role))
    if tag == "Over" and held["order_by"]:
        slots.append(Slot(held["order_by"], 0, "order"))
    return slots


def _aggregated(held: dict[str, Any]) -> Slot:
    name, value = next(iter(held.items()))
    if isinstance(value, list):
        return Slot(value, 0, "input")
    for at in ("input", "expr"):
        if isinstance(value, dict) and at in value:
            return Slot(value, at, "input")
    return Slot(held, name, "input")


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it, parents first."""
    yield node
    for slot in children(node):
        yield from walk(slot.node)


def columns(node: Node) -> set[str]:
    """Names of the columns that a tree reads, with those named by a selector.

    Example:
        >>> sorted(columns(parse((pl.col("high") - pl.col("low")).over("asset"))))
        ['asset', 'high', 'low']
    """
    found: set[str] = set()
    for part in walk(node):
        if kind(part) == "Column":
            found.add(body(part))
        elif kind(part) == "Selector" and isinstance(body(part), dict) and "ByName" in body(part):
            found |= set(body(part)["ByName"]["names"])
    return found


def is_pointwise(node: Node) -> bool:
    """Whether a node computes each row from its children's values in that row alone (the children are not looked at).

    Example:
        >>> is_pointwise(parse(pl.col("a") + pl.col("b"))), is_pointwise(parse(pl.col("a").shift(1)))
        (True, False)
    """
    tag = kind(node)
    if tag in LEAVES or tag in TRANSPARENT:
        return True
    name, options = call(node)
    if tag == "Eval":
        return name in ("Eval.List", "Eval.ListAgg", "Eval.Array", "Eval.ArrayAgg")
    if name == "StringExpr.Strptime":
        return options[1]["format"] is not None  # without one it is inferred from the data
    if name == "SearchSorted":
        return kind(body(node)["input"][0]) == "Literal"
    if name == "Bin":
        method = options["method"]  # explicit breaks; ranks and quantiles look at all values
        return isinstance(method, dict) and "Breaks" in str(method.get("Intervals", {}).get("spec"))[:20]
    if name == "Repeat":
        return [kind(child) for child in body(node)["input"]] == ["Literal", "Len"]
    return name in ROW_BY_ROW


def is_column(node: Node, name: str) -> bool:
    """Whether a node is a plain reference to one column, renamed or not."""
    while kind(node) in ("Alias", "KeepName"):
        node = children(node)[0].node
    return node == {"Column": name}


def integer(node: Node) -> int | None:
    """The value of an integer literal, None for anything else.

    Example:
        >>> integer(parse(pl.lit(-3))), integer(parse(pl.col("n")))
        (-3, None)
    """
    held = body(node) if kind(node) == "Literal" else None
    inner = held.get("Dyn", held.get("Scalar")) if isinstance(held, dict) else None
    if not isinstance(inner, dict):
        return None
    dtype, value = next(iter(inner.items()))
    return value if type(value) is int and dtype.startswith(("Int", "UInt")) else None


def symbol(node: Node) -> str:
    """What an opaque node is declared by: a plugin's symbol, or the SHA-256 of a pickled callback.

    Example:
        >>> symbol({"Function": {"input": [], "function": {"FfiPlugin": {"symbol": "my_plugin"}}}})
        'my_plugin'
    """
    name, options = call(node)
    if name == "FfiPlugin":
        return str(options["symbol"])
    raw = options.get("function", options.get("callback")) if isinstance(options, dict) else options
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()


def is_callback(node: Node) -> bool:
    """Whether a rolling window calls a Python function: the window is in the tree, what the function reads is not.

    Example:
        >>> is_callback(parse(pl.col("close").rolling_map(max, 3))), is_callback(parse(pl.col("close").rolling_max(3)))
        (True, False)
    """
    name, options = call(node)
    return name == "RollingExpr" and isinstance(options["function"], dict) and "Map" in options["function"]
