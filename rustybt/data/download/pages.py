"""Pages of a download on the disk: what has arrived is never asked for again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from rustybt.data.catalog.files import unwritable
from rustybt.model.source import History, Page, Source, Terms

KEPT = timedelta(days=7)
"""Age after which the pages of an interrupted download are thrown away: a vendor may have corrected them."""


class Pages:
    """The pages of one symbol's download.

    Args:
        root: folder of all downloads.
        source: where they come from.
        asked: what is asked for, as texts; the same again goes on where it stopped.
    """

    def __init__(self, root: Path, source: Source, asked: Mapping[str, str | None]) -> None:
        about = json.dumps([source.name, source.address, dict(source.options), asked], sort_keys=True)
        self.folder = root / hashlib.sha256(about.encode()).hexdigest()[:32]

    def pin(self, history: History, now: datetime, oldest: timedelta = KEPT) -> tuple[History, datetime]:
        """What is wanted, with the end that it had when the download began, and when that was; so a resumed one does not mix two ends.

        Begins anew where what is there is older than may be, or damaged.
        """
        place = self.folder / "wanted.json"
        try:
            said = json.loads(place.read_text(encoding="utf-8"))
            start, end, made = (datetime.fromisoformat(said[key]) for key in ("start", "end", "made"))
            if timedelta(0) <= now - made <= min(oldest, KEPT) and start == history.start and oldest > timedelta(0):
                return History(history.frequency, start, end), made
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self.drop()
        _note(place, {"start": history.start.isoformat(), "end": history.end.isoformat(), "made": now.isoformat()})
        return history, now

    def terms(self) -> Terms | None:
        """What the source said of the symbol when the download began."""
        try:
            note = json.loads((self.folder / "terms.json").read_text(encoding="utf-8"))
            return Terms(note["asset_class"], note["settings"], note["calendar"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_terms(self, terms: Terms) -> None:
        """Keep them; settings that are numbers become texts, which are exact."""
        settings = {name: value if value is None else str(value) for name, value in terms.settings.items()}
        _note(self.folder / "terms.json", {"asset_class": terms.asset_class, "settings": settings, "calendar": terms.calendar})

    def whole(self) -> list[Page]:
        """The whole pages from the first; a damaged one ends them."""
        found: list[Page] = []
        while (page := self._read(self._place(len(found)))) is not None:
            found.append(page)
            if page.cursor is None:
                break
        return found

    def keep(self, number: int, page: Page) -> None:
        """Write a page: its bars, then the note that makes it count.

        Raises:
            DataError: the disk does not take it.
        """
        place = self._place(number)
        _write(place.with_suffix(".parquet"), page.bars.write_parquet)
        note: dict[str, Any] = {"cursor": page.cursor, "events": [dict(event) for event in page.events], "rows": page.bars.height}
        _note(place.with_suffix(".json"), {**note, "notes": list(page.notes)})

    @staticmethod
    def stale(root: Path) -> list[Path]:
        """Downloads that nobody went on with while their pages counted."""
        oldest = (datetime.now(UTC) - KEPT).timestamp()
        return [note.parent for note in sorted(root.glob("*/wanted.json")) if note.stat().st_mtime < oldest]

    def drop(self) -> None:
        """Throw the pages away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self.folder / f"{number:06}"

    def _read(self, place: Path) -> Page | None:
        try:
            note = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
            bars = pl.read_parquet(place.with_suffix(".parquet"))
            return Page(bars, tuple(note["events"]), note["cursor"], tuple(note["notes"])) if bars.height == note["rows"] else None
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            return None


def _note(place: Path, note: Mapping[str, Any]) -> None:
    _write(place, lambda staged: staged.write_text(json.dumps(note), encoding="utf-8"))


def _write(place: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place, force it to the disk, then give it its name."""
    staged = place.with_name(f"{place.name}.staged")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write(staged)
        handle = os.open(staged, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        staged.rename(place)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unwritable(place.parent, error) from error
