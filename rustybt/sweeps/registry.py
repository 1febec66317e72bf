"""Every trial ever run on a dataset, counted: the best of a thousand tries is judged as the best of a thousand.

One SQLite file per user, safe under several processes. A trial is a strategy with its parameters under one configuration on one snapshot of
the data; running it again adds no trial.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from rustybt._sqlite import Schema, transaction
from rustybt.engine import Result, RunConfig
from rustybt.errors import ConfigError
from rustybt.model.arguments import kind, number, place

PLACE = "RUSTYBT_TRIALS"
"""Environment variable: another file, or ``off``."""
SCHEMA = Schema(
    what="trial registry",
    application=0x52425452,
    migrations=(
        """CREATE TABLE trials (
            snapshot TEXT NOT NULL, -- SHA-256 of the data
            trial TEXT NOT NULL, -- SHA-256 of the strategy's meaning and the configuration
            strategy TEXT NOT NULL, -- its name, for people
            sharpe REAL, -- of one session; null where it is not defined
            first_run TEXT NOT NULL, last_run TEXT NOT NULL, -- UTC
            runs INTEGER NOT NULL,
            PRIMARY KEY (snapshot, trial)
        ) WITHOUT ROWID""",
    ),
)
ADD = """
    INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (snapshot, trial) DO UPDATE SET runs = runs + 1, last_run = excluded.last_run, sharpe = excluded.sharpe
"""


class Trial(NamedTuple):
    """One strategy tried.

    Attributes:
        trial: identity; see `trial_id`.
        strategy: name.
        sharpe: of one session, or None.
    """

    trial: str
    strategy: str
    sharpe: float | None


@dataclass(frozen=True)
class Tally:
    """How often a dataset was looked at.

    Attributes:
        trials: different ones.
        variance: of their Sharpe ratios of one session (n - 1); 0 with fewer than two.
        runs: all, repeated ones too.
    """

    trials: int = 0
    variance: float = 0.0
    runs: int = 0

    @classmethod
    def of(cls, sharpes: Iterable[float | None]) -> Tally:
        """Counted without a registry."""
        given = list(sharpes)
        known = [value for value in given if value is not None]
        return cls(len(given), _variance(np.array(known, dtype=np.float64)), len(given))

    @classmethod
    def of_parts(cls, sharpes: Iterable[pl.Series], most: int) -> Tally:
        """The same of a column that comes in parts, of so many values at most: 8 bytes for each."""
        known, found, trials = np.empty(most), 0, 0
        for part in sharpes:
            numbers = part.drop_nulls().to_numpy()
            known[found : found + len(numbers)] = numbers
            found, trials = found + len(numbers), trials + len(part)
        return cls(trials, _variance(known[:found]), trials)


class TrialRegistry:
    """The file and what can be asked of it.

    Args:
        path: of the file, made on first use.
        wait: seconds to wait for another process that writes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     registry = TrialRegistry(Path(folder) / "trials.sqlite")
        ...     registry.record("data", [Trial("a", "cross", 0.1), Trial("b", "cross", 0.3), Trial("a", "cross", 0.1)])
        ...     tally = registry.tally("data")
        >>> tally.trials, tally.runs, round(tally.variance, 10)
        (2, 3, 0.02)
    """

    def __init__(self, path: str | Path, wait: float = 10.0) -> None:
        self.path = place(path, "trial registry, path", 'give a path such as "trials.sqlite"')
        self.wait = number(wait, "trial registry, wait", "give seconds such as 10")

    def check(self) -> None:
        """See that the file can be used.

        Raises:
            ConfigError: it is locked, of another program, or cannot be written.
        """
        with transaction(self.path, SCHEMA, self.wait):
            pass

    def record(self, snapshot: str, trials: Iterable[Trial]) -> None:
        """Add trials on a snapshot of data, all or none.

        Raises:
            ConfigError: as `check`.
        """
        trials = _listed(trials)
        _text(snapshot)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [(snapshot, trial.trial, trial.strategy, trial.sharpe, now, now) for trial in trials]
        rows.sort(key=lambda row: str(row[1]))  # in the order of the table: page after page of it is written once
        with transaction(self.path, SCHEMA, self.wait) as db:
            db.executemany(ADD, rows)

    def lacking(self, snapshot: str, trials: Iterable[Trial]) -> list[Trial]:
        """Those that were never recorded on a snapshot.

        Raises:
            ConfigError: as `check`.
        """
        trials = _listed(trials)
        _text(snapshot)
        asked = "SELECT 1 FROM trials WHERE snapshot = ? AND trial = ?"
        with transaction(self.path, SCHEMA, self.wait) as db:
            return [trial for trial in trials if db.execute(asked, (snapshot, trial.trial)).fetchone() is None]

    def tally(self, snapshot: str) -> Tally:
        """The trials on a snapshot.

        Raises:
            ConfigError: as `check`.
        """
        _text(snapshot)
        with transaction(self.path, SCHEMA, self.wait) as db:
            trials, runs = db.execute("SELECT count(*), coalesce(sum(runs), 0) FROM trials WHERE snapshot = ?", (snapshot,)).fetchone()
            found = db.execute("SELECT sharpe FROM trials WHERE snapshot = ? AND sharpe IS NOT NULL", (snapshot,))
            sharpes = np.fromiter((value for (value,) in found), dtype=np.float64)  # there may be millions
        return Tally(int(trials), _variance(sharpes), int(runs))

    def frame(self) -> pl.DataFrame:
        """Everything: snapshot, trial, strategy, sharpe (of one session), first_run, last_run (UTC text), runs.

        Raises:
            ConfigError: as `check`.
        """
        names = ("snapshot", "trial", "strategy", "sharpe", "first_run", "last_run", "runs")
        kinds = {name: pl.Float64 if name == "sharpe" else pl.Int64 if name == "runs" else pl.String for name in names}
        with transaction(self.path, SCHEMA, self.wait) as db:
            rows = db.execute(f"SELECT {', '.join(names)} FROM trials ORDER BY snapshot, trial").fetchall()
        return pl.DataFrame(rows, schema=kinds, orient="row")


def trial_id(spec_id: str, config: RunConfig) -> str:
    """SHA-256 of what was tried: the meaning of the strategy and the settings of the run. The version of the engine is no part of it."""
    return trial_under(json.dumps(spec_id), written(config))


def written(config: RunConfig) -> str:
    """A configuration as `trial_under` takes it."""
    return json.dumps(config.to_dict(), sort_keys=True)


def trial_under(spec: str, settings: str) -> str:
    """`trial_id` for many strategies under one configuration, which is `written` once; ``spec`` is the identity as JSON."""
    return hashlib.sha256(f"[{spec}, {settings}]".encode()).hexdigest()


def trial_of(result: Result) -> Trial:
    """A finished run as a trial, for `TrialRegistry.record`.

    Raises:
        ConfigError: something else than a run.
    """
    kind(result, Result, "trial_of, result", "give what rustybt.run gives", what=f"{result!r} is no run")
    sharpe, periods = result.metrics["sharpe"], result.metrics["periods_per_year"]
    spec = json.dumps({name: strategy.spec_id for name, strategy in result.sleeves.items()}, sort_keys=True)
    only = next(iter(result.sleeves.values())).spec_id if len(result.sleeves) == 1 else spec
    return Trial(trial_id(only, result.config), ", ".join(result.sleeves), None if sharpe is None else sharpe / periods**0.5)


def usual_place() -> Path | None:
    """The user's registry; ``RUSTYBT_TRIALS`` names another file, or says ``off``."""
    given = os.environ.get(PLACE, "").strip()
    if given:
        return None if given == "off" else Path(given)
    import platformdirs

    return Path(platformdirs.user_data_dir("rustybt")) / "trials.sqlite"


