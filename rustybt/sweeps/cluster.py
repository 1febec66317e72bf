"""Ray evaluates the chunks of a sweep: on this machine, or on all machines of a cluster.

The bars lie once in the memory of each machine, where its workers read them; a worker opens the work with its first chunk and keeps it. A
chunk whose worker or machine dies is run again by Ray, and when that does not help, variant by variant, so that the one that kills its
worker is a row that says so. Rows are taken back in order, and each answer is compared with what was asked.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from rustybt._extras import require
from rustybt.errors import ConfigError, RustyBTError
from rustybt.sweeps.evaluate import Rows
from rustybt.sweeps.options import Site
from rustybt.sweeps.parcel import Parcel, parcel_of
from rustybt.sweeps.variants import Chunk
from rustybt.sweeps.work import AHEAD, Work, one_by_one, together

RETRIES = 3
"""How often Ray runs a chunk again whose worker or machine died; then its variants are tried one by one, as often."""
HERE = ("", "local")
"""Addresses of this machine."""
KNOCK = 10.0
"""Seconds in which an address has to answer."""
ADDRESS, STATISTICS = "RAY_ADDRESS", "RAY_USAGE_STATS_ENABLED"

type Answer = tuple[int, Rows] | RustyBTError


@contextmanager
def reached(address: str | None, workers: int | None, cores: int) -> Iterator[Site]:
    """The site of a sweep: a cluster, which is held on to, or this machine, where Ray starts when there is something to do.

    Args:
        address: of the cluster, or None.
        workers: how many were asked for, or None.
        cores: of this process.

    Raises:
        ConfigError: the cluster cannot be reached, has no processors, or is named though the program is connected already.
        MissingExtraError: Ray is not installed.
    """
    ray, place = require("ray", extra="ray"), address or os.environ.get(ADDRESS, "")
    if ray.is_initialized() and address is not None:
        do = "leave address out, or call ray.shutdown() first"
        raise ConfigError("the program is connected to Ray already", where=f"address {address!r}", do=do)
    if place in HERE and not ray.is_initialized():
        count = workers or cores
        yield Site("ray", count, count)
        return
    with connected(address, 0):
        each = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        if sum(each) < 1:
            raise ConfigError(
                "the cluster has no processors", where=f"Ray, {place or 'connected'}", do="start a worker: ray start --address=..."
            )
        count = workers or sum(each)
        yield Site("ray", count, min(count, max(each)), address)


@contextmanager
def connected(address: str | None, workers: int) -> Iterator[Any]:
    """Ray, connected: as it is where the program is connected already, else until the end of the block.

    Args:
        address: of the cluster, or None.
        workers: processors of a Ray that is started here.

    Raises:
        ConfigError: it cannot be reached.
    """
    ray, place = require("ray", extra="ray"), address or os.environ.get(ADDRESS, "")
    if ray.is_initialized():
        yield ray
        return
    asked: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if place in HERE:
        asked |= {"address": "local", "num_cpus": workers, "include_dashboard": False}
    else:
        asked |= {"address": place}
    if place not in HERE:
        _answers(place)
    told = os.environ.get(STATISTICS)
    os.environ.setdefault(STATISTICS, "0")  # a Ray that we start tells nobody
    try:
        ray.init(**asked)
    except (ConnectionError, RuntimeError, TimeoutError, ValueError, OSError) as error:
        raise _unreachable(place, error) from None
    finally:
        if told is None:
            os.environ.pop(STATISTICS, None)
    try:
        yield ray
    finally:
        ray.shutdown()


def _answers(place: str) -> None:
    """See that somebody listens there: Ray itself would ask for minutes.

    Raises:
        ConfigError: nobody does.
    """
    host, colon, port = place.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(place, error) from None


def _unreachable(place: str, error: Exception) -> ConfigError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    do = "see that `ray status` answers there, with the same versions of Python and Ray"
    return ConfigError(f"Ray cannot be reached: {said}", where="Ray on this machine" if place in HERE else f"Ray, {place}", do=do)


class Cluster:
    """The workers of Ray, each of which opens the work once. Connected with the first chunk, until it is closed."""

    def __init__(self, site: Site) -> None:
        self.site, self.held = site, ExitStack()
        self.hands: _Hands | None = None

    def rows(self, work: Work, chunks: Iterable[Chunk]) -> Generator[Rows]:
        """The rows of chunks, in their order.

        Raises:
            ConfigError: a strategy cannot be sent, a machine has other code or libraries, or the cluster cannot be reached.
            RustyBTError: the cluster was lost.
        """
        if self.hands is None or self.hands.work is not work:
            ray = self.hands.ray if self.hands is not None else self.held.enter_context(connected(self.site.address, self.site.workers))
            self.hands = _Hands(ray, work, parcel_of(work))
        hands, waiting = self.hands, deque[tuple[Chunk, Any]]()
        try:
            for chunk in chunks:
                waiting.append((chunk, hands.give(chunk)))
                while len(waiting) > AHEAD * self.site.workers:
                    yield hands.take(*waiting[0])
                    waiting.popleft()
            while waiting:
                yield hands.take(*waiting[0])
                waiting.popleft()
        finally:
            for _, promise in waiting:
                hands.ray.cancel(promise, force=True)

    def close(self) -> None:
        """Leave the cluster, unless the program was connected before."""
        self.hands = None
        self.held.close()


class _Hands:
    """Gives chunks away and takes rows back."""

    def __init__(self, ray: Any, work: Work, parcel: Parcel) -> None:
        self.ray, self.work, self.name = ray, work, parcel.name
        self.box = [ray.put(parcel)]  # in a list: Ray would open it anew for every chunk
        self.task = ray.remote(num_cpus=1, max_retries=RETRIES)(evaluate_sent)
        known = ray.exceptions
        self.died = (known.WorkerCrashedError, known.NodeDiedError, known.OutOfMemoryError, known.ObjectLostError)

    def give(self, chunk: Chunk) -> Any:
        """A promise of its answer."""
        return self.task.remote(self.box, self.name, chunk)

    def take(self, chunk: Chunk, promise: Any) -> Rows:
        """The rows of a chunk."""
        try:
            return self._rows(chunk, promise)
        except self.died:
            found = []
            for one in one_by_one(chunk):
                try:
                    found.append(self._rows(one, self.give(one)))
                except self.died:
                    found.append(self.work.died(one))
            return together(found)

    def _rows(self, chunk: Chunk, promise: Any) -> Rows:
        known = self.ray.exceptions
        try:
            answer = self.ray.get(promise)
        except self.died:
            raise
        except known.RayTaskError as error:
            if isinstance(error.cause, ModuleNotFoundError):
                what, do = f"a worker has no module {error.cause.name!r}", "pip install 'rustybt[ray]' on every machine of the cluster"
                raise ConfigError(what, where="Ray", do=do) from None
            raise
        except known.RayError as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            do = "with out=, the same call goes on where this one was"
            raise RustyBTError(f"the Ray cluster was lost: {said}", where="Ray", do=do) from None
        return checked(chunk, answer)


def checked(chunk: Chunk, answer: Answer) -> Rows:
    """The rows of an answer.

    Raises:
        ConfigError: the worker could not open the work.
        RustyBTError: it is the answer to another question.
    """
    if isinstance(answer, RustyBTError):
        raise answer
    first, rows = answer
    if first != chunk.first or rows.count != chunk.count:
        what = f"{rows.count} rows from variant {first} on came back for {chunk.count} from variant {chunk.first} on"
        raise RustyBTError(what, where="Ray", do="report it: nothing was kept of this chunk")
    return rows


_opened: dict[str, Work] = {}
"""The work that this worker has open."""


def evaluate_sent(box: Sequence[Any], name: str, chunk: Chunk) -> Answer:
    """On a worker: open the work unless it is open, and evaluate a chunk; an error of opening goes back as a value.

    Args:
        box: holds the reference of the parcel.
        name: of the parcel.
        chunk: variants.
    """
    if name not in _opened:
        parcel: Parcel = require("ray", extra="ray").get(box[0])
        _opened.clear()
        try:
            _opened[name] = parcel.opened()
        except RustyBTError as error:
            return error
    return chunk.first, _opened[name].rows(chunk)
