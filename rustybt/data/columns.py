"""Give the columns of a source their house names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from rustybt.data.options import Options
from rustybt.data.sources import DELIMITED, schema_of, stem_of
from rustybt.errors import ConfigError, DataError

PRICES = ("open", "high", "low", "close")
FIELDS = (*PRICES, "volume")
NEEDED = ("ts", "asset", *PRICES)
ALIASES = {"ts": ("timestamp", "datetime", "date", "time"), "asset": ("symbol", "ticker")}
"""Other names under which the key columns are recognised; letter case does not matter."""
RESERVED = frozenset({"ts", "asset", *FIELDS, "session", "ts_open", "bar", "reason"}) | {
    f"{kind}_{name}" for kind in ("ticks", "adj", "ticks_adj") for name in FIELDS
}
"""Names that the frame of a panel gives to its own columns."""
MOST, LONGEST = 20, 40
"""How many names, and how much of each, a message shows."""


@dataclass(frozen=True)
class Named:
    """One source with house names.

    Args:
        frame: columns ts, asset, open .. volume, then the extras.
        extras: names of the extra columns.
        notes: sentences about what was assumed.
        origin: columns of the source by ours, in the order of the frame; not those that it lacks.
    """

    frame: pl.LazyFrame
    extras: tuple[str, ...]
    notes: tuple[str, ...]
    origin: Mapping[str, str]


def name_columns(name: str, frame: pl.LazyFrame, options: Options) -> Named:
    """Finds ts, asset, prices and volume among the columns, and keeps the rest as extras.

    Args:
        name: file name, or empty for a frame in memory.
        frame: the source.
        options: ``columns`` maps our name to the source's; ``extras`` limits what else is kept.

    Raises:
        DataError: a needed column is missing, or two columns could be meant.
        ConfigError: ``columns`` or ``extras`` name something that is not there.
    """
    schema = schema_of(name, frame)
    have = schema.names()
    found, notes = _match(have, options, name)
    _check_found(found, have, name)
    picks = [pl.col(found[field]).alias(field) for field in ("ts", "asset", *FIELDS) if field in found]
    if "asset" not in found:
        picks.insert(1, pl.lit(stem_of(name)).alias("asset"))
        notes.append("A file without an asset column holds the asset that its name says.")
    if "volume" not in found:
        picks.append(pl.lit(0, dtype=pl.Int64).alias("volume"))
        notes.append("The source has no volume; it is 0 everywhere.")
    extras = _extras(have, set(found.values()), options, name)
    nested = [extra for extra in extras if schema[extra].is_nested() or schema[extra] == pl.Object]
    if nested:
        notes.append(f"Columns of lists or structs cannot be signals and are left out: {', '.join(nested)}.")
        extras = [extra for extra in extras if extra not in nested]
    wide = [extra for extra in extras if schema[extra] in (pl.Int128, pl.UInt128)]
    if wide:
        notes.append(f"Columns of whole numbers of 128 bits have no place in an array and are left out: {', '.join(wide)}.")
        extras = [extra for extra in extras if extra not in wide]
    renamed = {extra: f"source_{extra}" if extra in RESERVED else extra for extra in extras}
    moved = [old for old, new in renamed.items() if old != new]
    if moved:
        notes.append(f"Columns named like ours are kept with the prefix 'source_': {', '.join(moved)}.")
    origin = {ours: found[ours] for ours in ("ts", "asset", *FIELDS) if ours in found} | {new: old for old, new in renamed.items()}
    chosen = frame.select(*picks, *(pl.col(old).alias(new) for old, new in renamed.items()))
    return Named(chosen, tuple(renamed.values()), tuple(notes), origin)


def find_names(name: str, have: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Columns of a file by our names; those that are not there are left out.

    Args:
        name: of the file.
        have: its columns.
        columns: what the user said of them.

    Raises:
        DataError: a needed column is missing, or two could be meant.
        ConfigError: ``columns`` names something that is not there.
    """
    found, _ = _match(have, Options(columns=columns), name)
    _check_found(found, have, name)
    return found


def _check_found(found: Mapping[str, str], have: Sequence[str], name: str) -> None:
    missing = [field for field in NEEDED if field not in found and not (field == "asset" and name)]
    if missing:
        do = f'rename it, or say which one is meant: columns={{"{missing[0]}": "<name in the source>"}}'
        if len(have) == 1 and name.lower().endswith(DELIMITED) and any(mark in have[0] for mark in ";|\t"):
            do = f"its columns are not parted by commas: ingest csv:{name}, which finds out how it is written"
        said = f"column {missing[0]!r} is" if len(missing) == 1 else f"columns {', '.join(map(repr, missing))} are"
        what = f"{said} missing; the source has {_listed(have)}"
        raise DataError(what, where=name or "the frame", do=do)


def _listed(have: Sequence[str]) -> str:
    """Names for a message, the first of many and the beginning of long ones."""
    shown = [repr(name if len(name) <= LONGEST else f"{name[:LONGEST]}...") for name in have[:MOST]]
    return ", ".join([*shown, *([f"and {len(have) - MOST} more"] if len(have) > MOST else [])]) or "no columns"


def _match(have: Sequence[str], options: Options, name: str) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    notes: list[str] = []
    for ours, theirs in (options.columns or {}).items():
        if ours not in ("ts", "asset", *FIELDS):
            raise ConfigError(f"columns maps the unknown name {ours!r}", where="columns", do='write {"close": "<name in the source>"}')
        if theirs not in have:
            raise DataError(
                f"column {theirs!r} is missing; the source has {_listed(have)}",
                where=name or "the frame",
                do="correct columns=",
            )
        found[ours] = theirs
    free = [column for column in have if column not in found.values()]
    for field in ("ts", "asset", *FIELDS):
        if field in found:
            continue
        if field in free:
            found[field] = field
            continue
        for wanted in (field, *ALIASES.get(field, ())):
            like = [column for column in free if column.lower() == wanted]
            if len(like) > 1:
                raise DataError(
                    f"columns {like} could all be {field!r}", where=name or "the frame", do=f'say which: columns={{"{field}": "{like[0]}"}}'
                )
            if like:
                found[field] = like[0]
                if wanted != field:
                    notes.append(f"Column {like[0]!r} is read as {field!r}.")
                break
    return found, notes


def _extras(have: Sequence[str], used: set[str], options: Options, name: str) -> list[str]:
    rest = [column for column in have if column not in used]
    if options.extras is None:
        return rest
    lacking = [column for column in options.extras if column not in rest]
    if lacking:
        raise ConfigError(f"extra column {lacking[0]!r} is missing", where=name or "the frame", do=f"choose among {rest}")
    return list(options.extras)
