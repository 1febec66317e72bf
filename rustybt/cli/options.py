"""Options that several commands share, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from traceback import extract_tb
from typing import Annotated, Any, get_type_hints

import typer

from rustybt.errors import ConfigError, RustyBTError, SpecError
from rustybt.execution import Commission, Costs, Slippage, bps, costs, per_share, per_trade
from rustybt.model import Panel
from rustybt.model.decimals import to_decimal
from rustybt.spec import Strategy, StrategyFunction

StrategyArgument = Annotated[
    str, typer.Argument(help="file.py:name, module:name, or a module with exactly one strategy.", show_default=False)
]
DataOption = Annotated[
    str, typer.Option("--data", help='Parquet, CSV or Arrow file or glob, a dataset of the catalog, or "demo".', show_default=False)
]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="A parameter: --set fast=10. May be repeated.", show_default=False)]
StampOption = Annotated[str | None, typer.Option("--stamp", help="How the source stamps bars: open, close or session.", show_default=False)]
CalendarOption = Annotated[
    str | None, typer.Option("--calendar", help="Calendar: XNYS, 24/7, FX, or a TOML file that describes one.", show_default=False)
]
IntervalOption = Annotated[
    str | None, typer.Option("--interval", help="Length of bars stamped at their start: 1m, 1h, 1d.", show_default=False)
]
ZoneOption = Annotated[str | None, typer.Option("--timezone", help="Zone of times that carry none, such as UTC.", show_default=False)]
ColumnOption = Annotated[
    list[str] | None, typer.Option("--column", help="A column by another name: --column close=Last. May be repeated.", show_default=False)
]
AttachOption = Annotated[
    list[str] | None,
    typer.Option(
        "--attach", help="A slower file or dataset beside the bars: --attach day=daily.parquet. May be repeated.", show_default=False
    ),
]
ClassOption = Annotated[str, typer.Option("--asset-class", help="equity, crypto, fx, future or index: fixes tick and lot sizes.")]
TickOption = Annotated[str | None, typer.Option("--tick-size", help="Price step, instead of the preset's.", show_default=False)]
LotOption = Annotated[str | None, typer.Option("--lot-size", help="Quantity step, instead of the preset's.", show_default=False)]
EventsOption = Annotated[
    str | None, typer.Option("--events", help="File of splits and dividends (asset, ts, kind, value).", show_default=False)
]
StartOption = Annotated[str | None, typer.Option("--start", help="First date.", show_default=False)]
EndOption = Annotated[str | None, typer.Option("--end", help="Last date.", show_default=False)]
ReferenceOption = Annotated[bool, typer.Option("--reference-data", help="Symbols, terms and events by the reference data of the catalog.")]
SettingsOption = Annotated[
    str | None,
    typer.Option("--settings", help="TOML or JSON file of settings: controls, margin, carry ... Flags go first.", show_default=False),
]
CashOption = Annotated[str | None, typer.Option("--cash", help="Opening cash, exact.", show_default="100000")]
CommissionOption = Annotated[
    str | None, typer.Option("--commission-bps", help="Commission in basis points of the traded value.", show_default=False)
]
PerShareOption = Annotated[str | None, typer.Option("--commission-per-share", help="Commission per unit of quantity.", show_default=False)]
PerTradeOption = Annotated[str | None, typer.Option("--commission-per-trade", help="Commission per fill.", show_default=False)]
MinimumOption = Annotated[str | None, typer.Option("--commission-minimum", help="Least commission per fill.", show_default=False)]
ProfileOption = Annotated[str | None, typer.Option("--costs-profile", help="Commission of a broker or venue, by name.", show_default=False)]
VolumeCapOption = Annotated[
    str | None,
    typer.Option(
        "--volume-cap", help="Most of a bar's volume for an order: 0.1, or conservative, balanced, aggressive.", show_default=False
    ),
]
SlippageOption = Annotated[str | None, typer.Option("--slippage-bps", help="Slippage in basis points of the price.", show_default=False)]
FillOption = Annotated[str | None, typer.Option("--fill", help="next_open, next_close or same_bar_close.", show_default="next_open")]
SizingOption = Annotated[str | None, typer.Option("--sizing", help="at_decision or at_fill.", show_default="at_decision")]
GrossOption = Annotated[str | None, typer.Option("--max-gross", help="Most gross exposure as a multiple of equity.", show_default="1")]
BenchmarkOption = Annotated[
    str | None, typer.Option("--benchmark", help="Symbol of an asset in the data to compare with.", show_default=False)
]
IntrabarOption = Annotated[
    str | None,
    typer.Option("--intrabar", help="pessimistic, nearest or optimistic: stop and target in one bar.", show_default="pessimistic"),
]
FinerOption = Annotated[
    str | None, typer.Option("--finer", help="File of finer bars that say whether stop or target came first.", show_default=False)
]
LatencyOption = Annotated[
    str | None, typer.Option("--latency", help="Time an order is under way: 250ms, 2bars, or a profile such as iex.", show_default=False)
]
HaltsOption = Annotated[str | None, typer.Option("--halts", help="File of halts (asset, start, end).", show_default=False)]
BandsOption = Annotated[str | None, typer.Option("--bands", help="Daily price limit as a fraction, such as 0.10.", show_default=False)]
StaleOption = Annotated[
    int | None, typer.Option("--stale", help="Nothing fills in a bar that repeats so many bars before it.", show_default=False)
]
TrialsOption = Annotated[
    str | None, typer.Option("--trials", help="File that counts every trial on the data, or off.", show_default="the user's")
]
CancelPolicyOption = Annotated[
    str | None,
    typer.Option(
        "--cancel-policy",
        help="never, or end_of_day: what becomes of orders that still work when a session ends.",
        show_default="as the strategy says",
    ),
]
FrequencyOption = Annotated[str | None, typer.Option("--frequency", help="Length of a vendor's bars: 1m, 1h, 1d.", show_default="1d")]
VendorSettingOption = Annotated[
    list[str] | None, typer.Option("--setting", help="Of a vendor: --setting base_url=URL. May be repeated.", show_default=False)
]
FreshnessOption = Annotated[
    str | None,
    typer.Option(
        "--freshness",
        help="How long earlier downloads count: session, hybrid:15m, ttl:12h, always or never.",
        show_default="session",
    ),
]
DownloadsOption = Annotated[int, typer.Option("--workers", help="Symbols of a vendor that are asked for at the same time.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", help="How many variants at a time.", show_default="one per core")]
ExecutorOption = Annotated[str, typer.Option("--executor", help="threads, processes or ray.")]
AddressOption = Annotated[
    str | None, typer.Option("--address", help="Of a Ray cluster, such as 10.0.0.1:6379; or RAY_ADDRESS.", show_default=False)
]
JudgeOption = Annotated[
    bool | None,
    typer.Option(
        "--judge/--no-judge",
        help="Overfitting, reality check and superior ability over all variants, however long they take; or not at all.",
        show_default="where they take little time",
    ),
]
WhereOption = Annotated[str | None, typer.Option("--where", help='Condition, such as "fast < slow".', show_default=False)]
RowsOption = Annotated[str | None, typer.Option("--out", help="Parquet file for the rows.", show_default=False)]
PageOption = Annotated[str | None, typer.Option("--report", help="HTML page, one file.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


type Reading = Mapping[str, Any]
"""How the data are read: the shared options by name, as they were given."""
READING: dict[str, tuple[Any, str | bool | None]] = {
    "stamp": (StampOption, None),
    "calendar": (CalendarOption, None),
    "interval": (IntervalOption, None),
    "timezone": (ZoneOption, None),
    "column": (ColumnOption, None),
    "attach": (AttachOption, None),
    "asset_class": (ClassOption, "equity"),
    "tick_size": (TickOption, None),
    "lot_size": (LotOption, None),
    "events": (EventsOption, None),
    "start": (StartOption, None),
    "end": (EndOption, None),
    "reference_data": (ReferenceOption, False),
}
"""The options of every command over data, with their defaults."""
type Account = Mapping[str, Any]
"""What many variants are run with: the shared options by name, as they were given."""
ACCOUNT: dict[str, tuple[Any, str | None]] = {
    "cash": (CashOption, None),
    "commission_bps": (CommissionOption, None),
    "costs_profile": (ProfileOption, None),
    "slippage_bps": (SlippageOption, None),
    "volume_cap": (VolumeCapOption, None),
}
"""The options of every command over many variants, with their defaults."""
type Place = Mapping[str, Any]
"""Who runs many variants: the shared options by name, as they were given."""
PLACE: dict[str, tuple[Any, str | None]] = {
    "workers": (WorkersOption, None),
    "executor": (ExecutorOption, "threads"),
    "address": (AddressOption, None),
}
"""The options of every command that has its variants run by others, with their defaults."""
GROUPS: dict[str, Mapping[str, tuple[Any, str | bool | None]]] = {"reading": READING, "account": ACCOUNT, "place": PLACE}


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """A command as typer is to see it: with the options of a group in place of the parameter of its name."""
    hints, seen, groups = get_type_hints(command, include_extras=True), [], {}
    for name, parameter in signature(command).parameters.items():
        if name in GROUPS:
            groups[name] = GROUPS[name]
            seen += [
                Parameter(one, Parameter.KEYWORD_ONLY, default=default, annotation=hint) for one, (hint, default) in GROUPS[name].items()
            ]
        else:
            seen.append(parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name]))

    @wraps(command)
    def called(**given: Any) -> None:
        grouped = {group: {name: given.pop(name) for name in names} for group, names in groups.items()}
        command(**grouped, **given)

    called.__signature__ = Signature(seen)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in seen}
    return called


def load_panel(data: str, reading: Reading) -> Panel:
    """The data at the door, with the options that were given."""
    from rustybt.data import Catalog, load

    apart = ("column", "attach", "reference_data")
    options = {name: value for name, value in reading.items() if value is not None and name not in apart}
    options["reference"] = Catalog().reference if reading["reference_data"] else None
    options["attach"] = pairs(reading["attach"], "--attach day=daily.parquet") or None
    return load(data, columns=pairs(reading["column"], "--column close=Last") or None, **options)


def find_strategy(place: str) -> StrategyFunction:
    """A strategy by file or module."""
    from rustybt.spec import load_strategy

    return load_strategy(place)


def build_strategy(place: str, settings: Iterable[str] | None) -> Strategy:
    """A strategy with the parameters of ``--set``."""
    found = find_strategy(place)
    values = found.parse(pairs(settings))
    try:
        return found(**values)
    except RustyBTError:
        raise
    except (Exception, SystemExit) as error:
        raise SpecError(
            f"strategy {found.name!r} raised {type(error).__name__}: {error}", where=raised_at(error), do="correct the function"
        ) from error


NOT_OWN = (f"{Path(__file__).parents[1]}{os.sep}", f"{os.sep}site-packages{os.sep}", "<frozen ")
"""In the names of files that no user writes strategies in."""


def raised_at(error: BaseException) -> str:
    """File and line at which an error was raised, of the user's own where there is one: what it calls only says so."""
    frames = extract_tb(error.__traceback__)
    own = [frame for frame in frames if not any(part in frame.filename for part in NOT_OWN)] or frames
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""


