"""Compiled code on disk that is cut short or damaged is dropped with one line, and compiled again."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rustybt.kernel import kept

from .builds import compiled_only, fresh

SOURCE = "def double(x):\n    return x + x\n"


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Makes a compiled function as a new process would: nothing in memory, its kept code below ``tmp_path / "home"``."""
    import numba

    source = tmp_path / "doubling.py"
    source.write_text(SOURCE, encoding="utf-8")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "home"))
    spec = importlib.util.spec_from_file_location("doubling", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "doubling", module)
    spec.loader.exec_module(module)
    return lambda: kept.checked(numba.njit(cache=True)(module.double))


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


def hits(function: Any) -> int:
    return sum(function.stats.cache_hits.values())


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "short of one byte": lambda content: content[:-1],
    "a flipped bit": lambda content: content[:-200] + bytes([content[-200] ^ 1]) + content[-199:],
    "something else": lambda _: b"not compiled code at all, but long enough to hold a checksum",
}


@pytest.mark.parametrize("kind", ["*.nbc", "*.nbi"])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_dropped_with_one_line_and_compiled_again(
    double: Callable[[], Any], damage: Callable[[bytes], bytes], kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = double()
    assert (first(2), hits(first)) == (4, 0)
    path = only(tmp_path / "home", kind)
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        second = double()
        assert (second(3), hits(second)) == (6, 0)
    (line,) = caplog.messages
    assert line == f"damaged file of compiled code, dropped and compiled again: {path}"
    caplog.clear()
    third = double()
    assert (third(4), hits(third)) == (8, 1)
    assert not caplog.messages


def test_a_data_file_that_is_missing_is_compiled_again_without_a_word(
    double: Callable[[], Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    double()(2)
    only(tmp_path / "home", "*.nbc").unlink()
    again = double()
    assert (again(3), hits(again)) == (6, 0)
    assert not caplog.messages
    last = double()
    assert (last(3), hits(last)) == (6, 1)


def test_a_folder_that_cannot_be_written_any_more_costs_a_line_not_the_run(
    double: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from numba.core import caching

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    function = double()
    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert function(2) == 4
    assert caplog.messages == ["compiled code could not be kept, the next process compiles again: [Errno 28] No space left on device"]


def test_numba_without_the_inner_names_keeps_its_own_cache(double: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    class Other:
        """A cache file of another numba."""

    kept.cache_class.cache_clear()
    monkeypatch.setattr(caching, "IndexDataCacheFile", Other)
    try:
        assert kept.cache_class() is None
    finally:
        monkeypatch.undo()
        kept.cache_class.cache_clear()
    assert kept.cache_class() is not None


def test_a_function_that_is_not_kept_is_left_as_it_is() -> None:
    import numba

    plain = numba.njit(lambda x: x)
    before = plain._cache
    assert kept.checked(plain)._cache is before


CANCEL = """
import sys
sys.stderr = sys.stdout
from rustybt.kernel import Book
from rustybt.kernel.example import table
from tests.kernel.small import withdraw
withdraw(Book(table(stop=1000))._desk, 0, 0)
print(sum(withdraw.stats.cache_hits.values()))
"""


@compiled_only
def test_a_whole_process_gets_over_a_damaged_cache(tmp_path: Path) -> None:
    given = {"RUSTYBT_CACHE_DIR": str(tmp_path)}
    assert fresh(CANCEL, **given).split() == ["0"]
    path = only(tmp_path, "small.withdraw-*.nbc")
    path.write_bytes(path.read_bytes()[:1000])
    line, found = fresh(CANCEL, **given).splitlines()
    assert line == f"damaged file of compiled code, dropped and compiled again: {path}"
    assert found == "0"
    assert fresh(CANCEL, **given).split() == ["1"]


@compiled_only
def test_a_process_that_only_loads_does_not_import_what_compiling_takes() -> None:
    code = "import sys; from rustybt.kernel.warm import run_plain; run_plain(); print('numba.np.arraymath' in sys.modules)"
    run_plain = importlib.import_module("rustybt.kernel.warm").run_plain
    run_plain()  # compiled and kept from here on
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n", done.stderr
