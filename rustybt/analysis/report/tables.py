"""The tables of the page as rows of ready text; the template only places them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from rustybt.analysis.metrics import monthly_returns, worst_drawdowns
from rustybt.analysis.metrics.definitions import DEFINITIONS, definition_of
from rustybt.analysis.report.inputs import Amount, ReportInputs
from rustybt.analysis.report.wording import NOTHING, label, metric, moment, money, number, percent, plain

MOST_TRADES = 1_000
_STRONGEST = 0.78
_FIRST = (
    "asset", "sleeve", "side", "quantity", "entry_ts", "exit_ts", "entry_price", "exit_price", "pnl", "return", "fees", "bars_held",
    "exit_reason",
)  # fmt: skip
_TITLES = {
    "expr": "Expression",
    "entry_ts": "Entry",
    "exit_ts": "Exit",
    "pnl": "P&L",
    "pnl_home": "P&L, account",
    "fx_home": "By the rate",
    "return_home": "Return, account",
    "mae": "MAE",
    "mfe": "MFE",
    "bars_held": "Bars",
    "exit_reason": "Reason",
}


@dataclass(frozen=True)
class Cell:
    """One cell: what is shown, what it sorts by, whether it is a loss, how strong its colour is (0 to 1), and small print below."""

    text: str
    key: str = ""
    tone: str = ""
    strength: float = 0.0
    below: str = ""


@dataclass(frozen=True)
class Bar:
    """One line of a bar list: label, shown amount, share of the longest bar (0 to 1), a remark, and whether it is the sum of the others."""

    label: str
    text: str
    share: float
    tone: str = ""
    remark: str = ""
    total: bool = False


@dataclass(frozen=True)
class Table:
    """Column titles, whether each is numeric, rows of cells, and a note below."""

    titles: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: list[list[Cell]]
    note: str = ""


def tone_of(value: float | Decimal | None) -> str:
    """``gain``, ``loss`` or nothing."""
    return "" if not value else "gain" if value > 0 else "loss"


def month_table(inputs: ReportInputs) -> Table:
    """Monthly returns with yearly totals, newest year last; strength of colour by size against the largest month."""
    rows = monthly_returns(inputs.closes)
    sizes = sorted(abs(value) for row in rows for value in row.months if value)
    scale = sizes[int(0.95 * (len(sizes) - 1))] if sizes else 1.0
    out = []
    for row in rows:
        cells = [Cell(str(row.year))]
        for value in row.months:
            strength = 0.0 if not value else round(min(abs(value) / scale, 1.0) * _STRONGEST, 3)
            cells.append(Cell("" if value is None else percent(value, 1).removesuffix("%"), tone=tone_of(value), strength=strength))
        cells.append(Cell(percent(row.total, 1), tone=tone_of(row.total)))
        out.append(cells)
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return Table(("Year", *names, "Year total"), (False, *[True] * 13), out)


def fall_table(inputs: ReportInputs, count: int = 5) -> Table:
    """The worst drawdowns."""
    rows = []
    for fall in worst_drawdowns(inputs.closes, count):
        start, trough, end = fall.dates
        rows.append(
            [Cell(percent(fall.depth), tone="loss"), Cell(start), Cell(trough), Cell(end or "not yet"), Cell(number(fall.sessions, 0))]
        )
    return Table(("Depth", "Peak", "Lowest", "Recovered", "Sessions"), (True, False, False, False, True), rows)


def metric_groups(inputs: ReportInputs) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Every metric by group: (label, text, meaning)."""
    groups: dict[str, list[tuple[str, str, str]]] = {definition.group: [] for definition in DEFINITIONS.values()}
    for name, value in inputs.metrics.items():
        known = definition_of(name)
        groups.setdefault(known.group, []).append((known.label, metric(value, known.unit), known.meaning))
    return [(label(group), rows) for group, rows in groups.items() if rows]


