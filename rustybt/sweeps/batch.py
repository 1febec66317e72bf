"""Variants evaluated together: features once, tops by the machine, every plan through the kernel, curves reduced to rows.

A variant that has no sketch, or with which anything is out of the ordinary, is left to `rustybt.sweeps.measure`, one by one: it gives the
same numbers, and it words the errors.
"""

from __future__ import annotations

import json
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
from rustybt.spec.symbols import wanted_assets
from rustybt.sweeps.features import TYPES, UNIVERSE, UNUSABLE, Generation, Group, looks_back
from rustybt.sweeps.forms import Filled
from rustybt.sweeps.machine import room_of
from rustybt.sweeps.moments import scratch_of
from rustybt.sweeps.onepass import FINAL, evaluate_each
from rustybt.sweeps.program import Program, leaves_of, program_of
from rustybt.sweeps.sketch import Sketch
from rustybt.sweeps.steady import arranged
from rustybt.sweeps.template import WHOLE, Node, back_of

BATCH, CURVES = 64, 2**25
"""Curves that are kept, of which so many are written at a time, and their bytes at most."""
RULES, DESKS = 64, 2**23
"""Sets of rules that a thread keeps a desk for, and the bytes of such desks from which on there are fewer, but two."""
GROUPS = 16
"""Universes and schedules whose features are kept."""


