"""A run's settings in a file, TOML or JSON: every argument of `rustybt.run` by its own name."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rustybt._output import path_of
from rustybt.engine.config import configure
from rustybt.engine.sections import bands_from, carry_from, flows_from, halts_from, latency_from, rows_from, stale_from
from rustybt.errors import ConfigError
from rustybt.execution import Controls, Conversion, Margin
from rustybt.execution.costs.written import costs_from

WORDS = ("currency", "fill", "sizing", "benchmark", "intrabar", "cancel_policy", "finer")
"""Settings that are text."""
AS_THEY_ARE = (*WORDS, "cash", "max_gross", "money_scale", "settlement", "trade_from")
"""Settings that `rustybt.run` takes as they stand in the file."""
SECTIONS: dict[str, Callable[[Any, Path], Any]] = {
    "bands": lambda plain, _: bands_from(plain),
    "carry": carry_from,
    "controls": lambda plain, _: Controls.from_dict(plain),
    "convert": lambda plain, _: plain if isinstance(plain, bool) else Conversion.from_dict(plain),
    "costs": lambda plain, _: costs_from(plain),
    "dated_terms": lambda plain, folder: rows_from(plain, folder, "dated_terms"),
    "flows": flows_from,
    "halts": halts_from,
    "increments": lambda plain, folder: rows_from(plain, folder, "increments"),
    "latency": lambda plain, _: latency_from(plain),
    "margin": lambda plain, _: Margin.from_dict(plain),
    "rates": lambda plain, folder: rows_from(plain, folder, "rates"),
    "stale": lambda plain, _: stale_from(plain),
}
"""What the others mean: a function of the plain value and the file's folder."""


def settings(file: str | Path) -> dict[str, Any]:
    """The settings of a run from a file, checked.

    Args:
        file: TOML, or JSON by its suffix ``.json``. Its keys are the arguments of `rustybt.run` after the data; sections are those of
            `rustybt.controls`, `rustybt.costs`, `rustybt.margin`, `rustybt.carry` and so on. Numbers are read as they are written, never
            as floats. Names of other files in it (rates, flows, halts ...) are relative to its folder. Null counts as not said.

    Returns:
        Arguments of `rustybt.run`, `rustybt.verify` and `rustybt.sweep`, by name.

    Raises:
        ConfigError: naming the file, the field and its value.

    Example:
        >>> import rustybt as rbt
        >>> from pathlib import Path
        >>> from tempfile import mkdtemp
        >>> file = Path(mkdtemp()) / "broker.json"
        >>> _ = file.write_text('{"settlement": "T+1", "controls": {"long_only": true}, "costs": {"commission": {"rate": 0.001}}}')
        >>> given = rbt.settings(file)
        >>> sorted(given), given["costs"].commission.rate
        (['controls', 'costs', 'settlement'], Decimal('0.001'))
    """
    path = path_of(file, "settings")
    found: dict[str, Any] = {}
    with _naming(path):
        for name, value in _document(path).items():
            if name not in AS_THEY_ARE and name not in SECTIONS:
                raise ConfigError(f"there is no setting {name!r}", where=name, do=_near(name, (*AS_THEY_ARE, *SECTIONS)))
            if value is not None:
                found[name] = SECTIONS[name](value, path.parent) if name in SECTIONS else _plain(name, value, path.parent)
        configure(**{name: value for name, value in found.items() if name != "finer"})
    return found


def _plain(name: str, value: Any, folder: Path) -> Any:
    """A setting as it is; the name of a file of finer bars, where it stands beside the settings."""
    if name in WORDS and not isinstance(value, str):
        raise ConfigError(f"{name} {value!r} is not text", where=name, do=f'write {name} = "..."')
    if name == "finer" and (folder / value).exists():
        return str(folder / value)
    return value


def _near(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"write {close[0]}" if close else f"use one of {', '.join(sorted(known))}"


def _document(path: Path) -> Mapping[str, Any]:
    """The tables of a file."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the settings cannot be read: {error}", do="name a file of TOML or JSON") from None
    try:
        if path.suffix.lower() != ".json":
            return tomllib.loads(text, parse_float=Decimal)
        found = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise ConfigError(f"the settings are not {kind}: {error}", do="correct the file; JSON has the suffix .json") from None
    if not isinstance(found, dict):
        raise ConfigError("the settings are not one JSON object", do='write {"cash": "100000", ...}')
    return found


def _no_number(word: str) -> Any:
    raise ConfigError(f"{word} is not a number", do="give a finite number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table of which no name is given twice, as TOML has it."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ConfigError(f"{name!r} is given twice", where=name, do="give it once")
        found[name] = value
    return found


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors raised meanwhile say in which file."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(error.what, where=f"{path}, {error.where}" if error.where else str(path), do=error.do, **error.facts) from None
