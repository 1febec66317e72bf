"""The page: it parses, loads nothing, holds the numbers it was given, and escapes what it is told."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rustybt import _extras
from rustybt.analysis.report import ReportInputs, render, summary_html
from rustybt.errors import DataError, MissingExtraError
from tests.analysis.runs import synthetic_run

VOID = {"meta", "link", "br", "input", "img", "hr", "line", "polyline"}
GOLDEN = Path(__file__).parent / "page_structure.txt"


class Page(HTMLParser):
    """Ids, headings, texts outside scripts, attributes that load, and whether every tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.outline: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []
        self.scripts: dict[str, str] = {}
        self.tags: set[str] = set()
        self._script: str | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        if "id" in found:
            self.ids.append(str(found["id"]))
        self.loads += [str(found[name]) for name in ("src", "href", "srcset", "action", "data", "poster") if name in found]
        if tag == "script":
            self._script = str(found.get("id", f"script-{len(self.scripts)}"))
            self.scripts[self._script] = ""
        if tag in ("h1", "h2", "h3"):
            self.outline.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"
        self._script = None

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if self._script is not None:
            self.scripts[self._script] += data
        elif inside != "style":
            self.words.append(data)
            if inside in ("h1", "h2", "h3") and self.outline and len(self.outline[-1]) == 2:
                self.outline[-1] += f" {data.strip()}"

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def inputs() -> ReportInputs:
    return synthetic_run(sessions=600, trades=60)


@pytest.fixture(scope="module")
def html(inputs: ReportInputs) -> str:
    return render(inputs)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def own(html: str) -> str:
    """The page without plotly.js."""
    return "".join(re.split(r"<script>(?:(?!</script>).){1000000,}?</script>", html, flags=re.DOTALL))


def test_every_tag_is_closed_and_ids_are_unique(page: Page) -> None:
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_nothing_is_loaded_from_anywhere(page: Page, html: str) -> None:
    assert page.loads
    assert all(target.startswith("#") or target == "data:," for target in page.loads), page.loads
    assert {target.removeprefix("#") for target in page.loads if target.startswith("#")} <= set(page.ids)
    rest = own(html)
    assert len(rest) < len(html) - 1_000_000
    assert "http://" not in rest
    assert "https://" not in rest
    assert "@import" not in rest
    assert "url(" not in rest
    assert not page.tags & {"iframe", "object", "embed", "img", "form"}


