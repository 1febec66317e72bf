"""What a reader of a result should know, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from rustybt.engine.config import RunConfig
from rustybt.engine.tables import Sleeves
from rustybt.errors import ConfigError, SpecError
from rustybt.model import FillAt, Panel
from rustybt.spec.planner import SignalPlan
from rustybt.spec.poison import poisoned


def notes_of(sleeves: Sleeves, panel: Panel, config: RunConfig, plans: Sequence[SignalPlan]) -> tuple[str, ...]:
    """The panel's warnings plus those of the run's settings."""
    notes = list(panel.warnings)
    if config.fill is FillAt.SAME_BAR_CLOSE:
        notes.append("fill='same_bar_close' trades at the close that the decision has seen: treat the result as an upper bound.")
    for name, strategy in sleeves.items():
        if strategy.on_bar is not None:
            notes.append(f"strategy {name!r} has an on_bar callback: the guard cannot prove what it reads; it ran bar by bar.")
    notes += dict.fromkeys(note for made in plans for note in made.warnings(panel.largest_tick))
    notes += dict.fromkeys(note for made in plans for note in poisoned(made, panel.frame, panel))
    notes += dict.fromkeys(note for one, made in zip(sleeves.values(), plans, strict=True) for note in strangers(one.name, made, panel))
    if config.benchmark is not None and config.benchmark not in panel.symbols:
        raise ConfigError(
            f"benchmark {config.benchmark!r} is not in the data", where="run, benchmark", do=f"use one of {', '.join(panel.symbols[:10])}"
        )
    return tuple(notes)


def strangers(strategy: str, made: SignalPlan, panel: Panel) -> list[str]:
    """One sentence for each term that names assets which the data do not have.

    Raises:
        SpecError: a term is for some assets, and the data have none of them.
    """
    notes, known = [], set(panel.symbols)
    for term, named in made.named.items():
        unknown = [name for name in named if name not in known]
        if unknown:
            some, wanted = ", ".join(repr(name) for name in unknown[:5]), made.wanted[term]
            if wanted and known.isdisjoint(wanted):
                what, do = f"no asset that term {term!r} is for is in the data: {some}", f"use some of {', '.join(panel.symbols[:10])}"
                raise SpecError(what, where=f"strategy {strategy!r}", do=do)
            notes.append(f"term {term!r} of {strategy!r} names {len(unknown)} assets that are not in the data: {some}.")
    return notes
