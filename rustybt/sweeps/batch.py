"""Variants evaluated together: features once, tops by the machine, every plan through the kernel, curves reduced to rows.

A variant that has no sketch, or with which anything is out of the ordinary, is left to `rustybt.sweeps.measure`, one by one: it gives the
same numbers, and it words the errors.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rustybt.analysis.metrics.periods import periods_per_year
from rustybt.engine import RunConfig
from rustybt.engine.bulk import Rules, rules_of
from rustybt.errors import ConfigError, RustyBTError
from rustybt.kernel.many import BALANCED, FILLS, HIGHEST, REACHED, Many
from rustybt.model import Panel, TargetKind
from rustybt.model.decimals import WEIGHT
from rustybt.model.panel import Ints
from rustybt.spec import Schedule
from rustybt.spec.planner import deepest
from rustybt.sweeps.features import UNFIT, UNIVERSE, UNUSABLE, Generation, Group
from rustybt.sweeps.forms import Filled
from rustybt.sweeps.machine import BLOCK, offers_of
from rustybt.sweeps.moments import reduce_curves, scratch_of, session_ends
from rustybt.sweeps.program import Program, program_of
from rustybt.sweeps.sketch import Sketch
from rustybt.sweeps.template import WHOLE, Node

BATCH, CURVES = 64, 2**25
"""Curves that are written before they are reduced, and their bytes at most."""
OFFERS = 2**16
"""Offers that are written before they are run, unless one variant may have more."""
RULES = 16
"""Sets of rules that a thread keeps a desk for."""


@dataclass
class Found:
    """Evaluated variants of a chunk.

    Attributes:
        at: their numbers in the chunk.
        reduced: (variants, 8) as `reduce_curves` gives it.
        final: equity after the last bar, money units. orders, fills: counts.
        curves: (variants, bars) equity, where it is kept.
    """

    at: list[int] = field(default_factory=list)
    reduced: list[Any] = field(default_factory=list)
    final: list[Any] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    fills: list[Any] = field(default_factory=list)
    curves: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """Variants that are ready to be run.

    Attributes:
        group, held: rows that decide, and the features on them.
        desk: their rules.
        program: of their tops.
        sample: any of them: kind of the target, schedule.
        at: (variants,) their numbers in the chunk.
        ids: (variants, features + 1) places of the features, the first bar that decides last.
        constants: (variants, constants) Float64.
    """

    group: Group
    held: Generation
    desk: Many
    program: Program
    sample: Sketch
    at: Ints
    ids: Ints
    constants: npt.NDArray[np.float64]


class Bench(threading.local):
    """What a thread works with: desks by rules, and room to compute in."""

    def __init__(self) -> None:
        self.desks: OrderedDict[Hashable, Many] = OrderedDict()


class Batches:
    """All that the variants on one panel share.

    Args:
        panel: bars.
        config: settings of the runs.
        room: bytes for features.
    """

    def __init__(self, panel: Panel, config: RunConfig, room: int) -> None:
        self.panel, self.config, self.room = panel, config, room
        self.groups: OrderedDict[tuple[str | None, Schedule | None], Group | None] = OrderedDict()
        self.rules: OrderedDict[Hashable, Rules] = OrderedDict()
        self.programs: dict[Hashable, Program | None] = {}
        self.lock, self.bench = threading.Lock(), Bench()
        self.can = not (config.flows or config.dated or config.rates) and config.benchmark is None and bool(panel.assets)
        self.last = session_ends(panel.sessions) if panel.bars else np.zeros(0, dtype=np.int64)
        days = panel.sessions[self.last]
        self.periods = periods_per_year(np.concatenate((days[:1], days))) if self.can and panel.bars else 0.0
        self.units = {
            TargetKind.WEIGHT: np.full(len(panel.assets), float(WEIGHT)),
            TargetKind.NOTIONAL: np.full(len(panel.assets), float(10**config.money_scale)),
            TargetKind.QUANTITY: np.array([float(str(1 / asset.lot_size)) for asset in panel.assets]),
        }

    def group(self, sketch: Sketch) -> Group | None:
        """Features of the universe and the schedule of a variant; None where they cannot be used."""
        with self.lock:
            if sketch.group not in self.groups:
                while len(self.groups) > RULES or sum(group.size for group in self.groups.values() if group is not None) > self.room // 2:
                    self.groups.popitem(last=False)
                try:
                    made = Group(self.panel, *sketch.group, self.room // 2)
                except RustyBTError:
                    made = None
                self.groups[sketch.group] = made if made is not None and made.sound else None
            self.groups.move_to_end(sketch.group)
            return self.groups[sketch.group]

    def desk(self, sketch: Sketch) -> Many | None:
        """A desk for the rules of a variant, of this thread; None where the rules do not go this way."""
        key, desks = sketch.rules, self.bench.desks
        if key not in desks:
            with self.lock:
                if key not in self.rules:
                    self.rules[key] = rules_of({"": sketch.strategy}, self.panel, self.config)
                    while len(self.rules) > RULES:
                        self.rules.popitem(last=False)
                rules = self.rules[key]
            desks[key] = Many(rules.tables, rules.market, self.panel.events, rules.tape)
            while len(desks) > RULES:
                desks.popitem(last=False)
        return desks[key] if desks[key].can else None

    def evaluate(self, sketches: Sequence[Sketch], found: Found, *, curves: bool) -> None:
        """Evaluate what can be evaluated together."""
        parts = dict[Hashable, list[Sketch]]()
        for sketch in sketches:
            parts.setdefault((sketch.template.key, sketch.group, sketch.rules), []).append(sketch)
        for part in parts.values():
            self._part(part, found, curves)

    def _part(self, part: Sequence[Sketch], found: Found, curves: bool) -> None:
        """Variants of one shape, one universe and schedule, one set of rules."""
        try:
            group, desk = self.group(part[0]), self.desk(part[0])
        except (RustyBTError, TypeError):
            return
        if group is None or desk is None or not group.height:
            return
        for whole in (False, True):
            texts = [(sketch.text,) if whole else sketch.template.parts(sketch.text) for sketch in part]
            try:
                held = group.need([*(text for own in texts for text in own), *(text for sketch in part for text in sketch.beside)])
            except ConfigError:
                if len(part) == 1:
                    raise
                for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                    self._part(half, found, curves)
                return
            top = WHOLE if whole else part[0].template.top
            ready, program = self._ready(held, part, texts, top, above=[] if group.universe is None else [UNIVERSE])
            if program is not None and ready:
                at, ids = np.array([sketch.at for sketch, _, _ in ready]), np.array([own for _, own, _ in ready], dtype=np.int64)
                constants = np.array([numbers for _, _, numbers in ready], dtype=np.float64).reshape(len(ready), -1)
                self._run(Job(group, held, desk, program, ready[0][0], at, ids, constants), found, curves)
            if program is not None or not ready:
                return

    def fill(self, filled: Filled, found: Found, *, curves: bool) -> Ints:
        """Evaluate variants of a form; the numbers of those that have to be looked at one by one."""
        sample = filled.form.sketch
        assert sample is not None
        try:
            group, desk = self.group(sample), self.desk(sample)
            if group is None or desk is None or not group.height:
                return filled.at
            held = group.need([text for texts, _ in filled.texts for text in texts])
        except ConfigError:
            if len(filled.at) == 1:
                raise
            half = len(filled.at) // 2
            return np.concatenate([self.fill(filled.part(part), found, curves=curves) for part in (slice(half), slice(half, None))])
        except (RustyBTError, TypeError):
            return filled.at
        ids, kinds, good = self._placed(filled, held, sample)
        features = (*kinds, *([held.known[UNIVERSE].kind] if group.universe is not None else []))
        key = filled.form.key, features
        if key not in self.programs:
            assert filled.form.top is not None
            self.programs[key] = program_of(filled.form.top, features, filled.constants.shape[1], group.universe is not None)
        program = self.programs[key]
        if program is None or not good.any():
            return filled.at
        if group.universe is not None:
            ids = np.insert(ids, -1, held.known[UNIVERSE].row, axis=1)
        rows = slice(None) if good.all() else good
        job = Job(group, held, desk, program, sample, filled.at[rows], np.ascontiguousarray(ids[rows]), filled.constants[rows].copy())
        self._run(job, found, curves)
        return filled.at[~good]

    def _placed(self, filled: Filled, held: Generation, sample: Sketch) -> tuple[Ints, tuple[str, ...], npt.NDArray[np.bool_]]:
        """What the features of variants are.

        Returns:
            (variants, features + 1) places of those of the top, and the first bar that decides; their types as the first variant has them;
            which variants have features of these types.
        """
        wide, count = filled.form.wide, len(filled.at)
        ids, kinds, good = np.empty((count, wide + 1), dtype=np.int64), list[str](), np.ones(count, dtype=bool)
        endless, reach = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
        for place, (texts, which) in enumerate(filled.texts):
            features = [held.known[text] for text in texts]
            first = features[int(which[0])].kind
            fits = np.array([one is not UNUSABLE and (place >= wide or (one is not UNFIT and one.kind == first)) for one in features])
            good &= fits[which]
            reaches = np.array([-1 if one.reach is None else one.reach for one in features], dtype=np.int64)[which]
            endless |= reaches < 0
            reach = np.maximum(reach, reaches)
            if place < wide:
                ids[:, place] = np.array([one.row for one in features], dtype=np.int64)[which]
                kinds.append(first)
        universe = held.known.get(UNIVERSE)
        if universe is not None and sample.group[0] is not None:
            endless |= universe.reach is None
            reach = np.maximum(reach, universe.reach or 0)
        warm = sample.strategy.warmup
        ids[:, wide] = (np.where(endless, 0, reach) if warm is None else warm) - self.panel.history
        return ids, tuple(kinds), good

    def _ready(
        self, held: Generation, part: Sequence[Sketch], texts: Sequence[Sequence[str]], top: Node, above: Sequence[str]
    ) -> tuple[list[tuple[Sketch, list[int], list[float]]], Program | None]:
        """Variants that can be run, with the places of their features and their constants; and the program, None where there is none."""
        known, ready, program, history = held.known, [], None, self.panel.history
        kinds: tuple[str, ...] | None = None
        for sketch, own in zip(part, texts, strict=True):
            features = [known[text] for text in (*own, *above)]
            beside = [known[text] for text in sketch.beside]
            these = tuple(feature.kind for feature in features)
            if UNUSABLE in features or UNUSABLE in beside or (kinds is not None and these != kinds):
                continue
            numbers = [] if top is WHOLE else sketch.template.numbers(sketch.text)
            if kinds is None:
                kinds, key = these, ("" if top is WHOLE else sketch.template.key, these)
                if key not in self.programs:
                    self.programs[key] = None if UNFIT in features else program_of(top, kinds, len(numbers), bool(above))
                program = self.programs[key]
            warm = sketch.strategy.warmup
            if warm is None:
                warm = deepest(feature.reach for feature in (*features, *beside)) or 0
            ready.append((sketch, [*(feature.row for feature in features), warm - history], numbers))
        return ready, program

    def _run(self, job: Job, found: Found, curves: bool) -> None:
        """Offers, runs and numbers, in batches."""
        group, held, program, ids, constants = job.group, job.held, job.program, job.ids, job.constants
        assert job.sample.strategy.target is not None
        kind = job.sample.strategy.target.kind
        with np.errstate(divide="ignore"):
            constants[:, program.inverted] = 1.0 / constants[:, program.inverted]
        valid = np.ones(constants.shape[1], dtype=np.int64)
        valid[program.nulls] = 0
        gross = self.config.most_gross * (WEIGHT // 10**8)
        how = np.array([job.sample.group[1] is not None, int(KINDS[kind]), gross, constants.shape[1], program.result], dtype=np.int64)
        height = group.height
        places, assets = program.places, len(self.panel.assets)
        scratch = (
            np.empty((places, BLOCK)), np.empty((places, BLOCK), dtype=np.uint8), np.zeros(places, dtype=np.uint8), np.empty(assets),
            np.empty(assets, dtype=np.int64), np.zeros(6, dtype=np.int64),
        )  # fmt: skip
        plan = np.empty((3, max(height, OFFERS)), dtype=np.int64)
        at, batch = 0, curves_at_once(self.panel)
        while at < len(ids):
            marks = np.zeros((min(batch, len(ids) - at), 2), dtype=np.int64)
            given = (constants[at : at + batch], valid, ids[at : at + batch])
            done = offers_of(program.code, how, given, (held.values, held.valid), group.rows, self.units[kind], plan, marks, scratch)
            equity, ran = job.desk.run(plan, marks[:done])
            self._keep(equity, ran, job.at[at : at + done].tolist(), found, curves)
            at += done

    def _keep(self, equity: Ints, ran: Ints, numbers: Sequence[int], found: Found, curves: bool) -> None:
        """Reduce the curves of runs that went well."""
        bars = self.panel.bars
        good = np.flatnonzero((ran[:, REACHED] == bars) & (ran[:, BALANCED] == 1))
        if len(good) < len(ran):
            equity, ran = np.ascontiguousarray(equity[good]), ran[good]
        if not len(good):
            return
        reduced = np.empty((len(good), 8))
        cash = float(self.config.cash.scaleb(self.config.money_scale))
        reduce_curves(equity, self.last, 10.0**self.config.money_scale, cash, reduced, scratch_of(len(self.last)))
        found.at += [numbers[place] for place in good.tolist()]
        found.reduced.append(reduced)
        found.final.append(equity[:, -1].copy())
        found.orders.append(ran[:, HIGHEST])
        found.fills.append(ran[:, FILLS])
        if curves:
            found.curves.append(equity)


def curves_at_once(panel: Panel) -> int:
    """Curves that are written before they are reduced."""
    return max(1, min(BATCH, CURVES // (8 * max(1, panel.bars))))


def working_bytes(panel: Panel) -> int:
    """What a worker needs beside features: curves, offers, a desk with its log."""
    offers = 3 * 8 * max(panel.frame.height, OFFERS)
    return 8 * panel.bars * (curves_at_once(panel) + 8) + offers + 2**20


KINDS = {TargetKind.WEIGHT: 0, TargetKind.NOTIONAL: 1, TargetKind.QUANTITY: 2}
"""Kinds of targets as the machine knows them."""
