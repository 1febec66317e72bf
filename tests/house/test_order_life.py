"""The picture of the life of an order is the table in the code."""

from __future__ import annotations

from rustybt.model import diagram
from tests.house.sources import ROOT


def test_the_page_about_orders_draws_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in (ROOT / "docs/how-to/orders.md").read_text(encoding="utf-8")
