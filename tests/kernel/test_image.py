"""A run takes the machine code that is kept by itself, without numba, and gets by without it where anything is not as expected."""

from __future__ import annotations

import ctypes
import importlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rustybt import kernel
from rustybt.kernel import cache, entrance, image
from rustybt.kernel.example import one_asset
from rustybt.kernel.flags import HAS_FEES, HAS_MARGIN
from rustybt.kernel.kinds import ANY, BUILDS, PLAIN, USUAL, kind_of
from rustybt.kernel.sealed import SEAL, seal
from rustybt.kernel.state import ALL, Desk
from rustybt.testing.generators import session
from rustybt.testing.outcomes import differences, run_or_error

from .builds import compiled_only, fresh

pytestmark = compiled_only
CODE = """
import sys
from rustybt.kernel import simulate
from rustybt.kernel.example import one_asset
print(simulate(*one_asset([100, 101, 102], offers={0: 10})).cash.tolist(), "numba" in sys.modules)
"""


@pytest.fixture(scope="module", autouse=True)
def warmed() -> None:
    """All builds are compiled and kept, and what was not found before that is looked for again."""
    kernel.warm(processes=False)
    entrance.code_of.cache_clear()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A file of the plain build, to be damaged."""
    home = cache.folder_for_now()
    assert home is not None
    return Path(shutil.copy(image.path_of(home, PLAIN.name), tmp_path))


def rewritten(path: Path, **changed: Any) -> Path:
    """The same file with another head, sealed again."""
    head, _, code = path.read_bytes()[:-SEAL].partition(b"\n")
    content = json.dumps(json.loads(head) | changed).encode() + b"\n" + code
    path.write_bytes(content + seal(content))
    return path


def test_a_process_that_only_runs_does_not_import_numba() -> None:
    assert fresh(CODE, RUSTYBT_KERNEL=None).split("]")[1].strip() == "False"


def test_every_build_is_kept_by_itself() -> None:
    assert [entrance.code_of(build.name) is not None for build in BUILDS] == [True] * len(BUILDS)


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_in_give_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    direct = run_or_error(kernel.simulate, session(seed))
    monkeypatch.setattr(entrance, "code_of", lambda build: None)
    assert differences(direct, run_or_error(kernel.simulate, session(seed))) == []


@pytest.mark.parametrize("stop", [0, 1_000_000], ids=[PLAIN.name, USUAL.name])
def test_both_ways_in_give_the_same_in_narrow_builds(stop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    prices = [100, 103, 99, 96, 101, 104, 98]
    given = one_asset(prices, offers={0: 10, 2: -5, 5: 7}, stop=stop)
    taken: list[Any] = []
    code_of = entrance.code_of

    def noted(build: str) -> Any:
        taken.append(build)
        return code_of(build)

    monkeypatch.setattr(entrance, "code_of", noted)
    direct = kernel.simulate(*given)
    assert taken == [USUAL.name if stop else PLAIN.name]
    monkeypatch.setattr(entrance, "code_of", lambda build: None)
    assert differences(direct, kernel.simulate(*given)) == []


def test_numba_works_beside_an_image_that_came_first() -> None:
    after = CODE + (
        "from rustybt.kernel import entrance\n"
        "entrance.code_of = lambda build: None\n"
        "print(simulate(*one_asset([100, 101, 102], offers={0: 10})).cash.tolist())\n"
        "import numba\n"
        "@numba.njit\n"
        "def fail(x):\n"
        "    raise ValueError('said')\n"
        "try:\n"
        "    fail(1)\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )
    first, second, said = fresh(after, RUSTYBT_KERNEL=None).splitlines()
    assert first == f"{second} False"
    assert said == "said"


def test_the_lock_of_the_interpreter_is_not_held() -> None:
    holds = ctypes.PYFUNCTYPE(None)._flags_ & ~ctypes.CFUNCTYPE(None)._flags_
    assert holds
    assert not any(way.call._flags_ & holds for way in (image.RUN, image.ROLL))


def test_a_desk_takes_the_narrowest_build() -> None:
    plain: dict[str, Any] = dict(PLAIN.known)
    assert kind_of(Desk(**plain)) is PLAIN
    assert kind_of(Desk(**plain | {"flags": HAS_FEES})) is USUAL
    assert kind_of(Desk(parts=ALL, assets=2)) is USUAL
    assert kind_of(Desk(parts=ALL, assets=2, flags=HAS_MARGIN)) is ANY
    assert kind_of(Desk(**plain | {"errand": 1})) is ANY


# --- what is not as expected


def test_a_sound_file_is_loaded_and_one_that_is_not_there_is_not(copied: Path) -> None:
    assert image.load(copied) is not None
    assert image.load(copied.with_name("other")) is None


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "a flipped bit": lambda content: content[:-200] + bytes([content[-200] ^ 1]) + content[-199:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_dropped_with_one_line(copied: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture) -> None:
    copied.write_bytes(damage(copied.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert image.load(copied) is None
    assert caplog.messages == [f"damaged file of compiled code, dropped and compiled again: {copied}"]
    assert not copied.exists()


@pytest.mark.parametrize("what", ["python", "llvmlite", "triple", "cpu", "features"])
def test_code_for_another_machine_is_not_loaded(copied: Path, what: str) -> None:
    assert image.load(rewritten(copied, machine=image.machine() | {what: "another"})) is None


OTHER = {"signature": "i32 (ptr, ptr, i64)", "needs": ["Py_NoSuchSymbol"], "symbol": "no_such_function"}


@pytest.mark.parametrize("changed", [*({name: value} for name, value in OTHER.items()), {"needs": None}, {"needs": ["NRT_Free"]}], ids=str)
def test_code_that_cannot_be_called_or_linked_is_not_loaded(copied: Path, changed: dict[str, Any]) -> None:
    assert image.load(rewritten(copied, **changed)) is None


def test_numba_keeps_a_build_in_both_forms_or_in_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import types
    from numba.core.registry import cpu_target

    native, run = importlib.import_module("rustybt.kernel.native"), importlib.import_module("rustybt.kernel.step").run
    signature = (native.PLAIN, *(types.int64,) * 3)
    assert run._cache.load_overload(signature, cpu_target.target_context) is not None
    monkeypatch.setattr(image, "path_of", lambda home, build: tmp_path / build)
    assert run._cache.load_overload(signature, cpu_target.target_context) is None


def test_where_numba_is_told_something_it_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import numba

    for name in [name for name in os.environ if name.startswith("NUMBA_")]:
        monkeypatch.delenv(name)
    assert image.is_wanted()
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert image.is_wanted()
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    assert not image.is_wanted()
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert not image.is_wanted()
    monkeypatch.delenv("NUMBA_BOUNDSCHECK")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".numba_config.yaml").write_text("{}\n")
    assert not image.is_wanted()


def test_the_folder_has_the_same_name_with_and_without_numba() -> None:
    code = "from rustybt.kernel.cache import salt; import sys; a = salt(); n = 'numba' in sys.modules; import numba; print(a == salt(), n)"
    assert fresh(code, NUMBA_OPT=None).split() == ["True", "False"]


def test_a_version_that_cannot_be_read_is_asked_of_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    assert cache.version_of_numba() == numba.__version__
    monkeypatch.setattr(cache, "find_spec", lambda name: None)
    assert cache.version_of_numba() is None
    code = "import sys; from rustybt.kernel import cache; cache.find_spec = lambda name: None; cache.salt(); print('numba' in sys.modules)"
    assert fresh(code) == "True\n"


def test_names_that_object_code_takes_from_elsewhere(copied: Path) -> None:
    code = copied.read_bytes()[:-SEAL].partition(b"\n")[2]
    found = image.undefined(code)
    assert found is not None
    assert "PyEval_SaveThread" in found
    assert len(found) == len(set(found))
    assert image.undefined(b"\xcf\xfa\xed\xfe" + code[4:]) is None  # Mach-O


def test_a_status_that_is_not_good_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "code_of", lambda build: lambda *_: 1)
    with pytest.raises(RuntimeError, match="status 1"):
        kernel.simulate(*one_asset([100, 101], offers={0: 10}))


def test_a_library_of_another_numba_leaves_a_file_that_is_not_loaded(tmp_path: Path) -> None:
    image.write(tmp_path / "plain.image", object(), "run")
    assert (tmp_path / "plain.image").exists()
    assert image.load(tmp_path / "plain.image") is None


@pytest.mark.parametrize("error", [RuntimeError("no target"), AttributeError("add_object_file")], ids=str)
def test_what_the_loader_raises_leaves_the_run_to_numba(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise error

    monkeypatch.setattr(image, "load", fail)
    entrance.code_of.cache_clear()
    try:
        assert entrance.code_of(PLAIN.name) is None
        assert kernel.simulate(*one_asset([100, 101], offers={0: 10})).cash.tolist() == [1_000_000, 998_990]
    finally:
        entrance.code_of.cache_clear()
