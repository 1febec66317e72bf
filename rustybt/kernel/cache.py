"""Where compiled code is kept between processes.

A compiled function does not notice that a function it calls was edited in another file, nor that a debug build was asked for. So the
folder's name holds a digest of all kernel sources, of the model (whose codes are constants in them), of what else is compiled, of numba's
version, of the processor and of the debug settings.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = HERE.parent / "model"
BESIDE = tuple(HERE.parent / "sweeps" / f"{name}.py" for name in "alike blocks machine moments moving onepass ranks steps".split())
"""What is compiled beside the kernel: the pass over the variants of a sweep, and that over their features."""
DAY = 24 * 3600
UNUSED = 30 * DAY
"""Seconds after which a folder that no process used is removed."""
OURS = re.compile(r"\d+\.[^-]*-[0-9a-f]{16}(-\w+)*(\.old\w*)?")
"""Names of the folders that `salt` gives, and of those that are being removed."""
STAMP = "used"
HARMLESS = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER"}
"""Settings of numba that nothing here depends on."""
log = logging.getLogger(__name__)


def salt(sources: Iterable[Path] | None = None) -> str:
    """A name that changes with everything that compiled code depends on.

    Args:
        sources: files to read; all of the kernel unless given. The model and `BESIDE` count in any case.
    """
    import llvmlite.binding

    version, cpu, features, bounds = settings_of_numba()
    digest = hashlib.sha256()
    for path in [*sorted(HERE.glob("*.py") if sources is None else sources), *sorted(MODEL.glob("*.py")), *filter(Path.is_file, BESIDE)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update(f"{llvmlite.binding.get_host_cpu_name()} {cpu} {features}".encode())
    level = os.environ.get("NUMBA_OPT", "")
    debug = "".join(f"-{name}{value}" for name, value in (("bounds", bounds), ("opt", level)) if value not in {None, "", "3"})
    return f"{version}-{digest.hexdigest()[:16]}{debug}"


def settings_of_numba() -> tuple[str, str | None, str | None, int | None]:
    """Its version, the processor and the features that it compiles for, and whether it checks bounds.

    Numba is imported for it only where something is set: a process that loads what is compiled may do without.
    """
    if "numba" not in sys.modules and not is_set():
        version = version_of_numba()
        if version is not None:
            return version, None, None, None
    import numba

    return numba.__version__, numba.config.CPU_NAME, numba.config.CPU_FEATURES, numba.config.BOUNDSCHECK


def is_set() -> bool:
    """Whether anything is set, in the environment or in a file here, that numba would heed when it compiles or runs."""
    return Path(".numba_config.yaml").exists() or any(name.startswith("NUMBA_") and name not in HARMLESS for name in os.environ)


def version_of_numba() -> str | None:
    """The version of numba, as it says itself, without importing it; None where its file is not as expected."""
    found = find_spec("numba")
    if found is None or found.origin is None:
        return None
    with suppress(OSError):
        said = re.search(r'"version": "([^"]+)"', Path(found.origin).with_name("_version.py").read_text(encoding="utf-8"))
        return None if said is None else said.group(1)
    return None


def bases() -> list[Path]:
    """Folders in which to try, best first: RUSTYBT_CACHE_DIR, the user's cache, a private temporary folder."""
    import platformdirs

    given = os.environ.get("RUSTYBT_CACHE_DIR")
    user = f"rustybt-{os.getuid()}" if hasattr(os, "getuid") else "rustybt"
    usual = [Path(platformdirs.user_cache_dir("rustybt"))]
    with suppress(FileNotFoundError):  # no folder for temporary files at all
        usual.append(Path(tempfile.gettempdir()) / user)
    return [Path(given), *usual] if given else usual


def cache_home(tried: Iterable[Path], name: str) -> Path | None:
    """The first folder that can be written and is ours, made if missing; None where there is none.

    Args:
        tried: bases, best first.
        name: of the folder below them.
    """
    for base in tried:
        path = base / "kernel" / name
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
                continue  # a stranger's folder: code is loaded from here
            with tempfile.TemporaryFile(dir=path):
                return path
        except OSError:
            continue
    return None


def sweep(home: Path) -> list[Path]:
    """Note that a folder is in use, and remove its neighbours that have not been used for `UNUSED` seconds; at most once a day.

    Several processes may do it at once: a folder is renamed before it is emptied, which only one of them can do, and a process that
    loses the folder under its feet compiles again.

    Returns:
        The folders that were removed, by their old names.
    """
    removed, now = [], time.time()
    with suppress(OSError):
        if (home / STAMP).exists() and last_use(home) > now - DAY:
            return []
        (home / STAMP).touch()
        for path in sorted(home.parent.iterdir()):
            with suppress(OSError):  # another process is at it
                if path != home and OURS.fullmatch(path.name) and last_use(path) < now - UNUSED:
                    aside = path.with_name(f"{path.name.partition('.old')[0]}.old{uuid.uuid4().hex}")
                    path.rename(aside)
                    shutil.rmtree(aside, ignore_errors=True)
                    removed.append(path)
    return removed


def last_use(home: Path) -> float:
    """When a folder was last noted to be in use, or changed."""
    stamp = home / STAMP
    return (stamp if stamp.exists() else home).stat().st_mtime


@cache
def folder_for_now() -> Path | None:
    """Where this process keeps compiled code; None when nothing can be written, and then every process compiles for itself."""
    tried = bases()
    home = cache_home(tried, salt())
    if home is None:
        log.warning(
            "no folder for compiled code can be written (%s): every process compiles the kernel for itself; set RUSTYBT_CACHE_DIR",
            ", ".join(map(str, tried)),
        )
    else:
        sweep(home)
    return home
