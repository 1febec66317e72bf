"""Features: what tops read, each distinct one evaluated once on a panel and shared by all variants.

They are evaluated by the planner of an ordinary run, so that their bits are those of an ordinary run. A generation of features is kept
until its bytes are used up; then another begins, and the first goes when the chunks that read it are done.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.prepared import KeptFeature, KeptFeatures
from rustybt.engine.offers import row_columns
from rustybt.errors import ConfigError, RustyBTError
from rustybt.model import Panel
from rustybt.model.sizes import shown
from rustybt.spec import Schedule
from rustybt.spec.lower import lower
from rustybt.spec.planner import SignalPlan
from rustybt.spec.proof import prove
from rustybt.sweeps.blocks import BLOCK
from rustybt.sweeps.naming import Text, text_of
from rustybt.sweeps.reading import Walk
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
        row: where it stands in the store.
        kind: its type; see `rustybt.sweeps.program`. Empty where it cannot be used.
        reach: bars before a row that decide it; None = unbounded.
    """

    row: int
    kind: str
    reach: int | None


UNUSABLE, UNFIT = Feature(-1, "", 0), Feature(-2, "", 0)
"""What cannot be evaluated or proven; what is no number and no truth value."""
UNIVERSE = "universe"
"""By what the universe is known among the features; no expression is written so."""