def test_the_page_forbids_every_request(html: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    assert "connect-src" not in policy[1]


def test_plotly_is_inside_once(html: str) -> None:
    assert html.count("* plotly.js v") == 1


def test_outline_is_the_golden_one(page: Page) -> None:
    assert page.outline == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_the_numbers_given_are_on_the_page(page: Page, inputs: ReportInputs) -> None:
    text = page.text
    numbers = inputs.metrics
    for name in ("total_return", "cagr", "max_drawdown", "volatility", "win_rate"):
        assert f"{float(str(numbers[name])) * 100:,.2f}%" in text, name
    for name in ("sharpe", "sortino", "profit_factor", "beta"):
        assert f"{float(str(numbers[name])):,.2f}" in text, name
    assert f"{inputs.curve['equity'][-1]:,.2f}" in text
    assert "4,183.27 USD" in text
    assert "7,111.76 USD" in text
    assert str(numbers["max_drawdown_trough"]) in text
    for word in ("9f" * 32, "3ac1" * 16, "c0de" * 16, "vendor_score", "274 rows", "12 rows with a null close were quarantined."):
        assert word in text
    for settings in ("next_open", "at_decision", "bps = 10, minimum = 1"):
        assert settings in text


def test_every_trade_is_in_the_table(page: Page, inputs: ReportInputs) -> None:
    assert inputs.trades is not None
    for pnl in inputs.trades["pnl"].drop_nulls():
        assert f"{pnl:,.2f}" in page.text
    assert "60 trades." in page.text


def test_figures_hold_the_curve(page: Page, inputs: ReportInputs) -> None:
    figures = json.loads(page.scripts["figures"])
    assert set(figures) == {"equity", "exposure", "rolling", "positions", "days", "trade-returns"}
    assert {f"chart-{name}" for name in figures} <= set(page.ids)
    lines = {line["name"]: line for line in figures["equity"]["data"]}
    assert lines["Equity"]["y"][-1] == pytest.approx(float(inputs.curve["equity"][-1]), rel=1e-6)
    assert min(lines["Drawdown"]["y"]) == pytest.approx(float(str(inputs.metrics["max_drawdown"])), rel=1e-6)
    assert lines["SPY"]["y"][0] == pytest.approx(100_000)


def test_the_same_inputs_give_the_same_bytes(inputs: ReportInputs, html: str) -> None:
    assert render(inputs) == html


EVIL = '</script><script>alert("x")</script><img src=http://evil.example/x onerror=alert(1)>'


def poisoned() -> ReportInputs:
    """Hostile text wherever a name, a term or a setting can come from outside."""
    run = synthetic_run(sessions=200, assets=3, trades=12)
    assert run.trades is not None
    assert run.positions is not None
    rename = {"AAPL": EVIL}
    return replace(
        run,
        title=EVIL,
        benchmark_name=EVIL,
        currency="<b>U</b>",
        spec={"name": EVIL, "params": {EVIL: EVIL}},
        identity={"run_id": EVIL, EVIL: EVIL},
        trades=run.trades.with_columns(pl.col("asset").replace(rename), pl.lit(EVIL).alias("note")),
        positions=run.positions.with_columns(pl.col("asset").replace(rename)),
        verdict={
            "ok": True,
            "summary": EVIL,
            "terms": [{"name": EVIL, "expr": EVIL}],
            "trusted": [EVIL],
            "flags": [EVIL],
            "opaque": [EVIL],
        },
        books={"ok": False, "summary": EVIL, "checks": [{"name": EVIL, "ok": False, "detail": EVIL}], EVIL: EVIL},
        warnings=(EVIL,),
        config={EVIL: {EVIL: EVIL}},
        costs={EVIL: Decimal(1)},
    )


def test_text_from_outside_is_escaped() -> None:
    html = render(poisoned())
    page = Page(html)
    assert page.open == []
    assert len(page.scripts) == 3
    assert "img" not in page.tags
    assert "<script>alert" not in html
    assert "<b>U</b>" not in html
    assert EVIL in page.text
    names = {line["name"] for line in json.loads(page.scripts["figures"])["positions"]["data"]}
    assert EVIL in names


def test_the_notebook_summary_escapes_too() -> None:
    html = summary_html(poisoned())
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;/script&gt;" in html


def one_bar(**more: Any) -> ReportInputs:
    curve = pl.DataFrame(
        {"ts": [datetime(2024, 1, 2, 21, tzinfo=UTC)], "session": [date(2024, 1, 2)], "equity": [100.0], "cash": [100.0], "gross": [0.0]}
    )
    return ReportInputs("lone bar", {"total_return": 0.0, "sharpe": None}, curve, **more)


def test_a_run_of_one_bar_and_nothing_else_has_a_page() -> None:
    page = Page(render(one_bar()))
    assert page.open == []
    assert "Equity never fell below a peak." in page.text
    assert "The run is too short for a rolling window." in page.text
    assert "Guard" not in page.text
    assert "trades" not in page.ids


def test_empty_frames_are_left_out() -> None:
    none = pl.DataFrame(schema={"ts": pl.Datetime("us", "UTC"), "asset": pl.String, "weight": pl.Float64})
    trades = pl.DataFrame(schema={"asset": pl.String, "pnl": pl.Float64, "return": pl.Float64, "exit_ts": pl.Datetime("us", "UTC")})
    page = Page(render(one_bar(positions=none, trades=trades, orders=pl.DataFrame(schema={"status": pl.String}))))
    assert "chart-positions" not in page.ids
    assert "trade-table" not in page.ids


def test_lost_equity_is_drawn_and_not_an_error() -> None:
    days = [date(2024, 1, day) for day in (2, 3, 4)]
    ts = [datetime(day.year, day.month, day.day, 21, tzinfo=UTC) for day in days]
    curve = pl.DataFrame({"ts": ts, "session": days, "equity": [100.0, -20.0, 0.0], "cash": [100.0, 0.0, 0.0], "gross": [0.0, 50.0, 0.0]})
    page = Page(render(ReportInputs("lost", {"total_return": -1.0}, curve)))
    lines = {line["name"]: line for line in json.loads(page.scripts["figures"])["equity"]["data"]}
    assert lines["Equity"]["y"] == [100.0, -20.0, 0.0]


def test_bad_verdicts_are_loud() -> None:
    page = Page(render(one_bar(verdict={"ok": False}, books={"ok": False, "summary": "cash differs by 0.01"})))
    assert "Look-ahead found" in page.text
    assert "Books do not balance" in page.text
    assert "Cash differs by 0.01." in page.text
    flagged = Page(render(one_bar(verdict={"ok": True, "opaque": ["on_bar"], "flags": ["fill = same_bar_close"]})))
    assert "Look-ahead not ruled out" in flagged.text
    assert "fill = same_bar_close" in flagged.text


@pytest.mark.parametrize("library", ["plotly", "jinja2"])
def test_a_missing_library_is_answered_with_the_install_command(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(name: str) -> Any:
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return real(name)

    monkeypatch.setattr(_extras, "import_module", without)
    with pytest.raises(MissingExtraError) as caught:
        render(one_bar())
    assert caught.value.do == "pip install 'rustybt[report]'"
    assert "lone bar" in summary_html(one_bar())


def test_a_frame_without_its_columns_is_refused() -> None:
    with pytest.raises(DataError, match="no column weight"):
        one_bar(positions=pl.DataFrame({"ts": [1], "asset": ["A"]}))
    with pytest.raises(DataError, match="no bars"):
        ReportInputs("none", {}, one_bar().curve.clear())


def test_the_summary_has_the_headline_and_a_line(inputs: ReportInputs) -> None:
    html = summary_html(inputs)
    assert Page(html).open == []
    assert html.count("<svg") == 1
    assert f"{inputs.curve['equity'][-1]:,.2f}" in html
    assert len(html) < 20_000
    assert "<script" not in html
    assert "http" not in html
