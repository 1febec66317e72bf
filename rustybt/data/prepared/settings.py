"""What is kept, how much of it, and where."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from rustybt.errors import ConfigError
from rustybt.model.arguments import place
from rustybt.model.sizes import bytes_of

SWITCH, FOLDER = "RUSTYBT_PREPARED", "RUSTYBT_CACHE_DIR"


@dataclass(frozen=True)
class Caching:
    """What is kept of prepared data; see `caching`.

    Attributes:
        panels: whether panels made from files are kept.
        features: whether features of sweeps are kept.
        memory: bytes in this process at most; 0 = none.
        disk: bytes in the folder at most; 0 = none.
        least: bytes of a source below which its panel is made anew, which takes no longer.
        folder: where it is kept.
    """

    panels: bool
    features: bool
    memory: int
    disk: int
    least: int
    folder: Path


def caching(
    *,
    panels: bool = True,
    features: bool = True,
    memory: str | int = "500MB",
    disk: str | int = "5GB",
    least: str | int = "1MB",
    folder: str | Path | None = None,
) -> Caching:
    """Say what this process keeps of prepared panels and features. What is not given goes back to its default.

    Entries are found by content alone: the bytes of the files, every option of `load`, the expression, the code and the libraries. When
    any of it changes there is a new entry; age plays no part. The least recently used entries go first when a limit is reached. Results
    are the same with and without.

    Args:
        panels: keep panels that `rustybt.load` makes from files.
        features: keep the features of sweeps that take longer to evaluate than to read.
        memory: bytes in this process at most, such as ``"500MB"``; 0 = none.
        disk: bytes on the disk at most; 0 = none.
        least: sources smaller than this are read anew.
        folder: default: ``prepared`` in the folder that RUSTYBT_CACHE_DIR names, else in the user's cache.

    Returns:
        What is in force from now on. The environment's ``RUSTYBT_PREPARED=off`` switches everything off.

    Raises:
        ConfigError: a size that cannot be read, or a folder that is none.

    Example:
        >>> import rustybt as rbt
        >>> rbt.caching(features=False, disk="2GB").disk
        2000000000
        >>> rbt.caching().disk
        5000000000
    """
    off = os.environ.get(SWITCH, "") == "off"
    for name, given in (("panels", panels), ("features", features)):
        if not isinstance(given, bool):
            raise ConfigError(f"{name} is {given!r}", where=f"caching, {name}", do="give True or False")
    base = os.environ.get(FOLDER) or platformdirs.user_cache_dir("rustybt")
    home = Path(base) / "prepared" if folder is None else place(folder, "caching, folder", 'give a path such as "/var/cache/rustybt"')
    made = _now[0] = Caching(
        panels and not off, features and not off, _size("memory", memory), _size("disk", disk), _size("least", least), home.absolute()
    )
    return made


_now: list[Caching | None] = [None]


def current() -> Caching:
    """What is in force."""
    return _now[0] or caching()


def _size(name: str, given: str | int) -> int:
    return 0 if given in (0, "0") else bytes_of(given, f"caching, {name}")
