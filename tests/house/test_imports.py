"""Who imports whom, and what `import rustybt` costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rustybt.kernel import warm
from rustybt.kernel.mode import MODE
from tests.house.sources import ROOT, files, imports, name, rooms

HEAVY = (
    "numba",
    "llvmlite",
    "duckdb",
    "plotly",
    "pandas",
    "typer",
    "rich",
    "exchange_calendars",
    "polars",
    "numpy",
    "pyarrow",
    "structlog",
)

# Where a library may be imported, in any form. One not listed may be imported anywhere.
HOMES = {
    "numba": ("rustybt.kernel", "rustybt.data.text.native", "rustybt.data.text.words"),
    "llvmlite": ("rustybt.kernel", "rustybt.data.text.words"),
    "typer": ("rustybt.cli",),
    "rich": ("rustybt.cli", "rustybt.sweeps.progress"),
    "plotly": ("rustybt.analysis.report",),
    "jinja2": ("rustybt.analysis.report",),
    "exchange_calendars": ("rustybt.data", "rustybt.testing"),
    "pandas": ("rustybt.data", "rustybt.testing"),
    "duckdb": ("rustybt.data", "rustybt.cli", "rustybt.sweeps.outcome"),
    "ccxt": ("rustybt.adapters.ccxt",),
    "yfinance": ("rustybt.adapters.yfinance",),
    "alpaca": ("rustybt.adapters.alpaca",),
    "massive": ("rustybt.adapters.polygon",),
    "alpha_vantage": ("rustybt.adapters.alphavantage",),
    "binance_sdk_spot": ("rustybt.adapters.binance",),
    "pybit": ("rustybt.adapters.bybit",),
    "tenacity": ("rustybt.data.download",),
    "pyrate_limiter": ("rustybt.data.download",),
    "sqlite3": ("rustybt.data", "rustybt._sqlite"),
    "beancount": (),  # of another licence: it checks what we write, and is no part of us
}
# Pure rooms turn values into values: no files of their own, no network, no clock.
PURE = ("model", "spec", "execution", "ledger", "reference", "kernel")
OUTSIDE_WORLD = ("sqlite3", "asyncio", "socket", "http", "urllib", "duckdb", "ray", "httpx", "requests", "fastapi", "subprocess", "time")
COMPILING = ("kernel/cache.py", "kernel/warm.py")  # where compiled code is kept, and made in two processes: nothing a run depends on
FAMILY_MAY_IMPORT = (
    "polars",
    "rustybt.spec",
    "rustybt.model",
    "__future__",
    "collections",
    "typing",
    "math",
    "functools",
    "itertools",
    "decimal",
)

MODULE = re.compile(r"\.py$|/__init__\.py$")


def module_of(path: Path) -> str:
    return MODULE.sub("", name(path)).removesuffix("/__init__").replace("/", ".")


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def fresh(code: str) -> str:
    """Standard output of a new interpreter."""
    return subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def test_every_import_contract_is_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_where_it_lives(library: str) -> None:
    strays = [
        f"{name(path)}:{line}"
        for path in files("rustybt")
        if not within(module_of(path), HOMES[library])
        for imported, line in imports(path)
        if within(imported, (library,))
    ]
    assert not strays


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_knows_nothing_of_the_outside_world(room: str) -> None:
    strays = [
        f"{name(path)}:{line} imports {imported}"
        for path in files(f"rustybt/{room}")
        for imported, line in imports(path)
        if within(imported, OUTSIDE_WORLD) and not name(path).endswith(COMPILING)
    ]
    assert not strays


def test_an_expression_family_works_in_any_folder() -> None:
    """It imports Polars and the vocabulary of RustyBT, and no neighbour, so that a copied file runs unchanged."""
    strays = [
        f"{name(path)}:{line} imports {imported}"
        for path in files("expressions")
        if "strategies" not in path.parts and path.name != "__init__.py"
        for imported, line in imports(path)
        if not within(imported, FAMILY_MAY_IMPORT)
    ]
    assert not strays


def test_rooms_name_what_they_give() -> None:
    """Every room has a docstring and an explicit list of public names."""
    from tests.house.sources import tree

    bare = []
    for room in rooms():
        path = ROOT / "rustybt" / room / "__init__.py"
        text = path.read_text(encoding="utf-8")
        body = tree(path).body
        if not (body and text.lstrip().startswith('"""')) or "__all__" not in text:
            bare.append(room)
    assert not bare


