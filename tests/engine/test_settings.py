"""Settings in a file: the same as the arguments that they stand for, and one clear message for each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from inspect import signature
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rustybt as rbt
from rustybt.engine.config import configure
from rustybt.engine.settings import AS_THEY_ARE, SECTIONS
from rustybt.errors import ConfigError
from rustybt.execution import Margin
from rustybt.execution.costs.written import costs_from

Write = Callable[..., Path]

EVERYTHING = """
cash = 50000.10
currency = "USD"
money_scale = 4
fill = "next_close"
benchmark = "IBM"
intrabar = "nearest"
cancel_policy = "end_of_day"
convert = false
latency = ["20ms", {uniform = ["1ms", "5ms"], seed = 7}]
stale = {repeats = 3, zero_volume = true}
bands = {up = "0.10", by_asset = {AAPL = {up = "0.2", down = "0.3"}, IBM = "0.05"}}
halts = {table = [["AAPL", "2004-10-13", 2004-10-14]], cancel = true}
flows = [["2004-01-31", "500"], [2004-06-28, -200.25]]
increments = "steps.csv"
rates = [{pair = "EUR/USD", ts = 2004-01-31, rate = 1.0837}]

[[dated_terms]]
asset = "AAPL"
from_ts = "2004-04-09"
commission_rate = 0.0005

[costs]
slippage = {ticks = 1, square_root = "0.02"}
volume_cap = {share = 0.1, carry = false}
[costs.commission]
flat = 1
minimum = "1.50"
cap = "0.01"
by = "quantity"
tiers = [{per_unit = "0.0035"}, {floor = 300000, per_unit = 0.002}]
[costs.by_asset.AAPL]
profile = "ib_us_equity_fixed"
slippage = {rate = "0.0001", sell = {spread = true}}

[controls]
long_only = true
order_notional = {value = 20000, action = "reduce"}
restricted = ["AAPL"]
asset_dates.IBM = {from = 2004-05-18}

[margin]
initial = 0.5
maintenance = "0.25"
by_asset.AAPL = {initial = 13200, maintenance = 12000, per_contract = true}

