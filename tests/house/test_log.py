from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from rustybt import _log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_elsewhere_than_on_a_terminal_a_line_is_one_json_object() -> None:
    out = io.StringIO()
    _log.configure(stream=out)
    structlog.get_logger().warning("rows quarantined", asset="BHP", rows=3)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["asset"], line["rows"]) == ("rows quarantined", "warning", "BHP", 3)
    assert line["timestamp"].endswith("Z")


def test_an_exception_stays_on_one_line() -> None:
    out = io.StringIO()
    _log.configure(stream=out)
    try:
        raise ValueError("no such bar")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue())["exception"][0]["exc_value"] == "no such bar"


def test_a_terminal_gets_a_line_for_people() -> None:
    out = Terminal()
    _log.configure(stream=out)
    structlog.get_logger().info("reading", rows=3)
    assert "reading" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_less_severe_lines_than_asked_for_are_dropped() -> None:
    out = io.StringIO()
    _log.configure(level=logging.ERROR, stream=out)
    structlog.get_logger().info("reading")
    assert out.getvalue() == ""


def test_logs_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    _log.configure()
    structlog.get_logger().info("reading")
    assert capsys.readouterr().out == ""
