"""The decorators of the kernel: options without a promise are probed, nothing computes in floats, numba waits until it is needed."""

from __future__ import annotations

import ast
import importlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rustybt import kernel
from rustybt.kernel import compile as build
from rustybt.kernel.example import one_asset, table
from rustybt.kernel.twin import load
from rustybt.testing.generators import session

from .batches import answers, each_ratio
from .builds import COMPILED, KERNEL, compiled_only, fresh
from .test_arithmetic import ROUNDINGS, around_ties, of_all_magnitudes

COMPUTING = sorted(
    {path.stem for path in KERNEL.glob("*.py")}
    - {
        "__init__",
        "actions",
        "beside",
        "cache",
        "compile",
        "image",
        "inexact",
        "intrinsics",
        "native",
        "rolling",
        "twin",
        "usage",
        "warm",
        "wide",
    }
)
"""`usage` adds up shares for the metrics, behind the books, and `rolling` computes signals: no amount comes from either."""


def test_the_installed_numba_knows_every_private_option() -> None:
    """Losing one makes the kernel slow, never wrong; this is where it is noticed."""
    for wanted in build.PRIVATE.values():
        assert build.private_options(wanted) == wanted


def test_an_option_that_numba_does_not_know_is_left_out() -> None:
    assert build.private_options({"forceinline": True, "no_such_option": True}) == {"forceinline": True}


def digest() -> str:
    """What external fills, orders and the arithmetic below them come to, as text. These ways in are small and quick to compile."""
    book = kernel.Book(table(cash=10**15, money_scale=3, gross=15 * 10**7))
    book = kernel.Book.load(book.tables, book.save() | {"last": np.array([333])})
    for lots, price in ((7, 333), (5, 334), (-20, 335), (3, 1), (10**9, 999_983)):
        book.book(0, lots, price, lots % 7)
    for lots in (4, -2, 10**12):
        book.submit(0, lots)
    state = [book.working.number.tolist()]
    book.cancel(0)
    state += [getattr(book.log(), name).tolist() for name in ("seq", "status", "detail", "requested", "notional", "fee")]
    cases = [*of_all_magnitudes(10, 400), *around_ties(11, 100)]
    products = [answers(each_ratio, *zip(*cases, strict=True), mode) for mode in ROUNDINGS.values()]
    return json.dumps([state, book.cash, book.lots.tolist(), book.entry.tolist(), products])


WITHOUT = """
from rustybt.kernel import compile as build
build.PRIVATE = {kind: {f"{name}_of_another_numba": value for name, value in wanted.items()} for kind, wanted in build.PRIVATE.items()}
assert all(build.private_options(wanted) == {} for wanted in build.PRIVATE.values())
from tests.kernel.test_compile import digest
print(digest())
from rustybt.kernel.fills import book_reported
assert not set(book_reported.targetoptions) & {"_nrt", "forceinline"}, book_reported.targetoptions
"""


@compiled_only
def test_a_numba_without_the_private_options_gives_the_same_results(request: pytest.FixtureRequest) -> None:
    assert request.config.cache is not None
    home = request.config.cache.mkdir("kernel without private options")
    for _ in ("compiled", "loaded"):
        assert fresh(WITHOUT, RUSTYBT_CACHE_DIR=str(home)).strip() == digest()


def dispatchers() -> Iterator[tuple[str, Any]]:
    """Every compiled function of the kernel, by its name."""
    from numba.core.dispatcher import Dispatcher

    for name in sorted({path.stem for path in KERNEL.glob("*.py")} - {"__init__"}):
        for label, made in vars(importlib.import_module(f"rustybt.kernel.{name}")).items():
            if isinstance(made, Dispatcher):
                yield f"{name}.{label}", made


@compiled_only
def test_every_compiled_function_has_the_house_options_and_none_is_compiled_with_fast_math() -> None:
    found = dict(dispatchers())
    assert {"step.run", "wide.mul_div", "fills.settle", "coast.walk"} <= set(found)
    for name, made in found.items():
        options = made.targetoptions
        assert not options.get("fastmath"), name
        assert not options.get("parallel"), name
        assert options["nogil"], name
        assert options["error_model"] == "numpy", name
        assert options["_nrt"] is False, name
        assert options["forceinline"] in {True, False}, name


