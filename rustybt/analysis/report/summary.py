"""The compact view of a notebook: key numbers and a sparkline, no library needed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from rustybt.analysis.metrics.curve import Floats
from rustybt.analysis.report.cards import Card, Chip, key_cards, subtitle, verdict_chips
from rustybt.analysis.report.inputs import ReportInputs
from rustybt.analysis.report.thin import keep_extremes

_WIDTH, _HEIGHT, _POINTS, _SHOWN = 640.0, 96.0, 800, 8
_TONES = {"gain": "#2f6fb0", "loss": "#c2542d", "good": "#2f7d5b", "warn": "#a86a10", "bad": "#b3261e"}
_CARD = "padding:2px 22px 6px 0;min-width:104px"
_SMALL = "font-size:11px;opacity:.68"


def summary_html(inputs: ReportInputs) -> str:
    """A block of HTML for ``_repr_html_``: title, verdicts, key numbers and the equity as an inline SVG.

    Colours follow the notebook's own theme; there is no script and no request.

    Example:
        >>> import polars as pl
        >>> from datetime import date, datetime, timezone
        >>> rows = {"ts": [datetime(2024, 1, 2, tzinfo=timezone.utc)], "session": [date(2024, 1, 2)]}
        >>> curve = pl.DataFrame(rows | {"equity": [100.0], "cash": [100.0], "gross": [0.0]})
        >>> "Final equity" in summary_html(ReportInputs("buy <and> hold", {}, curve))
        True
    """
    facts = " · ".join(escape(text) for label, text, _ in subtitle(inputs) if label in ("Period", "Length", "Run"))
    return block(inputs.title, facts, verdict_chips(inputs), key_cards(inputs)[:_SHOWN], inputs.closes.values)


def block(title: str, facts: str, chips: Sequence[Chip], cards: Sequence[Card], values: Floats | None) -> str:
    """Title, facts (escaped already), verdicts, key numbers and a sparkline."""
    verdicts = "".join(_chip(chip.text, chip.tone) for chip in chips)
    numbers = "".join(_card(card) for card in cards)
    line = "" if values is None or not len(values) else sparkline(values, "Equity over the sessions of the run")
    return (
        '<div style="font-family:system-ui,-apple-system,Segoe UI,Roboto,sans-serif;max-width:880px;line-height:1.4">'
        f'<div style="font-size:16px;font-weight:600">{escape(title)}</div><div style="{_SMALL}">{facts}</div>'
        f'<div style="margin:6px 0">{verdicts}</div>'
        f'<div style="display:flex;flex-wrap:wrap;font-variant-numeric:tabular-nums">{numbers}</div>'
        f"{line}</div>"
    )


def _card(card: Card) -> str:
    colour = f";color:{_TONES[card.tone]}" if card.tone else ""
    against = f'<div style="{_SMALL}">{escape(card.against)}</div>' if card.against else ""
    value = f'<div style="font-size:17px;font-weight:600{colour}">{escape(card.text)}</div>'
    return f'<div style="{_CARD}" title="{escape(card.meaning)}"><div style="{_SMALL}">{escape(card.label)}</div>{value}{against}</div>'


def _chip(text: str, tone: str) -> str:
    colour = _TONES.get(tone, "currentColor")
    style = f"display:inline-block;font-size:11px;border:1px solid {colour};color:{colour};border-radius:9px;padding:0 8px;margin-right:6px"
    return f'<span style="{style}">{escape(text)}</span>'


def sparkline(values: Floats, label: str) -> str:
    """A line as inline SVG with a hairline at the first value; at most 800 points, highs and lows kept.

    Example:
        >>> sparkline(np.array([1.0, 3.0, 2.0]), "equity").count("<polyline")
        1
    """
    rows = keep_extremes([values], _POINTS)
    low, high = float(values.min()), float(values.max())
    span = (high - low) or 1.0
    across = np.linspace(0.0, _WIDTH, len(rows)) if len(rows) == len(values) else rows / max(len(values) - 1, 1) * _WIDTH
    down = _HEIGHT - 4.0 - (values[rows] - low) / span * (_HEIGHT - 8.0)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across.tolist(), down.tolist(), strict=True))
    base = float(down[0])
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {_HEIGHT:.0f}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}" '
        'style="width:100%;height:96px;display:block">'
        f'<line x1="0" x2="{_WIDTH:.0f}" y1="{base:.1f}" y2="{base:.1f}" stroke="currentColor" stroke-opacity=".25" '
        'stroke-dasharray="3 4"/>'
        f'<polyline points="{points}" fill="none" stroke="#2f6fb0" stroke-width="1.6" vector-effect="non-scaling-stroke"/></svg>'
    )
