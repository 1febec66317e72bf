from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def cookies_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """yfinance keeps zones and cookies in the user's folder; tests have one of their own."""
    import yfinance

    folder = tmp_path_factory.mktemp("yfinance")
    yfinance.set_tz_cache_location(str(folder))
    for symbol in ("AAPL", "MSFT"):  # else the first test that asks sends more requests than the others
        yfinance.cache.get_tz_cache().store(symbol, "America/New_York")
    yield folder
    for cache in (yfinance.cache._TzDBManager, yfinance.cache._CookieDBManager, yfinance.cache._ISINDBManager):
        cache.close_db()