@compiled_only
def test_machine_code_of_a_run_allocates_nothing_and_counts_no_references() -> None:
    run: Any = importlib.import_module("rustybt.kernel.step").run
    kernel.simulate(*one_asset([100, 101], offers={0: 10}))
    kept = list(Path(run.stats.cache_path).glob("step.run-*.nbc"))
    assert kept
    for path in kept:
        code = path.read_bytes()
        assert b"PyLong_FromLongLong" in code  # the door to Python is in it
        assert b"NRT_" not in code


@compiled_only
def test_arrays_of_any_layout_are_taken_by_the_same_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("rustybt.kernel.entrance"), "code_of", lambda build: None)  # numba looks at types
    run: Any = importlib.import_module("rustybt.kernel.step").run
    drawn = session(4)
    tables, market, plan, events, tape = drawn._replace(tables=replace(drawn.tables, delays=()), market=replace(drawn.market, timing=None))
    straight = kernel.simulate(tables, market, plan, events, tape)
    before = len(run.signatures)
    assert before
    turned = kernel.Market(*(np.asfortranarray(getattr(market, name)) for name in kernel.Market._fields))
    strided = kernel.Market(*(np.repeat(getattr(market, name), 2, axis=0)[::2] for name in kernel.Market._fields))
    frozen = kernel.Market(*(getattr(market, name).copy() for name in kernel.Market._fields))
    for array in frozen:
        array.flags.writeable = False
    for other in (turned, strided, frozen):
        assert kernel.simulate(tables, other, plan, events, tape).equity.tolist() == straight.equity.tolist()
    assert len(run.signatures) == before


def test_nothing_that_computes_divides_in_floats_or_names_one() -> None:
    for name in COMPUTING:
        for node in ast.walk(ast.parse((KERNEL / f"{name}.py").read_text(encoding="utf-8"))):
            divides = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
            writes = isinstance(node, ast.Constant) and isinstance(node.value, float)
            assert not divides, f"{name}.py:{node.lineno}"  # type: ignore[attr-defined]
            assert not writes, f"{name}.py:{node.lineno}"  # type: ignore[attr-defined]


def test_no_source_asks_for_fast_math() -> None:
    for path in KERNEL.glob("*.py"):
        names = {node.arg for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.keyword)}
        assert not names & {"fastmath", "parallel"}, path.name


def test_numba_waits_until_the_kernel_is_used() -> None:
    code = "import sys, rustybt.kernel; print(sorted({'numba', 'llvmlite'} & set(sys.modules)))"
    assert fresh(code).strip() == "[]"


def test_the_interpreter_build_never_loads_numba() -> None:
    code = """
import sys
from rustybt.kernel import Book, simulate
from rustybt.kernel.example import one_asset, table
outcome = simulate(*one_asset([100, 101, 102], offers={0: 10}))
book = Book(table())
book.cancel(0)
print(outcome.equity.tolist(), sorted({"numba", "llvmlite"} & set(sys.modules)))
"""
    assert fresh(code, RUSTYBT_KERNEL="python").strip() == "[1000000, 1000000, 1000010] []"


def test_the_name_of_the_package_says_how_a_copy_is_built() -> None:
    for name in ("python", "float"):
        built = load(name)
        assert built is load(name)
        assert name == importlib.import_module(f"{built.__name__}.compile").MODE
    expected = "python" if os.environ.get("RUSTYBT_KERNEL") == "python" else "compiled"
    assert expected == build.MODE
    assert (expected == "compiled") is COMPILED
    with pytest.raises(ValueError, match="no build 'abacus'"):
        load("abacus")


def test_the_float_build_rounds_as_the_processor_does() -> None:
    load("float")
    inexact = importlib.import_module("rustybt.kernel_float.inexact")
    divide = inexact.mul_div.py_func
    assert divide(7.0, 1.0, 2.0, 0) == 3.5
    assert divide(0.1, 3.0, 1, 0) == 0.1 * 3.0
    assert importlib.import_module("rustybt.kernel_float.limits").AMOUNT is np.float64
