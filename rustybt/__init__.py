"""RustyBT: backtests from Polars expressions, with exact money and a proof against look-ahead.

The public names are listed in `__all__`. Each is loaded from its room when it is first used, so ``import rustybt`` costs next to nothing.
To add one: a line in `_ROOMS`, the same name under ``TYPE_CHECKING``, and an entry in ``docs/reference/index.md``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rustybt.data import Catalog as Catalog
    from rustybt.data import Resampler as Resampler
    from rustybt.data import adjusted as adjusted
    from rustybt.data import caching as caching
    from rustybt.data import calendar as calendar
    from rustybt.data import continuous as continuous
    from rustybt.data import demo_data as demo_data
    from rustybt.data import ingest as ingest
    from rustybt.data import load as load
    from rustybt.data import presets as presets
    from rustybt.data import resample as resample
    from rustybt.engine import Result as Result
    from rustybt.engine import run as run
    from rustybt.engine.attached import attached as attached
    from rustybt.engine.settings import settings as settings
    from rustybt.engine.verify import verify as verify
    from rustybt.errors import BrokerError as BrokerError
    from rustybt.errors import ConfigError as ConfigError
    from rustybt.errors import DataError as DataError
    from rustybt.errors import LedgerError as LedgerError
    from rustybt.errors import LookaheadError as LookaheadError
    from rustybt.errors import MissingExtraError as MissingExtraError
    from rustybt.errors import OrderError as OrderError
    from rustybt.errors import RustyBTError as RustyBTError
    from rustybt.errors import SourceError as SourceError
    from rustybt.errors import SpecError as SpecError
    from rustybt.execution import asymmetric as asymmetric
    from rustybt.execution import bands as bands
    from rustybt.execution import bps as bps
    from rustybt.execution import carry as carry
    from rustybt.execution import half_spread as half_spread
    from rustybt.execution import halts as halts
    from rustybt.execution import latency as latency
    from rustybt.execution import latency_profiles as latency_profiles
    from rustybt.execution import limit as limit
    from rustybt.execution import maker_taker as maker_taker
    from rustybt.execution import per_contract as per_contract
    from rustybt.execution import per_share as per_share
    from rustybt.execution import per_trade as per_trade
    from rustybt.execution import profiles as profiles
    from rustybt.execution import slippage_term as slippage_term
    from rustybt.execution import square_root as square_root
    from rustybt.execution import stale as stale
    from rustybt.execution import ticks as ticks
    from rustybt.execution import tiered as tiered
    from rustybt.execution import volatility_share as volatility_share
    from rustybt.execution import volume_cap as volume_cap
    from rustybt.execution import volume_share as volume_share
    from rustybt.execution.controls import controls as controls
    from rustybt.execution.costs import costs as costs
    from rustybt.execution.costs.conversion import conversion as conversion
    from rustybt.execution.margin import margin as margin
    from rustybt.model import Asset as Asset
    from rustybt.spec import Range as Range
    from rustybt.spec import Strategy as Strategy
    from rustybt.spec import bracket as bracket
    from rustybt.spec import cron as cron
    from rustybt.spec import every as every
    from rustybt.spec import month_end as month_end
    from rustybt.spec import month_start as month_start
    from rustybt.spec import notional as notional
    from rustybt.spec import order as order
    from rustybt.spec import quantity as quantity
    from rustybt.spec import session_close as session_close
    from rustybt.spec import session_open as session_open
    from rustybt.spec import week_end as week_end
    from rustybt.spec import week_start as week_start
    from rustybt.spec import weight as weight
    from rustybt.spec.decorate import strategy as strategy
    from rustybt.spec.exits import exits as exits
    from rustybt.spec.explain import explain as explain
    from rustybt.sweeps import cross_validate as cross_validate
    from rustybt.sweeps import search as search
    from rustybt.sweeps import sweep as sweep
    from rustybt.sweeps import walk_forward as walk_forward
    from rustybt.sweeps.run import plan as plan

    __version__: str

_ROOMS = {
    "data": ("Catalog", "Resampler", "adjusted", "caching", "calendar", "continuous", "demo_data", "ingest", "load", "presets", "resample"),
    "engine": ("Result", "attached", "run", "settings", "verify"),
    "errors": (
        "BrokerError",
        "ConfigError",
        "DataError",
        "LedgerError",
        "LookaheadError",
        "MissingExtraError",
        "OrderError",
        "RustyBTError",
        "SourceError",
        "SpecError",
    ),
    "execution": (
        "asymmetric",
        "bands",
        "bps",
        "carry",
        "controls",
        "conversion",
        "costs",
        "half_spread",
        "halts",
        "latency",
        "latency_profiles",
        "limit",
        "maker_taker",
        "margin",
        "per_contract",
        "per_share",
        "per_trade",
        "profiles",
        "slippage_term",
        "square_root",
        "stale",
        "ticks",
        "tiered",
        "volatility_share",
        "volume_cap",
        "volume_share",
    ),
    "model": ("Asset",),
    "spec": (
        "Range",
        "Strategy",
        "bracket",
        "cron",
        "every",
        "exits",
        "explain",
        "month_end",
        "month_start",
        "notional",
        "order",
        "quantity",
        "session_close",
        "session_open",
        "strategy",
        "week_end",
        "week_start",
        "weight",
    ),
    "sweeps": ("cross_validate", "plan", "search", "sweep", "walk_forward"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # the table above is the only list


if not TYPE_CHECKING:  # a type checker has the names above, and should report any other

    def __getattr__(name: str) -> Any:
        """Load a public name from its room, once (PEP 562)."""
        if name == "__version__":
            from importlib.metadata import version

            value: Any = version("rustybt")
        elif name in _HOMES:
            value = getattr(import_module(f"rustybt.{_HOMES[name]}"), name)
        else:
            raise AttributeError(f"module 'rustybt' has no attribute {name!r}", name=name, obj=import_module("rustybt"))
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
