"""Short text of an expression tree, with the windows, shifts and options that decide what it reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rustybt.spec.nodes import Node, body, build, call, children, kind
from rustybt.spec.vocabulary import HORIZONTAL

_OPERATORS = {
    "Plus": "+", "Minus": "-",
    "Multiply": "*", "Divide": "/", "TrueDivide": "/", "RustDivide": "/", "FloorDivide": "//", "Modulus": "%", "Eq": "==",
    "NotEq": "!=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">=", "And": "&", "Or": "|", "Xor": "^", "LogicalAnd": "&", "LogicalOr": "|",
}  # fmt: skip
_NAMESPACES = {
    "TemporalExpr": "dt.", "StringExpr": "str.", "ListExpr": "list.", "ArrayExpr": "arr.", "StructExpr": "struct.", "Categorical": "cat.",
    "BinaryExpr": "bin.", "MapExpr": "map.", "Boolean": "", "Trigonometry": "", "Pow": "", "Business": "dt.", "Bitwise": "bitwise_",
}  # fmt: skip
_LEADING = HORIZONTAL | {"FoldHorizontal", "ReduceHorizontal", "CumReduceHorizontal", "CumFoldHorizontal", "Repeat"}
_NAMES = {
    "SetSortedFlag": "set_sorted", "TopKBy": "top_k_by", "AsStruct": "struct", "RLEID": "rle_id", "RLE": "rle",
    "QCut": "qcut", "PctChange": "pct_change", "Agg.NUnique": "n_unique", "Hash": "hash",
    "Boolean.Not": "not_", "StructExpr.FieldByName": "struct.field", "Agg.FirstNonNull": "first_non_null", "Correlation": "corr",
}  # fmt: skip
_EVALS = {
    "Eval.Cumulative": "cumulative_eval",
    "Eval.List": "list.eval",
    "Eval.ListAgg": "list.agg",
    "Eval.Array": "arr.eval",
    "Eval.ArrayAgg": "arr.agg",
}


def render(node: Node, limit: int = 160) -> str:
    """A sub-expression with the windows and shifts that Polars' own text leaves out, cut in the middle beyond `limit` characters.

    Example:
        >>> from rustybt.spec.nodes import parse
        >>> import polars as pl
        >>> render(parse(pl.col("close").rolling_mean_by("ts", "3d").over("asset")))
        'close.rolling_mean_by(ts, "3d").over("asset")'
    """
    try:
        text = _text(node)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, StopIteration):
        text = _fallback(node)
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"


def _fallback(node: Node) -> str:
    try:
        return str(build(node)).replace("\n", " ")
    except BaseException:  # noqa: BLE001 - Polars panics derive from BaseException
        return str(node)


def _text(node: Node) -> str:
    tag = kind(node)
    if tag in _KINDS:
        return _KINDS[tag](body(node))
    if tag == "Agg":
        return _aggregate(node)
    if tag == "Eval":
        held, (name, _) = body(node), call(node)
        return f"{_object(held['expr'])}.{_EVALS[name]}({_text(held['evaluation'])})"
    if tag == "Function":
        return _function(node)
    return _fallback(node)


def _object(node: Node) -> str:
    """A node as the thing before a dot."""
    text = _text(node)
    return f"({text})" if kind(node) == "BinaryExpr" or text.startswith(("-", "~")) else text


def _column(name: str) -> str:
    return name if name.isidentifier() else f'col("{name}")'


def _literal(held: Any) -> str:
    if "Series" in held:
        return "lit(Series)"
    name, value = next(iter((held.get("Dyn") or held.get("Scalar")).items()))
    if name == "Null":
        return "None"
    if value is None:
        return "nan_or_inf"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool | int | float) and name not in ("Date", "Time"):
        return str(value)
    return str(build({"Literal": held})).replace("\n", " ")


def _over(held: Any) -> str:
    keys = ", ".join(f'"{body(item)}"' if kind(item) == "Column" else _text(item) for item in held["partition_by"] or [])
    if held["order_by"]:
        by, options = held["order_by"]
        keys += (", " if keys else "") + f"order_by={_text(by)}" + (", descending=True" if options["descending"] else "")
    if held["mapping"] != "GroupsToRows":
        keys += f', mapping_strategy="{held["mapping"].lower()}"'
    return f"{_object(held['function'])}.over({keys})"


def _duration(held: Any) -> str:
    if held["parsed_int"]:
        return f"{'-' if held['negative'] else ''}{held['nsecs']}i"
    text = "".join(f"{held[name]}{unit}" for name, unit in (("months", "mo"), ("weeks", "w"), ("days", "d")) if held[name])
    rest = held["nsecs"]
    for size, unit in ((3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")):
        if rest >= size:
            text += f"{rest // size}{unit}"
            rest %= size
    return ("-" if held["negative"] else "") + (text or "0s")


def _rolling(held: Any) -> str:
    period, offset = _duration(held["period"]), _duration(held["offset"])
    extra = "" if offset == f"-{period}" else f', offset="{offset}"'
    extra += "" if held["closed_window"] == "Right" else f', closed="{held["closed_window"].lower()}"'
    return f'{_object(held["function"])}.rolling({_text(held["index_column"])}, period="{period}"{extra})'


def _sorted_by(held: Any) -> str:
    down = ", descending=True" if any(held["sort_options"]["descending"]) else ""
    return f"{_object(held['expr'])}.sort_by({', '.join(map(_text, held['by']))}{down})"


def _gather(held: Any) -> str:
    return f"{_object(held['expr'])}.{'get' if held.get('returns_scalar') else 'gather'}({_text(held['idx'])})"


def _struct_eval(held: Any) -> str:
    method = "with_fields" if held.get("variant") == "WithFields" else "eval"
    return f"{_object(held['expr'])}.struct.{method}({', '.join(map(_text, held['evaluation']))})"


_KINDS: dict[str, Callable[[Any], str]] = {
    "Column": _column,
    "Literal": _literal,
    "Len": lambda _: "len()",
    "Element": lambda _: "element()",
    "Field": lambda held: f'field("{held[0]}")',
    "Alias": lambda held: f'{_object(held[0])}.alias("{held[1]}")',
    "KeepName": _text,
    "RenameAlias": lambda held: _text(held["expr"]),
    "Cast": lambda held: f"{_object(held['expr'])}.cast({_dtype(held['dtype'])})",
    "BinaryExpr": lambda held: f"{_side(held['left'])} {_OPERATORS.get(held['op'], _snake(str(held['op'])))} {_side(held['right'])}",
    "Ternary": lambda held: f"when({_text(held['predicate'])}).then({_text(held['truthy'])}).otherwise({_text(held['falsy'])})",
    "Over": _over,
    "Rolling": _rolling,
    "Sort": lambda held: f"{_object(held['expr'])}.sort({'descending=True' if held['options']['descending'] else ''})",
    "SortBy": _sorted_by,
    "Gather": _gather,
    "Filter": lambda held: f"{_object(held['input'])}.filter({_text(held['by'])})",
    "Slice": lambda held: f"{_object(held['input'])}.slice({_text(held['offset'])}, {_text(held['length'])})",
    "Explode": lambda held: f"{_object(held['input'])}.explode()",
    "StructEval": _struct_eval,
    "AnonymousFunction": lambda held: f"{_object(held['input'][0])}.map_batches(<callback>)",
}


def _side(node: Node) -> str:
    text = _text(node)
    return f"({text})" if kind(node) == "BinaryExpr" else text


def _dtype(held: Any) -> str:
    name = held.get("Literal", held) if isinstance(held, dict) else held
    return name if isinstance(name, str) else str(next(iter(name)))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _aggregate(node: Node) -> str:
    name = call(node)[0]
    return f"{_object(children(node)[0].node)}.{_NAMES.get(name, _snake(name[4:]))}()"


def _function(node: Node) -> str:
    name, options = call(node)
    inputs: list[Node] = body(node)["input"]
    if name == "FfiPlugin":
        return f"{options['symbol']}({', '.join(map(_text, inputs))})"
    if name in ("Negate", "Boolean.Not"):
        return f"{'-' if name == 'Negate' else '~'}{_side(inputs[0])}"
    if name == "Pow.Generic":
        return f"{_object(inputs[0])}.pow({_text(inputs[1])})"
    label, extra = _label(name, options), _extra(name, options)
    if name in _LEADING or name.startswith("Range."):
        return f"{label}({', '.join([*map(_text, inputs), *extra])})"
    arguments = [*map(_text, inputs[1:]), *extra]
    return f"{_object(inputs[0])}.{label}({', '.join(arguments)})"


def _label(name: str, options: Any) -> str:
    if name in _NAMES:
        return _NAMES[name]
    if name in ("RollingExpr", "RollingExprBy"):
        function = options.get("function", options.get("function_by"))
        word = function if isinstance(function, str) else next(iter(function))
        if word == "CorrCov":
            word = "Corr" if function[word]["is_corr"] else "Cov"
        return f"rolling_{_snake(word)}"
    if name.startswith("FillNullWithStrategy."):
        word = _snake(name.split(".")[1])
        return f"{word}_fill" if word in ("forward", "backward") else "fill_null"
    if name == "Random":
        return _snake(options["method"] if isinstance(options["method"], str) else next(iter(options["method"])))
    group, _, word = name.rpartition(".")
    return _NAMESPACES.get(group, "") + _snake(word)


def _extra(name: str, options: Any) -> list[str]:
    """Options that decide what is read, as keyword arguments."""
    if name == "RollingExpr":
        held = options["options"]
        return [str(held["window_size"]), *(["center=True"] if held["center"] else [])]
    if name == "RollingExprBy":
        held = options["options"]
        closed = held["closed_window"]
        return [f'"{_duration(held["window_size"])}"', *([] if closed == "Right" else [f'closed="{closed.lower()}"'])]
    if name in ("FillNullWithStrategy.Forward", "FillNullWithStrategy.Backward"):
        return [] if options is None else [f"limit={options}"]
    if name.startswith("FillNullWithStrategy."):
        return [f'strategy="{_snake(name.split(".")[1])}"']
    if name.startswith("StructExpr.FieldByName"):
        return [f'"{options}"']
    if name.startswith("Cum") and isinstance(options, dict) and options.get("reverse"):
        return ["reverse=True"]
    if name.startswith("Ewm") and isinstance(options, dict) and "alpha" in options.get("options", {}):
        return [f"alpha={options['options']['alpha']:g}"]
    if name in ("EwmMeanBy", "EwmSumBy"):
        return [f'half_life="{_duration(options["half_life"])}"']
    if name == "Round":
        return [str(options["decimals"])]
    if name in ("Cut", "QCut"):
        return [str(options["breaks" if name == "Cut" else "probs"])]
    return []
