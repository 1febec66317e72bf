"""Work as it is sent to the machines of a cluster: bars as Arrow, which all workers of a machine read in place; strategies as they are.

A strategy in a file, in a script or typed into a notebook is sent whole, with its module; one in an installed package by its name.
Callbacks are known by their source, so the text of their file goes with them.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import polars as pl

from rustybt._extras import require
from rustybt.data.catalog.reading import with_adjusted, without_adjusted
from rustybt.data.prepared import versions
from rustybt.errors import ConfigError
from rustybt.model import Panel
from rustybt.spec import StrategyFunction
from rustybt.sweeps.work import Work

OURS = ("rustybt", "expressions")


@dataclass(frozen=True)
class Parcel:
    """Work, ready to be sent.

    Attributes:
        name: SHA-256 of it.
        code: all but the bars, pickled.
        bars: of each dataset.
        sources: text of the files from which strategies came, by path.
        built: code and libraries of the sender.
    """

    name: str
    code: bytes
    bars: tuple[Mapping[str, Any], ...]
    sources: Mapping[str, str]
    built: Mapping[str, str]

    def opened(self) -> Work:
        """The work on the other side.

        Raises:
            ConfigError: this machine has other code or libraries, or lacks a module of the strategy.
        """
        for what, version in versions().items():
            if version != self.built[what]:
                raise ConfigError(
                    f"{what} is {version} on a worker and {self.built[what]} here",
                    where=f"Ray, {_host()}",
                    do="install the same version on every machine",
                )
        for path, text in self.sources.items():
            if not Path(path).is_file():
                linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
        try:
            work: Work = require("ray.cloudpickle", extra="ray").loads(self.code)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"a worker has no module {error.name!r}, which the strategy imports",
                where=f"Ray, {_host()}",
                do='install it on every machine, or connect first: ray.init(address, runtime_env={"working_dir": "."})',
            ) from None
        return replace(work, panels=tuple(_panel(one) for one in self.bars))


def parcel_of(work: Work) -> Parcel:
    """Pack work.

    Raises:
        ConfigError: a strategy holds what cannot be sent.
    """
    code, bars = _pickled(replace(work, panels=())), tuple(_bars(panel) for panel in work.panels)
    name = hashlib.sha256(code + "".join(panel.snapshot for panel in work.panels).encode()).hexdigest()
    return Parcel(name, code, bars, _sources(work), versions())


def _host() -> str:
    import platform

    return f"machine {platform.node()!r}"


def _bars(panel: Panel) -> dict[str, Any]:
    """A panel as arrays, the frame as an Arrow file in one: Ray leaves the bytes of arrays where they are."""
    import pyarrow as pa

    kept = {field.name: getattr(panel, field.name) for field in fields(Panel) if field.name not in ("frame", "quarantine", "whole")}
    kept["whole"] = None if panel.whole is None else _bars(panel.whole)
    table = without_adjusted(panel.frame, panel.adj_digits).to_arrow(compat_level=pl.CompatLevel.newest())
    held = pa.BufferOutputStream()
    with pa.ipc.new_file(held, table.schema) as file:
        file.write_table(table)
    return kept | {"frame": np.frombuffer(held.getvalue(), np.uint8), "columns": panel.frame.columns, "snapshot": panel.snapshot}


def _panel(given: Mapping[str, Any]) -> Panel:
    import pyarrow as pa

    kept = dict(given)
    file, columns, snapshot, whole = (kept.pop(name) for name in ("frame", "columns", "snapshot", "whole"))
    table = pa.ipc.open_file(pa.py_buffer(file)).read_all()
    frame = with_adjusted(pl.DataFrame(pl.from_arrow(table, rechunk=False)), kept["adj_digits"], columns)
    # The kernel is compiled for arrays that may be written; what lies in the store may not.
    arrays = {name: np.array(value) for name, value in kept.items() if isinstance(value, np.ndarray)}
    made = Panel(**{**kept, **arrays, "frame": frame, "whole": None if whole is None else _panel(whole)})
    made.__dict__["snapshot"] = snapshot
    return made


def _pickled(work: Work) -> bytes:
    pickling = require("ray.cloudpickle", extra="ray")

    class Pickler(pickling.CloudPickler):  # type: ignore[misc, name-defined]
        """Takes a strategy apart, which otherwise goes by its name alone."""

        def reducer_override(self, given: Any) -> Any:
            if isinstance(given, StrategyFunction) and not _installed(sys.modules.get(given.__module__)):
                kept = {**given.__dict__, "parameters": dict(given.parameters)}
                return _strategy, (kept,)
            return super().reducer_override(given)

    held = BytesIO()
    with _by_value(work, pickling):
        try:
            Pickler(held, protocol=5).dump(work)
        except Exception as error:  # noqa: BLE001 - pickle raises what it likes
            what = f"the sweep cannot be sent to other machines: {error}"
            do = 'leave open files, locks and the like out of the strategy, or use executor="threads"'
            raise ConfigError(what, where="sweep, executor", do=do) from None
    return held.getvalue()


def _strategy(kept: Mapping[str, Any]) -> StrategyFunction:
    made = StrategyFunction.__new__(StrategyFunction)
    made.__dict__.update({**kept, "parameters": MappingProxyType(kept["parameters"])})
    return made


def _modules(work: Work) -> Iterator[ModuleType]:
    """The modules of strategies that are in no installed package."""
    for name in work.modules:
        module = sys.modules.get(name)
        if module is not None and not _installed(module):
            yield module


def _installed(module: ModuleType | None) -> bool:
    path = getattr(module, "__file__", None)
    if path is None:
        return False
    homes = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")]
    homes += [Path(__file__).resolve().parents[1], *(Path(sys.modules[name].__file__ or "").parent for name in OURS if name in sys.modules)]
    return any(Path(path).resolve().is_relative_to(home) for home in homes)


@contextmanager
def _by_value(work: Work, pickling: Any) -> Iterator[None]:
    """What the modules of the strategies define is sent, not named."""
    sent = [module for module in _modules(work) if module.__name__ != "__main__"]
    for module in sent:
        pickling.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in sent:
            pickling.unregister_pickle_by_value(module)


def _sources(work: Work) -> dict[str, str]:
    found = {}
    for module in _modules(work):
        path = getattr(module, "__file__", None)
        if path is not None and Path(path).is_file():
            found[path] = Path(path).read_text(encoding="utf-8")
    return found
