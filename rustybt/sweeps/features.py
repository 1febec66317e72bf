"""Features: what tops read, each distinct one evaluated once on a panel and shared by all variants.

They are evaluated by the planner of an ordinary run, so that their bits are those of an ordinary run. A generation of features is kept
until its bytes are used up; then another begins, and the first goes when the chunks that read it are done.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.prepared import KeptFeature, KeptFeatures
from rustybt.engine.offers import row_columns
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model import Panel
from rustybt.model.panel import Ints
from rustybt.model.sizes import shown
from rustybt.spec import Schedule
from rustybt.spec.lower import lower
from rustybt.spec.planner import SignalPlan
from rustybt.spec.proof import prove
from rustybt.sweeps.alike import KEPT, ODD, REACH
from rustybt.sweeps.blocks import BLOCK
from rustybt.sweeps.naming import Texts
from rustybt.sweeps.reading import Alike, Recipe
from rustybt.sweeps.walks import Floats, Found, Walks

TOGETHER = 32
"""Features that are evaluated side by side."""
LARGEST = 2**53
"""Whole numbers up to it are exact as floats."""
SPARSE = 4
"""Where fewer than one in so many rows are wanted, ranks are planned: all that they read is then computed on these rows alone."""
WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
PER_ROW = 9
"""Bytes of a feature and a row: a float, and whether it is null."""
AT_ONCE = 2**28
"""Bytes of a generation for which room is set aside at once: address space, which becomes memory when it is written. Beyond it a generation
grows by copying, for which a third of the room is kept free."""


class Feature(NamedTuple):
    """One feature.

    Attributes:
        row: where it stands in the store; `UNUSABLE` or `UNFIT` where it does not.
        kind: its type; see `rustybt.sweeps.program`. Empty where it cannot be used.
        reach: bars before a row that decide it; None = unbounded.
    """

    row: int
    kind: str
    reach: int | None


UNUSABLE, UNFIT = -1, -2
"""Rows of what cannot be evaluated or proven, and of what is no number and no truth value."""
TYPES = ("", "real", "whole", "truth", "null")
"""Types of features."""
UNIVERSE = "universe"
"""By what the universe is known among the features; no expression is written so."""

type Name = str | bytes
"""By what a feature is known: its text, or its numbers among texts that differ in numbers alone."""


@dataclass
class Generation:
    """Features that are kept together.

    Attributes:
        values: (features, rows) Float64, rows sorted by bar, then asset. valid: the same, UInt8, 0 where null.
        sound: (features,) Int64: the row from which on no value is null.
        kinds: (features + 2,) UInt8 types, numbers of `TYPES`. reach: (features + 2,) Int64 bars before a row that decide it, -1 = no end.
            The last two are those of `UNUSABLE` and `UNFIT`.
        known: rows of what is in it, by text.
        alike: the same of texts that differ in numbers alone, by what they have in common.
    """

    values: npt.NDArray[np.float64]
    valid: npt.NDArray[np.uint8]
    sound: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    reach: npt.NDArray[np.int64]
    known: dict[Name, int] = field(default_factory=dict)
    alike: dict[Any, dict[Name, int]] = field(default_factory=dict)
    used: int = 0

    def names_of(self, texts: Texts) -> dict[Name, int]:
        """Rows of what is in it of texts that differ in numbers alone."""
        return self.alike.setdefault(texts.key, {}) if texts.kinds else self.known

    def feature(self, text: str) -> Feature:
        """One that is in it, or what is known about it."""
        row = self.known[text]
        reach = int(self.reach[row])
        return Feature(row, TYPES[self.kinds[row]], None if reach < 0 else reach)


class Lot(NamedTuple):
    """Features that lack, all read in the same way.

    Attributes:
        known: where their rows are written down.
        names: of each.
        text: of one of them.
        alike: how they are computed step by step; None where a part of them is no step.
        sizes: (features, 3) what is known of them before; see `rustybt.sweeps.alike.size_alike`.
    """

    known: dict[Name, int]
    names: Sequence[Name]
    text: Callable[[int], str]
    alike: Alike | None
    sizes: Ints | None = None

    def some(self, rows: Sequence[int]) -> Lot:
        """Some of them."""
        alike, sizes = None if self.alike is None else self.alike.some(rows), None if self.sizes is None else self.sizes[rows]
        return Lot(self.known, [self.names[at] for at in rows], lambda at: self.text(rows[at]), alike, sizes)

    def told(self) -> list[Planned]:
        """Each for itself."""
        return [Planned(self.known, name, self.text(at)) for at, name in enumerate(self.names)]


class Planned(NamedTuple):
    """A feature that the planner evaluates: where its row is written down, under which name, and its text."""

    known: dict[Name, int]
    name: Name
    text: str


class Group:
    """The features of one universe and one schedule on one panel.

    Args:
        panel: bars; its history is read, and nothing is decided there.
        universe: text of the expression, or None.
        schedule: when decisions are made, or None.
        room: bytes.

    Raises:
        RustyBTError: the universe cannot be used.
    """

    def __init__(self, panel: Panel, universe: str | None, schedule: Schedule | None, room: int) -> None:
        self.universe, self.room = universe, room
        self.whole = panel if panel.whole is None else panel.whole
        self.mask: npt.NDArray[np.bool_] | None = None
        if schedule is not None or panel.whole is not None:
            bars = np.ones(self.whole.bars, dtype=bool)
            if schedule is not None:
                bars = schedule.resolve(self.whole.ts, self.whole.sessions, self.whole.next_session, self.whole.session_close).copy()
            bars[: panel.history] = False
            self.mask = self.whole.spread(bars)
        rows = None if self.mask is None else np.flatnonzero(self.mask)
        bar = self.whole.row_bar if rows is None else self.whole.row_bar[rows]
        given = np.stack([bar - panel.history, row_columns(self.whole, rows)]).astype(np.int32)
        self.order = np.argsort(given[0], kind="stable") if len(panel.assets) > 1 else None
        self.rows = np.ascontiguousarray(given if self.order is None else given[:, self.order])
        self.height, assets = self.rows.shape[1], len(panel.assets)
        self.even = (
            0 < assets <= BLOCK and self.height % assets == 0 and bool((self.rows[1].reshape(-1, assets) == np.arange(assets)).all())
        )
        self.lock = threading.Lock()
        self.member = None if universe is None else prove(json.loads(universe), {}, None)
        self.kept = KeptFeatures(self.whole, universe, self.mask)
        self.narrowed = universe is not None or SPARSE * self.height < self.whole.frame.height
        self.walks, self.trusted = Walks(self.whole, self.mask, self.order), dict[Any, bool]()
        self.sound = self.member is None or not self.member.refused
        self.now = self._generation()

    @property
    def most(self) -> int:
        """Features that a generation may hold."""
        room = self.room if self.room <= AT_ONCE else self.room * 2 // 3
        return max(1, room // max(1, PER_ROW * int(self.height)))

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return int(self.now.used * PER_ROW * self.height)

    def _generation(self) -> Generation:
        size = min(self.most, max(TOGETHER, AT_ONCE // max(1, PER_ROW * int(self.height))))
        return blank(size, self.height)

    def need(self, texts: Sequence[str]) -> Generation:
        """A generation that holds all of these features, or what is known about those that cannot be used.

        Raises:
            ConfigError: they do not fit into the budget all at once.
        """
        with self.lock:
            wanted = list(dict.fromkeys(texts))
            lack = [text for text in wanted if text not in self.now.known]
            if self._made_room(len(lack), len(wanted)):
                lack = wanted
            self._add(self._lots(self.now.known, lack, lack))
            return self.now

    def hold(self, parts: Sequence[Texts]) -> tuple[Generation, list[Ints]]:
        """A generation that holds features, and the rows of each of these; see `UNUSABLE`.

        Raises:
            ConfigError: they do not fit into the budget all at once.
        """
        with self.lock:
            different = {id(texts): (texts, texts.names) for texts in parts}
            lack = self._lacking(different.values())
            wanted = sum(len(names) for _, names in different.values())
            if self._made_room(sum(len(rows) for _, _, rows in lack), wanted):
                lack = self._lacking(different.values())
            self._add([lot for texts, names, rows in lack for lot in self._lots_of(texts, names, rows)])
            found = dict[int, Ints]()
            for number, (texts, names) in different.items():
                known = self.now.names_of(texts)
                found[number] = np.array([known[name] for name in names])
            return self.now, [found[id(texts)] for texts in parts]

    def _lacking(self, parts: Iterable[tuple[Texts, Sequence[Name]]]) -> list[tuple[Texts, Sequence[Name], Sequence[int]]]:
        """Which of some texts are not there yet, each once."""
        asked, lack = dict[Any, set[Name]](), list[tuple[Texts, Sequence[Name], Sequence[int]]]()
        for texts, names in parts:
            known, before = self.now.names_of(texts), asked.get(texts.key, set())
            rows = [at for at, name in enumerate(names) if name not in known and name not in before]
            if rows:
                lack.append((texts, names, rows))
                asked[texts.key] = before.union(names)
        return lack

    def _made_room(self, lacking: int, wanted: int) -> bool:
        """See that there is room for features that lack; whether another generation was begun for all that are wanted.

        Raises:
            ConfigError: they do not fit into the budget all at once.
        """
        anew = bool(lacking) and self.now.used + lacking + 1 > self.most
        if anew:
            if wanted + 1 > self.most:
                size = shown((wanted + 1) * PER_ROW * self.height)
                what = f"{wanted} features of {self.height:,} rows take {size}"
                raise ConfigError(what, where="sweep, budget", do="give a larger budget")
            self.now = self._generation()
        if self.universe is not None and UNIVERSE not in self.now.known:
            self._plan([], [])
        return anew

    def _lots_of(self, texts: Texts, names: Sequence[Name], rows: Sequence[int]) -> list[Lot]:
        """Some features whose texts differ in numbers alone."""
        if len(rows) < len(names):
            texts, names = texts.some(rows), [names[at] for at in rows]
        known, alike = self.now.names_of(texts), self.walks.reader.alike(texts)
        if alike is None:
            return self._lots(known, names, [texts.text(at) for at in range(len(names))])
        return [Lot(known, names, texts.text, alike if alike.recipe.lines else None)]

    def _lots(self, known: dict[Name, int], names: Sequence[Name], texts: Sequence[str]) -> list[Lot]:
        """Features that are read one by one."""
        found = dict[int, tuple[Recipe, list[int], list[Sequence[str]]]]()
        for at, text in enumerate(texts):
            recipe, numbers = self.walks.reader.read(text)
            _, places, digits = found.setdefault(recipe.number, (recipe, [], []))
            places.append(at)
            digits.append(numbers)
        lots = list[Lot]()
        for recipe, places, digits in found.values():
            alike = Alike(recipe, np.array(digits, dtype=np.float64).reshape(len(places), -1)) if recipe.lines else None
            lots.append(Lot(known, [names[at] for at in places], [texts[at] for at in places].__getitem__, alike))
        return lots

    def _add(self, lots: Sequence[Lot], *, judging: bool = True) -> None:
        """Features that lack. Of each shape of which nothing is known the first is judged, or all are planned."""
        planned, first, later = list[Planned](), dict[Any, Lot](), list[Lot]()
        for lot in lots:
            if lot.alike is None or (lot.alike.recipe.across and self.narrowed):
                planned += lot.told()
                continue
            for own, shape in self._shapes(lot, lot.alike):
                trusted = self.trusted.get(shape)
                if trusted:
                    planned += self._walked(own)
                elif trusted is False or not judging:
                    planned += own.told()
                elif shape in first:
                    later.append(own)
                else:
                    first[shape] = own.some([0])
                    planned += first[shape].told()
                    later += [own.some(range(1, len(own.names)))] if len(own.names) > 1 else []
        self._prove(planned)
        for shape, one in first.items():
            self._judge(one, shape)
        if later:
            self._add(later, judging=False)

    def _shapes(self, lot: Lot, alike: Alike) -> list[tuple[Lot, Any]]:
        """Features of a lot by shape: what they have in common beside their numbers."""
        sizes, same = self.walks.sizes(alike)
        lot, shape = lot._replace(sizes=sizes), (alike.recipe.shape, alike.recipe.exact)
        if alike.recipe.exact:
            self.trusted[shape, 0] = True
        self.trusted[shape, ODD] = False
        if same:
            return [(lot, (shape, int(sizes[0, KEPT])))]
        return [(lot.some(np.flatnonzero(sizes[:, KEPT] == kept).tolist()), (shape, kept)) for kept in np.unique(sizes[:, KEPT]).tolist()]

    def _prove(self, planned: Sequence[Planned]) -> None:
        """Features that the planner evaluates."""
        trees = dict[int, Any]()
        for at, one in enumerate(planned):
            tree = json.loads(one.text)
            one.known[one.name] = UNUSABLE
            if not prove(tree, {}, self.member).refused and not self._found(one):
                trees[at] = tree
        good = list(trees)
        for start in range(0, len(good), TOGETHER):
            part = good[start : start + TOGETHER]
            self._plan([planned[at] for at in part], [trees[at] for at in part])

    def _walked(self, lot: Lot) -> list[Planned]:
        """Put features into the generation that are computed step by step; those for which the data do not allow it."""
        assert lot.alike is not None
        assert lot.sizes is not None
        left = list[Planned]()
        while self.now.used + len(lot.names) > len(self.now.values):
            self._grown(self.now)
        held, recipe = self.now, lot.alike.recipe
        done = self.walks.put(lot.alike, (held.values, held.valid, held.sound), held.used)
        if done is not None:
            lot, left = lot.some(np.flatnonzero(done).tolist()), lot.some(np.flatnonzero(~done).tolist()).told()
        assert lot.sizes is not None
        begin, end = held.used, held.used + len(lot.names)
        lot.known.update(zip(lot.names, range(begin, end), strict=True))
        held.kinds[begin:end], held.reach[begin:end], held.used = TYPES.index(recipe.kind), lot.sizes[:, REACH], end
        return [one for one in left if not self._windowed(one)]

    def _windowed(self, one: Planned) -> bool:
        """Whether a feature is an exact window, with nulls or of more than 64 bits; it is put into the generation."""
        window = self.walks.windows.read(json.loads(one.text))
        if window is None:
            return False
        self._put(*self.walks.windows.values(window))
        self._know(one, "real", window.size - 1)
        return True

    def _know(self, one: Planned, kind: str, reach: int | None) -> None:
        """Write down what is known about the feature that was put last."""
        row = one.known[one.name] = self.now.used - 1
        self.now.kinds[row], self.now.reach[row] = TYPES.index(kind), -1 if reach is None else reach

    def _judge(self, lot: Lot, shape: Any) -> None:
        """Compare what the planner made of the first feature of a shape with what its steps give. Nothing follows from no values."""
        assert lot.alike is not None
        assert lot.sizes is not None
        row, found = lot.known[lot.names[0]], self.walks.values(lot.alike)
        if row >= 0 and not self.now.valid[row].any():
            return
        told = TYPES.index(lot.alike.recipe.kind), int(lot.sizes[0, REACH])
        same = row >= 0 and (int(self.now.kinds[row]), int(self.now.reach[row])) == told
        self.trusted[shape] = found is not None and same and same_bits(self.now, row, found)

    def _plan(self, good: Sequence[Planned], trees: Sequence[Any]) -> None:
        """Evaluate features, or the universe alone where there are none, by the planner."""
        began = time.perf_counter()
        try:
            frame, reaches = self._evaluated(trees)
        except (RustyBTError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            for one, tree in zip(good, trees, strict=True) if len(good) > 1 else ():  # one of them; the others may be used
                self._plan([one], [tree])
            return
        seconds = (time.perf_counter() - began) / max(1, len(good))
        names = {f"f{number}": one for number, one in enumerate(good)} or {UNIVERSE: Planned(self.now.known, UNIVERSE, "")}
        kinds = {name: kind_of(frame[name]) for name in names}
        known = [name for name, kind in kinds.items() if kind]
        plain = frame.select(pl.col(known).cast(pl.Float64).fill_null(0.0))  # of all at once: a query costs more than its rows
        valid = frame.select(pl.col([name for name in known if frame[name].null_count()]).is_not_null().cast(pl.UInt8))
        for name, one in names.items():
            if not kinds[name]:
                one.known[one.name] = UNFIT
                continue
            self._put(plain[name].to_numpy(), valid[name].to_numpy() if name in valid.columns else None)
            self._know(one, kinds[name], reaches[name])
            if one.text and self.kept.worth(seconds, self.height):
                values, valid_rows = self.now.values[self.now.used - 1], self.now.valid[self.now.used - 1]
                whole = np.ones(1, dtype=np.uint8) if valid_rows.all() else valid_rows.copy()
                self.kept.keep(one.text, KeptFeature(values.copy(), whole, kinds[name], reaches[name]))

    def _evaluated(self, trees: Sequence[Any]) -> tuple[pl.DataFrame, dict[str, int | None]]:
        terms = {} if self.universe is None else {UNIVERSE: json.loads(self.universe)}
        plan = SignalPlan(lower(terms | {f"f{number}": tree for number, tree in enumerate(trees)}))
        return plan.evaluate(self.whole.frame, self.whole, rows=self.mask), plan.lookbacks

    def _found(self, one: Planned) -> bool:
        """Whether a feature was kept; it is put into the generation."""
        kept = self.kept.find(one.text)
        if kept is None or len(kept.values) != self.height:
            return False
        held = self.now if self.now.used < len(self.now.values) else self._grown(self.now)
        held.values[held.used], held.valid[held.used] = kept.values, kept.valid
        held.sound[held.used] = sound_from(held.valid[held.used])
        held.used += 1
        self._know(one, kept.kind, kept.reach)
        return True

    def _put(self, values: npt.NDArray[np.float64], known: npt.NDArray[np.uint8 | np.bool_] | None) -> None:
        held = self.now
        if held.used == len(held.values):
            held = self._grown(held)
        held.values[held.used], known = self._ordered((values, known))
        if known is None:
            held.valid[held.used], held.sound[held.used] = 1, 0
        else:
            held.valid[held.used] = known
            held.sound[held.used] = sound_from(held.valid[held.used])
        held.used += 1

    def _ordered[K: np.bool_ | np.uint8](self, found: tuple[Floats, npt.NDArray[K] | None]) -> tuple[Floats, npt.NDArray[K] | None]:
        """Values by bar, then asset."""
        values, known = found
        return found if self.order is None else (values[self.order], None if known is None else known[self.order])

    def _grown(self, held: Generation) -> Generation:
        """Twice the room. Chunks that read the smaller arrays keep them: rows never move."""
        size = min(self.most, 2 * len(held.values))
        wider = blank(size, self.height)
        wider.known, wider.alike, wider.used = held.known, held.alike, held.used
        for name in ("values", "valid", "sound", "kinds", "reach"):
            getattr(wider, name)[: held.used] = getattr(held, name)[: held.used]
        self.now = wider
        return wider


def looks_back(panel: Panel) -> bool:
    """Whether the bar before of an asset is always so many rows before: no history that is read and not decided, no bar that one lacks."""
    assets = len(panel.assets)
    return panel.whole is None and panel.history == 0 and 0 < assets <= BLOCK and panel.frame.height == panel.bars * assets


def blank(size: int, height: int) -> Generation:
    """Room for features of so many rows."""
    known = np.zeros(size, dtype=np.int64), np.zeros(size + 2, dtype=np.uint8), np.zeros(size + 2, dtype=np.int64)
    return Generation(np.empty((size, height)), np.empty((size, height), dtype=np.uint8), *known)


def same_bits(held: Generation, row: int, found: Found) -> bool:
    """Whether a feature is what was computed in another way, to the last bit."""
    values, known = found
    valid = np.ones(len(values), dtype=bool) if known is None else known
    mine = np.where(held.valid[row] != 0, held.values[row], 0.0).view(np.int64)
    return bool((held.valid[row] == valid).all() and (mine == np.where(valid, values, 0.0).view(np.int64)).all())


def sound_from(valid: npt.NDArray[np.uint8]) -> int:
    """The row from which on no value is null.

    Example:
        >>> sound_from(np.array([0, 1, 0, 1, 1], dtype=np.uint8)), sound_from(np.array([1, 0], dtype=np.uint8))
        (3, 2)
    """
    return len(valid) if not valid[-1] else len(valid) - int(np.argmin(valid[::-1])) if not valid.all() else 0


def kind_of(column: pl.Series) -> str:
    """The type of a feature for a program; empty where it has none."""
    if column.dtype == pl.Float64:
        return "real"
    if column.dtype == pl.Boolean:
        return "truth"
    if column.dtype == pl.Null:
        return "null"
    if column.dtype in WHOLE:
        ends = [int(end) for end in (column.min(), column.max()) if end is not None]  # type: ignore[arg-type]
        return "whole" if all(abs(end) < LARGEST for end in ends) else ""
    return ""
