"""Download beforehand, so that a later ingest finds its bars in the cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustybt.data.addresses import source_of
from rustybt.data.cache import Freshness
from rustybt.data.catalog import Catalog
from rustybt.data.intake import chosen_of, freshness_of
from rustybt.data.options import Day
from rustybt.errors import ConfigError

if TYPE_CHECKING:
    from rustybt.data.download import Patience


def warm(
    source: Any,
    *,
    start: Day,
    end: Day | None = None,
    catalog: Catalog | str | Path | None = None,
    symbols: Sequence[str] | None = None,
    frequency: str = "1d",
    settings: Mapping[str, Any] | None = None,
    freshness: str | Freshness | None = None,
    workers: int = 4,
    patience: Patience | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Bring what is kept of a vendor up to date, without making a dataset of it.

    Args:
        source: a vendor's address, or a `rustybt.model.source.Source`.
        start: first session (a date) or instant.
        end: the last; now unless given.
        catalog: a `Catalog` or its folder, beside which the cache lies; default: the user's.
        symbols: in place of those that the address lists.
        frequency: length of the bars.
        settings: of the vendor, as in `rustybt.ingest`.
        freshness: as in `rustybt.ingest`.
        workers: symbols that are asked for at the same time.
        patience: with a vendor that fails.
        progress: called with days done and all days.

    Returns:
        By symbol where its bars came from: ``memory``, ``disk``, ``end`` (its end was asked for) or ``whole``.

    Raises:
        SourceError: the vendor refused or failed.
        ConfigError: the source is no vendor, or an option is wrong.
        DataError: another process downloads the same.

    Example:
        >>> import tempfile
        >>> from datetime import UTC, datetime
        >>> from rustybt.testing.vendors import SimulatedBinance, around_the_clock
        >>> tape = around_the_clock("BTCUSDT", datetime(2024, 1, 1, tzinfo=UTC), "1h", count=48)
        >>> with SimulatedBinance([tape]) as exchange:
        ...     given = {"frequency": "1h", "start": "2024-01-01", "end": "2024-01-02", "settings": {"base_url": exchange.url}}
        ...     warm("binance:BTCUSDT", catalog=tempfile.mkdtemp(), **given)
        {'BTCUSDT': 'whole'}
    """
    from rustybt.data.download import Wanted, download

    shelf = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    found, listed = source_of(source, settings, {})
    if found is None or not found.frequencies:
        raise ConfigError("only downloads are kept in the cache", where="source", do='give a vendor and its symbols: "yfinance:AAPL,MSFT"')
    policy = freshness_of(freshness, offline=False)
    wanted = Wanted(chosen_of(symbols, listed), frequency, start, end, freshness=policy, workers=workers)
    return download(found, wanted, shelf.root, patience, progress).how