@dataclass
class Generation:
    """Features that are kept together.

    Attributes:
        values: (features, rows) Float64, rows sorted by bar, then asset. valid: the same, UInt8, 0 where null.
        sound: (features,) Int64: the row from which on no value is null.
        known: what is in it, by text.
    """

    values: npt.NDArray[np.float64]
    valid: npt.NDArray[np.uint8]
    sound: npt.NDArray[np.int64]
    known: dict[Text, Feature] = field(default_factory=dict)
    used: int = 0


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

    def need(self, texts: Sequence[Text]) -> Generation:
        """A generation that holds all of these features, or what is known about those that cannot be used.

        Raises:
            ConfigError: they do not fit into the budget all at once.
        """
        with self.lock:
            wanted = [text for text in dict.fromkeys(texts) if text not in self.now.known]
            if self.now.used + len(wanted) + 1 > self.most and wanted:
                wanted = list(dict.fromkeys(texts))
                if len(wanted) + 1 > self.most:
                    size = shown((len(wanted) + 1) * PER_ROW * self.height)
                    what = f"{len(wanted)} features of {self.height:,} rows take {size}"
                    raise ConfigError(what, where="sweep, budget", do="give a larger budget")
                self.now = self._generation()
            if self.universe is not None and UNIVERSE not in self.now.known:
                self._plan([], {}, named=False)
            self._add({text: self.walks.read(text) for text in wanted})
            return self.now

    def _add(self, read: Mapping[Text, Walk | None]) -> None:
        """Features, each with how it is computed step by step, or None."""
        planned, ready = list[Text](), dict[Text, Walk]()
        first, later = dict[Any, Text](), dict[Text, Walk | None]()
        for text, walk in read.items():
            if walk is None or (walk.across and self.narrowed):
                planned.append(text)
            elif walk.exact or self.trusted.get(walk.shape):
                ready[text] = walk
            elif walk.shape in self.trusted or first.setdefault(walk.shape, text) == text:
                planned.append(text)
            else:
                later[text] = walk
        trees = dict[Text, Any]()
        for text in (*planned, *self._walked(ready)):
            tree = json.loads(text_of(text))
            self.now.known[text] = UNUSABLE
            if not prove(tree, {}, self.member).refused and not self._found(text):
                trees[text] = tree
        good = list(trees)
        for start in range(0, len(good), TOGETHER):
            self._plan(good[start : start + TOGETHER], trees, named=True)
        for text in first.values():
            walk = read[text]
            assert walk is not None
            self._judge(text, walk)
        if later:  # those of a shape that nothing is known of yet are planned too
            self._add({text: walk if walk is not None and walk.shape in self.trusted else None for text, walk in later.items()})

    def _walked(self, walks: Mapping[Text, Walk]) -> list[Text]:
        """Put features into the generation that are computed step by step; those for which the data do not allow it."""
        if not walks:
            return []
        while self.now.used + len(walks) > len(self.now.values):
            self._grown(self.now)
        held, left = self.now, list[Text]()
        done = self.walks.put(list(walks.values()), (held.values, held.valid, held.sound), held.used)
        for (text, walk), good in zip(walks.items(), done, strict=True):
            if good:
                held.known[text] = Feature(held.used, walk.kind, walk.reach)
                held.used += 1
            else:
                left.append(text)
        return [text for text in left if not self._windowed(text)]

    def _windowed(self, text: Text) -> bool:
        """Whether a feature is an exact window, with nulls or of more than 64 bits; it is put into the generation."""
        window = self.walks.windows.read(json.loads(text_of(text)))
        if window is None:
            return False
        self._put(*self.walks.windows.values(window))
        self.now.known[text] = Feature(self.now.used - 1, "real", window.size - 1)
        return True

    def _judge(self, text: Text, walk: Walk) -> None:
        """Compare what the planner made of the first feature of a shape with what its steps give. Nothing follows from no values."""
        made, found = self.now.known[text], self.walks.values(walk)
        if made.row >= 0 and not self.now.valid[made.row].any():
            return
        self.trusted[walk.shape] = (
            found is not None and (made.kind, made.reach) == (walk.kind, walk.reach) and same_bits(self.now, made.row, found)
        )

    def _plan(self, good: Sequence[Text], trees: Mapping[Text, Any], *, named: bool) -> None:
        """Evaluate features, or the universe alone, by the planner."""
        began = time.perf_counter()
        try:
            frame, reaches = self._evaluated([trees[text] for text in good])
        except (RustyBTError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            for text in good if len(good) > 1 else ():  # one of them; the others may be used
                self._plan([text], trees, named=named)
            return
        seconds = (time.perf_counter() - began) / max(1, len(good))
        names = {f"f{number}": text for number, text in enumerate(good)} if named else {UNIVERSE: UNIVERSE}
        kinds = {name: kind_of(frame[name]) for name in names}
        known = [name for name, kind in kinds.items() if kind]
        plain = frame.select(pl.col(known).cast(pl.Float64).fill_null(0.0))  # of all at once: a query costs more than its rows
        valid = frame.select(pl.col([name for name in known if frame[name].null_count()]).is_not_null().cast(pl.UInt8))
        for name, text in names.items():
            if not kinds[name]:
                self.now.known[text] = UNFIT
                continue
            self._put(plain[name].to_numpy(), valid[name].to_numpy() if name in valid.columns else None)
            self.now.known[text] = Feature(self.now.used - 1, kinds[name], reaches[name])
            if text in good and self.kept.worth(seconds, self.height):
                values, valid_rows = self.now.values[self.now.used - 1], self.now.valid[self.now.used - 1]
                whole = np.ones(1, dtype=np.uint8) if valid_rows.all() else valid_rows.copy()
                self.kept.keep(text_of(text), KeptFeature(values.copy(), whole, kinds[name], reaches[name]))

    def _evaluated(self, trees: Sequence[Any]) -> tuple[pl.DataFrame, dict[str, int | None]]:
        terms = {} if self.universe is None else {UNIVERSE: json.loads(self.universe)}
        plan = SignalPlan(lower(terms | {f"f{number}": tree for number, tree in enumerate(trees)}))
        return plan.evaluate(self.whole.frame, self.whole, rows=self.mask), plan.lookbacks

    def _found(self, text: Text) -> bool:
        """Whether a feature was kept; it is put into the generation."""
        kept = self.kept.find(text_of(text))
        if kept is None or len(kept.values) != self.height:
            return False
        held = self.now if self.now.used < len(self.now.values) else self._grown(self.now)
        held.values[held.used], held.valid[held.used] = kept.values, kept.valid
        held.sound[held.used] = sound_from(held.valid[held.used])
        held.known[text] = Feature(held.used, kept.kind, kept.reach)
        held.used += 1
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
        wider.known, wider.used = held.known, held.used
        for mine, theirs in ((wider.values, held.values), (wider.valid, held.valid), (wider.sound, held.sound)):
            mine[: held.used] = theirs[: held.used]
        self.now = wider
        return wider


def looks_back(panel: Panel) -> bool:
    """Whether the bar before of an asset is always so many rows before: no history that is read and not decided, no bar that one lacks."""
    assets = len(panel.assets)
    return panel.whole is None and panel.history == 0 and 0 < assets <= BLOCK and panel.frame.height == panel.bars * assets


def blank(size: int, height: int) -> Generation:
    """Room for features of so many rows."""
    return Generation(np.empty((size, height)), np.empty((size, height), dtype=np.uint8), np.zeros(size, dtype=np.int64))


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
