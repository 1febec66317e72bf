"""Files of the user's: written beside, put into place whole, and never left behind in part."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rustybt.errors import ConfigError, RustyBTError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a disk that is full."""
LIBRARIES = ("polars", "pyarrow")
"""Who writes files and has errors of its own for what the system says."""
PLACED: deque[Path] = deque(maxlen=8)
"""What this process has put into place last, in order: what is said after Ctrl-C depends on it."""


def path_of(given: object, where: str) -> Path:
    """A path as users write it.

    Raises:
        ConfigError: it is none.

    Example:
        >>> path_of("runs/x", "save").name
        'x'
    """
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(f"{given!r} is no path", where=where, do='give a text, such as "runs/x", or a pathlib.Path')
    return Path(given)


@contextmanager
def written(
    path: Path,
    what: str = "",
    *,
    do: str = "choose a place that can be written",
    then: str = "",
    folders: bool = False,
    kind: type[RustyBTError] = ConfigError,
) -> Iterator[Path]:
    """Where to write a file that takes its place when it is whole; where it cannot be, what was there stays, and nothing else.

    A device or a pipe is written as it is.

    Args:
        path: where the file is to be.
        what: it is, for the message.
        do: what to do where it cannot be written.
        then: what else there is to know then.
        folders: whether to make its folders.
        kind: of error.

    Raises:
        ConfigError: it cannot be written.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "rows.txt"
        >>> with written(place) as part:
        ...     length = part.write_text("rows")
        >>> [file.name for file in place.parent.iterdir()]
        ['rows.txt']
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    if target.name in ("", ".."):
        raise unwritten(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)), what, do=do, then=then, kind=kind)
    beside = not target.exists() or target.is_file() or target.is_dir()
    part = target.with_name(f".{target.name}.{os.getpid()}.part") if beside else target
    try:
        if folders:
            target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        if beside:
            if target.is_file():
                shutil.copymode(target, part)
            part.replace(target)
            PLACED.append(path)
    except BaseException as error:
        if beside:
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in LIBRARIES:
            raise unwritten(path, error, what, do=do, then=then, kind=kind) from None
        raise


def put(staged: Path, folder: Path) -> None:
    """Give a folder that is whole the place of another, which stays where it is until then.

    Args:
        staged: beside the place.
        folder: the place; what is there is removed.
    """
    before = staged.with_name(f"{staged.name}.before")
    try:
        if folder.exists():
            folder.replace(before)
        staged.replace(folder)
        PLACED.append(folder)
    except BaseException:
        if before.exists() and not folder.exists():
            before.replace(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)


def unwritten(
    path: Path, error: BaseException, what: str, *, do: str, then: str = "", kind: type[RustyBTError] = ConfigError
) -> RustyBTError:
    """The one message for what cannot be written."""
    said = reason(error)
    do = "free some space, or choose another place" if is_full(said) else do
    return kind(f"cannot write {what}: {said}" if what else f"cannot write: {said}", where=str(path), do=f"{do}; {then}" if then else do)


def reason(error: BaseException) -> str:
    """What the system said, which Polars hides in a text of its own, with the path of a file that is gone."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    full = [os.strerror(number) for number in FULL if os.strerror(number) in first]
    return full[0] if full else re.sub(r" \(os error \d+\).*", "", first)


def is_full(said: str) -> bool:
    """Whether a reason is that of a full disk."""
    return any(os.strerror(number) in said for number in FULL)


def is_refusal(error: BaseException) -> bool:
    """Whether it was the system that refused, whoever says so."""
    return isinstance(error, OSError) or (type(error).__module__.partition(".")[0] in LIBRARIES and "os error" in str(error))
