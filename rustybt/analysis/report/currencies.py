"""The table of currencies: what each holds and brought."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rustybt.analysis.report.inputs import ReportInputs
from rustybt.analysis.report.tables import Cell, Table, tone_of
from rustybt.analysis.report.wording import NOTHING, money, number

OWN = {"cash": "Cash", "value": "Positions", "pnl": "P&L"}
HOME = {
    "realised_home": "Closed, price",
    "unrealised_home": "Open, price",
    "income_home": "Income",
    "fx_realised": "Rate, realised",
    "fx_unrealised": "Rate, open",
    "conversion_costs": "Conversion costs",
    "pnl_home": "P&L",
}
TONED = frozenset({"pnl", *HOME}) - {"conversion_costs"}


def currency_table(inputs: ReportInputs) -> Table | None:
    """One row for each currency and one of the totals; None where there is nothing to tell apart."""
    frame = inputs.currencies
    if frame is None or frame.height < 3:
        return None
    shown = {name: f"{title}, own" for name, title in OWN.items()}
    shown |= {name: f"{title}, {inputs.currency}" for name, title in HOME.items() if name in frame.columns}
    rows = [
        [Cell(row["currency"]), _rate(row["rate"]), *(_amount(name, row[name]) for name in shown)] for row in frame.iter_rows(named=True)
    ]
    adds = f"The columns in {inputs.currency} add up to its P&L, the totals to the change of equity."
    note = f"Own: in the currency of the row. {adds}"
    return Table(("Currency", f"Rate in {inputs.currency}", *shown.values()), (False, *[True] * (len(shown) + 1)), rows, note)


def _rate(text: str | None) -> Cell:
    return Cell(NOTHING if text is None else number(float(Fraction(text)), 6))


def _amount(name: str, amount: Any) -> Cell:
    if amount is None:
        return Cell(NOTHING)
    return Cell(money(amount), tone=tone_of(amount) if name in TONED else "")