def report_file(path: str | None, what: str = "the report") -> Path | None:
    """The file of a report, or of another text, checked before any work is done."""
    if path is None:
        return None
    named(path, what)
    from rustybt.engine.page import check_page

    check_page(Path(path), what)
    return Path(path)


def named(path: str, what: str) -> None:
    """Refuse a place without a name, which would be the folder that one is in."""
    if not path.strip():
        raise ConfigError(f"the name of {what} is empty", where=what, do="give a path, or leave it out")


def pairs(settings: Iterable[str] | None, example: str = "--set fast=10") -> dict[str, str]:
    """``name=value`` texts as a mapping."""
    option = example.partition(" ")[0]
    found: dict[str, str] = {}
    for text in settings or ():
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ConfigError(f"{option} {text!r} has no {'name' if equals else 'value'}", where=option, do=f"write {example}")
        if name in found:
            raise ConfigError(
                f"{option} {name} is given twice, as {found[name]!r} and {value.strip()!r}", where=option, do="leave one of them out"
            )
        found[name] = value.strip()
    return found


def build_costs(
    rate: str | None,
    share: str | None,
    trade: str | None,
    minimum: str | None,
    slippage: str | None,
    profile: str | None = None,
    cap: str | None = None,
) -> Costs | None:
    """Costs from the command line's options; None where none is given."""
    if (rate, share, trade, minimum, slippage, profile, cap) == (None,) * 7:
        return None
    commission = Commission()
    for part in (bps(rate) if rate else None, per_share(share) if share else None, per_trade(trade) if trade else None):
        commission = commission if part is None else commission + part
    if minimum is not None:
        commission = commission + Commission(minimum=per_trade(minimum).flat)
    slipping = Slippage() if slippage is None else Slippage(rate=to_decimal(slippage, "slippage-bps") / 10_000)
    if profile is None:
        return costs(commission, slipping, volume_cap=cap)
    return costs(None if commission == Commission() else commission, slipping, profile=profile, volume_cap=cap)


