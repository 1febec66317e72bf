"""What can go wrong with a vendor, each with its one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from urllib.parse import urlsplit

from rustybt.errors import ConfigError, SourceError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def unknown_symbol(name: str, symbol: str, known: Iterable[str] = ()) -> SourceError:
    """The vendor has no such symbol."""
    like = get_close_matches(symbol, list(known), n=3, cutoff=0.6)
    do = f"did you mean {', '.join(map(repr, like))}?" if like else "write it as the vendor does, or leave it out"
    return SourceError(f"{name} has no symbol {symbol!r}", where=f"{name}, {symbol!r}", do=do, symbol=symbol)


def no_bars_like_these(name: str, symbol: str, said: str) -> SourceError:
    """The vendor has the symbol, but not what is asked of it."""
    return SourceError(f"{name} refused: {short(said)}", where=f"{name}, {symbol!r}", do="check symbol, frequency, start and end")


def wrong_key(name: str, said: str, variables: Sequence[str] = ()) -> SourceError:
    """The vendor does not take the key."""
    do = f"check {' and '.join(variables)}, or settings=" if variables else "check the key, and that its plan covers this request"
    return SourceError(f"{name} does not accept the key: {short(said)}", where=name, do=do)


def too_often(name: str, after: float | None = None) -> SourceError:
    """The vendor is asked too often."""
    return SourceError(f"{name} says that it is asked too often", where=name, do="wait, then try again", retryable=True, after=after)


def down(name: str, said: str) -> SourceError:
    """The vendor cannot be reached, or fails."""
    return SourceError(f"{name} does not answer properly: {short(said)}", where=name, do="try again later", retryable=True)


def partial(name: str, said: str) -> SourceError:
    """The answer is broken off, or is no answer to what was asked."""
    return SourceError(f"{name} sent a broken answer: {short(said)}", where=name, do="try again", retryable=True)


def short(said: object) -> str:
    """The first line of what a vendor said, not too long."""
    line = (str(said).strip().splitlines() or [type(said).__name__])[0]
    return line if len(line) <= 200 else f"{line[:200]}..."


def seconds(header: object) -> float | None:
    """The wait that a Retry-After header asks for, where it is a number."""
    try:
        return max(0.0, float(str(header)))
    except ValueError:
        return None


def checked_url(base_url: str | None, default: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        ConfigError: it is no address, or neither encrypted nor on this machine.
    """
    url = (default if base_url is None else base_url).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"base_url {url!r} is no address", where="base_url", do="write it like https://api.example.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigError(f"base_url {url!r} is not encrypted", where="base_url", do="use https: keys would be readable on the way")
    return url


def key_of(given: str | None, variables: Sequence[str], name: str) -> str:
    """A key that was given, or that of the first environment variable that is set.

    Raises:
        ConfigError: there is none.
    """
    found = given or next((value for variable in variables if (value := os.environ.get(variable))), None)
    if not found:
        raise ConfigError(f"{name} needs a key", where=name, do=f"set the environment variable {variables[0]}")
    return found


def symbols_of(text: str) -> tuple[str, ...]:
    """Symbols separated by commas, each once.

    Example:
        >>> symbols_of("AAPL, MSFT,AAPL")
        ('AAPL', 'MSFT')
    """
    return tuple(dict.fromkeys(symbol.strip() for symbol in text.split(",") if symbol.strip()))
