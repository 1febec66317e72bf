"""From balances to judgement: statistics of a run, and the page that shows it.

In: equity, positions, trades and counts as arrays and frames. Out: numbers (`metrics`), how far to trust them (`honesty`), and one HTML
page (`report`).
To add a metric: a function in `metrics/`, one line in `metrics/definitions.py` and one in `metrics/measure.py`.
To add a part of the page: a builder in `report/` and its place in `report/assets/page.html.j2`.
"""

from typing import TYPE_CHECKING

from rustybt._lazy import lazily

if TYPE_CHECKING:
    from rustybt.analysis import honesty, metrics, report
else:
    lazily(
        __name__,
        {
            "honesty": (),
            "metrics": (),
            "report": (),
        },
    )

__all__ = ["honesty", "metrics", "report"]
