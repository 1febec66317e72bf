"""Compiling what large files are read and judged by, before the first one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rustybt.data.text.native import compiles, home
from rustybt.data.text.read import WORTH

HEADING = "ts,asset,open,high,low,close,volume"
CLEAN, DIRTY = "2024-01-02T00:0{minute}:00Z,A,1.5,2.5,1.25,2.25,100.0", "2024-01-02T00:0{minute}:00Z,A,1.5,1.0,1.25,2.25,100.0"


def is_compiled() -> bool:
    """Whether it was compiled and kept for this machine; so too where nothing is compiled, or nothing can be kept."""
    place = home()
    return place is None or not compiles() or all(any(place.rglob(f"*{name}-*.nbc")) for name in ("parse", "scan"))


def will_compile(files: Sequence[str] | None) -> bool:
    """Whether some files, of which None are known where they are none, may be large enough for code that is not compiled yet."""
    large = [path for path in files or () if path.lower().endswith(".csv") and Path(path).is_file()]
    return sum(Path(path).stat().st_size for path in large) >= WORTH and not is_compiled()


def compile_now() -> None:
    """Read and judge a few made-up lines: whatever large files have compiled is compiled and kept then."""
    from rustybt.data.metadata import listings
    from rustybt.data.options import Options
    from rustybt.data.scan import scan_rows
    from rustybt.data.text.parts import Parts
    from rustybt.data.text.read import Wanted, plan_of
    from rustybt.data.timing import time_rows

    if not compiles():
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.csv"
        lines = [line.format(minute=minute) for minute, line in enumerate((CLEAN, DIRTY, CLEAN))]
        path.write_text("\n".join([HEADING, *lines]) + "\n")
        wanted = Wanted(str(path), {name: name for name in HEADING.split(",")}, "bars")
        plan = plan_of(wanted)
        parts = None if plan is None else Parts([wanted], [plan])
        frame = None if parts is None else parts.frame(parts.cut()[0])
        if frame is None:
            raise RuntimeError("plain lines were not read")
        options = Options(stamp="close")
        timed = time_rows(frame, options, "")
        listed = listings(timed.keyed.symbols, options)
        found = scan_rows(timed, listed)
        if found is None:
            raise RuntimeError("plain bars were not judged")
