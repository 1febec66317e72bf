"""Bring bars from any source into the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rustybt.data.actions import read_events
from rustybt.data.addresses import source_of
from rustybt.data.cache import Freshness
from rustybt.data.calendars import code_of
from rustybt.data.catalog import Catalog, Version
from rustybt.data.catalog.naming import check_name
from rustybt.data.catalog.repairs import check_log
from rustybt.data.catalog.spilled import OfSpill
from rustybt.data.demo import EVENTS
from rustybt.data.door import read_bars
from rustybt.data.names import names_of
from rustybt.data.options import Options
from rustybt.data.placing import placed_at
from rustybt.data.plain import plain_of
from rustybt.data.sources import collect, files_of, frame_of, open_source
from rustybt.data.spill import gather
from rustybt.data.text.telling import Telling
from rustybt.errors import ConfigError, DataError
from rustybt.model import Panel
from rustybt.model.source import Source

if TYPE_CHECKING:
    from rustybt.data.download import Downloaded, Patience


def ingest(
    source: Any,
    name: str,
    *,
    catalog: Catalog | str | Path | None = None,
    symbols: Sequence[str] | None = None,
    frequency: str | None = None,
    settings: Mapping[str, Any] | None = None,
    repairs: Any = None,
    origin: str | None = None,
    resume: bool = True,
    patience: Patience | None = None,
    freshness: str | Freshness | None = None,
    offline: bool = False,
    workers: int = 4,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Version:
    """Keep bars in the catalog under a name; the same content twice is one snapshot.

    Args:
        source: anything `rustybt.load` takes, but a Panel, whose corporate actions can no longer be told apart; or a vendor's address such
            as ``"ccxt:binance:BTC/USDT,ETH/USDT"`` (docs/how-to/vendors.md); or an object of your own that is a
            `rustybt.model.source.Source`.
        name: letters, digits, ``_`` and ``-``.
        catalog: a `Catalog` or its folder; default: the user's.
        symbols: of a vendor or of files, in place of those that the address lists.
        frequency: length of a vendor's bars, ``"1d"`` unless given.
        settings: of a vendor: ``key``, ``secret``, ``base_url``, ... Keys that are not given come from the environment.
        repairs: the log of `rustybt.data.quality.mend`, a frame or a file, to be kept with the ingest; a `Mended` as the
            source brings its own.
        origin: where the rows of a frame came from, in words that are kept as the source of the version.
        resume: whether an interrupted download goes on; False begins anew.
        patience: `rustybt.data.Patience` with a vendor that fails.
        freshness: how long a vendor's bars that were downloaded before count (docs/how-to/cache.md): ``"session"``, the default, until the
            market may have made another; ``"hybrid:15m"``, but asked again only after so long; ``"ttl:12h"``, for so long; ``"always"``;
            ``"never"``.
        offline: answer from the cache alone; what it lacks is one error. Unless ``freshness`` says otherwise, all that is kept counts.
        workers: symbols of a vendor that are asked for at the same time, within its budget of requests.
        progress: called with what is done and all of it: days of a download, or megabytes of files that are read as they are.
        options: as in `rustybt.load`; ``start`` is needed for a vendor, and ``end`` is now unless given.

    Returns:
        The version: `Version.new` tells whether the dataset changed, `Version.name` pins it.

    Raises:
        DataError: the bars cannot be used, or the catalog cannot be written.
        SourceError: a vendor refused or failed. Nothing is published; pages that arrived are kept for the next try.
        ConfigError: an option or the name is wrong.
        MissingExtraError: the library of a vendor is not installed.

    Example:
        >>> import tempfile
        >>> made = ingest("demo", "stocks", catalog=tempfile.mkdtemp())
        >>> made.dataset, made.new
        ('stocks', True)
    """
    check_name(name)
    if isinstance(source, Panel):
        raise ConfigError("a panel cannot be ingested", where="source", do="give the file or the frame that it was loaded from")
    shelf = catalog if isinstance(catalog, Catalog) else Catalog(catalog)
    source, log = _mended(source, repairs)
    found, listed = source_of(source, settings, options)
    if found is None:
        _refuse({"symbols": symbols, "frequency": frequency, "settings": settings, "offline": offline or None})
        telling = _telling(source, progress)
        made = _publish(shelf, name, source, origin or _said(source), options, log=log, telling=telling)
        if telling is not None:
            telling.finish()
        return made
    if not isinstance(options.get("assets") or {}, Mapping):
        raise ConfigError("assets is a list", where="assets", do="choose with symbols")
    Options(**options)  # what is wrong with them is said before anything is downloaded
    from rustybt.data.download import Wanted, download

    chosen = chosen_of(symbols, listed)
    length = frequency or ("1d" if found.frequencies else "")
    policy = freshness_of(freshness, offline)
    wanted = Wanted(chosen, length, options.get("start"), options.get("end"), resume, policy, offline, workers)
    got = download(found, wanted, shelf.root, patience, progress)
    got = replace(got, about={**got.about, **_recorded(found, chosen)})
    told = _told(found, got, options)
    said = f"{found.name}:{','.join(chosen) if found.frequencies else found.address}"
    try:
        return _publish(shelf, name, got.bars, said, told, got=got, log=log, called=source if isinstance(source, str) else said)
    except DataError as error:
        placed = _placed(error, found)
        if placed is error:
            raise
        raise placed from error


def chosen_of(symbols: Sequence[str] | None, listed: Sequence[str]) -> tuple[str, ...]:
    """Symbols that were given, or those of the address; each once.

    Raises:
        ConfigError: a text was given.
    """
    if isinstance(symbols, str):
        raise ConfigError(f"symbols is the text {symbols!r}", where="symbols", do=f"give a list: symbols=[{symbols!r}]")
    return tuple(dict.fromkeys(listed if symbols is None else symbols))


def freshness_of(said: str | Freshness | None, offline: bool) -> Freshness:
    """What the user said; offline all that is kept counts, unless he said otherwise.

    Raises:
        ConfigError: it is not understood.

    Example:
        >>> freshness_of(None, offline=True).kind, freshness_of("ttl:1h", offline=True).kind
        ('always', 'ttl')
    """
    return Freshness.read(("always" if offline else "session") if said is None else said)


def _refuse(given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None:
            raise ConfigError(f"{name} is for vendors", where=name, do="leave it out for files and frames")


def _told(source: Source, got: Downloaded, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options for the door: the user's, and for the rest what the source knows."""
    from rustybt.data.download.fetching import settings_of

    told = {key: value for key, value in options.items() if value is not None}
    mine = told.get("assets", {})
    if "preset" not in told and "reference" not in told:
        known: dict[str, Any] = settings_of(got.terms, tuple(told))
        declared = {symbol: {**known.get(symbol, {}), **item} if isinstance(item, Mapping) else item for symbol, item in mine.items()}
        told["assets"] = {**known, **declared}
    stamp = "session" if got.bars["ts"].dtype == pl.Date else source.stamp
    if stamp is not None:
        told.setdefault("stamp", stamp)
    if stamp == "open" and got.about["frequency"]:
        told.setdefault("interval", got.about["frequency"])
    calendars = {item.calendar for item in got.terms.values()}
    if len(calendars) == 1 and None not in calendars:
        told.setdefault("calendar", calendars.pop())
    if got.events is not None:
        told.setdefault("events", got.events)
    return told


