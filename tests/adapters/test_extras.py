"""What is true of every vendor: its library is optional, and none of its errors gets out."""

from __future__ import annotations

import sys

import pytest

import rustybt as rbt
from rustybt.adapters.binance.source import BinanceSource
from rustybt.adapters.bybit.source import BybitSource
from rustybt.adapters.ccxt.source import CcxtSource
from rustybt.data.download import open_address
from rustybt.data.download.registry import OURS

LIBRARIES = {
    "alpaca": "alpaca",
    "alphavantage": "alpha_vantage",
    "binance": "binance_sdk_spot",
    "bybit": "pybit",
    "ccxt": "ccxt",
    "polygon": "massive",
    "yfinance": "yfinance",
}
LOCAL = {"csv", "parquet"}


def test_every_source_of_ours_is_known_here() -> None:
    assert LIBRARIES.keys() | LOCAL == OURS.keys()


@pytest.mark.parametrize("vendor", LIBRARIES)
def test_a_missing_library_is_answered_with_the_install_command(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = LIBRARIES[vendor]
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    address = "binance:BTC/USDT" if vendor == "ccxt" else "AAPL"
    with pytest.raises(rbt.MissingExtraError) as caught:
        rbt.ingest(f"{vendor}:{address}", "got", start="2024-01-01", settings=_keys(vendor))
    assert caught.value.do == f"pip install 'rustybt[{vendor}]'"


def _keys(vendor: str) -> dict[str, str]:
    return {"alpaca": {"key": "k", "secret": "s"}, "alphavantage": {"key": "k"}, "polygon": {"key": "k"}}.get(vendor, {})


def _tree(kind: type[BaseException]) -> list[type[BaseException]]:
    return [kind, *(found for each in kind.__subclasses__() for found in _tree(each))]


def test_every_error_of_ccxt_becomes_one_of_ours() -> None:
    import ccxt

    source = CcxtSource("binance")
    for kind in {*_tree(ccxt.BaseError), TypeError, KeyError}:

        def fails(kind: type[BaseException] = kind) -> None:
            raise kind("it broke")

        with pytest.raises(rbt.SourceError):
            source._ask("BTC/USDT", fails)


def test_every_error_of_binance_becomes_one_of_ours() -> None:
    import binance_common.errors as errors
    import requests

    source = BinanceSource(None, 1.0)
    for kind in {*_tree(errors.Error), *_tree(requests.exceptions.RequestException), ValueError}:

        def fails(kind: type[BaseException] = kind) -> None:
            raise kind("it broke")

        with pytest.raises(rbt.SourceError):
            source._ask("BTCUSDT", fails)


def test_every_error_of_pybit_becomes_one_of_ours() -> None:
    import requests
    from pybit import exceptions

    source = BybitSource("spot", None, 1.0)
    made: list[BaseException] = [
        kind("r", "it broke", 10005, "now", None) for kind in (exceptions.FailedRequestError, exceptions.InvalidRequestError)
    ]
    made += [kind("it broke") for kind in _tree(requests.exceptions.RequestException) if kind is not requests.exceptions.JSONDecodeError]
    for error in made:

        def fails(error: BaseException = error) -> None:
            raise error

        with pytest.raises(rbt.SourceError):
            source._ask("BTCUSDT", fails)


@pytest.mark.parametrize("vendor", ["alpaca", "polygon", "yfinance", "binance", "bybit", "alphavantage", "ccxt:binance"])
def test_an_empty_address_of_a_server_is_not_the_real_one(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "MASSIVE_API_KEY", "ALPHAVANTAGE_API_KEY"):
        monkeypatch.setenv(name, "open-sesame")
    with pytest.raises(rbt.ConfigError, match="base_url '' is no address"):
        open_address(f"{vendor}:A", {"base_url": ""})
