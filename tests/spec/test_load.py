"""Finding strategies by file and module name."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rustybt.errors import SpecError
from rustybt.spec import load_strategy
from rustybt.spec.locate import place_of

ONE = """
import polars as pl
import rustybt.spec as rbt

@rbt.strategy
def hold(size: float = 1.0) -> rbt.Strategy:
    return rbt.Strategy(target=rbt.weight(size))
"""
TWO = (
    ONE
    + """
@rbt.strategy
def half() -> rbt.Strategy:
    return rbt.Strategy(target=rbt.weight(0.5))

def plain() -> None: ...
"""
)


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_with_one_strategy_needs_no_name(tmp_path: Path) -> None:
    path = write(tmp_path, ONE)
    assert load_strategy(str(path))().name == "hold"
    assert load_strategy(f"{path}:hold").defaults == {"size": 1.0}


def test_a_file_is_found_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ONE, "found_here.py")
    monkeypatch.chdir(tmp_path)
    assert load_strategy("found_here.py:hold").name == "hold"
    assert load_strategy("found_here:hold").name == "hold"
    assert load_strategy("found_here").name == "hold"


def test_a_dotted_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pack").mkdir()
    write(tmp_path / "pack", ONE, "inner.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_strategy("pack.inner").name == "hold"
    assert load_strategy("pack.inner:hold").name == "hold"


def test_several_are_listed_and_one_must_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, TWO)
    with pytest.raises(SpecError, match="2 strategies") as error:
        load_strategy(str(path))
    assert "hold, half" in error.value.what
    assert load_strategy(f"{path}:half").name == "half"


def test_an_imported_strategy_does_not_count_beside_one_defined_there(tmp_path: Path) -> None:
    write(tmp_path, TWO, "neighbour_a.py")
    path = write(tmp_path, "from neighbour_a import half\n" + ONE)
    assert load_strategy(str(path)).name == "hold"
    again = write(tmp_path, "from neighbour_a import half\n", "again.py")
    assert load_strategy(str(again)).name == "half"


@pytest.mark.parametrize(
    ("name", "said"), [("nothing", "there is no 'nothing'"), ("plain", "'plain' .* is a function, not a strategy"), ("pl", "is a module")]
)
def test_a_name_that_is_no_strategy_is_answered_with_those_that_are(tmp_path: Path, name: str, said: str) -> None:
    path = write(tmp_path, TWO)
    with pytest.raises(SpecError, match=said) as error:
        load_strategy(f"{path}:{name}")
    assert error.value.do == "it has: hold, half"


def test_a_file_without_strategies_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no strategy"):
        load_strategy(str(write(tmp_path, "x = 1\n")))


@pytest.mark.parametrize("reference", ["missing.py", "missing.py:hold", "no_such_module", "no_such_module.sub:hold", "json.no_such"])
def test_what_does_not_exist_is_refused_by_name(reference: str) -> None:
    with pytest.raises(SpecError, match=r"there is no (file|module)") as error:
        load_strategy(reference)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\ny = = 2\n", 2, "SyntaxError"),
        ("import json\n\nimport no_such_library\n", 3, "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def f():\n    return 1 / 0\n\nf()\n", 2, "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('stop')\n", 2, "SystemExit: stop"),
        ("import polars as pl\npl.DataFrame({'a': [1]}).select('b')\n", 2, "ColumnNotFoundError"),
        ("from rustybt.spec import *\n@strategy\ndef s(n=5):\n    return None\n", 2, "parameter 'n' has no type"),
        ("raise ValueError\n", 1, "ValueError"),
        ("assert False, 'two\\nlines'\n", 1, "AssertionError: two lines"),
    ],
)
def test_a_file_that_fails_is_one_message_with_file_line_and_error(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SpecError) as error:
        load_strategy(str(path))
    assert said in error.value.what
    assert error.value.where == f"{path}, line {line}"
    assert "\n" not in error.value.what
    assert "Traceback" not in str(error.value)
    assert error.value.__suppress_context__


def test_a_file_that_fails_in_a_neighbour_names_its_own_line(tmp_path: Path) -> None:
    write(tmp_path, "raise RuntimeError('deep')\n", "neighbour_b.py")
    path = write(tmp_path, "import json\nimport neighbour_b\n")
    with pytest.raises(SpecError, match="deep") as error:
        load_strategy(str(path))
    assert error.value.where == f"{path}, line 2"


def test_a_module_that_fails_names_the_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "x = 1\nx.missing\n", "failing.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SpecError, match="AttributeError") as error:
        load_strategy("failing:s")
    assert error.value.where == f"{path}, line 2"


def test_ctrl_c_while_a_file_is_imported_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "raise KeyboardInterrupt\n", "interrupted.py")
    with pytest.raises(KeyboardInterrupt):
        load_strategy(str(path))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        load_strategy("interrupted")


def test_a_failed_file_is_read_again_once_it_is_corrected(tmp_path: Path) -> None:
    path = write(tmp_path, "raise ValueError\n")
    with pytest.raises(SpecError):
        load_strategy(str(path))
    write(tmp_path, ONE)
    assert load_strategy(str(path)).name == "hold"


def test_an_unchanged_file_is_imported_once_and_a_changed_one_again(tmp_path: Path) -> None:
    path = write(tmp_path, ONE)
    first = load_strategy(str(path))
    assert load_strategy(str(path)) is first
    write(tmp_path, ONE.replace("1.0", "0.5"))
    assert load_strategy(str(path)).defaults == {"size": 0.5}


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    here, there = write(tmp_path, ONE), write(tmp_path / "other", ONE.replace("hold", "keep"))
    assert (load_strategy(str(here)).name, load_strategy(str(there)).name) == ("hold", "keep")


def test_a_file_may_be_named_like_a_module_of_python(tmp_path: Path) -> None:
    path = write(tmp_path, ONE, "json.py")
    assert load_strategy(str(path)).name == "hold"


def test_a_strategy_of_a_file_pickles_into_another_process(tmp_path: Path) -> None:
    hold = load_strategy(str(write(tmp_path, ONE)))
    assert pickle.loads(pickle.dumps(hold)) is hold
    (tmp_path / "pickled").write_bytes(pickle.dumps(hold))
    code = f"import pickle; print(pickle.load(open({str(tmp_path / 'pickled')!r}, 'rb'))(size=0.5).spec_id)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hold(size=0.5).spec_id


def test_a_place_is_a_path_for_files_only(tmp_path: Path) -> None:
    path = write(tmp_path, ONE)
    assert place_of(load_strategy(str(path)).__module__) == str(path.resolve())
    assert place_of("json") == "json"


@pytest.mark.parametrize("reference", ["", ".", "./mine", "../mine:hold"])
def test_what_is_neither_a_module_nor_a_file_is_told_so(reference: str) -> None:
    with pytest.raises(SpecError, match="is neither a module nor a file"):
        load_strategy(reference)
