from __future__ import annotations

from pathlib import Path

import pytest

from rustybt.data.reference import Reference
from tests.data.reference.lean_map import lean_rows


@pytest.fixture
def listed(tmp_path: Path) -> Reference:
    """Nothing yet."""
    return Reference(tmp_path / "catalog")


@pytest.fixture(scope="session")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Real symbol changes, to be read only."""
    made = Reference(tmp_path_factory.mktemp("lean"))
    made.add(lean_rows())
    return made