def test_importing_rustybt_loads_nothing_heavy() -> None:
    code = "import json, sys; before = set(sys.modules); import rustybt; print(json.dumps(sorted(set(sys.modules) - before)))"
    loaded = json.loads(fresh(code))
    assert not [module for module in loaded if within(module, HEAVY)]


def test_writing_a_strategy_needs_no_kernel_no_plots_and_no_calendars() -> None:
    code = (
        "import json, sys; import polars as pl, rustybt as rbt;"
        "rbt.Strategy(target=rbt.weight(pl.lit(1.0))); rbt.costs(commission=rbt.bps(1));"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(fresh(code))
    assert not [
        module for module in loaded if within(module, ("numba", "llvmlite", "duckdb", "plotly", "pandas", "typer", "exchange_calendars"))
    ]


RUN = """
import json, sys
before = set(sys.modules)
import polars as pl
import rustybt as rbt
from rustybt.analysis.metrics import measure
from rustybt.engine.summary import curve_of

days = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 3, 1), "1d", eager=True, time_zone="UTC")
close = [100.0 + day % 7 for day in range(len(days))]
frame = pl.DataFrame({"asset": ["A"] * len(days), "ts": days, **dict.fromkeys(("open", "high", "low", "close"), close), "volume": 1000.0})
mean = pl.col("close").rolling_mean
strategy = rbt.Strategy("crossing", target=rbt.quantity(pl.when(mean(2) > mean(5)).then(10).otherwise(0)))
result = rbt.run(strategy, rbt.load(frame), cash=10_000, costs=rbt.costs(commission=rbt.bps(10)))
assert measure(curve_of(result)) and result.counts()["fills"] > 2
print(json.dumps(sorted(set(sys.modules) - before)))
"""
NOT_FOR_A_RUN = (
    "numba",
    "scipy",
    "pyarrow",
    "pandas",
    "duckdb",
    "sqlite3",
    "tomllib",
    "jinja2",
    "plotly",
    "exchange_calendars",
    "rustybt._extras",
    "rustybt.analysis.honesty",
    "rustybt.analysis.report",
    "rustybt.cli",
    "rustybt.data.aggregate",
    "rustybt.data.attach",
    "rustybt.data.bundles",
    "rustybt.data.cache",
    "rustybt.data.catalog.store",
    "rustybt.data.chains",
    "rustybt.data.download",
    "rustybt.data.identify",
    "rustybt.data.intake",
    "rustybt.data.preset",
    "rustybt.data.reference",
    "rustybt.data.text",
    "rustybt.engine.attached",
    "rustybt.engine.incremental",
    "rustybt.engine.page",
    "rustybt.engine.saved",
    "rustybt.engine.store",
    "rustybt.engine.verify",
    "rustybt.kernel.book",
    "rustybt.kernel.step",
    "rustybt.ledger.plaintext",
    "rustybt.ledger.trades",
    "rustybt.reference",
    "rustybt.sweeps",
    "rustybt.testing",
)
MOST_MODULES = 170
"""Of ours in a plain run; each takes half a millisecond. It had 347 before rooms loaded their names when they are used."""


@pytest.mark.skipif(MODE != "compiled", reason="the interpreter imports every rule")
def test_a_plain_run_imports_only_what_it_needs() -> None:
    warm()
    loaded = json.loads(fresh(RUN))
    assert not [module for module in loaded if within(module, NOT_FOR_A_RUN)]
    assert len([module for module in loaded if within(module, ("rustybt",))]) <= MOST_MODULES


def test_importing_rustybt_takes_under_400_ms() -> None:
    code = "from time import perf_counter as now; start = now(); import rustybt; print(now() - start)"
    fresh(code)  # compiles the bytecode where setup has not
    seconds = min(float(fresh(code)) for _ in range(3))
    print(f"import rustybt: {seconds * 1000:.1f} ms")
    assert seconds < 0.4


def test_the_package_named_expressions_is_ours() -> None:
    assert Path(fresh("import expressions; print(expressions.__file__)").strip()) == ROOT / "expressions" / "__init__.py"