def open_registry(trials: str | Path | None) -> tuple[TrialRegistry | None, list[str]]:
    """The registry that counts, and what to say where there is none.

    Raises:
        ConfigError: the file that was asked for cannot be used. The user's own is only spoken of: counting is no reason not to run.
    """
    if trials is not None:
        place(trials, "trials", 'give a path, "off", or None for your own', what=f"{trials!r} is no file of trials")
    if trials == "off":
        return None, []
    file = usual_place() if trials is None else Path(trials)
    if file is None:
        return None, []
    registry = TrialRegistry(file)
    try:
        registry.check()
    except ConfigError as error:
        if trials is not None:
            raise
        return None, [uncounted(error)]
    return registry, []


def recorded(registry: TrialRegistry | None, snapshot: str, tried: list[Trial]) -> list[str]:
    """Records the trials; why that cannot be done."""
    try:
        if registry is not None:
            registry.record(snapshot, tried)
    except ConfigError as error:
        return [uncounted(error)]
    return []


def counted(registry: TrialRegistry | None, snapshot: str, tried: list[Trial]) -> tuple[Tally | None, list[str]]:
    """Records the trials; all trials on the data, or why they are not known."""
    if registry is None:
        return None, []
    try:
        if tried:
            registry.record(snapshot, tried)
        return registry.tally(snapshot), []
    except ConfigError as error:
        return None, [uncounted(error)]


def uncounted(error: ConfigError) -> str:
    """One sentence."""
    return f"The trials were not counted, so luck is judged by this sweep alone: {error.what} ({error.where})."


def count_run(result: Result, trials: str | Path | None) -> tuple[Tally | None, list[str]]:
    """Records one finished run: all trials on its data, or why they are not known.

    Args:
        result: the run.
        trials: as in `rustybt.sweep`.

    Raises:
        ConfigError: the file that was asked for cannot be used.
    """
    registry, notes = open_registry(trials)
    tally, failed = counted(registry, result.panel.snapshot, [trial_of(result)])
    return tally, [*notes, *failed]


def _text(snapshot: object) -> None:
    """Refuse what is no name of a snapshot."""
    do = "give the snapshot of a Panel"
    if not _is_text(snapshot):
        raise ConfigError(f"{snapshot!r} is no snapshot of data", where="trial registry, snapshot", do=do)


def _is_text(value: object) -> bool:
    """Whether SQLite can hold it."""
    try:
        return isinstance(value, str) and (value.isascii() or bool(value.encode()))
    except UnicodeEncodeError:
        return False


def _listed(trials: object) -> list[Trial]:
    """Trials in a list.

    Raises:
        ConfigError: something else, or one that cannot be kept.
    """
    given: list[Any] = list(trials) if isinstance(trials, Iterable) and not isinstance(trials, str | bytes) else [trials]
    for one in given:
        usual = type(one) is Trial and type(one.sharpe) in (float, type(None)) and type(one.trial) is type(one.strategy) is str
        if usual and one.trial.isascii() and one.strategy.isascii():  # as nearly all are, and there may be millions
            continue
        texts = (one.trial, one.strategy) if isinstance(one, Trial) else (None,)
        if not all(map(_is_text, texts)) or not isinstance(one.sharpe, float | int | None):
            raise ConfigError(f"{one!r} is no trial", where="trial registry, trials", do="give what trial_of(result) gives")
    return given


def _variance(values: npt.NDArray[np.float64]) -> float:
    """Of numbers that are used up, as `numpy.var` takes it of them in ascending order, with no second array of them."""
    if len(values) < 2:
        return 0.0
    values.sort()
    values -= values.mean()
    values *= values
    return float(values.sum() / (len(values) - 1))
