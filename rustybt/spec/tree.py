"""Access to the tree of a Polars expression, through its JSON form.

In: a `pl.Expr`. Out: nodes (plain dicts and strings) that can be walked, changed, shown and built back.
The whitelist of node names is in `rustybt.spec.vocabulary`.
"""

from __future__ import annotations

from rustybt.spec.nodes import (
    Node,
    Slot,
    body,
    build,
    call,
    children,
    columns,
    integer,
    is_callback,
    is_column,
    is_pointwise,
    key,
    kind,
    parse,
    symbol,
    text,
    walk,
)
from rustybt.spec.render import render

__all__ = [
    "Node",
    "Slot",
    "body",
    "build",
    "call",
    "children",
    "columns",
    "integer",
    "is_callback",
    "is_column",
    "is_pointwise",
    "key",
    "kind",
    "parse",
    "render",
    "symbol",
    "text",
    "walk",
]
