"""The door: every source of bars becomes a validated panel here, or is refused with one clear message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.data.build import build_panel
from rustybt.data.calendars import Calendar
from rustybt.data.catalog.naming import may_be_name
from rustybt.data.columns import Named, name_columns
from rustybt.data.demo import BARS, EVENTS
from rustybt.data.options import Day, Dirty, Options, Stamp
from rustybt.data.placing import checked_rows, placed
from rustybt.data.sources import DELIMITED, collect, open_source
from rustybt.errors import ConfigError, DataError
from rustybt.model import Asset, Panel

if TYPE_CHECKING:
    from rustybt.data.reference import Reference


def load(
    source: Any,
    *,
    stamp: Stamp | None = None,
    calendar: str | Calendar | None = None,
    interval: str | None = None,
    timezone: str | None = None,
    asset_class: str = "equity",
    preset: str | None = None,
    assets: Sequence[str] | Mapping[str, Asset | Mapping[str, Any]] | None = None,
    tick_size: Any = None,
    lot_size: Any = None,
    volume_step: Any = None,
    events: Any = None,
    start: Day | None = None,
    end: Day | None = None,
    columns: Mapping[str, str] | None = None,
    extras: Sequence[str] | None = None,
    dirty: Dirty = "quarantine",
    attach: Mapping[str, Any] | None = None,
    reference: Reference | None = None,
) -> Panel:
    """Bars from a file or a frame, validated.

    Args:
        source: a path, a glob or a list of them (Parquet, CSV, Arrow IPC by suffix; a file without an asset column holds the asset of its
            name); a Polars frame (eager or lazy), a pandas frame, a pyarrow table; ``"demo"`` for the embedded set; a dataset of the
            catalog, ``"name"`` or ``"name@snapshot"`` (a file of that name comes first); a Panel, returned as it is.
        stamp: what ``ts`` says. ``"close"``: the bar is complete at ts. ``"open"``: the bar starts at ts, so its interval is added.
            ``"session"``: the date of the session (the clock time and zone are dropped): the bar is complete at the close of the calendar's
            session, or without a calendar at the last microsecond of that date UTC. None: as ``"close"``, said in the warnings; a column
            of dates is read as sessions.
        calendar: code of a calendar (``"XNYS"``, ``"24/7"``, ``"FX"``) or a `rustybt.calendar`, for sessions and their closes. Without one
            the session of a bar is the UTC date that it covers.
        interval: length of the bars (``"1m"``, ``"1h"``, ``"1d"``) for ``stamp="open"``; default: the smallest spacing of each asset.
        timezone: zone of times that carry none. Without it they are refused.
        asset_class: preset of increments: ``equity``, ``crypto``, ``fx``, ``future`` or ``index``.
        preset: name of a venue from `rustybt.presets`, whose increments replace those of the class; what is given beside it goes first.
        assets: a list selects; a mapping from symbol to `Asset`, or to a dict of its settings, declares (``currency``, ``tick_size``,
            ``lot_size``, ``volume_step``, ``multiplier``, ``min_notional``, ``asset_class``, and
            ``listed``/``delisted`` dates outside which rows are set aside).
        tick_size: smallest price step, in place of the preset's; never inferred from the data.
        lot_size: smallest quantity step, likewise.
        volume_step: smallest step of reported volume, likewise.
        events: corporate actions: a frame or file with ``asset, ts, kind, value`` and, for some kinds, ``other, pay, cash, price, part``
            (docs/how-to/corporate-actions.md), or a list of `Event`.
        start: first session (a date) or first instant (a time with its zone) to keep.
        end: last session or instant to keep.
        columns: names in the source by our names: ``{"close": "Last"}``. Other letter case, ``date``, ``timestamp``, ``symbol`` and
            ``ticker`` are recognised.
        extras: further columns to keep; default all. They are trusted, and named in `Panel.trusted`.
        dirty: ``"quarantine"`` sets unusable rows aside in `Panel.quarantine`; ``"refuse"`` raises on the first.
        attach: slower frames by name, each a frame, a path, a dataset, a Panel or `rustybt.attached`: their columns stand beside the bars
            as ``<name>_<column>``, with the last row known at each ``ts``, and since when it is known in ``<name>_ts``.
        reference: reference data, such as `Catalog.reference`: each row is of the asset that its symbol named on its session, whose id
            it gets, with increments, listing and delisting dates and corporate actions (unless ``events`` are given) from there.
            ``assets`` selects ids. Rows whose symbol named no asset on that day are dirty.

    Returns:
        The panel; `Panel.warnings` says what was assumed, rounded and set aside.

    Raises:
        DataError: the bars cannot be used.
        ConfigError: an option is wrong.

    Example:
        >>> panel = load("demo", assets=["AAPL", "IBM"], start="2010-01-01")
        >>> panel.symbols, panel.bars
        (('AAPL', 'IBM'), 795)
    """
    options = Options(
        stamp=stamp, calendar=calendar, interval=interval, timezone=timezone, asset_class=asset_class, preset=preset, assets=assets,
        tick_size=tick_size, lot_size=lot_size,
        volume_step=volume_step, events=events, start=start, end=end, columns=columns, extras=extras, dirty=dirty, attach=attach,
        reference=reference,
    )  # fmt: skip
    return read_bars(source, options)


def read_bars(source: Any, options: Options, *, keep: bool = True, called: str = "", tell: Callable[[int], None] | None = None) -> Panel:
    """`load` with its options in one.

    Args:
        source: as in `load`.
        options: likewise.
        keep: whether a panel made from files is kept for a next time.
        called: where a frame comes from, to name in an error.
        tell: called with the bytes of large plain files as they are read, by several threads.

    Raises:
        DataError, ConfigError: as `load`.
    """
    if isinstance(source, Panel):
        if options.given:
            raise ConfigError(f"{options.given[0]} cannot be applied to a panel", where="load", do="give it when the panel is loaded")
        return source
    if options.attach:
        options = replace(options, attach={name: _opened(name, given) for name, given in options.attach.items()})
    if isinstance(source, str) and source == "demo":
        return _panel(BARS, _for_demo(options), keep)
    if isinstance(source, str) and ":" in source:
        _refuse_address(source)
    if isinstance(source, str) and may_be_name(source) and not Path(source).exists():
        from rustybt.data.catalog import Catalog

        shelf = Catalog()
        if shelf.exists:
            return shelf.open(source, options)
    return _panel(source, options, keep, called, tell)


def _opened(name: str, given: Any) -> Any:
    """What is to be attached, of a dataset its panel; files are read as they are."""
    from rustybt.data.attach import Attached  # a plain run has no use for it

    source = given.source if isinstance(given, Attached) else given
    if not (isinstance(source, str) and may_be_name(source) and not Path(source).exists()):
        return given
    if isinstance(given, Attached):
        settled = ("stamp", "calendar", "interval", "timezone")
        if said := [option for option in settled if getattr(given, option) is not None]:
            do = "it was settled by rustybt ingest: leave it out"
            raise ConfigError(f"{said[0]} cannot be applied to a dataset", where=f"load, attach, {name!r}", do=do)
        return replace(given, source=read_bars(source, Options()))
    return read_bars(source, Options())


def demo_data() -> Panel:
    """The embedded set: AAPL, FB, GOOG, IBM and MSFT, daily, 2000-03-01 to 2013-03-01, raw prices with their splits and dividends.

    Example:
        >>> demo_data().symbols
        ('AAPL', 'FB', 'GOOG', 'IBM', 'MSFT')
    """
    return load("demo")


def _refuse_address(text: str) -> None:
    """Bars of a vendor are kept first: a run has to name the snapshot that it used."""
    from rustybt.data.download import is_address

    if is_address(text):
        raise ConfigError(
            f"{text!r} is a source, not a dataset",
            where="load",
            do=f"keep its bars first: rustybt ingest {text} --name NAME, then load NAME",
        )


def _for_demo(options: Options) -> Options:
    events = EVENTS if options.events is None else options.events
    # The vendor's adj_close knows later events, so it stays outside unless it is asked for.
    extras = () if options.extras is None else options.extras
    return replace(options, stamp=options.stamp or "session", calendar=options.calendar or "XNYS", events=events, extras=extras)


def _panel(source: Any, options: Options, keep: bool, called: str = "", tell: Callable[[int], None] | None = None) -> Panel:
    """The panel that was kept, or a new one."""
    from rustybt.data.prepared.panels import find_panel, keep_panel, panel_key

    key = panel_key(source, options) if keep else None
    kept = None if key is None else find_panel(key)
    if kept is not None:
        return kept
    made = _made(source, options, called, tell)
    if key is not None and panel_key(source, options) == key:  # the files did not change while they were read
        keep_panel(key, made)
    return made


def _made(source: Any, options: Options, called: str, tell: Callable[[int], None] | None) -> Panel:
    read = None
    with suppress(DataError):  # a row that is not like the first ones, or an error that is the same in both ways
        read = _read(source, options, tell, by_head=True)
    named, frame, owned = read or _read(source, options, tell, by_head=False)
    where = named[0][0] if len(named) == 1 else f"{named[0][0]} and {len(named) - 1} more"
    extras = dict.fromkeys(extra for _, found in named for extra in found.extras)
    files = [(name, found.frame) for name, found in named]
    checked_rows(files, frame, options.selection)
    try:
        panel = build_panel(frame, tuple(extras), options, where or called or "the frame", owned=owned)
    except DataError as error:
        told = placed(error, files)
        if told is error:
            raise
        raise told from None
    notes = dict.fromkeys([*(note for _, found in named for note in found.notes), *_unfinished(named)])
    return replace(panel, warnings=(*notes, *panel.warnings))


def _unfinished(named: Sequence[tuple[str, Named]]) -> list[str]:
    """What is said of text files that end within a line."""
    if not any(name.lower().endswith(DELIMITED) for name, _ in named):
        return []
    from rustybt.data.text.lines import unfinished

    return unfinished([name for name, _ in named])


def _read(
    source: Any, options: Options, tell: Callable[[int], None] | None, *, by_head: bool
) -> tuple[list[tuple[str, Named]], pl.DataFrame, bool]:
    """The sources with house names, their rows, and whether these may be written into."""
    named = [(name, name_columns(name, frame, options)) for name, frame in open_source(source, by_head=by_head)]
    plain = _plain(named, tell) if by_head else None
    return named, collect([(name, found.frame) for name, found in named]) if plain is None else plain, plain is not None


def _plain(named: Sequence[tuple[str, Named]], tell: Callable[[int], None] | None) -> pl.DataFrame | None:
    """The rows of large CSV files, read by compiled code; None where that is not for them."""
    if not any(name for name, _ in named):
        return None
    from rustybt.data.plain import wanted_of
    from rustybt.data.text.read import read_plain

    wanted = wanted_of(named)
    return None if wanted is None else read_plain(wanted, tell)
