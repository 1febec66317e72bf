"""The public names: one list, which loads, which type checkers see, which the reference documents."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest

import rustybt
from rustybt import errors
from tests.house.sources import ROOT, tree

ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.RustyBTError)]


def test_every_public_name_loads() -> None:
    missing = [name for name in rustybt.__all__ if getattr(rustybt, name, None) is None]
    assert not missing


def test_type_checkers_see_the_same_names_from_the_same_rooms() -> None:
    guarded = next(node for node in tree(ROOT / "rustybt/__init__.py").body if isinstance(node, ast.If))
    seen = {str(alias.asname): str(node.module) for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen.keys() == rustybt._HOMES.keys()
    strays = [name for name, module in seen.items() if not f"{module}.".startswith(f"rustybt.{rustybt._HOMES[name]}.")]
    assert not strays
    assert all(getattr(import_module(module), name) is getattr(rustybt, name) for name, module in seen.items())


def test_the_reference_lists_exactly_the_public_names() -> None:
    page = (ROOT / "docs/reference/index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: rustybt\.(\w+)$", page, flags=re.MULTILINE)
    assert sorted(listed) == rustybt.__all__


def test_every_room_has_a_reference_page() -> None:
    from tests.house.sources import rooms

    pages = {path.stem for path in (ROOT / "docs/reference").glob("*.md")} - {"index"}
    assert set(rooms()) <= pages
    for page in pages & set(rooms()):
        assert f"::: rustybt.{page}" in (ROOT / f"docs/reference/{page}.md").read_text(encoding="utf-8")


def test_dir_shows_the_public_names() -> None:
    assert {*rustybt.__all__, "__version__"} <= set(dir(rustybt))


def test_the_version_is_the_installed_one() -> None:
    assert rustybt.__version__ == version("rustybt")


def test_an_unknown_name_is_an_attribute_error_that_knows_the_module() -> None:
    with pytest.raises(AttributeError, match="module 'rustybt' has no attribute 'runn'") as caught:
        _ = rustybt.runn  # type: ignore[attr-defined]
    assert caught.value.obj is rustybt


@pytest.mark.parametrize("name", [name for name in rustybt.__all__ if not name.endswith("Error")])
def test_a_public_name_is_documented_with_an_example(name: str) -> None:
    doc = inspect.getdoc(getattr(rustybt, name)) or ""
    assert ">>>" in doc, f"{name} has no example"


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: str(kind.__name__))
def test_an_error_survives_pickling(kind: Any) -> None:
    """Sweeps raise across processes."""
    error = kind("high 9 is below low 10", where="asset 'A', row 3", do="repair the row", asset="A", retryable=True)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (str(back), back.what, back.where, back.do, back.facts) == (str(error), error.what, error.where, error.do, error.facts)


def test_every_error_of_the_tree_is_public() -> None:
    assert {kind.__name__ for kind in ERRORS} <= set(rustybt.__all__)
