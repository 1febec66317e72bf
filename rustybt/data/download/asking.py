"""Ask a source politely: within its budget, and again with growing waits when it is busy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from rustybt.errors import ConfigError, SourceError
from rustybt.model.source import Rate, Source

if TYPE_CHECKING:
    import tenacity


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
    """The requests that a vendor allows, shared by every thread of this process that asks it."""

    def __init__(self, source: Source) -> None:
        import pyrate_limiter

        rates = [pyrate_limiter.Rate(rate.requests, round(rate.seconds * 1000)) for rate in source.rates]
        self._bucket = pyrate_limiter.InMemoryBucket(sorted(rates, key=lambda rate: rate.interval)) if rates else None
        # Leaking is done below: a thread that does it in the background would outlive the download.
        factory = None if self._bucket is None else pyrate_limiter.SingleBucketFactory(self._bucket, schedule_leak=False)
        self._limiter = None if factory is None else pyrate_limiter.Limiter(factory)
        self._closed_until = 0.0

    def take(self) -> None:
        """Wait until one more request may be sent."""
        while (left := self._closed_until - time.monotonic()) > 0:
            time.sleep(left)
        if self._limiter is not None and self._bucket is not None:
            self._bucket.leak(time.monotonic_ns() // 1_000_000)
            self._limiter.try_acquire("request")

    def close_for(self, seconds: float) -> None:
        """Nobody asks for a while: the vendor said so."""
        self._closed_until = max(self._closed_until, time.monotonic() + seconds)


_BUDGETS: dict[tuple[str, tuple[Rate, ...]], Budget] = {}
_LOCK = Lock()


def budget_of(source: Source) -> Budget:
    """The one budget of an address, as long as it allows the same."""
    key = (source.address, tuple(source.rates))
    with _LOCK:
        if key not in _BUDGETS:
            _BUDGETS[key] = Budget(source)
        return _BUDGETS[key]


def ask[Answer](source: Source, patience: Patience, call: Callable[[], Answer]) -> Answer:
    """The answer to one request.

    Raises:
        SourceError: it failed for good, or for too long.
    """
    import tenacity

    budget = budget_of(source)
    again = tenacity.wait_exponential(multiplier=patience.first, max=patience.longest) + tenacity.wait_random(0, patience.first)

    def worth_it(error: BaseException) -> bool:
        return isinstance(error, SourceError) and error.retryable and (error.after or 0) <= patience.longest

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.after if isinstance(error, SourceError) else None
        if asked:
            budget.close_for(asked)
        return max(asked or 0.0, again(state))

    def once() -> Answer:
        budget.take()
        return call()

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(patience.attempts), wait=wait, retry=tenacity.retry_if_exception(worth_it), reraise=True
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