def _recorded(source: Source, symbols: Sequence[str]) -> dict[str, Any]:
    """What is kept of a source beside its bars: the settings that change what it answers, and its files where it has some."""
    from rustybt.data.files.record import record_of
    from rustybt.data.files.source import FileSource

    settings = {"settings": dict(source.options)} if source.options else {}
    return {**settings, **record_of(source.files(symbols))} if isinstance(source, FileSource) else settings


def _placed(error: DataError, source: Source) -> DataError:
    """An error with the line of a value that it knows, where the source has files."""
    from rustybt.data.files.source import FileSource

    value = error.facts.get("value")
    if not isinstance(source, FileSource) or value is None:
        return error
    column, number, asset = value
    place = source.place_of(asset, column, number)
    return error if place is None else placed_at(error, place)


def _mended(source: Any, repairs: Any) -> tuple[Any, pl.DataFrame | None]:
    """The bars of repaired ones, and the log of the repairs."""
    from rustybt.data.quality import Mended

    if isinstance(source, Mended):
        return source.frame, check_log(source.log) if repairs is None else _log_of(repairs)
    return source, None if repairs is None else _log_of(repairs)


def _log_of(repairs: Any) -> pl.DataFrame:
    frame = collect(open_source(repairs)) if isinstance(repairs, (str, Path)) else frame_of(repairs).lazy().collect()
    return check_log(frame)


