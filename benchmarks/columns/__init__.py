"""What is compared: one module per product with ``prepare(case) -> Job``. `COLUMNS` names them in the order of the tables.

Turning arrays into a product's own input is preparation; indicators, simulation and metrics are on the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """One column of the comparison.

    Attributes:
        name: as in the tables.
        module: below this package.
        environment: name of the virtual environment, None = ours.
        options: added to each case.
        product: whether it counts as a product to be compared with.
        workloads: those that it runs; all when empty.
    """

    name: str
    module: str
    environment: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    product: bool = False
    workloads: tuple[str, ...] = ()

    def runs(self, workload: str) -> bool:
        """Whether it has a part in a workload."""
        return not self.workloads or workload in self.workloads


SWEEPS = ("W2 x100", "W2 x1000", "W2 x5000", "W3 x100")
ONE_BY_ONE = ("W1", "W2 x100", "W3", "W4", "W5", "W6", "W7", "W7 orders", "W8", "W9")
"""Workloads that are run one strategy at a time; a sweep of thousands would only show the cost of a run again."""
COLUMNS = {
    column.name: column
    for column in (
        Column("rustybt", "ours", workloads=ONE_BY_ONE),
        Column("rustybt fills", "ours", options={"frames": ("fills",)}, workloads=("W6",)),
        Column("rustybt frames", "ours", options={"frames": ("orders", "fills", "equity")}, workloads=ONE_BY_ONE),
        Column("rustybt sweep", "swept", workloads=SWEEPS),
        Column("floor", "floor"),
        Column("vectorbt", "vectorized", "vectorbt", {"engine": "numba"}, product=True),
        Column("vectorbt-rust", "vectorized", "vectorbt", {"engine": "rust"}, product=True),
        Column("backtrader", "looped", "backtrader", product=True, workloads=("W1", "W5")),
        Column("backtesting", "single", "backtesting", product=True, workloads=("W1", "W5")),
    )
}

PACKAGES = {
    "vectorbt": ("vectorbt", "vectorbt-rust"),
    "backtrader": ("backtrader", "numpy", "pandas"),
    "backtesting": ("backtesting",),
    "zipline": ("zipline-reloaded", "bcolz-zipline", "pandas<3"),
}
"""What each environment of another product holds."""
