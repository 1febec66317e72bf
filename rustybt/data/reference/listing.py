"""An asset through time, and what is true of it on a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from rustybt.errors import DataError, RustyBTError
from rustybt.model import Asset

KINDS = {
    "equity": "equity",
    "etf": "equity",
    "future": "future",
    "crypto": "crypto",
    "perpetual": "crypto",
    "fx": "fx",
    "index": "index",
}
"""What can be listed, and the asset class whose increments it has unless it says otherwise."""
SIZES = ("tick_size", "lot_size", "volume_step", "multiplier", "min_notional")
TERMS = ("symbol", "venue", "currency", *SIZES)
"""What may change from one spell to the next."""
EVER, NEVER = date.min, date.max
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Spell:
    """What is true of an asset from a session on; None = as before.

    Attributes:
        first: the session, None = from the start.
        symbol, venue, currency: texts.
        tick_size, lot_size, volume_step, multiplier, min_notional: as of `rustybt.Asset`.
        known: the day on which it was known, None = on the first.
    """

    first: date | None = None
    symbol: str | None = None
    venue: str | None = None
    currency: str | None = None
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    volume_step: Decimal | None = None
    multiplier: Decimal | None = None
    min_notional: Decimal | None = None
    known: date | None = None


@dataclass(frozen=True)
class Listing:
    """An asset as of a day.

    Attributes:
        id: by which it is known for good, and in frames.
        symbol: on that day.
        kind: one of `KINDS`.
        asset: with the increments in force on that day; its symbol is the id.
        name, venue, root, underlying: texts, or None.
        expiry: last trading day of a future.
        listed: first session.
        delisted: last session; None = none is known.
        since: first session of the terms that hold.
    """

    id: str
    symbol: str
    kind: str
    asset: Asset
    name: str | None = None
    venue: str | None = None
    root: str | None = None
    underlying: str | None = None
    expiry: date | None = None
    listed: date | None = None
    delisted: date | None = None
    since: date | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values: dates and sizes as texts, the increments beside the rest."""
        plain = {name: getattr(self, name) for name in ("id", "symbol", "kind", "name", "venue", "root", "underlying")}
        days = {
            name: None if (day := getattr(self, name)) is None else day.isoformat() for name in ("expiry", "listed", "delisted", "since")
        }
        sizes = {name: f"{getattr(self.asset, name).normalize():f}" for name in SIZES}
        return {**plain, **days, "currency": self.asset.currency, "asset_class": self.asset.asset_class, **sizes}


@dataclass(frozen=True)
class Entry:
    """An asset with all its spells.

    Attributes:
        id, kind, name, root, underlying, expiry, listed, delisted: as of `Listing`.
        known: the day on which it was known, None = on the day of its listing.
        spells: by first session.
    """

    id: str
    kind: str
    name: str | None = None
    root: str | None = None
    underlying: str | None = None
    expiry: date | None = None
    listed: date | None = None
    delisted: date | None = None
    known: date | None = None
    spells: tuple[Spell, ...] = ()

    @property
    def end(self) -> date:
        """The last session on which it can trade, as far as is known."""
        return min(self.delisted or NEVER, self.expiry or NEVER)

    @property
    def newest(self) -> date:
        """The last day of what is over, else the first day of the newest terms: a day that says how it is now."""
        if self.end != NEVER:
            return self.end
        return max((first for first, _ in self.through), default=EVER)

    @cached_property
    def through(self) -> tuple[tuple[date, Spell], ...]:
        """Each spell with what it leaves as it was filled in, and the session from which it holds."""
        found: list[tuple[date, Spell]] = []
        have: dict[str, Any] = {"symbol": self.id}
        for spell in self.spells:
            have |= {name: value for name in TERMS if (value := getattr(spell, name)) is not None}
            first = spell.first or self.listed or EVER
            found.append((first, Spell(spell.first, **have, known=spell.known)))
        return tuple(found)

    def seen(self, known: date | None) -> Entry | None:
        """The entry as far as it was known on a day, None = by now; None when nothing was."""
        if known is None:
            return self
        if (self.known or self.listed or EVER) > known:
            return None
        spells = tuple(spell for spell in self.spells if (spell.known or spell.first or EVER) <= known)
        delisted = self.delisted if self.delisted is not None and self.delisted <= known else None
        return Entry(self.id, self.kind, self.name, self.root, self.underlying, self.expiry, self.listed, delisted, self.known, spells)

    def on(self, day: date) -> Listing | None:
        """What is true on a day; None where it was not listed."""
        if not (self.listed or EVER) <= day <= self.end:
            return None
        found: tuple[date, Spell] | None = None
        for first, spell in self.through:
            if first <= day:
                found = first, spell
        return None if found is None else self._listing(found[1], None if found[0] == EVER else found[0])

    def _listing(self, spell: Spell, since: date | None) -> Listing:
        return Listing(
            id=self.id,
            symbol=spell.symbol or self.id,
            kind=self.kind,
            asset=self.asset_of(spell),
            name=self.name,
            venue=spell.venue,
            root=self.root,
            underlying=self.underlying,
            expiry=self.expiry,
            listed=self.listed,
            delisted=self.delisted,
            since=since,
        )

    def asset_of(self, spell: Spell) -> Asset:
        """The asset with the increments of a spell.

        Raises:
            DataError: a size is not positive, or out of scale.
        """
        sizes = {name: getattr(spell, name) for name in (*SIZES, "currency")}
        try:
            return Asset.of(self.id, KINDS[self.kind], **sizes)
        except RustyBTError as error:
            raise DataError(error.what, where=f"reference data, {error.where}", do=error.do) from None

    def names(self) -> Iterator[tuple[date, date, str, str | None]]:
        """First session, last session, symbol and venue of each name, one after the other."""
        starts = [*(first for first, _ in self.through), NEVER]
        held: tuple[date, date, str, str | None] | None = None
        for (first, spell), after in zip(self.through, starts[1:], strict=True):
            last = self.end if after == NEVER else min(self.end, date.fromordinal(after.toordinal() - 1))
            name = spell.symbol or self.id
            if held is not None and held[2:] == (name, spell.venue):
                held = (held[0], last, *held[2:])
                continue
            if held is not None:
                yield held
            held = first, last, name, spell.venue
        if held is not None:
            yield held


def span_text(first: date, last: date) -> str:
    """A span for a message.

    Example:
        >>> span_text(date(2012, 5, 18), NEVER)
        'from 2012-05-18'
    """
    begins = "" if first == EVER else f"from {first}"
    ends = "" if last == NEVER else f"to {last}"
    return " ".join(part for part in (begins, ends) if part) or "always"


def ordinal(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(ts: int) -> date:
    """The date of UTC microseconds."""
    return EPOCH + timedelta(microseconds=ts)
