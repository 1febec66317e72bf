"""Rules for every test: no network, reproducible Hypothesis examples, tables printed the same everywhere."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# `make test` has to give the same answer twice, so examples follow from the test alone. HYPOTHESIS_PROFILE=explore draws new ones.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("house"), derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

LOCAL = ("127.0.0.1", "::1", "localhost", "")


@pytest.fixture(scope="session", autouse=True)
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Names of datasets are looked up here, not in the catalog of whoever runs the tests; nothing is kept of panels and features."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RUSTYBT_CATALOG", str(tmp_path_factory.mktemp("catalog")))
    patch.setenv("RUSTYBT_PREPARED", "off")
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """A test that reaches for another machine fails, and says where it went."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        remote = self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL
        if remote:
            raise AssertionError(f"a test tried to reach {address}; tests need no network")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", refuse)
    yield
    patch.undo()
