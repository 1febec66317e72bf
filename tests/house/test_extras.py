from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rustybt import _extras
from rustybt.errors import MissingExtraError


def test_an_installed_module_is_returned() -> None:
    assert _extras.require("json.decoder", extra="report") is sys.modules["json.decoder"]


def test_a_missing_library_is_answered_with_the_install_command() -> None:
    with pytest.raises(MissingExtraError) as caught:
        _extras.require("no_such_library.part", extra="report")
    assert str(caught.value) == "'no_such_library' is not installed\n  do:    pip install 'rustybt[report]'"
    assert caught.value.facts == {"module": "no_such_library.part", "extra": "report"}


def test_a_library_that_lacks_something_itself_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installing the extra would not help, so the advice would be wrong."""
    (tmp_path / "half_installed.py").write_text("import its_own_dependency\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="its_own_dependency"):
        _extras.require("half_installed", extra="report")
