"""Sources by name: ours, and those that other packages declare as entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from rustybt.errors import ConfigError
from rustybt.model.source import Source

type Opened = tuple[Source, tuple[str, ...]]
type Opener = Callable[..., Opened]

GROUP = "rustybt.sources"
"""Entry points of other packages: a name, and a function ``(address, **settings) -> (source, symbols)``."""
OURS = {
    "alpaca": "rustybt.adapters.alpaca:open_source",
    "csv": "rustybt.data.files:open_csv",
    "parquet": "rustybt.data.files:open_parquet",
    "alphavantage": "rustybt.adapters.alphavantage:open_source",
    "binance": "rustybt.adapters.binance:open_source",
    "bybit": "rustybt.adapters.bybit:open_source",
    "ccxt": "rustybt.adapters.ccxt:open_source",
    "polygon": "rustybt.adapters.polygon:open_source",
    "yfinance": "rustybt.adapters.yfinance:open_source",
}


def known_sources() -> tuple[str, ...]:
    """Names before the first colon of an address.

    Example:
        >>> "ccxt" in known_sources()
        True
    """
    return tuple(sorted({*OURS, *(entry.name for entry in entry_points(group=GROUP))}))


def is_address(text: str) -> bool:
    """Whether a text names a source rather than a file or a dataset.

    Example:
        >>> is_address("ccxt:binance:BTC/USDT"), is_address("C:/bars.csv"), is_address("bars.csv")
        (True, False, False)
    """
    name, colon, _ = text.partition(":")
    return bool(colon) and name in known_sources() and not Path(text).exists()


def open_address(address: str, settings: Mapping[str, Any] | None = None) -> Opened:
    """The source that an address names, and the symbols that it lists.

    Args:
        address: ``vendor:symbols``, or ``vendor:venue:symbols`` where a vendor has several venues.
        settings: of the source: ``key``, ``secret``, ``base_url``, ... A key that is not given comes from the environment.

    Raises:
        ConfigError: there is no such source, or it has no such setting.
        MissingExtraError: its library is not installed.
    """
    name, _, rest = address.partition(":")
    known = known_sources()
    if name not in known:
        like = get_close_matches(name, known, n=1)
        do = f"did you mean {like[0]!r}?" if like else f"use one of {', '.join(known)}"
        raise ConfigError(f"there is no source {name!r}", where=address, do=do)
    opener = _opener(name)
    try:
        return opener(rest, **(settings or {}))
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        said = str(error).rpartition("argument ")[2]
        raise ConfigError(f"source {name!r} has no setting {said}", where="settings", do="leave it out") from None


def _opener(name: str) -> Opener:
    if name in OURS:  # before the entry points: no package can take a name of ours
        module, _, function = OURS[name].partition(":")
        found: Opener = getattr(import_module(module), function)
        return found
    entry = next(iter(entry_points(group=GROUP, name=name)))
    try:
        loaded: Opener = entry.load()
    except Exception as error:
        raise ConfigError(
            f"source {name!r} cannot be loaded: {error}", where=entry.value, do="repair the package that declares it"
        ) from error
    return loaded
