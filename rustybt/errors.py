"""Every error that RustyBT raises on purpose.

The tree::

    RustyBTError
    ├── ConfigError        a run, cost or asset setting is wrong
    ├── SpecError          a strategy cannot be built or evaluated
    │   └── LookaheadError a term may see the future
    ├── DataError          bars that cannot be used
    │   └── SourceError    a source of bars refused or failed (``retryable`` tells which)
    ├── OrderError         an instruction that no market could take
    ├── LedgerError        the books do not balance, or an amount does not fit
    ├── BrokerError        a venue refused or failed (``retryable`` tells which)
    └── MissingExtraError  an optional dependency is not installed

What a market may do (a rejection, a cut, no liquidity) is a row with a coded reason, never an exception.
"""

from __future__ import annotations

from typing import Any


class RustyBTError(Exception):
    """Base of the tree: what was wrong, where, and what to do.

    Args:
        what: what was wrong, with the value.
        where: asset, bar, term, file; empty when there is no place to name.
        do: what the user can do about it.
        facts: further attributes for programs, kept in ``facts``.

    Example:
        >>> print(DataError("high 9 is below low 10", where="asset 'A', row 3", do="repair the row"))
        high 9 is below low 10
          where: asset 'A', row 3
          do:    repair the row
    """

    def __init__(self, what: str, *, where: str = "", do: str = "", **facts: Any) -> None:
        self.what, self.where, self.do, self.facts = what, where, do, facts
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.what, self.where, self.do, self.facts)


def _rebuild(kind: type[RustyBTError], what: str, where: str, do: str, facts: dict[str, Any]) -> RustyBTError:
    return kind(what, where=where, do=do, **facts)


class ConfigError(RustyBTError):
    """A run, cost or asset setting is wrong."""


class SpecError(RustyBTError):
    """A strategy cannot be built or evaluated."""


class LookaheadError(SpecError):
    """A term may see the future; the message renders the offending sub-expression."""


class DataError(RustyBTError):
    """Bars that cannot be used."""


class SourceError(DataError):
    """A source of bars refused or failed.

    ``retryable`` tells whether the same request may succeed later, ``after`` how many seconds the source asks to wait, if it said so.
    """

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return bool(self.facts.get("retryable", False))

    @property
    def after(self) -> float | None:
        """Seconds that the source asks to wait, or None."""
        return self.facts.get("after")


class OrderError(RustyBTError):
    """An instruction that no market could take."""


class LedgerError(RustyBTError):
    """The books do not balance, or an amount does not fit."""


class BrokerError(RustyBTError):
    """A venue refused or failed; ``retryable`` tells whether trying again can help."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return bool(self.facts.get("retryable", False))


class MissingExtraError(RustyBTError):
    """An optional dependency is not installed; ``do`` holds the install command."""
