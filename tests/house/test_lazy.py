"""Rooms load their names when they are used: the names that type checkers see are those that load, from the same modules."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from rustybt._lazy import _HOMES, Room
from tests.house.sources import files, name, tree

LAZY = [path for path in files("rustybt") if path.name == "__init__.py" and "lazily(" in path.read_text(encoding="utf-8")]


def package_of(path: Path) -> str:
    return name(path.parent).replace("/", ".")


def declared(path: Path) -> dict[str, str]:
    """Public names under ``TYPE_CHECKING`` with their module below the package, as `lazily` keeps them."""
    package = package_of(path)
    guarded = next(node for node in tree(path).body if isinstance(node, ast.If))
    found: dict[str, str] = {}
    for node in guarded.body:
        assert isinstance(node, ast.ImportFrom)
        module = f"{package}.{node.module}" if node.level else str(node.module)
        found |= {alias.asname or alias.name: module.removeprefix(package).removeprefix(".") for alias in node.names}
    return found


def test_most_rooms_are_lazy() -> None:
    assert {"analysis", "data", "engine", "execution", "kernel", "ledger", "model", "spec", "sweeps"} <= {path.parent.name for path in LAZY}


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_a_lazy_room_loads_what_type_checkers_see(path: Path) -> None:
    room = import_module(package_of(path))
    homes = declared(path)
    assert isinstance(room, Room)
    assert _HOMES[room.__name__] == homes
    assert homes.keys() == set(room.__all__) <= set(dir(room))
    for public, home in homes.items():
        module = import_module(f"{room.__name__}.{home or public}")
        assert getattr(room, public) is (getattr(module, public) if home else module)


def test_a_module_does_not_take_the_place_of_the_function_that_bears_its_name() -> None:
    code = "import rustybt.engine.verify as seen; from rustybt.engine import verify; print(callable(verify), verify is seen)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


def test_a_module_of_a_room_is_an_attribute_once_it_is_imported() -> None:
    module = import_module("rustybt.engine.bulk")
    assert import_module("rustybt.engine").bulk is module


def test_a_name_that_is_not_there_is_an_attribute_error_that_knows_the_room() -> None:
    room = import_module("rustybt.engine")
    with pytest.raises(AttributeError, match=r"module 'rustybt\.engine' has no attribute 'runn'") as caught:
        _ = room.runn
    assert caught.value.obj is room


def test_a_function_that_bears_its_modules_name_survives_pickling() -> None:
    verify = import_module("rustybt.engine").verify
    assert pickle.loads(pickle.dumps(verify)) is verify


@pytest.mark.parametrize("pickler", ["pickle", "cloudpickle"])
def test_a_room_is_sent_by_its_name(pickler: str) -> None:
    """A strategy function of a script goes to other processes with the modules that it names."""
    room = import_module("rustybt.spec")
    assert pickle.loads(import_module(pickler).dumps(room)) is room
