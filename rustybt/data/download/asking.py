"""Ask a source politely: within its budget, and again with growing waits when it is busy."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from rustybt.data.catalog.files import sole_writer, unwritable
from rustybt.errors import ConfigError, SourceError
from rustybt.model.source import Source

if TYPE_CHECKING:
    import tenacity

log = logging.getLogger(__name__)
CLOSED = "closed_until"
LONGEST_NAP = 5.0
"""Seconds after which a waiting process looks again: the vendor may have closed its door to another."""


@dataclass(frozen=True)
class Patience:
    """How long a failing source is asked again.

    Args:
        attempts: requests for one page, the first included.
        first: seconds before the second; they double, and up to as much again is added by chance, so that many do not come back at once.
        longest: most seconds of one wait. A source that asks for more is not waited for.

    Example:
        >>> Patience(attempts=3).longest
        60.0
    """

    attempts: int = 6
    first: float = 1.0
    longest: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first < 0 or self.longest < 0:
            raise ConfigError(f"{self} cannot be kept", where="patience", do="give one attempt or more, and waits of 0 or more")


class Budget:
    """The requests that a vendor allows, shared by every thread and process that asks it from one catalog.

    What was asked when stands in a file, so nothing is kept open between requests, and a process that dies holds nobody up.

    Args:
        source: whose address and rates count.
        folder: of all budgets.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self._name, self._said = source.name, False
        self._rates = sorted(source.rates, key=lambda rate: rate.seconds)
        self._place = folder / hashlib.sha256(source.address.encode()).hexdigest()[:32]

    def take(self, stop: Event | None = None) -> None:
        """Wait until one more request may be sent, or until it is to stop.

        Raises:
            DataError: the folder cannot be written.
        """
        stop = stop or Event()
        while not stop.is_set() and (left := self._wait()) > 0:
            if left > LONGEST_NAP and not self._said:  # a silence so long looks like a hang
                self._said = True
                log.warning("%s may be asked again in about %.0f s: waiting for its budget of requests", self._name, left)
            stop.wait(min(left, LONGEST_NAP))

    def close_for(self, seconds: float) -> None:
        """Nobody asks for a while: the vendor said so."""
        with self._alone():
            until = max(self._closed_until(), time.time() + seconds)
            (self._place / CLOSED).write_text(repr(until))

    def _wait(self) -> float:
        """Seconds until it is worth to look again; 0 where the request is granted."""
        import pyrate_limiter

        with self._alone():
            now = time.time()
            if (left := self._closed_until() - now) > 0:
                return left
            if not self._rates:
                return 0.0
            rates = [pyrate_limiter.Rate(rate.requests, round(rate.seconds * 1000)) for rate in self._rates]
            bucket = pyrate_limiter.SQLiteBucket.init_from_file(rates, db_path=str(self._place / "asked.sqlite"))
            try:
                item = pyrate_limiter.RateItem("request", int(now * 1000))
                bucket.leak(item.timestamp)
                return 0.0 if bucket.put(item) else max(int(bucket.waiting(item)), 1) / 1000  # type: ignore[arg-type]
            finally:
                bucket.close()  # type: ignore[no-untyped-call]

    def _closed_until(self) -> float:
        try:
            return float((self._place / CLOSED).read_text())
        except (OSError, ValueError):
            return 0.0

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            with sole_writer(self._place):
                yield
        except (OSError, sqlite3.Error) as error:
            raise unwritable(self._place, error) from error


class Stopped(Exception):
    """Another thread of the same download failed, so this one asks no more."""


def ask[Answer](budget: Budget, patience: Patience, call: Callable[[], Answer], stop: Event | None = None) -> Answer:
    """The answer to one request.

    Args:
        budget: of the source.
        patience: with it.
        call: the request.
        stop: set when no more is to be asked; a wait ends with it.

    Raises:
        SourceError: it failed for good, or for too long.
        Stopped: it was to stop.
    """
    import tenacity

    again = tenacity.wait_exponential(multiplier=patience.first, max=patience.longest) + tenacity.wait_random(0, patience.first)

    def worth_it(error: BaseException) -> bool:
        return isinstance(error, SourceError) and error.retryable and (error.after or 0) <= patience.longest

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.after if isinstance(error, SourceError) else None
        if asked:
            budget.close_for(asked)
        return max(asked or 0.0, again(state))

    stop = stop or Event()

    def once() -> Answer:
        budget.take(stop)
        if stop.is_set():
            raise Stopped
        return call()

    retrying = tenacity.Retrying(
        sleep=tenacity.nap.sleep_using_event(stop),
        stop=tenacity.stop_after_attempt(patience.attempts),
        wait=wait,
        retry=tenacity.retry_if_exception(worth_it),
        reraise=True,
    )
    try:
        return retrying(once)
    except SourceError as error:
        if not error.retryable:
            raise
        asked = f"; it asks to wait {error.after:g} s" if error.after else ""
        times = retrying.statistics.get("attempt_number", 1)
        said = f"{error.what} (asked {times} times{asked})"
        do = "try again later: the pages that arrived are kept, and the download goes on from there"
        raise SourceError(said, where=error.where, do=do, **error.facts) from error
