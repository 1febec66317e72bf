"""Make a panel from rows with house names: the steps of the door, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt.data.actions import check_listed, read_events
from rustybt.data.assemble import Ready, assemble
from rustybt.data.blocks import BLOCK, compact
from rustybt.data.calendars import code_of
from rustybt.data.columns import FIELDS, PRICES
from rustybt.data.metadata import Listed, check_known, listings
from rustybt.data.names import Names, names_of
from rustybt.data.options import Options
from rustybt.data.rows import REASONS, Mask, Reasons, find_dirty, moment, report_dirty
from rustybt.data.ticks import Run, Scaled, scale_column
from rustybt.data.timing import Timed, narrow, time_rows
from rustybt.errors import DataError
from rustybt.model import Panel
from rustybt.model.panel import Ints


def build_panel(frame: pl.DataFrame, extras: Sequence[str], options: Options, where: str, *, owned: bool = False) -> Panel:
    """Checks rows and lays them out.

    Args:
        frame: columns ts, asset, open .. volume and the extras, in any order of rows.
        extras: names of further columns to carry.
        options: what the user said about the source.
        where: what to name in an error.
        owned: the frame was read for this panel alone and may be written into; it is not to be used afterwards.

    Raises:
        DataError: the rows cannot be used; the message says why, where and what to do.
    """
    events = None if options.events is None else read_events(options.events)
    names = names_of(events or ())
    listed_in, aside = options.reference, pl.DataFrame()
    frame, known = _selected(names.one_name(frame), options if listed_in is None else replace(options, assets=None), where, names)
    timed = names.check(time_rows(frame, options, where))
    told: list[str] = []
    if listed_in is not None:
        from rustybt.data.identify import actions_of, identify, listed_of

        found_in = identify(timed, listed_in, options, where)
        timed, aside, told = found_in.timed, found_in.aside, found_in.notes
        known = list(timed.keyed.symbols)
        events = actions_of(timed, listed_in) if events is None else events
        listed = listed_of(timed, listed_in, options)
    else:
        listed = listings(timed.keyed.symbols, options)
    try:
        scaled, found = judge_rows(timed, listed, compiled=owned)
    except DataError as error:
        place = error.where if where == "the frame" else f"{where}, {error.where}"
        raise DataError(error.what, where=place, do=error.do, **error.facts) from error
    check_listed(events or (), listed)
    notes = [*timed.notes, *told, *names.notes(timed.keyed.symbols), *unused(options, timed.keyed.symbols), *_rounding(scaled, listed)]
    quarantine = pl.DataFrame()
    if (found >= 0).any():
        sentence = report_dirty(found, timed.keyed)
        if options.dirty == "refuse":
            raise DataError(sentence, where=where, do='repair them, or set them aside with dirty="quarantine"')
        if (found >= 0).all():
            raise DataError(f"no row can be used: {sentence}", where=where, do="repair the source")
        notes += [f"{sentence}; they were set aside.", *_below_zero(timed, found, listed)]
        quarantine = set_aside(timed, found)
        timed, scaled, listed, gone = _clean(timed, scaled, listed, found < 0, owned)
        notes += gone
    if extras:
        notes.append(f"Extra columns are trusted not to hold the future: {', '.join(extras)}.")
        notes += _not_numbers(timed, extras)
    joined: list[str] = []
    if options.attach:
        from rustybt.data.attach import attach_to

        timed, joined, more = attach_to(timed, options.attach, code_of(options.calendar), extras)
        notes += more
    if not owned:
        timed, scaled = replace(timed, ts=_own(timed.ts)), {name: replace(part, floats=_own(part.floats)) for name, part in scaled.items()}
    ready = Ready(timed, scaled, tuple(item.asset for item in listed), (*extras, *joined))
    panel = assemble(ready, None if events is None else names.of(events), known if options.selection is None else None)
    if aside.height:
        quarantine = aside if not quarantine.height else pl.concat([aside, quarantine], how="diagonal_relaxed")
    return replace(panel, warnings=(*notes, *panel.warnings), quarantine=quarantine, attached=tuple(options.attach or ()))


def _selected(frame: pl.DataFrame, options: Options, where: str, names: Names) -> tuple[pl.DataFrame, list[str]]:
    """The rows of the chosen assets, and every symbol of the source."""
    if frame.height == 0:
        raise DataError("the source has no rows", where=where, do="check the file, or the filter that made the frame")
    dtype = frame["asset"].dtype
    if not (dtype == pl.String or dtype.is_integer() or isinstance(dtype, (pl.Categorical, pl.Enum))):
        raise DataError(f"asset holds {dtype}, not names", where=where, do="give the symbols as text")
    if not isinstance(dtype, pl.Enum):
        frame = frame.with_columns(pl.col("asset").cast(pl.String))
    known = sorted(frame["asset"].drop_nulls().unique().to_list())
    if options.selection is None:
        return frame, known
    if not options.selection:
        raise DataError("the list of assets is empty", where="assets", do="name at least one, or leave it out for all")
    chosen = [names.first.get(symbol, symbol) for symbol in options.selection]
    check_known(chosen, known, where)
    return frame.filter(pl.col("asset").is_in(chosen) | pl.col("asset").is_null()), known


def judge_rows(timed: Timed, listed: Sequence[Listed], *, compiled: bool) -> tuple[dict[str, Scaled], Reasons]:
    """Prices and volume in the steps of their assets, and why rows cannot be used.

    Args:
        timed: the rows.
        listed: their assets.
        compiled: whether there are enough rows to be worth loading compiled code.
    """
    if compiled:
        from rustybt.data.scan import scan_rows

        scan = scan_rows(timed, listed)
        if scan is not None and scan.nearest:
            return {name: Scaled(scan.ticks[i], scan.values[i], *scan.moved[name]) for i, name in enumerate(FIELDS)}, scan.found
    scaled = scale_rows(timed, listed)
    return scaled, find_dirty(timed.keyed.frame, scaled, timed.offsets, listed, timed.days)


def scale_rows(timed: Timed, listed: Sequence[Listed]) -> dict[str, Scaled]:
    """Prices and volume in the steps of their assets."""
    settings = {name: "volume_step" if name == "volume" else "tick_size" for name in FIELDS}
    runs = {setting: _runs(timed.offsets, listed, setting) for setting in settings.values()}
    keyed = timed.keyed

    def owner(row: int) -> str:
        return keyed.symbols[int(keyed.codes[row])]

    with ThreadPoolExecutor(len(FIELDS) if len(keyed.codes) > BLOCK else 1) as pool:
        found = pool.map(lambda name: scale_column(keyed.frame[name], runs[settings[name]], settings[name], owner), FIELDS)
        return dict(zip(FIELDS, found, strict=True))


def _runs(offsets: Ints, listed: Sequence[Listed], setting: str) -> list[Run]:
    """Neighbouring assets that count in the same step."""
    runs = []
    for step, group in groupby(range(len(listed)), key=lambda i: getattr(listed[i].asset, setting)):
        columns = list(group)
        runs.append(Run(int(offsets[columns[0]]), int(offsets[columns[-1] + 1]), step))
    return runs


def unused(options: Options, symbols: Sequence[str]) -> list[str]:
    """One sentence on settings of assets that are not there; none on nothing."""
    idle = sorted(set(options.overrides) - set(symbols))
    return [f"Metadata of {len(idle)} assets is not used, they have no bar (first: {idle[0]!r})."] if idle else []


def _rounding(scaled: dict[str, Scaled], listed: Sequence[Listed]) -> list[str]:
    moved = {name: (part.moved, part.residual) for name, part in scaled.items()}
    return say_rounding(moved, len(scaled["volume"].ticks), listed)


def say_rounding(moved: Mapping[str, tuple[int, float]], rows: int, listed: Sequence[Listed]) -> list[str]:
    """What the increments cost, for prices and for volume.

    Args:
        moved: by column, values that were not on a step, and the largest distance.
        rows: how many there are.
        listed: assets with their increments.
    """
    notes = []
    for names, setting, said in ((PRICES, "tick_size", "prices"), (("volume",), "volume_step", "volumes")):
        count = sum(moved[name][0] for name in names)
        if not count:
            continue
        total = len(names) * rows
        largest = max(moved[name][1] for name in names)
        steps = " and ".join(str(step) for step in sorted({getattr(item.asset, setting) for item in listed})[:3])
        text = f"{count} of {total} {said} were rounded half-even to a {setting} of {steps}, by {largest:.3g} at most"
        notes.append(f"{text}; check asset_class and {setting}." if 2 * count > total else f"{text}.")
    return notes


def _not_numbers(timed: Timed, extras: Sequence[str]) -> list[str]:
    """Extra columns with NaN, which no comparison and no running average gets rid of."""
    notes, keyed = [], timed.keyed
    for name in extras:
        if not keyed.frame[name].dtype.is_float():
            continue
        bad = keyed.frame[name].is_nan().fill_null(value=False)
        if bad.any():
            row = int(bad.arg_max() or 0)
            first = f"asset {keyed.symbols[int(keyed.codes[row])]!r}, {moment(int(keyed.stamps[row]))}"
            notes.append(
                f"Column {name!r} holds {bad.sum()} NaN (first: {first}); one NaN stays in ewm and cumulative terms for good: "
                f"write pl.col({name!r}).fill_nan(None)."
            )
    return notes


def _own[T: np.generic](values: npt.NDArray[T]) -> npt.NDArray[T]:
    """An array that a source shares with nobody: what is seen as read-only may be a view of a table that its owner goes on to change."""
    return values if values.flags.writeable else values.copy()


def _below_zero(timed: Timed, found: Reasons, listed: Sequence[Listed]) -> list[str]:
    rows, keyed = below_zero(timed, found, listed), timed.keyed
    return say_below_zero(len(rows), keyed.symbols[int(keyed.codes[rows[0]])], int(keyed.stamps[rows[0]])) if len(rows) else []


def below_zero(timed: Timed, found: Reasons, listed: Sequence[Listed]) -> Ints:
    """Rows of futures below zero among those that are set aside."""
    keyed, future = timed.keyed, np.array([item.asset.asset_class == "future" for item in listed])
    if not future.any():
        return np.zeros(0, dtype=np.int64)
    rows: Ints = np.flatnonzero((found == REASONS.index("zero or negative price")) & future[keyed.codes])
    lowest = keyed.frame.select(pl.min_horizontal(PRICES))[rows].to_series()
    below: Ints = rows[(lowest < 0).fill_null(value=False).to_numpy()]
    return below


def say_below_zero(count: int, symbol: str, stamp: int) -> list[str]:
    """What it means that a future traded below zero: there the price is true, and leaving it out hides a loss."""
    first = f"asset {symbol!r}, {moment(stamp)}"
    what = f"{count} of them are bars of futures below zero (first: {first}), which may be true and cannot be traded here"
    hidden = "a position is valued at its last price before, so what was lost below that is not in the result"
    return [f"{what}: {hidden}. Close it earlier, or end the data there."]


def set_aside(timed: Timed, found: Reasons) -> pl.DataFrame:
    """The rows as they came, and why they were refused. Copies: a filter shows neighbours in place, and rows are taken out in place."""
    bad = np.flatnonzero(found >= 0)
    reasons = pl.Series("reason", [REASONS[code] for code in found[bad].tolist()], dtype=pl.String)
    return timed.keyed.frame[bad].with_columns(pl.col("asset").cast(pl.String), reasons)


def _clean(
    timed: Timed, scaled: dict[str, Scaled], listed: Sequence[Listed], keep: Mask, owned: bool
) -> tuple[Timed, dict[str, Scaled], list[Listed], list[str]]:
    """What is left without the dirty rows."""
    rest = replace(timed.keyed, frame=timed.keyed.frame.drop("ts", *FIELDS))
    left = narrow(replace(timed, keyed=rest), keep, owned=owned)
    kept = {
        name: replace(part, ticks=compact(part.ticks, keep, owned=True), floats=compact(part.floats, keep, owned=owned))
        for name, part in scaled.items()
    }
    remaining = set(left.keyed.symbols)
    gone = [item.asset.symbol for item in listed if item.asset.symbol not in remaining]
    return left, kept, [item for item in listed if item.asset.symbol in remaining], say_gone(gone)


def say_gone(symbols: Sequence[str]) -> list[str]:
    """One sentence on assets that have no usable bar; none on nothing."""
    return [f"{len(symbols)} assets have no usable bar and left: {', '.join(symbols[:5])}."] if symbols else []