@dataclass
class Found:
    """Evaluated variants of a chunk.

    Attributes:
        at: their numbers in the chunk.
        reduced: (variants, 8) as `reduce_one` gives it.
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
        key, top, kinds: of their tops, and of the features that it reads.
        sample: any of them: kind of the target, schedule.
        at: (variants,) their numbers in the chunk.
        ids: (variants, features + 1) places of the features, the first bar that decides last.
        constants: (variants, constants) Float64.
        exits: (variants, 5) Int64; see `rustybt.kernel.many.EXITS`.
    """

    group: Group
    held: Generation
    desk: Many
    key: str
    top: Node
    kinds: tuple[str, ...]
    sample: Sketch
    at: Ints
    ids: Ints
    constants: npt.NDArray[np.float64]
    exits: Ints


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
        self.moves, self.desks = looks_back(panel), desks_at_once(panel)
        self.can = not (config.flows or config.dated or config.rates) and config.benchmark is None and bool(panel.assets)
        self.last, self.symbols = panel.session_ends, frozenset(panel.symbols)
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
                while len(self.groups) > GROUPS or sum(group.size for group in self.groups.values() if group is not None) > self.room // 2:
                    self.groups.popitem(last=False)
                try:
                    made = Group(self.panel, *sketch.group, self.room // 2)
                except RustyBTError:
                    made = None
                self.groups[sketch.group] = made if made is not None and made.sound else None
            self.groups.move_to_end(sketch.group)
            return self.groups[sketch.group]

    def desk(self, sketch: Sketch) -> Many | None:
        """A desk for the rules of a variant, of this thread; None where the rules do not go this way. Each run brings its exits."""
        key, desks = sketch.rules, self.bench.desks
        if key not in desks:
            with self.lock:
                if key not in self.rules:
                    self.rules[key] = rules_of({"": sketch.strategy}, self.panel, self.config)
                    while len(self.rules) > RULES:
                        self.rules.popitem(last=False)
                rules = self.rules[key]
            desks[key] = Many(rules.tables, rules.market, self.panel.events, rules.tape)
            while len(desks) > self.desks:
                desks.popitem(last=False)
        return desks[key] if desks[key].can else None

    def evaluate(self, sketches: Sequence[Sketch], found: Found, *, curves: bool) -> None:
        """Evaluate what can be evaluated together."""
        parts = dict[Hashable, list[Sketch]]()
        for sketch in sketches:
            if lacks(sketch, self.symbols):
                continue
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
            above = [] if group.universe is None else [UNIVERSE]
            ready, kinds = self._ready(held, part, texts, top, above)
            if not ready:
                return
            at, ids = np.array([sketch.at for sketch, _, _ in ready]), np.array([own for _, own, _ in ready], dtype=np.int64)
            constants = np.array([numbers for _, _, numbers in ready], dtype=np.float64).reshape(len(ready), -1)
            exits = np.array([sketch.exits for sketch, _, _ in ready], dtype=np.int64)
            key = "" if whole else part[0].template.key
            job = Job(group, held, desk, key, top, kinds, ready[0][0], at, ids, constants, exits)
            if "" not in kinds and self._run(job, found, curves):
                return

    def fill(self, filled: Filled, found: Found, *, curves: bool) -> Ints:
        """Evaluate variants of a form; the numbers of those that have to be looked at one by one."""
        sample = filled.form.sketch
        assert sample is not None
        try:
            group, desk = self.group(sample), self.desk(sample)
            if group is None or desk is None or not group.height or lacks(sample, self.symbols):
                return filled.at
            held, rows = group.hold([texts for texts, _ in filled.texts])
        except ConfigError:
            if len(filled.at) == 1:
                raise
            half = len(filled.at) // 2
            return np.concatenate([self.fill(filled.part(part), found, curves=curves) for part in (slice(half), slice(half, None))])
        except (RustyBTError, TypeError):
            return filled.at
        ids, kinds, good = self._placed(filled, held, rows, sample)
        if not good.any():
            return filled.at
        if group.universe is not None:
            universe = held.feature(UNIVERSE)
            ids, kinds = np.insert(ids, -1, universe.row, axis=1), (*kinds, universe.kind)
        some = slice(None) if good.all() else good
        at, ids, constants = filled.at[some], np.ascontiguousarray(ids[some]), filled.constants[some].copy()
        assert filled.form.top is not None
        job = Job(group, held, desk, filled.form.key, filled.form.top, kinds, sample, at, ids, constants, filled.exits[some])
        return filled.at[~good] if self._run(job, found, curves) else filled.at

    def _placed(
        self, filled: Filled, held: Generation, rows: Sequence[Ints], sample: Sketch
    ) -> tuple[Ints, tuple[str, ...], npt.NDArray[np.bool_]]:
        """What the features of variants are.

        Args:
            filled: the variants.
            held: their features.
            rows: of each of them; see `Group.hold`.
            sample: any of them.

        Returns:
            (variants, features + 1) places of those of the top, and the first bar that decides; their types as the first variant has them;
            which variants have features of these types.
        """
        wide, count = filled.form.wide, len(filled.at)
        ids, kinds, good = np.empty((count, wide + 1), dtype=np.int64), list[str](), np.ones(count, dtype=bool)
        assert filled.form.top is not None
        back, reach = back_of(filled.form.top), np.zeros(count, dtype=np.int64)
        endless = np.full(count, back.endless)
        for number in back.constants:
            good &= filled.constants[:, number] >= 0
        for place, (own, (_, which)) in enumerate(zip(rows, filled.texts, strict=True)):
            codes, reaches = held.kinds[own], held.reach[own]
            first = codes[which[0]]
            fits = (own >= 0) & (codes == first) if place < wide else own != UNUSABLE
            if not fits.all():
                good &= fits[which]
            reaches = reaches[which]
            endless |= reaches < 0
            reach = np.maximum(reach, reaches)
            for feature, bars in back.features:
                if feature == place:
                    reach = np.maximum(reach, reaches + filled.constants[:, list(bars)].sum(axis=1).astype(np.int64))
            if place < wide:
                ids[:, place] = own[which]
                kinds.append(TYPES[first])
        if UNIVERSE in held.known and sample.group[0] is not None:
            universe = held.feature(UNIVERSE)
            endless |= universe.reach is None
            reach = np.maximum(reach, universe.reach or 0)
        warm = sample.strategy.warmup
        ids[:, wide] = (np.where(endless, 0, reach) if warm is None else warm) - self.panel.history
        return ids, tuple(kinds), good

    def _ready(
        self, held: Generation, part: Sequence[Sketch], texts: Sequence[Sequence[str]], top: Node, above: Sequence[str]
    ) -> tuple[list[tuple[Sketch, list[int], list[float]]], tuple[str, ...]]:
        """Variants that can be run, with the places of their features and their constants; and the types of the features."""
        ready, history, back = list[tuple[Sketch, list[int], list[float]]](), self.panel.history, back_of(top)
        kinds: tuple[str, ...] | None = None
        for sketch, own in zip(part, texts, strict=True):
            features = [held.feature(text) for text in (*own, *above)]
            beside = [held.feature(text) for text in sketch.beside]
            these = tuple(feature.kind for feature in features)
            if any(one.row == UNUSABLE for one in (*features, *beside)) or (kinds is not None and these != kinds):
                continue
            numbers = [] if top is WHOLE else sketch.template.numbers(sketch.text)
            if any(numbers[at] < 0 for at in back.constants):
                continue
            kinds = these
            warm = sketch.strategy.warmup
            if warm is None:
                reaches = [feature.reach for feature in (*features, *beside)] + [None] * back.endless
                for feature, bars in back.features:
                    reach = features[feature].reach
                    reaches.append(None if reach is None else reach + int(sum(numbers[at] for at in bars)))
                warm = deepest(reaches) or 0
            ready.append((sketch, [*(feature.row for feature in features), warm - history], numbers))
        return ready, kinds or ()

    def _run(self, job: Job, found: Found, curves: bool) -> bool:
        """Evaluate variants, those whose curves are kept some at a time; False where there is no program for them."""
        group, constants = job.group, job.constants
        leaves = leaves_of(job.kinds, job.ids[:, :-1], constants, mask=group.universe is not None)
        if (job.key, leaves) not in self.programs:
            self.programs[job.key, leaves] = program_of(job.top, leaves)
        program = self.programs[job.key, leaves]
        if program is None:
            return False
        assert job.sample.strategy.target is not None
        kind = job.sample.strategy.target.kind
        with np.errstate(divide="ignore"):
            constants[:, program.inverted] = 1.0 / constants[:, program.inverted]
        valid = np.ones(constants.shape[1], dtype=np.int64)
        valid[program.nulls] = 0
        gross, scale = self.config.most_gross * (WEIGHT // 10**8), 10.0**self.config.money_scale
        scheduled = job.sample.group[1] is not None
        order = arranged(program, job.ids[:, :-1], constants, group.height)
        assets = len(self.panel.assets)
        how = np.array(
            [scheduled, int(KINDS[kind]), gross, constants.shape[1], program.result, group.even, assets, order.back], dtype=np.int64
        )
        room = room_of(program.places, assets, len(program.code), (order.kept, group.height))
        offers = np.empty((3, group.height), dtype=np.int64), room
        store, bars = (job.held.values, job.held.valid, job.held.sound), (group.rows, self.units[kind])
        scales = np.array([scale, 1.0 / scale, float(self.config.cash.scaleb(self.config.money_scale))])
        batch = curves_at_once(self.panel) if curves else len(job.ids)
        for at in range(0, len(job.ids), batch):
            ids = job.ids[at : at + batch]
            given = constants[at : at + batch], valid, ids, order.again[at : at + batch], job.exits[at : at + batch]
            ran = np.zeros((len(ids), FINAL + 1), dtype=np.int64)
            equity, reduced = np.empty((len(ids) if curves else 1, self.panel.bars), dtype=np.int64), np.empty((len(ids), 8))
            measured = self.last, scales, scratch_of(len(self.last)), ran, reduced
            done = 0
            while True:
                desk = job.desk.given(offers[0])
                done = evaluate_each((order.code, how), given, store, bars, offers, desk, (equity, job.desk.cash), measured, done)
                if done == len(ids):
                    break
                job.desk.lengthen()
            self._keep(equity if curves else None, ran, reduced, job.at[at : at + batch], found)
        return True

    def _keep(self, equity: Ints | None, ran: Ints, reduced: npt.NDArray[np.float64], numbers: Ints, found: Found) -> None:
        """Keep what was found of the runs that went well."""
        good = np.flatnonzero((ran[:, REACHED] == self.panel.bars) & (ran[:, BALANCED] == 1))
        if not len(good):
            return
        found.at += numbers[good].tolist()
        found.reduced.append(reduced[good])
        found.final.append(ran[good, FINAL])
        found.orders.append(ran[good, HIGHEST])
        found.fills.append(ran[good, FILLS])
        if equity is not None:
            found.curves.append(equity[good])


def lacks(sketch: Sketch, symbols: frozenset[str]) -> bool:
    """Whether a term is for some assets, and for none of these: a run refuses that."""
    texts = (text for text in (sketch.text, sketch.group[0], *sketch.beside) if text and '{"Column":"asset"}' in text)
    wanted = [wanted_assets(json.loads(text)) for text in texts]
    return any(names and symbols.isdisjoint(names) for names in wanted)


def curves_at_once(panel: Panel) -> int:
    """Curves, where they are kept, that are written at a time."""
    return max(1, min(BATCH, CURVES // (8 * max(1, panel.bars))))


def desks_at_once(panel: Panel) -> int:
    """Desks that a thread keeps: variants of a chunk may differ in which exits they have, in the kind of their target, in a schedule."""
    return max(2, min(RULES, DESKS // (16 * panel.bars + 2**18)))


def working_bytes(panel: Panel) -> int:
    """What a worker needs beside features: curves, offers, a desk with its log."""
    offers = 3 * 8 * int(panel.frame.height)
    return 8 * panel.bars * (curves_at_once(panel) + 8) + offers + 2**20


KINDS = {TargetKind.WEIGHT: 0, TargetKind.NOTIONAL: 1, TargetKind.QUANTITY: 2}
"""Kinds of targets as the machine knows them."""
