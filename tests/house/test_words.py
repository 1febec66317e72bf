"""Words that may not stand in shipped code: floats near money, loose arithmetic, unfinished work."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import SHIPPED, files, name

FLOATS = {"Float64", "Float32", "float64", "float32", "double", "fastmath"}
UNFINISHED = ("TODO", "FIXME", "XXX", "HACK")
MONEY_ROOMS = ("rustybt/ledger", "rustybt/execution", "rustybt/reference")


def tokens(path: Path) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)


@pytest.mark.parametrize("room", MONEY_ROOMS)
def test_no_float_is_made_where_money_is(room: str) -> None:
    found = []
    for path in files(room):
        names = [token for token in tokens(path) if token.type in (tokenize.NAME, tokenize.OP)]
        for token, after in zip(names, [*names[1:], names[-1]], strict=True):
            if token.string in FLOATS or (token.string == "float" and after.string == "("):
                found.append(f"{name(path)}:{token.start[0]}: {token.line.strip()}")
    assert not found, "\n".join(found)


def test_no_fast_math_anywhere() -> None:
    """Reordered float sums would make two machines disagree."""
    found = [f"{name(path)}:{token.start[0]}" for path in files(*SHIPPED) for token in tokens(path) if token.string == "fastmath"]
    assert not found


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in files(*SHIPPED)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(word in line for word in UNFINISHED) or "NotImplementedError" in line
    ]
    assert not found, "\n".join(found)