def trade_table(inputs: ReportInputs) -> Table | None:
    """Round trips by entry; of more than 1,000 those with the largest profit or loss."""
    frame = inputs.trades
    if frame is None or not frame.height:
        return None
    note = ""
    if frame.height > MOST_TRADES:
        note = f"The {MOST_TRADES:,} trades with the largest profit or loss, of {frame.height:,}; all of them are in result.trades."
        largest = frame.with_row_index("_row").sort(pl.col("pnl").cast(pl.Float64).abs(), descending=True, nulls_last=True)
        frame = largest.head(MOST_TRADES).sort("_row").drop("_row")
    lone = "sleeve" in frame.columns and frame["sleeve"].n_unique() <= 1
    names = [name for name in _FIRST if name in frame.columns and not (lone and name == "sleeve")]
    names += [name for name in frame.columns if name not in _FIRST and not name.endswith("_order")]
    numeric = tuple(frame.schema[name].is_numeric() for name in names)
    frame = frame.select(names)
    digits = [column_digits(frame[name]) for name in names]
    daily = inputs.session_rows.height == inputs.curve.height
    rows = [
        [_trade_cell(name, value, places, daily) for name, value, places in zip(names, row, digits, strict=True)]
        for row in frame.iter_rows()
    ]
    return Table(tuple(_TITLES.get(name, label(name)) for name in names), numeric, rows, note)


def residual_table(inputs: ReportInputs) -> Table | None:
    """What quantisation left on the table, by asset: 1,000 rows at most, without columns of zeros."""
    frame = inputs.residuals
    if frame is None or not frame.height:
        return None
    names = [name for name in frame.columns if frame.schema[name].is_numeric() and (frame[name] != 0).any()]
    frame = frame.filter(pl.any_horizontal(pl.col(name) != 0 for name in names)) if names else frame.clear()
    if not frame.height:
        return None
    note = ""
    if frame.height > MOST_TRADES:
        note = f"{MOST_TRADES:,} of {frame.height:,} rows; all of them are in result.residuals."
        worst = frame.with_row_index("_row").sort(pl.col(names[0]).cast(pl.Float64).abs(), descending=True, nulls_last=True)
        frame = worst.head(MOST_TRADES).sort("_row").drop("_row")
    lone = "sleeve" in frame.columns and frame["sleeve"].n_unique() <= 1
    shown = ["asset", *([] if lone or "sleeve" not in frame.columns else ["sleeve"]), *names]
    digits = [column_digits(frame[name]) for name in shown]
    rows = [
        [_trade_cell(name, value, places, daily=True) for name, value, places in zip(shown, row, digits, strict=True)]
        for row in frame.select(shown).iter_rows()
    ]
    return Table(tuple(label(name) for name in shown), tuple(name in names for name in shown), rows, note)


def column_digits(series: pl.Series) -> int:
    """Digits after the point that the values of a numeric column need, at least two where any is needed, at most eight.

    Example:
        >>> column_digits(pl.Series([Decimal("1.500"), Decimal("2.125")])), column_digits(pl.Series([3, 4]))
        (3, 0)
    """
    if not (series.dtype.is_decimal() or series.dtype.is_float()):
        return 0
    values = series.cast(pl.Float64).drop_nulls()
    for digits in (0, 2, 3, 4, 5, 6, 7):
        if (values.round(digits) == values.round(8)).all():
            return digits
    return 8


def _trade_cell(name: str, value: Any, digits: int, daily: bool) -> Cell:
    if value is None:
        return Cell("open" if name == "exit_ts" else NOTHING, "~" if name == "exit_ts" else "")
    if name in ("pnl", "pnl_home", "fx_home", "fees"):
        return Cell(money(value), f"{float(value)!r}", tone_of(value) if name != "fees" else "")
    if name in ("return", "return_home", "mae", "mfe"):
        return Cell(percent(float(value)), f"{float(value)!r}", tone_of(value) if name.startswith("return") else "")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Cell(money(value, digits), f"{float(value)!r}")
    if hasattr(value, "isoformat"):
        return Cell(value.date().isoformat() if daily and isinstance(value, datetime) else moment(value), value.isoformat())
    return Cell(label(str(value)) if name.endswith("reason") else str(value), str(value))


