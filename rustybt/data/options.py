"""What the door is told about a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from rustybt.data.calendars import Calendar, code_of
from rustybt.errors import ConfigError
from rustybt.model import Asset

if TYPE_CHECKING:
    from rustybt.data.reference import Reference

Stamp = Literal["open", "close", "session"]
Dirty = Literal["quarantine", "refuse"]
Day = str | date | datetime


@dataclass(frozen=True)
class Options:
    """Every option of `rustybt.data.load`, where each is explained."""

    stamp: Stamp | None = None
    calendar: str | Calendar | None = None
    interval: str | None = None
    timezone: str | None = None
    asset_class: str = "equity"
    preset: str | None = None
    assets: Sequence[str] | Mapping[str, Asset | Mapping[str, Any]] | None = None
    tick_size: Any = None
    lot_size: Any = None
    volume_step: Any = None
    events: Any = None
    start: Day | None = None
    end: Day | None = None
    columns: Mapping[str, str] | None = None
    extras: Sequence[str] | None = None
    dirty: Dirty = "quarantine"
    attach: Mapping[str, Any] | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "calendar", code_of(self.calendar))
        if self.stamp not in (None, "open", "close", "session"):
            raise ConfigError(f"unknown stamp {self.stamp!r}", where="stamp", do='use "open", "close" or "session"')
        if self.dirty not in ("quarantine", "refuse"):
            raise ConfigError(f"unknown way {self.dirty!r} to treat dirty rows", where="dirty", do='use "quarantine" or "refuse"')
        if self.preset is not None:
            from rustybt.data.preset import preset_of

            if preset_of(self.preset).asset_class != self.asset_class != "equity":
                told = f"preset {self.preset!r} is of another class than {self.asset_class!r}"
                raise ConfigError(told, where="load, preset", do="leave asset_class out")
        if self.reference is not None and (self.preset is not None or self.overrides):
            given = "preset" if self.preset is not None else "a mapping of assets"
            do = "say it in the reference data, or leave them out"
            raise ConfigError(f"{given} beside reference data", where="load, reference", do=do)
        if self.attach is not None and not isinstance(self.attach, Mapping):
            do = 'give frames by name: attach={"day": frame}'
            raise ConfigError(f"attach is a {type(self.attach).__name__}", where="load, attach", do=do)
        for name in ("assets", "extras"):
            self._check_listed(name, getattr(self, name))
        if self.columns is not None and not isinstance(self.columns, Mapping):
            do = 'give names by ours: columns={"close": "Last"}'
            raise ConfigError(f"columns is a {type(self.columns).__name__}", where="load, columns", do=do)

    @staticmethod
    def _check_listed(name: str, value: object) -> None:
        """Refuse what is no list of names; assets may be a mapping too."""
        if isinstance(value, str):
            raise ConfigError(f"{name} is the text {value!r}", where=name, do=f"give a list: {name}=[{value!r}]")
        if value is not None and not isinstance(value, Iterable):
            raise ConfigError(f"{name} is a {type(value).__name__}", where=f"load, {name}", do=f'give a list of names: {name}=["AAPL"]')

    @property
    def selection(self) -> tuple[str, ...] | None:
        """Symbols to keep, or None for all."""
        return None if self.assets is None or isinstance(self.assets, Mapping) else tuple(dict.fromkeys(self.assets))

    @property
    def overrides(self) -> Mapping[str, Asset | Mapping[str, Any]]:
        """Metadata by symbol."""
        return self.assets if isinstance(self.assets, Mapping) else {}

    @property
    def given(self) -> tuple[str, ...]:
        """Names of the options that differ from their default."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != f.default)