def build_settings(file: str | None, **flags: Any) -> dict[str, Any]:
    """Settings of `rustybt.run` from a file and from flags; where both say something the flag holds.

    Raises:
        ConfigError: the file, or costs in both.
    """
    from rustybt.engine import settings
    from rustybt.engine.sections import latency_from

    found = {} if file is None else settings(file)
    given = {name: value for name, value in flags.items() if value is not None}
    if "costs" in found and "costs" in given:
        raise ConfigError("costs in flags and in the file", where=f"{file}, costs", do="give all of them in one of the two")
    if "latency" in given:
        given["latency"] = latency_from(given["latency"])
    return found | given


def account_settings(file: str | None, account: Account) -> dict[str, Any]:
    """Settings of `rustybt.run` from a file and from the options of `ACCOUNT`.

    Raises:
        ConfigError: as `build_settings`.
    """
    costs = build_costs(
        account["commission_bps"], None, None, None, account["slippage_bps"], account["costs_profile"], account["volume_cap"]
    )
    return build_settings(file, cash=account["cash"], costs=costs)


def judging(judge: bool | None) -> float | None:
    """Seconds that a judgement may take: little (no flag), or whatever it takes (``--judge``)."""
    from rustybt.sweeps.judgement import AT_ONCE

    return AT_ONCE if judge is None else None


def out_folder(path: str | None) -> Path | None:
    """The output folder, checked before any work is done."""
    if path is None:
        return None
    named(path, "--out")
    from rustybt.engine.store import check_writable

    check_writable(Path(path))
    return Path(path)


def vendor_settings(given: list[str] | None) -> dict[str, str] | None:
    """Settings of a vendor from the command line.

    Raises:
        ConfigError: one of them is secret.
    """
    found = pairs(given, "--setting base_url=https://...") or {}
    for secret in sorted({"key", "secret"} & found.keys()):
        do = "set the environment variable of the vendor: others can read a command line"
        raise ConfigError(f"--setting {secret} shows it to everybody on this machine", where="--setting", do=do)
    return found or None
