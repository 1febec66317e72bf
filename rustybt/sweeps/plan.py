"""What a sweep would do, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.model.sizes import shown
from rustybt.spec import Schedule
from rustybt.sweeps.batch import working_bytes
from rustybt.sweeps.features import PER_ROW, looks_back
from rustybt.sweeps.learn import Learner
from rustybt.sweeps.options import Options, chunk_size
from rustybt.sweeps.sketch import Sketcher, quietly
from rustybt.sweeps.variants import Variants
from rustybt.sweeps.work import Work

type Kin = tuple[str | None, Schedule | None]
"""Universe and schedule of a feature."""


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep would do.

    Attributes:
        strategies: names.
        datasets: how many.
        variants: how many, over all strategies and datasets.
        together: of them, those whose terms have been read and are evaluated together; the others run one by one.
        shapes: different tops, expressions that differ in numbers alone being one.
        features: different features, of each dataset.
        chunks: how many, of ``chunk`` variants at most.
        chunk: variants.
        workers: how many at a time.
        executor: name.
        budget: bytes.
        feature_bytes: of all features at once, of the largest dataset; where they are more than the budget holds they come and go.
        working_bytes: of all workers beside features.
    """

    strategies: tuple[str, ...]
    datasets: int
    variants: int
    together: int
    shapes: int
    features: int
    chunks: int
    chunk: int
    workers: int
    executor: str
    budget: int
    feature_bytes: int
    working_bytes: int

    def __str__(self) -> str:
        alone = self.variants - self.together
        kept = "kept" if self.feature_bytes + self.working_bytes <= self.budget else "not all at once"
        datasets = f"{self.datasets:,} dataset{'s' if self.datasets > 1 else ''}"
        lines = [
            f"sweep of {', '.join(self.strategies)}: {self.variants:,} variants on {datasets}",
            f"  together:  {self.together:,} in {self.shapes:,} shapes; one by one {alone:,}",
            f"  features:  {self.features:,}, {shown(self.feature_bytes)}, {kept}",
            f"  chunks:    {self.chunks:,} of up to {self.chunk:,} variants, {self.workers} {self.executor}",
            f"  working:   {shown(self.working_bytes)}",
            f"  budget:    {shown(self.budget)}",
        ]
        return "\n".join(lines)

    def explained(self) -> SweepPlan:
        """Itself: what `rustybt.explain` gives."""
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def planned(variants: Variants, work: Work, options: Options) -> SweepPlan:
    """The plan of a sweep."""
    moves = all(map(looks_back, work.panels))
    learners = [Learner(Sketcher(strategy, moves=moves)) for strategy in work.strategies]
    together, features, shapes = 0, dict[tuple[str, Kin], None](), dict[object, None]()
    size = chunk_size(variants.count, options.site.workers, work.panels)
    chunks = variants.chunks(size, options.site.workers)
    for chunk in chunks:
        number, given = chunk.block.strategy, chunk.block.assignments
        filled, left = learners[number].fill(given)
        with quietly(work.strategies[number]):
            read = [sketch for at in left if (sketch := learners[number].sketcher.read(at, given[at])) is not None]
        together += len(read) + sum(len(one.at) for one in filled)
        for form in filled:
            assert form.form.sketch is not None
            shapes[number, form.form.key, form.form.sketch.group] = None
            features |= dict.fromkeys((texts.text(place), form.form.sketch.group) for texts, _ in form.texts for place in range(len(texts)))
        for sketch in read:
            shapes[number, sketch.template.key, sketch.group] = None
            texts = (*sketch.template.parts(sketch.text), *sketch.beside)
            features |= dict.fromkeys((text, sketch.group) for text in texts)
    largest = max(work.panels, key=lambda panel: panel.frame.height)
    rows = {kin: rows_decided(largest, kin[1]) for _, kin in features}
    return SweepPlan(
        strategies=tuple(strategy.name for strategy in work.strategies),
        datasets=len(work.panels),
        variants=variants.count,
        together=together,
        shapes=len(shapes),
        features=len(features),
        chunks=len(chunks),
        chunk=size,
        workers=options.site.workers,
        executor=options.site.executor,
        budget=options.budget,
        feature_bytes=sum(PER_ROW * rows[kin] for _, kin in features),
        working_bytes=options.site.beside * max(map(working_bytes, work.panels)),
    )


def rows_decided(panel: Panel, schedule: Schedule | None) -> int:
    """Rows of a panel on which features are kept."""
    if schedule is None:
        return int(panel.frame.height)
    bars = schedule.resolve(panel.ts, panel.sessions, panel.next_session, panel.session_close)
    return int(panel.spread(bars).sum())


def room_of(options: Options, panels: Sequence[Panel]) -> int:
    """Bytes for the features of a process.

    Raises:
        ConfigError: the budget does not hold what the workers need beside them.
    """
    beside = options.site.beside
    needed = beside * max(map(working_bytes, panels))
    if needed >= options.budget:
        raise ConfigError(
            f"the budget of {shown(options.budget)} is less than the {shown(needed)} that {beside} workers need",
            where="sweep, budget",
            do="give a larger budget, or fewer workers",
        )
    return (options.budget - needed) // (1 if options.site.executor == "threads" else beside)
