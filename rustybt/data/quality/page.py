"""A page about the quality of a dataset: what is wrong, where, and which bars there are. One file, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from rustybt.data.quality.coverage import Coverage
from rustybt.data.quality.findings import SEVERITY

if TYPE_CHECKING:
    from rustybt.data.quality.check import Quality

WIDTH, LEFT, TOP = 1080, 110, 26
MOST_FINDINGS, MOST_ASSETS = 300, 1000
"""Rows that the tables show."""
WORDS = {"error": "cannot be true", "warning": "likely wrong", "note": "unusual"}
NUMBERS = ("findings", "bars", "missing", "errors", "warnings", "notes")
POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
LEVELS = 5
"""Shades between nothing and everything."""


def render(quality: Quality, title: str) -> str:
    """The page as HTML; equal findings give equal bytes."""
    cover, found = quality.coverage, quality.findings["severity"].value_counts()
    counts = dict.fromkeys(WORDS, 0) | dict(found.iter_rows())
    chips = "".join(
        f'<li class="{kind if n else "none"}"><b>{n:,}</b> {_plural(kind, n)} <i>{WORDS[kind]}</i></li>' for kind, n in counts.items()
    )
    style = files("rustybt.data.quality").joinpath("page.css").read_text(encoding="utf-8")
    facts = f"{quality.rows:,} rows, {cover.assets.height:,} {_plural('asset', cover.assets.height)}"
    begins, ends = (f"{one:%Y-%m-%d}" for one in (cover.edges[0], cover.edges[-1]))
    against = f"the sessions of {quality.calendar}" if quality.calendar else "all times at which any asset has a bar"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{POLICY}<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}: quality</title><style>{style}</style></head><body><main><h1>{escape(title)}</h1>"
        f"<p>{facts}, {begins} to {ends}, measured against {escape(against)}.</p><ul class=chips>{chips}</ul>{quality.aside.section()}"
        f"<h2>Coverage</h2>{chart(quality)}<h2>Checks</h2>{_checks(quality)}<h2>Assets</h2>{_assets(quality)}"
        f"<h2>Findings</h2>{_findings(quality)}</main></body></html>\n"
    )


def chart(quality: Quality) -> str:
    """Assets by time as SVG: darker where more of the bars are there; a mark where something is wrong."""
    cover = quality.coverage
    names = cover.assets["asset"].to_list()
    height = 18 if len(names) <= 40 else 9 if len(names) <= 150 else 4
    stretches = len(cover.edges) - 1
    step = (WIDTH - LEFT) / stretches
    parts = []
    for number, (name, cells) in enumerate(groupby(cover.cells.iter_rows(), key=lambda row: row[0])):
        shares = [(have, could) for _, _, have, could in cells]
        parts += _row(TOP + number * height, height, step, name=name, cells=shares, cover=cover)
    parts += _marks(quality, names, height)
    every = max(1, -(-12 // height))
    labels = "".join(
        f'<text x="{LEFT - 8}" y="{TOP + (i + 0.5) * height:.1f}" class=name>{escape(_short(name))}</text>'
        for i, name in enumerate(names) if i % every == 0
    )  # fmt: skip
    legend = "".join(f"<span class=l{level}></span>" for level in range(LEVELS + 1))
    total = TOP + len(names) * height + 6
    drawn = _axis(cover, step, total) + labels + "".join(parts)
    return (
        f'<div class=wide><svg viewBox="0 0 {WIDTH} {total}" role="img" aria-label="Bars by asset and time">{drawn}</svg></div>'
        f"<p class=legend>no bar {legend} every bar<span class='mark error'></span> error<span class='mark warning'></span> warning</p>"
    )


def _row(y: float, height: int, step: float, *, name: str, cells: list[tuple[int, int]], cover: Coverage) -> list[str]:
    """The stretches of one asset; those of one shade that follow each other are one shape."""
    parts, start = [], 0
    thick = height - (2 if height > 8 else 0.5)
    for level, group in groupby(cells, key=lambda cell: _level(*cell)):
        run = list(group)
        end = start + len(run)
        have, could = sum(one[0] for one in run), sum(one[1] for one in run)
        if level is not None:
            told = f"{name}, {cover.edges[start]:%Y-%m-%d} to {cover.edges[end]:%Y-%m-%d}: {have:,} of {could:,} bars"
            parts.append(
                f'<rect class=l{level} x="{LEFT + start * step:.1f}" y="{y:.1f}" width="{len(run) * step:.1f}" height="{thick}">'
                f"<title>{escape(told)}</title></rect>"
            )
        start = end
    return parts


def _level(have: int, could: int) -> int | None:
    """The shade of a stretch: 0 without a bar, `LEVELS` with all of them; None where there could be none."""
    if not could:
        return LEVELS if have else None
    if not have:
        return 0
    return LEVELS if have >= could else max(1, min(LEVELS - 1, have * LEVELS // could))


def _marks(quality: Quality, names: list[str], height: int) -> list[str]:
    """A mark for each asset and place with an error or a warning, the worse one where there are both."""
    first, last = quality.coverage.edges[0], quality.coverage.edges[-1]
    place = {name: number for number, name in enumerate(names)}
    found: dict[tuple[int, int], str] = {}
    bad = quality.findings.filter(pl.col("severity") != "note").sort("severity", descending=True)
    for severity, asset, ts in bad.select("severity", "asset", "ts").iter_rows():
        if asset in place and ts is not None:
            x = round(LEFT + (WIDTH - LEFT) * min(1.0, max(0.0, (ts - first) / (last - first))))
            found[x, place[asset]] = severity
    size = min(3.5, max(1.8, height / 4))
    return [
        f'<circle class={kind} cx="{x}" cy="{TOP + (row + 0.5) * height - (1 if height > 8 else 0):.1f}" r="{size}"/>'
        for (x, row), kind in sorted(found.items())
    ]


def _axis(cover: Coverage, step: float, total: float) -> str:
    """Up to nine dates along the top."""
    stretches = len(cover.edges) - 1
    wide = (cover.edges[-1] - cover.edges[0]).days > 3
    every = max(1, -(-stretches // 8))
    parts = []
    for number in range(0, stretches, every):
        x = LEFT + number * step
        said = cover.edges[number].strftime("%Y-%m-%d" if wide else "%m-%d %H:%M")
        parts.append(
            f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{total - 6}"/><text x="{x:.1f}" y="{TOP - 10}" class=date>{said}</text>'
        )
    return "".join(parts)


def _checks(quality: Quality) -> str:
    rows = []
    for check, count in quality.counts.items():
        layer, severity = SEVERITY[check]
        first = quality.findings.filter(pl.col("check") == check).row(0, named=True)
        told = f"{first['asset']} {first['ts']:%Y-%m-%d %H:%M}: {first['detail']}"
        rows.append([f'<td class="{severity}">{severity}</td>', _td(layer), _td(check), _td(f"{count:,}", "n"), _td(told)])
    return _table(("severity", "layer", "check", "findings", "first"), rows, "Every check passed.")


def _assets(quality: Quality) -> str:
    bad = quality.findings.group_by("asset").agg(
        *((pl.col("severity") == kind).sum().cast(pl.Int64).alias(kind) for kind in ("error", "warning", "note"))
    )
    table = quality.coverage.assets.join(bad, on="asset", how="left").with_columns(pl.col("error", "warning", "note").fill_null(0))
    table = table.sort("error", "warning", "missing", "asset", descending=[True, True, True, False])
    rows = [
        [_td(asset), _td(f"{first:%Y-%m-%d}", "d"), _td(f"{last:%Y-%m-%d}", "d"), *(_td(f"{n:,}", "n") for n in numbers)]
        for asset, first, last, *numbers in table.head(MOST_ASSETS).iter_rows()
    ]
    return _table(("asset", "first", "last", "bars", "missing", "errors", "warnings", "notes"), rows, "None.", table.height)


def _findings(quality: Quality) -> str:
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "note": 2}, return_dtype=pl.Int8)
    found = quality.findings.sort(order, maintain_order=True)
    rows = [
        [f'<td class="{severity}">{severity}</td>', _td(check), _td(asset), _td(f"{ts:%Y-%m-%d %H:%M}", "d"), _td(detail)]
        for _, check, severity, asset, ts, detail in found.head(MOST_FINDINGS).iter_rows()
    ]
    return _table(("severity", "check", "asset", "time (UTC)", "detail"), rows, "Nothing was found.", found.height)


def _table(heads: tuple[str, ...], rows: list[list[str]], nothing: str, total: int | None = None) -> str:
    if not rows:
        return f"<p>{nothing}</p>"
    head = "".join(f"<th scope=col{' class=n' if word in NUMBERS else ''}>{word}</th>" for word in heads)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    more = f"<p>The first {len(rows):,} of {total:,}.</p>" if total is not None and total > len(rows) else ""
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"


def _td(text: str | None, kind: str = "") -> str:
    return f"<td{f' class={kind}' if kind else ''}>{escape(text or '')}</td>"


def _short(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
