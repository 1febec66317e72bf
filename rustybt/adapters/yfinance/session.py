"""The session that yfinance is given: it goes to another server where one is named, and remembers how the last answer ended."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

CHART = "/finance/chart/"


def recording_session(base_url: str | None) -> Any:
    """A session with ``last``: status and text of the last answer about prices, status 0 where there was none.

    Args:
        base_url: instead of Yahoo's servers.
    """
    from yfinance._http import new_session

    plain = new_session()

    class Recording(type(plain)):  # type: ignore[misc] # of curl_cffi, or of requests where that cannot be installed
        last: tuple[int, str] = (0, "")

        def request(self, method: Any, url: Any, *args: Any, **more: Any) -> Any:
            about_prices = CHART in url
            if about_prices:
                self.last = (0, "")
            if base_url is not None:
                parts = urlsplit(url)
                url = base_url + parts.path + (f"?{parts.query}" if parts.query else "")
            answer = super().request(method, url, *args, **more)
            if about_prices:
                self.last = (answer.status_code, answer.text[:500])
            return answer

    made = Recording(impersonate="chrome") if hasattr(plain, "impersonate") else Recording()
    plain.close()
    return made


@contextmanager
def loud(yf: Any) -> Iterator[None]:
    """yfinance with its errors raised rather than swallowed and printed, and without the warnings of its own libraries."""
    log = logging.getLogger("yfinance")
    disabled, log.disabled = log.disabled, True
    hidden = yf.config.debug.hide_exceptions
    yf.config.debug.hide_exceptions = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = disabled
        yf.config.debug.hide_exceptions = hidden
