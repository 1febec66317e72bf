"""The headline of a run: key numbers against the benchmark, and verdicts in a word."""

from __future__ import annotations

from dataclasses import dataclass

from rustybt.analysis.metrics.definitions import definition_of
from rustybt.analysis.report.inputs import ReportInputs
from rustybt.analysis.report.tables import tone_of
from rustybt.analysis.report.wording import metric, moment, money, number, percent, shortened


@dataclass(frozen=True)
class Card:
    """One key number: label, text, tone, what it is compared with, and its meaning."""

    label: str
    text: str
    tone: str = ""
    against: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Chip:
    """A verdict in a few words: ``good``, ``warn``, ``bad`` or plain, with the place on the page that explains it."""

    text: str
    tone: str = ""
    target: str = ""


_PAIRS = {
    "total_return": "benchmark_return",
    "cagr": "benchmark_cagr",
    "sharpe": "benchmark_sharpe",
    "max_drawdown": "benchmark_max_drawdown",
    "volatility": "benchmark_volatility",
}
_TONED = frozenset({"total_return", "cagr", "expectancy"})
_CARDS = (
    "total_return", "cagr", "sharpe", "max_drawdown", "volatility", "sortino", "calmar", "win_rate", "profit_factor",
    "average_exposure", "costs",
)  # fmt: skip


def key_cards(inputs: ReportInputs) -> list[Card]:
    """Final equity, then the key metrics that the run has."""
    last = inputs.curve["equity"][-1]
    first = inputs.curve["equity"][0] if inputs.opening is None else inputs.opening
    since = f"from {money(first)} {inputs.currency}"
    deposited = inputs.metrics.get("net_deposits")
    if isinstance(deposited, float) and deposited:
        since += f" and {money(deposited)} paid in" if deposited > 0 else f", {money(-deposited)} taken out"
    cards = [Card("Final equity", money(last), "", since, "cash + positions after the last bar")]
    for name in _CARDS:
        value = inputs.metrics.get(name)
        if name not in inputs.metrics or isinstance(value, str):
            continue
        known = definition_of(name)
        tone = tone_of(value) if name in _TONED else ""
        cards.append(Card(known.label, metric(value, known.unit), tone, _against(inputs, name), known.meaning))
    return cards


def _against(inputs: ReportInputs, name: str) -> str:
    numbers = inputs.metrics
    if name in _PAIRS and numbers.get(_PAIRS[name]) is not None:
        return f"{inputs.benchmark_name} {metric(numbers[_PAIRS[name]], definition_of(name).unit)}"
    match name:
        case "max_drawdown" if numbers.get("max_drawdown_trough"):
            return f"lowest on {numbers['max_drawdown_trough']}"
        case "sharpe" if isinstance(error := numbers.get("sharpe_error"), float):
            return f"standard error {number(error)}"
        case "win_rate" if isinstance(trades := numbers.get("trades"), float):
            return f"of {number(trades, 0)} trades"
        case "profit_factor" if isinstance(each := numbers.get("expectancy"), float):
            return f"{money(each)} {inputs.currency} per trade"
        case "average_exposure" if isinstance(share := numbers.get("time_in_market"), float):
            return f"held {percent(share, 0)} of bars"
        case "costs" if isinstance(drag := numbers.get("costs_per_year"), float):
            return f"{percent(drag)} of equity a year"
    return ""


def verdict_chips(inputs: ReportInputs) -> list[Chip]:
    """Guard, books, flags and warnings, one chip each."""
    chips = []
    if inputs.verdict:
        ok = bool(inputs.verdict.get("ok", True))
        opaque = bool(inputs.verdict.get("opaque"))
        text = "No look-ahead, proven" if ok and not opaque else "Look-ahead not ruled out" if ok else "Look-ahead found"
        chips.append(Chip(text, "good" if ok and not opaque else "warn" if ok else "bad", "guard"))
        chips += [Chip(str(flag), "warn", "guard") for flag in inputs.verdict.get("flags", ())]
    if inputs.books:
        ok = bool(inputs.books.get("ok", False))
        chips.append(Chip("Books balance" if ok else "Books do not balance", "good" if ok else "bad", "books"))
    if inputs.warnings:
        count = len(inputs.warnings)
        chips.append(Chip(f"{count} warning{'s' if count > 1 else ''}", "warn", "warnings"))
    return chips


def subtitle(inputs: ReportInputs) -> list[tuple[str, str, str]]:
    """Facts under the title: (label, shown text, full text)."""
    first, last = inputs.curve["session"][0], inputs.curve["session"][-1]
    bars, sessions = inputs.curve.height, inputs.session_rows.height
    length = f"{sessions:,} sessions" + (f", {bars:,} bars" if bars != sessions else "")
    rows = [("Period", f"{moment(first)} to {moment(last)}", f"{moment(first)} to {moment(last)}"), ("Length", length, length)]
    if inputs.assets:
        shown = ", ".join(inputs.assets[:6]) + (f" and {len(inputs.assets) - 6:,} more" if len(inputs.assets) > 6 else "")
        rows.append(("Assets", shown, ", ".join(inputs.assets[:500])))
    names = {"run_id": "Run", "spec_id": "Spec", "snapshot": "Data", "engine": "Engine"}
    rows += [(names[key], shortened(str(text)), str(text)) for key, text in inputs.identity.items() if key in names]
    return rows
