"""A server on this machine with a plan of faults: what every simulated vendor has in common."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Literal, Self, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from rustybt.errors import ConfigError
from rustybt.testing.vendors.tape import Tape

type FaultKind = Literal["limited", "down", "broken", "cut", "reset", "silent", "shuffled", "repeated"]
SILENCE = 4.0
PAGE_OF_A_PROXY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


@dataclass(frozen=True)
class Call:
    """A request as it came.

    Attributes:
        path: without the query, decoded.
        query: parameters, the last of a name.
        headers: by lower-case name.
    """

    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def place(self) -> str:
        """Path and parameters, decoded, in one text."""
        return f"{self.path}?{'&'.join(f'{name}={value}' for name, value in self.query.items())}"


@dataclass(frozen=True)
class Reply:
    """An answer.

    Args:
        body: JSON, or bytes as they are.
        status: of HTTP.
        headers: beside the usual.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """Something that goes wrong.

    Args:
        kind: ``limited`` asked too often, as the vendor says it; ``down`` 502 and a page of HTML; ``broken`` half of the JSON, whole to
            HTTP; ``cut`` the connection ends before the body does; ``reset`` no answer at all; ``silent`` none
            for `SILENCE` seconds; ``shuffled`` rows in another order;
            ``repeated`` rows twice.
        on: part of the path or its parameters that it strikes.
        times: how often.
        skip: requests to let pass before.
    """

    kind: FaultKind
    on: str = ""
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        known = get_args(FaultKind.__value__)
        if self.kind not in known:
            raise ConfigError(f"there is no fault {self.kind!r}", where="kind", do=f"use one of {', '.join(known)}")
        if self.times < 1 or self.skip < 0:
            raise ConfigError(f"a fault with times={self.times}, skip={self.skip} never strikes", where="times, skip", do="give 1 or more")


class Vendor:
    """A simulated vendor; a context manager.

    Args:
        tapes: what it knows.
        key: that it wants, where it wants one.
    """

    def __init__(self, tapes: Iterable[Tape], key: str = "open-sesame") -> None:
        self.tapes = {tape.symbol: tape for tape in tapes}
        self.key = key
        self.calls: list[Call] = []
        self._faults: list[Fault] = []
        self._lock = Lock()
        self._draw = random.Random(7)
        self._bent: str | None = None

    def fail(self, kind: FaultKind, on: str = "", times: int = 1, skip: int = 0) -> None:
        """Plan a fault; it strikes after those that were planned before it for the same paths.

        Raises:
            ConfigError: there is no such fault, or it would never strike.
        """
        self._faults.append(Fault(kind, on, times, skip))

    def heal(self) -> None:
        """Forget every planned fault."""
        self._faults.clear()

    def calls_to(self, part: str) -> list[Call]:
        """The requests whose path or parameters hold a part."""
        return [call for call in self.calls if part in call.place]

    def answer(self, call: Call) -> Reply:
        """What the vendor says; to be written by each."""
        raise LookupError(call.path)

    def limited(self) -> Reply:
        """How the vendor says that it is asked too often."""
        return Reply({"error": "Too Many Requests"}, 429, {"Retry-After": "0"})

    def bend[Row](self, rows: Sequence[Row]) -> list[Row]:
        """Rows as a planned fault leaves them: to be called once for the rows of an answer."""
        bent = list(rows)
        if self._bent == "repeated":
            bent += bent[: len(bent) // 2 + 1]
        if self._bent == "shuffled":
            self._draw.shuffle(bent)
        return bent

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(self, call: Call) -> tuple[Reply, str | None]:
        """The answer, and the fault that its transport has to suffer."""
        with self._lock:
            self.calls.append(call)
            kind = self._strikes(call.place)
            if kind == "limited":
                return self.limited(), None
            if kind == "down":
                return Reply(PAGE_OF_A_PROXY, 502, {"Content-Type": "text/html"}), None
            self._bent = kind
            return self.answer(call), kind

    def _strikes(self, place: str) -> str | None:
        for fault in self._faults:
            if fault.on not in place or fault.times <= 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                return None
            fault.times -= 1
            return fault.kind
        return None


def _handler(vendor: Vendor) -> type[BaseHTTPRequestHandler]:
    """The class that the library of the server wants, bound to a vendor."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)), headers)
            reply, kind = vendor.respond(call)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            if kind == "silent":
                time.sleep(SILENCE)
            if kind in ("reset", "silent"):
                self.close_connection = True
                with suppress(OSError):  # whoever asked may have gone
                    self.connection.shutdown(socket.SHUT_RDWR)
                return
            if kind == "broken":
                body = body[: len(body) // 2]
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if kind == "cut" else body)
            if kind == "cut":
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Nothing: a test's output is not a server's log."""

    return Handler
