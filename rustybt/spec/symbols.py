"""Symbols: the assets that an expression names.

In: the tree of a term. Out: the texts that it compares the column ``asset`` with, so that a run can tell which its data do not have.
"""

from __future__ import annotations

import polars as pl

from rustybt.spec.tree import Node, body, build, call, children, is_column, kind, walk

COMPARED = frozenset({"Eq", "NotEq", "EqValidity", "NotEqValidity"})


def named_assets(tree: Node) -> list[str]:
    """Symbols that a term tests for with ``==``, ``!=`` or ``is_in``, each once, in reading order.

    Example:
        >>> from rustybt.spec.tree import parse
        >>> named_assets(parse((pl.col("asset") == "IBM") | pl.col("asset").is_in(["AAPL", "IBM"])))
        ['IBM', 'AAPL']
    """
    found: dict[str, None] = {}
    for node in walk(tree):
        if _compares(node):
            sides = [_bare(slot.node) for slot in children(node)[:2]]
            if any(is_column(side, "asset") for side in sides):
                found |= dict.fromkeys(text for side in sides if kind(side) == "Literal" for text in _texts(side))
    return list(found)


def wanted_assets(tree: Node) -> list[str]:
    """Symbols that a term is for: those of `named_assets` for which a row has to be, not those that it leaves out.

    Example:
        >>> from rustybt.spec.tree import parse
        >>> wanted_assets(parse((pl.col("asset") == "IBM") & (pl.col("asset") != "AAPL") & ~pl.col("asset").is_in(["SPY"])))
        ['IBM']
    """
    if kind(tree) == "BinaryExpr" and body(tree)["op"] in ("NotEq", "NotEqValidity"):
        return []
    if call(tree)[0] == "Boolean.Not":
        return []
    if _compares(tree):
        return named_assets(tree)
    return list(dict.fromkeys(name for slot in children(tree) for name in wanted_assets(slot.node)))


def _compares(node: Node) -> bool:
    if kind(node) == "BinaryExpr":
        return body(node)["op"] in COMPARED
    return call(node)[0] == "Boolean.IsIn"


def _bare(node: Node) -> Node:
    while kind(node) in ("Cast", "Alias", "KeepName"):
        node = children(node)[0].node
    return node


def _texts(literal: Node) -> list[str]:
    values = pl.select(build(literal)).to_series()
    if isinstance(values.dtype, (pl.List, pl.Array)):
        values = values.explode()
    return [value for value in values.to_list() if isinstance(value, str)]