def _publish(
    shelf: Catalog,
    name: str,
    source: Any,
    said: str,
    options: Mapping[str, Any],
    *,
    got: Downloaded | None = None,
    log: pl.DataFrame | None = None,
    called: str = "",
    telling: Telling | None = None,
) -> Version:
    tell = None if telling is None else telling.add
    made = _in_parts(shelf, name, source, said, options, log=log, tell=tell) if got is None else None
    if made is not None:
        return made
    if telling is not None:
        telling.restart()
    panel = read_bars(source, Options(**options), keep=False, called=called, tell=tell)  # the catalog keeps it
    given = options.get("events")
    if given is None and options.get("reference") is not None:
        given = [event for event in options["reference"].events(panel.symbols) if event.kind != "rename"]
    elif given is None and isinstance(source, str) and source == "demo":
        given = EVENTS
    events = None if given is None else read_events(given)
    if events is not None:
        known, events = set(panel.symbols), names_of(events).of(events)
        events = [event for event in events if event.asset in known]
    settled = _settled(options)
    if got is not None:
        panel = replace(panel, warnings=(*got.notes, *panel.warnings))
        settled |= got.about
    return shelf.publish(panel, name, said, settled, events, repairs=log)


def _telling(source: Any, progress: Callable[[int, int], None] | None) -> Telling | None:
    """Who tells how much of files is read; None where nobody asks, or there are none."""
    paths = None if progress is None or (isinstance(source, str) and source == "demo") else files_of(source)
    return None if progress is None or not paths else Telling(progress, paths)


def _in_parts(
    shelf: Catalog,
    name: str,
    source: Any,
    said: str,
    options: Mapping[str, Any],
    *,
    log: pl.DataFrame | None,
    tell: Callable[[int], None] | None = None,
) -> Version | None:
    """Keep large plain files without holding all their rows; None where the door has to."""
    asked = Options(**options)
    plain = None if isinstance(source, str) and source == "demo" else plain_of(source, asked)
    if plain is None:
        return None
    with shelf.spilling() as spill:
        found = gather(plain, asked, spill, tell)
        return None if found is None else shelf.publish(OfSpill(found), name, said, _settled(options), repairs=log)


def _settled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the catalog keeps them."""
    settled = {key: value for key, value in options.items() if value is not None and key not in ("events", "assets", "attach", "reference")}
    if "calendar" in settled:
        settled["calendar"] = code_of(settled["calendar"])
    if options.get("reference") is not None:
        settled["reference"] = repr(options["reference"])
    if options.get("attach"):
        settled["attach"] = list(options["attach"])
    return settled


def _said(source: Any) -> str:
    if isinstance(source, (str, Path)):
        return str(source) if source == "demo" else str(Path(source).absolute())
    return f"{len(source)} files" if isinstance(source, (list, tuple)) else f"a {type(source).__module__.split('.')[0]} frame"