def order_bars(inputs: ReportInputs) -> list[Bar]:
    """Order outcomes by status and what happened, in the order sent, filled, cut, rejected, cancelled, working."""
    counts = _order_counts(inputs.orders)
    if counts is None or not counts.height:
        return []
    total = int(counts["count"].sum())
    bars = [Bar("Order outcomes", f"{total:,}", 1.0)]
    places = {"filled": 0, "rejected": 1, "cancelled": 2, "working": 3}
    rows = sorted(
        counts.iter_rows(named=True), key=lambda row: (places.get(row["status"], 9), row["detail"] != "", -row["count"], row["reason"])
    )
    for row in rows:
        words = label(row["status"]) + (f", {row['detail'].replace('_', ' ')}" if row["detail"] else "")
        tone = "gain" if row["status"] == "filled" and not row["detail"] else "" if row["status"] == "working" else "loss"
        bars.append(Bar(words, f"{row['count']:,}", row["count"] / total, tone, row["reason"].replace("_", " ")))
    return bars


def _order_counts(frame: pl.DataFrame | None) -> pl.DataFrame | None:
    """Counts by status, reason and detail; ``none`` details become empty."""
    if frame is None:
        return None
    texts = [
        (pl.col(name).cast(pl.String).fill_null("") if name in frame.columns else pl.lit("")).alias(name)
        for name in ("status", "reason", "detail")
    ]
    size = pl.col("count").cast(pl.Int64) if "count" in frame.columns else pl.lit(1, pl.Int64).alias("count")
    rows = frame.select(*texts, size).with_columns(pl.col("detail").replace("none", ""))
    return rows.group_by("status", "reason", "detail").agg(pl.col("count").sum())


def cost_bars(amounts: Mapping[str, Amount], currency: str, tone: str = "accent") -> list[Bar]:
    """Amounts by kind, the largest first, and their sum."""
    if not amounts:
        return []
    total = sum((_decimal(value) for value in amounts.values()), Decimal(0))
    longest = max((abs(_decimal(value)) for value in amounts.values()), default=Decimal(0)) or Decimal(1)
    rows = sorted(amounts.items(), key=lambda item: (-abs(_decimal(item[1])), item[0]))
    bars = []
    for kind, value in rows:
        part = _decimal(value)
        remark = percent(float(part / total), 1) + " of all" if total and len(rows) > 1 else ""
        bars.append(Bar(label(kind), f"{money(part)} {currency}", float(abs(part) / longest), tone, remark))
    return [*bars, Bar("Total", f"{money(total)} {currency}", 0.0, total=True)] if len(rows) > 1 else bars


def _decimal(value: Amount) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def term_table(terms: Sequence[Mapping[str, Any]]) -> Table | None:
    """The guard's terms: every key of the mappings becomes a column, name and expression first."""
    if not terms:
        return None
    keys = list(dict.fromkeys(key for term in terms for key in term))
    first = [key for key in ("name", "term", "expr", "expression", "lookback") if key in keys]
    keys = first + [key for key in keys if key not in first]
    rows = [[Cell(plain(term.get(key)), tone="code" if key in ("expr", "expression") else "") for key in keys] for term in terms]
    return Table(tuple(_TITLES.get(key, label(key)) for key in keys), tuple(False for _ in keys), rows)


def settings(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A nested mapping as (label, text) rows.

    Example:
        >>> settings({"cash": "100000", "costs": {"commission": {"bps": 10}}})
        [('Cash', '100000'), ('Costs · commission', 'bps = 10')]
    """
    rows = []
    for key, value in values.items():
        name = f"{prefix} · {str(key).replace('_', ' ')}" if prefix else label(str(key))
        if isinstance(value, Mapping) and not prefix and value:
            rows += settings(value, name)
        else:
            rows.append((name, plain(value)))
    return rows
