"""What has to be settled with ccxt before it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def at_address(client: Any, url: str) -> None:
    """Point every address of an exchange at one server, keeping the paths.

    Args:
        client: of ccxt.
        url: without a slash at its end.
    """

    def swapped(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: swapped(value) for key, value in node.items()}
        path = str(node).split("/", 3)
        return url + (f"/{path[3]}" if len(path) > 3 else "")

    client.urls["api"] = swapped(client.urls["api"])


def decimal_step(precision: Any, is_step: bool) -> str | None:
    """The increment that a precision means, as plain text; None where the exchange does not say, or says 0.

    Args:
        precision: as ccxt gives it, text or number.
        is_step: whether it is the step itself; else it counts decimals.

    Example:
        >>> decimal_step("1e-8", True), decimal_step("2", False), decimal_step(None, True)
        ('0.00000001', '0.01', None)
    """
    if precision is None:
        return None
    step = Decimal(str(precision))
    if not is_step:
        step = Decimal(1).scaleb(-int(step))
    return f"{step.normalize():f}" if step > 0 else None
