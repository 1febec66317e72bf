"""The parts of a sweep that is not done: which are whole, and which variants are still to be run.

A part is the rows of variants that follow each other, with their curves in a file of the same number where they are kept, and the digest of
each beside it. Whatever of it is damaged costs the variants of that part, and no others.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from rustybt._output import written
from rustybt.errors import ConfigError
from rustybt.sweeps.whole import DIGESTS, digest_kept, digest_of, forget_digest, keep_digest, rows_in

NAME = re.compile(r"(rows|curves)-(\d{12})\.parquet")
"""What a part is called: what it holds, and the number of its first variant."""
THEN = "the same call goes on from what is kept"


@dataclass(frozen=True)
class Sorted:
    """What is there.

    Attributes:
        whole: the variants of each part that can be used, in order.
        damaged: why others cannot be, by the number of their first variant.
    """

    whole: tuple[range, ...]
    damaged: dict[int, str]

    @property
    def done(self) -> int:
        """Number of variants that need not be run again."""
        return sum(map(len, self.whole))

    def gaps(self, count: int) -> list[range]:
        """The other variants of so many, in order.

        Example:
            >>> Sorted((range(0, 4), range(6, 8)), {}).gaps(9)
            [range(4, 6), range(8, 9)]
        """
        edges = [0, *(edge for part in self.whole for edge in (part.start, part.stop)), count]
        return [range(*ends) for ends in zip(edges[::2], edges[1::2], strict=True) if ends[0] < ends[1]]


class Parts:
    """The files of a folder.

    Args:
        path: of the folder.
        curves: whether each part has curves.
    """

    def __init__(self, path: Path, *, curves: bool) -> None:
        self.path, self.curves = path, curves

    def files(self, what: str = "rows") -> list[Path]:
        """Those of one kind, in order."""
        return sorted(file for file in self.path.glob(f"{what}-*") if NAME.fullmatch(file.name))

    def add(self, first: int, rows: pl.DataFrame, curves: pl.DataFrame | None) -> None:
        """Keep the rows of variants from one on.

        Raises:
            ConfigError: they cannot be written; what was kept before stays.
        """
        for what, frame in (("curves", curves), ("rows", rows)):  # a part counts once its rows are there
            if frame is not None:
                _put(frame, self.path / f"{what}-{first:012}.parquet")

    def sort(self, most: int | None = None) -> Sorted:
        """Read all of them.

        Args:
            most: variants of the sweep; None = any number.

        Raises:
            ConfigError: a file may not be read, or the disk fails.
        """
        whole, damaged, reached = list[range](), dict[int, str](), 0
        for file in self.files():
            first = begins(file)
            try:
                part = self._part(file, first)
            except ConfigError as error:
                if not error.facts.get("damaged"):
                    raise
                damaged[first] = error.what
                continue
            if not part or first < reached or (most is not None and part.stop > most):
                damaged[first] = f"{file.name} cannot be used: it has no rows, or rows that another part has, or more than the sweep"
                continue
            whole.append(part)
            reached = part.stop
        return Sorted(tuple(whole), damaged)

    def _part(self, file: Path, first: int) -> range:
        rows = rows_in(file, THEN, digest_kept(file))
        if self.curves:
            beside = file.with_name(f"curves-{first:012}.parquet")
            rows_in(beside, THEN, digest_kept(beside))
        return range(first, first + rows)

    def keep(self, found: Sorted) -> None:
        """Delete what is not whole: its variants are to be run again."""
        firsts = {part.start for part in found.whole}
        for file in (*self.files("curves"), *self.files()):
            if begins(file) not in firsts:
                file.unlink()
                forget_digest(file)

    def clear(self) -> None:
        """Delete all of them, and the folder unless something else is in it."""
        for file in (*self.files("curves"), *self.files()):
            file.unlink()
        for digest in self.path.glob(f"{DIGESTS}*"):
            digest.unlink()
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


def begins(part: Path) -> int:
    """Number of the first variant of a part.

    Example:
        >>> begins(Path("parts/rows-000000000512.parquet"))
        512
    """
    return int(part.stem.rpartition("-")[2])


def unwritable(path: Path, error: OSError) -> ConfigError:
    """The message for a directory that cannot be used."""
    return ConfigError(f"cannot write the sweep: {error.strerror or error}", where=str(path), do="choose a directory that can be written")


def safely(part: Path) -> None:
    """Have a file on the disk before it takes its place."""
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())


def _put(frame: pl.DataFrame, place: Path) -> None:
    """Write a file whole or not at all."""
    with written(place, "the sweep", do="choose a directory that can be written", then=THEN) as staged:
        frame.write_parquet(staged)
        keep_digest(place, digest_of(staged))
        safely(staged)