[carry]
interest = 0.06
credit = [{session = 2004-01-01, rate = "0.01"}, {session = 2004-02-01, rate = 0.02}]
borrow = "borrow.csv"
funding = [{asset = "AAPL", ts = "2004-01-31T08:00:00Z", rate = "0.0001", mark = 20.5}]
financing = ["0.06", "-0.03"]
swap.AAPL = ["-0.00007", 0.00002]
rollover = 21:00:00
day_count = 365
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def call(text: str, name: str = "broker.toml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return call


def test_a_file_says_the_same_as_the_arguments_of_run(write: Write, tmp_path: Path) -> None:
    (tmp_path / "steps.csv").write_text("asset,from_ts,tick,lot\nIBM,2004-04-09,0.05,\nIBM,,0.1,10\n")
    (tmp_path / "borrow.csv").write_text("asset,session,rate,available\n*,2004-01-01,0.003,true\nAAPL,2004-02-01,0.10,FALSE\n")
    utc = pl.Series("ts", [datetime(2004, 1, 31, 8, tzinfo=UTC)])
    written = configure(**rbt.settings(write(EVERYTHING)))
    meant = configure(
        cash="50000.10",
        money_scale=4,
        fill="next_close",
        benchmark="IBM",
        intrabar="nearest",
        cancel_policy="end_of_day",
        convert=False,
        latency=rbt.latency("20ms") + rbt.latency(uniform=("1ms", "5ms"), seed=7),
        stale=rbt.stale(3, zero_volume=True),
        bands=rbt.bands("0.10", by_asset={"AAPL": rbt.bands("0.2", "0.3"), "IBM": rbt.bands("0.05")}),
        halts=rbt.halts([("AAPL", "2004-10-13", "2004-10-14")], cancel=True),
        flows=[("2004-01-31", "500"), ("2004-06-28", "-200.25")],
        increments=[{"asset": "IBM", "from_ts": "2004-04-09", "tick": "0.05"}, {"asset": "IBM", "tick": "0.1", "lot": 10}],
        rates=[{"pair": "EUR/USD", "ts": "2004-01-31", "rate": "1.0837"}],
        dated_terms=[{"asset": "AAPL", "from_ts": "2004-04-09", "commission_rate": "0.0005"}],
        costs=rbt.costs(
            rbt.tiered({0: rbt.per_share("0.0035"), 300_000: rbt.per_share("0.002")}, by="quantity", minimum="1.5", cap="0.01")
            + rbt.per_trade(1),
            rbt.ticks(1) + rbt.square_root("0.02"),
            volume_cap=rbt.volume_cap("0.1", unfilled="cancel"),
            by_asset={"AAPL": rbt.costs(profile="ib_us_equity_fixed", slippage=rbt.asymmetric(buy="0.0001", sell=rbt.half_spread()))},
        ),
        controls=rbt.controls(
            long_only=True,
            order_notional=rbt.limit(20_000, "reduce"),
            restricted=["AAPL"],
            asset_dates={"IBM": ("2004-05-18", None)},
        ),
        margin=rbt.margin("0.5", "0.25", by_asset={"AAPL": rbt.margin(13_200, 12_000, per_contract=True)}),
        carry=rbt.carry(
            interest="0.06",
            credit=pl.DataFrame({"session": [date(2004, 1, 1), date(2004, 2, 1)], "rate": ["0.01", "0.02"]}),
            borrow=pl.DataFrame(
                {"asset": ["*", "AAPL"], "session": ["2004-01-01", "2004-02-01"], "rate": ["0.003", "0.1"], "available": [True, False]}
            ),
            funding=pl.DataFrame({"asset": ["AAPL"], "ts": utc, "rate": ["0.0001"], "mark": ["20.5"]}),
            financing=("0.06", "-0.03"),
            swap={"AAPL": ("-0.00007", "0.00002")},
            rollover="21:00",
            day_count=365,
        ),
    )
    assert written == meant
    assert written.to_dict() == meant.to_dict()


def test_every_setting_of_a_run_has_its_place_in_a_file(write: Write) -> None:
    given = set(signature(rbt.run).parameters) - {"strategy", "data"}
    assert {*AS_THEY_ARE, *SECTIONS} == given
    found = rbt.settings(write("convert = {bps = 2, minimum = 1.5}\n[carry.interest]\nUSD = 0.06\nEUR = 0.04\n"))
    assert found["convert"] == rbt.conversion(2, minimum="1.5")
    assert found["carry"] == rbt.carry(interest={"USD": "0.06", "EUR": "0.04"})


def test_json_says_the_same_as_toml(write: Write) -> None:
    plain = {"cash": 5000, "settlement": "T+1", "benchmark": None, "controls": {"drawdown": 0.1}, "costs": {"slippage": 0.0002}}
    toml = 'cash = 5000\nsettlement = "T+1"\n[controls]\ndrawdown = 0.1\n[costs]\nslippage = 0.0002\n'
    assert rbt.settings(write(json.dumps(plain), "a.json")) == rbt.settings(write(toml))


def test_numbers_are_never_floats(write: Write) -> None:
    digits = "0.12345678"
    found = rbt.settings(write(f'{{"cash": 100000000000000000.{"1" * 8}, "controls": {{"drawdown": {digits}}}}}', "a.json"))
    assert str(found["cash"]) == f"100000000000000000.{'1' * 8}"
    assert found["controls"].limits["drawdown"].value == Decimal(digits)


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("cahs = 1", "there is no setting 'cahs'", "cahs"),
        ("cash = -1", "cash -1 is not positive", "run, cash"),
        ('fill = "soon"', "fill 'soon' is unknown", "run, fill"),
        ("fill = 3", "fill 3 is not text", "fill"),
        ('[controls]\ndrawdwn = "0.1"', "there is no field 'drawdwn'", "controls, drawdwn"),
        ('[controls]\ndrawdown = "10"', "drawdown 10 is not a fraction", "controls, drawdown"),
        ("controls = 3", "3 is not a table of fields", "controls"),
        ("[margin]\ninitial = 0.5", "maintenance is not given", "margin, maintenance"),
        ("[margin]\ninitial = 0.2\nmaintenance = 0.3", "maintenance 0.3 is above initial 0.2", "margin, maintenance"),
        ("[margin]\ninitial = 1\nmaintenance = 1\nper_contract = 1", "per_contract 1 is not true or false", "margin, per_contract"),
        ("[margin]\ninitial = 1\nmaintenance = 1\nby_asset = 3", "3 is not a table of symbols", "margin, by_asset"),
        ('max_gross = 2\n[margin]\ninitial = "0.5"\nmaintenance = "0.25"', "max_gross 2 beside margin", "run, max_gross"),
        ("[costs.commission]\nrate = -1", "rate -1 is negative", "commission, rate"),
        ("[costs.commission]\nbps = 1", "there is no field 'bps'", "costs, commission, bps"),
        ("[costs.commission]\ntiers = [{floor = 5}]", "the first tier begins at 5", "tiered"),
        ("[costs.commission]\ntiers = [{rate = 0}, {rate = 1}]", "a second tier from 0", "costs, commission, tier 1"),
        ("[costs.commission]\ntiers = 3", "tiers 3 are not a list", "costs, commission, tiers"),
        ("[costs.slippage]\nsell = {sell = 0}", "slippage for sales has its own for sales", "asymmetric, sell"),
        ("[costs.volume_cap]\nshare = 2", "a volume cap of 2 is not above 0", "volume_cap, share"),
        ("[costs.volume_cap]\ncarry = true", "share is not given", "costs, volume_cap, share"),
        ("[costs.volume_cap]\nshare = 1\ncarry = 0", "carry 0 is not true or false", "costs, volume_cap, carry"),
        ("[costs.slippage]\nspread = 1", "spread 1 is not true or false", "costs, slippage, spread"),
        ("[costs.by_asset.A]\nprofile = 'none'", "there is no profile 'none'", "costs, profile"),
        ('[carry]\nborrow = "x"', "carry, borrow 'x' is not a number", "carry, borrow"),
        ('[carry]\nborrow = "x.csv"', "x.csv cannot be read", "carry, borrow"),
        ("[carry]\ncost = 1", "there is no field 'cost'", "carry, cost"),
        (
            '[[carry.borrow]]\nasset = "A"\nsession = 2024-01-01\nrate = 0\navailable = "perhaps"',
            "available 'perhaps'",
            "carry, borrow, available",
        ),
        ('[[carry.funding]]\nasset = "A"\nts = "noon"\nrate = 0', "ts are not instants", "carry, funding, ts"),
        ("[carry]\nswap = 3", "3 is not a table of symbols", "carry, swap"),
        ('rates = "nowhere.csv"', "nowhere.csv cannot be read", "rates"),
        ('latency = "soon"', "delay 'soon' is not a time", "latency, delay"),
        ("latency = []", r"delay \[\] is not a time", "latency, delay"),
        ("latency = {delya = 1}", "there is no field 'delya'", "latency, delya"),
        ("stale = 0.5", "repeats Decimal\\('0.5'\\) is not a whole number", "stale, repeats"),
        ("flows = [[1]]", "is not a date and an amount", "run, flows, number 0"),
        ("flows = 3", "flows 3 are not pairs", "run, flows"),
        ("settlement = 99", "settlement 99 is not 0 to 16 sessions", "run, settlement"),
        ("cash = ", "the settings are not TOML", ""),
        ("cash = 1\ncash = 2", "the settings are not TOML", ""),
    ],
)
def test_a_mistake_is_one_message_with_file_field_and_value(write: Write, text: str, what: str, where: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError, match=what) as caught:
        rbt.settings(path)
    assert caught.value.where == (f"{path}, {where}" if where else str(path))
    assert caught.value.do


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "the settings are not JSON"),
        ("[1]", "the settings are not one JSON object"),
        ('{"cash": 1, "cash": 2}', "'cash' is given twice"),
        ('{"cash": NaN}', "NaN is not a number"),
        ("[" * 100_000, "the settings are not JSON"),
    ],
)
def test_what_is_no_json_object_is_refused(write: Write, text: str, what: str) -> None:
    path = write(text, "a.json")
    with pytest.raises(ConfigError, match=what) as caught:
        rbt.settings(path)
    assert caught.value.where.startswith(str(path))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError, match="the settings cannot be read"):
            rbt.settings(path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="the settings cannot be read"):
        rbt.settings(tmp_path / "binary.toml")


