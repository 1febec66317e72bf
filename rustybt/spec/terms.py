"""Terms: what the checks below `Strategy` may ask of one, so that they need not know the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from rustybt.spec.exits import Exits
from rustybt.spec.hooks import OnBar
from rustybt.spec.orders import Order
from rustybt.spec.parameters import Scalar
from rustybt.spec.schedule import Schedule
from rustybt.spec.targets import Target


class Terms(Protocol):
    """The parts of a strategy. `rustybt.spec.strategy.Strategy` is the one that has them."""

    @property
    def name(self) -> str:
        """Label for reports."""

    @property
    def params(self) -> Mapping[str, Scalar]:
        """Parameter values by name."""

    @property
    def target(self) -> Target | None:
        """Wanted position."""

    @property
    def universe(self) -> pl.Expr | None:
        """True where an asset is eligible."""

    @property
    def schedule(self) -> Schedule | None:
        """When the target is decided anew."""

    @property
    def exits(self) -> Exits | None:
        """Rules that close positions."""

    @property
    def signals(self) -> Mapping[str, pl.Expr]:
        """Named expressions."""

    @property
    def warmup(self) -> int | None:
        """Bars before the first decision."""

    @property
    def on_bar(self) -> OnBar | None:
        """Callback with what it needs."""

    @property
    def declared(self) -> Mapping[str, Any]:
        """Bounds of opaque callbacks and plugins."""

    @property
    def orders(self) -> Sequence[Order]:
        """Orders sent one by one."""

    @property
    def cancel_policy(self) -> str | None:
        """What becomes of orders when a session ends."""

    def terms(self) -> dict[str, pl.Expr]:
        """Every expression by its term name."""
