from __future__ import annotations

from pathlib import Path

import pytest

from rustybt.data import Catalog


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """An empty catalog that is also the user's."""
    monkeypatch.setenv("RUSTYBT_CATALOG", str(tmp_path / "catalog"))
    return Catalog()
