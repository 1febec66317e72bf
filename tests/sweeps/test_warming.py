"""What sweeps have compiled is compiled beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from rustybt.kernel import warm
from rustybt.kernel.compile import MODE
from rustybt.sweeps import warming


@pytest.mark.skipif(MODE != "compiled", reason="about machine code")
def test_warming_the_kernel_compiles_the_pass_over_variants_as_well() -> None:
    assert isinstance(warm(processes=False, also=[warming.__name__]), Path)
    assert warming.is_compiled()


def test_where_nothing_is_kept_nothing_is_said_to_be_compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warming, "folder_for_now", lambda: None)
    assert not warming.is_compiled()
    monkeypatch.setattr(warming, "folder_for_now", lambda: tmp_path)
    assert not warming.is_compiled()
