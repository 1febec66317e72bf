"""Explanations: text, HTML and JSON."""

from __future__ import annotations

import json

import polars as pl
import pytest

from rustybt.errors import LookaheadError
from rustybt.spec import OnBar, Strategy, weight
from rustybt.spec.explain import Explanation, explain

c = pl.col("close")


@pytest.fixture(scope="module")
def told() -> Explanation:
    score = (c.pct_change(20).over("asset").rank().over("ts") / 100).cast(pl.Float64)
    return explain(
        Strategy(
            "<mom>",
            target=weight(score),
            universe=pl.col("volume").rolling_mean(60) > 0,
            signals={"slow": c.ewm_mean(span=9) * pl.col("pe")},
        )
    )


def test_text_tells_each_term_and_what_it_reads(told: Explanation) -> None:
    text = str(told)
    assert "strategy '<mom>'" in text
    assert told.spec_id[:12] in text
    assert 'target = (close.pct_change(20).over("asset").rank().over("ts") / 100).cast(Float64)' in text
    assert "cross-section:  needs every asset of the bar" in text
    assert "59 rows" in text
    assert "reads every earlier bar: close.ewm_mean(alpha=0.2)" in text
    assert "pe (from your data; no check can see whether they hold the future)" in text
    assert "warm-up:          unbounded" in text


def test_text_lists_what_the_planner_runs(told: Explanation) -> None:
    assert told.stages
    assert any("close.pct_change(20)" in stage for stage in told.stages)
    assert "stages:" in str(told)


def test_what_is_opaque_is_not_called_proven() -> None:
    assert "proven on the expression trees, not on what is opaque" in str(explain(Strategy("s", on_bar=OnBar(lambda context: None))))
    assert "opaque" not in str(explain(Strategy("s", target=weight(1))))


def test_html_is_escaped(told: Explanation) -> None:
    page = told._repr_html_()
    assert "&lt;mom&gt;" in page
    assert "<mom>" not in page
    assert page.count("<tr>") == 4


def test_json_round_trip(told: Explanation) -> None:
    held = json.loads(told.to_json())
    assert held["name"] == "<mom>"
    assert held["verdict"]["trusted"] == ["pe"]
    assert list(held["expressions"]) == ["slow", "universe", "target"]
    assert held["spec_id"] == told.spec_id


def test_leak_cannot_be_explained_away() -> None:
    class Study:
        name, warmup, on_bar = "study", None, None

        def terms(self) -> dict[str, pl.Expr]:
            return {"tomorrow": c.shift(-1)}

    with pytest.raises(LookaheadError, match="tomorrow"):
        explain(Study())  # type: ignore[call-overload]
