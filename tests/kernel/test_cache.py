"""Compiled code is kept in a folder named for all that it depends on, and a process that can keep nothing still runs."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rustybt.kernel import cache

from .builds import COMPILED, KERNEL, ROOT, compiled_only, fresh


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The kernel's sources, to be edited."""
    folder = tmp_path / "kernel_edited"
    shutil.copytree(KERNEL, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def plain_settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No debug settings, whatever the process was started with."""
    import numba

    monkeypatch.delenv("NUMBA_OPT", raising=False)
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", None)
    return monkeypatch


def test_every_source_of_the_kernel_is_in_the_name_of_the_folder(copied: Path) -> None:
    sources = sorted(copied.glob("*.py"))
    assert {path.name for path in sources} >= {"arithmetic.py", "compile.py", "journal.py", "step.py", "state.py", "wide.py"}
    before, seen = cache.salt(sources), set()
    assert before == cache.salt(sorted(KERNEL.glob("*.py"))) == cache.salt()
    for path in sources:
        text = path.read_bytes()
        path.write_bytes(text + b"#\n")
        seen.add(cache.salt(sources))
        path.write_bytes(text)
    assert len(seen) == len(sources)
    assert before not in seen
    assert cache.salt(sources) == before


def test_a_new_and_a_renamed_source_change_the_folder(copied: Path) -> None:
    before = cache.salt(copied.glob("*.py"))
    (copied / "journal.py").rename(copied / "diary.py")
    renamed = cache.salt(copied.glob("*.py"))
    (copied / "margin.py").write_text("")
    assert len({before, renamed, cache.salt(copied.glob("*.py"))}) == 3


def test_a_file_that_is_only_touched_keeps_its_folder(copied: Path) -> None:
    before = cache.salt(copied.glob("*.py"))
    os.utime(copied / "step.py", (0, 0))
    assert cache.salt(copied.glob("*.py")) == before


def test_the_version_of_numba_and_the_processor_are_in_the_name(plain_settings: pytest.MonkeyPatch) -> None:
    import llvmlite.binding
    import numba

    seen = [cache.salt()]
    for owner, name, other in (
        (numba, "__version__", "9.99.0"),
        (llvmlite.binding, "get_host_cpu_name", lambda: "abacus"),
        (numba.config, "CPU_NAME", "generic"),
        (numba.config, "CPU_FEATURES", "+none"),
    ):
        with plain_settings.context() as patch:
            patch.setattr(owner, name, other)
            seen.append(cache.salt())
    assert len(set(seen)) == len(seen)
    assert seen[0].startswith(f"{numba.__version__}-")
    assert seen[1].startswith("9.99.0-")


def test_debug_builds_have_folders_of_their_own(plain_settings: pytest.MonkeyPatch) -> None:
    import numba

    usual = cache.salt()
    plain_settings.setenv("NUMBA_OPT", "0")
    unoptimised = cache.salt()
    plain_settings.setattr(numba.config, "BOUNDSCHECK", 1)
    both = cache.salt()
    plain_settings.delenv("NUMBA_OPT")
    checked = cache.salt()
    assert len({usual, unoptimised, both, checked}) == 4
    assert unoptimised.startswith(usual)
    assert checked.startswith(usual)


def test_the_usual_optimisation_said_aloud_is_no_debug_build(plain_settings: pytest.MonkeyPatch) -> None:
    usual = cache.salt()
    plain_settings.setenv("NUMBA_OPT", "3")
    assert cache.salt() == usual


def test_a_process_started_for_debugging_finds_its_own_folder(tmp_path: Path) -> None:
    code = "from rustybt.kernel.cache import folder_for_now; print(folder_for_now().name)"
    given = {"RUSTYBT_CACHE_DIR": str(tmp_path), "NUMBA_OPT": None, "NUMBA_BOUNDSCHECK": None}
    usual = fresh(code, **given).strip()
    debug = fresh(code, **{**given, "NUMBA_OPT": "1", "NUMBA_BOUNDSCHECK": "1"}).strip()
    assert debug.startswith(usual)
    assert debug.endswith("-bounds1-opt1")
    assert {path.name for path in (tmp_path / "kernel").iterdir()} == {usual, debug}


def test_a_folder_asked_for_is_tried_before_the_usual_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RUSTYBT_CACHE_DIR", raising=False)
    usual = cache.bases()
    assert len(usual) >= 2
    monkeypatch.setenv("RUSTYBT_CACHE_DIR", str(tmp_path))
    assert cache.bases() == [tmp_path, *usual]


def test_the_first_place_that_can_be_written_is_taken(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    open_to_us = tmp_path / "ours"
    assert cache.cache_home([blocked, open_to_us, tmp_path / "later"], "1-a") == open_to_us / "kernel" / "1-a"
    assert not (tmp_path / "later").exists()
    assert list((open_to_us / "kernel" / "1-a").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_passed_over(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    (locked / "kernel" / "1-a").mkdir(parents=True)
    (locked / "kernel" / "1-a").chmod(0o500)
    assert cache.cache_home([locked, tmp_path], "1-a") == tmp_path / "kernel" / "1-a"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_a_folder_that_belongs_to_somebody_else_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert cache.cache_home([tmp_path], "1-a") is None


def test_a_folder_that_we_make_is_closed_to_others(tmp_path: Path) -> None:
    home = cache.cache_home([tmp_path], "1-a")
    assert home is not None
    assert os.name == "nt" or home.stat().st_mode & 0o077 == 0


def test_there_may_be_no_place_at_all(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    assert cache.cache_home([], "1-a") is None
    assert cache.cache_home([blocked, blocked / "below"], "1-a") is None


NAMES = ("0.68.1-0123456789abcdef", "0.69.0dev0+12-0123456789abcdef-bounds1-opt1", "0.68.1-0123456789abcdef.old7f")


def aged(path: Path, days: float) -> Path:
    """A folder with a file in it, last used some days ago."""
    (path / "kernel_0").mkdir(parents=True)
    (path / "kernel_0" / "step.run-1.nbc").write_text("machine code")
    then = time.time() - days * cache.DAY
    os.utime(path, (then, then))
    return path


def test_folders_that_nobody_used_for_thirty_days_are_removed(tmp_path: Path) -> None:
    old = [aged(tmp_path / name, 31) for name in NAMES]
    recent = [aged(tmp_path / f"{digit}.0.0-0123456789abcdef", days) for digit, days in ((1, 29), (2, 0))]
    strangers = [aged(tmp_path / name, 400) for name in ("results", "1-a", "0.68.1", "0.68.1-0123456789ABCDEF")]
    home = aged(tmp_path / "3.0.0-0123456789abcdef", 500)
    assert sorted(cache.sweep(home)) == sorted(old)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (*recent, *strangers, home)}


def test_a_folder_in_use_is_noted_so_that_others_leave_it(tmp_path: Path) -> None:
    used, other = aged(tmp_path / NAMES[0], 31), aged(tmp_path / NAMES[1], 0)
    assert cache.sweep(used) == []
    os.utime(used, (0, 0))  # the stamp counts, not the folder
    assert cache.sweep(other) == []
    assert used.exists()


def test_the_neighbours_are_looked_at_once_a_day(tmp_path: Path) -> None:
    home = aged(tmp_path / NAMES[1], 0)
    assert cache.sweep(home) == []
    old = aged(tmp_path / NAMES[0], 31)
    assert cache.sweep(home) == []
    yesterday = time.time() - 1.1 * cache.DAY
    os.utime(home / cache.STAMP, (yesterday, yesterday))
    assert cache.sweep(home) == [old]


def test_several_processes_may_remove_at_once(tmp_path: Path) -> None:
    old = [aged(tmp_path / f"0.{n}.0-0123456789abcdef", 31) for n in range(40)]
    homes = [aged(tmp_path / f"1.{n}.0-0123456789abcdef", 0) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        removed = [path for found in pool.map(cache.sweep, homes) for path in found]
    named = [path for path in removed if ".old" not in path.name]  # one that another is just emptying may be helped along
    assert sorted(named) == sorted(old)  # each by one of them
    assert sorted(tmp_path.iterdir()) == sorted(homes)


def test_a_process_notes_its_folder_and_removes_old_ones(tmp_path: Path) -> None:
    old = aged(tmp_path / "kernel" / NAMES[0], 31)
    code = "from rustybt.kernel.cache import folder_for_now, STAMP; print((folder_for_now() / STAMP).exists())"
    assert fresh(code, RUSTYBT_CACHE_DIR=str(tmp_path)).strip() == "True"
    assert not old.exists()


CANCEL = """
from rustybt.kernel import Book, cache
{before}
from rustybt.kernel.example import table
from tests.kernel.small import withdraw
book = Book(table())
withdraw(book._desk, 0, 0)
print(cache.folder_for_now(), sum(withdraw.stats.cache_hits.values()), len(withdraw.signatures), book.rows)
"""


@compiled_only
def test_where_nothing_can_be_written_the_kernel_runs_without_a_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    before = f"import sys\nfrom pathlib import Path\nsys.stderr = sys.stdout\ncache.bases = lambda: [Path({str(blocked)!r})]"
    code = CANCEL.format(before=before)
    blocked.write_text("in the way")
    line, found = fresh(code).splitlines()
    assert line.startswith(f"no folder for compiled code can be written ({blocked}): every process compiles")
    assert found.split() == ["None", "0", "1", "0"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


EDITED = """
import sys, numpy as np
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.kernel.builds import copy_of
from rustybt.kernel.example import table
kernel = copy_of("rustybt.kernel_edited", Path({folder!r}))
book = kernel.Book(table())
from rustybt.kernel_edited.small import enter
enter(book._desk, 0, 0, 5)
print(int(book.log().requested[0]), sum(enter.stats.cache_hits.values()))
"""


@pytest.mark.skipif(not COMPILED, reason="the interpreter keeps no machine code")
def test_an_edit_in_a_called_function_reaches_its_callers_in_other_files(copied: Path, tmp_path: Path) -> None:
    code = EDITED.format(root=str(ROOT), folder=str(copied))
    small = (Path(__file__).parent / "small.py").read_text(encoding="utf-8")
    (copied / "small.py").write_text(small.replace("from rustybt.kernel.", "from ."), encoding="utf-8")
    given = {"RUSTYBT_CACHE_DIR": str(tmp_path / "home"), "RUSTYBT_KERNEL": None}
    assert fresh(code, **given).split() == ["0", "0"]
    assert fresh(code, **given).split() == ["0", "1"]
    journal = copied / "journal.py"
    text = journal.read_text(encoding="utf-8")
    start = text.index("def refuse(")
    assert "tail(desk, n, REJECTED, detail, requested, ZERO)" in text[start:]
    edited = text[start:].replace(
        "tail(desk, n, REJECTED, detail, requested, ZERO)", "tail(desk, n, REJECTED, detail, requested + 7, ZERO)", 1
    )
    journal.write_text(text[:start] + edited, encoding="utf-8")
    assert fresh(code, **given).split() == ["7", "0"]
    assert len(list((tmp_path / "home" / "kernel").iterdir())) == 2


def test_the_codes_of_the_model_are_part_of_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel compiles them in: with another number for one of them it has to be compiled anew."""
    before = cache.salt()
    shutil.copytree(cache.MODEL, tmp_path / "model")
    monkeypatch.setattr(cache, "MODEL", tmp_path / "model")
    assert cache.salt() == before
    codes = tmp_path / "model" / "codes.py"
    codes.write_text(codes.read_text().replace("END_OF_DAY = 37", "END_OF_DAY = 90"))
    assert cache.salt() != before