def test_costs_and_margin_survive_their_plain_values() -> None:
    every: list[Any] = [
        rbt.costs(),
        rbt.costs(rbt.per_trade("1") + rbt.bps(5), rbt.ticks(1)),
        rbt.costs(rbt.maker_taker(2, "5.5"), rbt.asymmetric(buy="0.0001", sell=rbt.ticks(3)), volume_cap="balanced"),
        rbt.costs(slippage=rbt.asymmetric(buy=rbt.volatility_share("0.7") + rbt.ticks(1), sell=rbt.volatility_share(2))),
        *(rbt.costs(profile=profile.name) for profile in rbt.profiles()),
    ]
    for given in every:
        assert costs_from(json.loads(json.dumps(given.to_dict()))) == given
    for own in (rbt.volatility_share(1, volatility=pl.col("close").rolling_std(5)), rbt.slippage_term(pl.col("high") - pl.col("low"))):
        with pytest.raises(ConfigError, match="is an expression, which has no form in plain values"):
            costs_from(rbt.costs(slippage=own).to_dict())
    margin = rbt.margin("0.5", "0.25", by_asset={"ES": rbt.margin(13_200, 12_000, per_contract=True)})
    assert Margin.from_dict(json.loads(json.dumps(margin.to_dict()))) == margin
