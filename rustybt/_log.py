"""Logs of the command line: on standard error, for people on a terminal, as JSON lines elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


def configure(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send the log to standard error, so that standard output holds results only.

    The library itself configures nothing: a program that imports RustyBT keeps its own logging.

    Args:
        level: least severe level shown, from `logging`.
        stream: where to write; standard error unless given. A terminal gets coloured lines, anything else one JSON object per line
            with ``event``, ``level`` and ``timestamp`` (ISO 8601, UTC).

    Example:
        >>> import io, json
        >>> out = io.StringIO()
        >>> configure(stream=out)
        >>> structlog.get_logger().info("quarantined", rows=3)
        >>> json.loads(out.getvalue())["rows"]
        3
        >>> structlog.reset_defaults()
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if terminal else "iso", utc=not terminal),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer()] if terminal else [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
