"""Two lists of fills laid side by side, fill for fill; where they part, until they hold the same again, is an episode with a cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.markets import Floats
from benchmarks.peers import Fill

TICK = 0.0001
"""Exit levels are cut to the tick here and to nothing elsewhere."""
PART = 1e-6
"""Shares, relative: what floats may differ by."""
ENTRY_BAR = "exit on the bar of entry"
ENTRY_HIGH = "high of the bar of entry"
UNEXPLAINED = "unexplained"

type Key = tuple[int, int, int]
"""Bar, column, side."""


@dataclass(frozen=True)
class Episode:
    """A stretch in which the two hold different positions.

    Attributes:
        start, end: first and last bar.
        column: of the asset.
        cause: in words.
        ours, theirs: fills in it.
    """

    start: int
    end: int
    column: int
    cause: str
    ours: int
    theirs: int


@dataclass(frozen=True)
class Comparison:
    """How two lists of fills compare.

    Attributes:
        equal: fills that both have: same bar, asset, side and quantity, price within a tick.
        ours, theirs: fills of each.
        episodes: where they part.
        apart: largest difference of price among equal fills.
    """

    equal: int
    ours: int
    theirs: int
    episodes: tuple[Episode, ...]
    apart: float

    @property
    def unexplained(self) -> int:
        """Episodes without a known cause."""
        return sum(one.cause == UNEXPLAINED for one in self.episodes)


def merged(fills: Sequence[Fill]) -> dict[Key, tuple[float, float]]:
    """Signed quantity and mean price of each bar, column and side: engines cut a trade into parts in their own ways."""
    found: dict[Key, tuple[float, float]] = {}
    for bar, column, quantity, price in fills:
        key = (int(bar), int(column), 1 if quantity > 0 else -1)
        size, worth = found.get(key, (0.0, 0.0))
        found[key] = (size + quantity, worth + quantity * price)
    return {key: (size, worth / size) for key, (size, worth) in sorted(found.items())}


def compare(ours: Sequence[Fill], theirs: Sequence[Fill], highs: Floats | None = None) -> Comparison:
    """Lay two lists of fills side by side.

    Args:
        ours: fills of RustyBT.
        theirs: fills of another engine.
        highs: (bars, assets), where the other's trailing stops leave out the high of the bar of entry. Where that high is above all that
            came after it, until the two part, it is the cause.

    Example:
        >>> compare([[1, 0, 100, 9.5], [4, 0, -100, 9.9]], [[1, 0, 100, 9.5], [5, 0, -100, 9.9]]).episodes
        (Episode(start=4, end=5, column=0, cause='unexplained', ours=1, theirs=1),)
    """
    mine, other = merged(ours), merged(theirs)
    same = {key for key in mine.keys() & other.keys() if _alike(mine[key], other[key])}
    apart = max((abs(mine[key][1] - other[key][1]) for key in same), default=0.0)
    columns = sorted({key[1] for key in mine | other})
    episodes = [episode for column in columns for episode in _episodes(mine, other, same, column)]
    if highs is not None:
        episodes = [replace(one, cause=ENTRY_HIGH) if one.cause == UNEXPLAINED and _led(one, mine, highs) else one for one in episodes]
    return Comparison(len(same), len(mine), len(other), tuple(episodes), apart)


def _led(episode: Episode, mine: dict[Key, tuple[float, float]], highs: Floats) -> bool:
    """Whether the high of the bar of the entry is the peak at the time at which the two part."""
    entries = [(key[0], price) for key, (_, price) in mine.items() if key[1:] == (episode.column, 1) and key[0] < episode.start]
    if not entries:
        return False
    bar, price = entries[-1]
    own = highs[:, episode.column]
    return bool(own[bar] > max([price, *own[bar + 1 : episode.start].tolist()]))


def _alike(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) <= PART * max(1.0, abs(one[0])) and abs(one[1] - other[1]) <= TICK * 1.0001


def _episodes(mine: dict[Key, tuple[float, float]], other: dict[Key, tuple[float, float]], same: set[Key], column: int) -> list[Episode]:
    """Stretches from the first fill that one of them alone has to where both hold the same again."""
    found: list[Episode] = []
    held = [0.0, 0.0]
    open_: list[Key] = []
    for bar in sorted({key[0] for key in mine | other if key[1] == column}):
        keys = [(bar, column, side) for side in (1, -1) if (bar, column, side) in mine or (bar, column, side) in other]
        open_ += [key for key in keys if key not in same]
        for key in keys:
            held[0] += mine.get(key, (0.0, 0.0))[0]
            held[1] += other.get(key, (0.0, 0.0))[0]
        if open_ and abs(held[0] - held[1]) <= PART * max(1.0, abs(held[0])):
            found.append(_episode(open_, mine, other))
            open_ = []
    return [*found, *([_episode(open_, mine, other)] if open_ else [])]


def _episode(keys: list[Key], mine: dict[Key, tuple[float, float]], other: dict[Key, tuple[float, float]]) -> Episode:
    bar, column, _ = keys[0]
    in_and_out = (bar, column, 1) in mine and (bar, column, -1) in mine and (bar, column, -1) not in other
    ours, theirs = sum(key in mine for key in keys), sum(key in other for key in keys)
    return Episode(bar, keys[-1][0], column, ENTRY_BAR if in_and_out else UNEXPLAINED, ours, theirs)
