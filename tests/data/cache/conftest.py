from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from rustybt.data.cache import Cache
from rustybt.data.download import fetching
from tests.data.cache.clockwork import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Friday, an hour before New York closes; downloads go by it."""
    made = Clock(datetime(2024, 3, 8, 20, tzinfo=UTC))
    monkeypatch.setattr(fetching, "Cache", partial(Cache, clock=made))
    return made
