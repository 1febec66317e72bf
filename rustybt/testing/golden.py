"""Golden cases: a run and its outcome as text that anyone can write, in prices, quantities and money.

In: a text as tests/golden/README.md describes it. Out: a `Case`, whose session runs in the kernel and in the reference. `write_case`
turns any session and outcome into such a text, so that a counterexample can be kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from rustybt.errors import ConfigError
from rustybt.model import (
    EVENT_FIELDS,
    NOWHERE,
    SLOT_FIELDS,
    Asset,
    Detail,
    FillAt,
    Intrabar,
    Outcome,
    Plan,
    Reason,
    Sizing,
    Status,
    Tables,
    TargetKind,
)
from rustybt.model.decimals import RATE, WEIGHT, from_units, to_units
from rustybt.testing import golden_costs
from rustybt.testing.currencies import read_currencies, write_currencies
from rustybt.testing.dated import read_dated, read_tiers_by_date, write_dated
from rustybt.testing.generators import Grid, Session
from rustybt.testing.golden_carry import SECTIONS as CARRY
from rustybt.testing.golden_carry import read_carry, write_carry
from rustybt.testing.golden_controls import read_controls, write_controls
from rustybt.testing.golden_events import read_event, write_event
from rustybt.testing.golden_orders import read_requests, write_requests
from rustybt.testing.golden_timing import SECTIONS as TIMING
from rustybt.testing.golden_timing import read_delays, read_timing, write_timing
from rustybt.testing.increments import read_increments, write_increments

SECTIONS = (
    "run",
    "assets",
    "terms",
    "bars",
    *TIMING,
    "targets",
    "orders",
    "sessions",
    "events",
    "flows",
    "settlements",
    "turns",
    "controls",
    "increments",
    "dated",
    *CARRY,
    "currencies",
    "rates",
    "log",
    "balances",
    "lots",
    "error",
    *golden_costs.SECTIONS,
)
MONEY = {"fee_flat", "fee_min", "fee_max", "margin_lot_initial", "margin_lot_maintenance"}
RATES = {"fee_rate", "fee_cap", "fee_maker", "fee_liquidation", "cap_share", "slip_rate", "stop", "take", "trail"}
RATES |= {"margin_initial", "margin_maintenance"}
POINTERS = ("tier_", "slip_buy", "slip_sell")
"""Settings that point into tables, which have sections of their own."""
PLAIN = {"fee_lot_den": 1, "fee_max": -1, "fee_cap": -1, "fee_maker": -1}


@dataclass(frozen=True)
class Case:
    """A session with what must come out of it.

    Attributes:
        session: arguments of ``simulate``.
        log: one canonical line per log row. balances: canonical lines of the bars that the case lists. lots: final positions.
        error: the run must stop with a LedgerError.
    """

    session: Session
    log: tuple[str, ...]
    balances: tuple[str, ...]
    lots: tuple[str, ...]
    error: bool


def read_case(text: str, name: str = "case") -> Case:
    '''The case that a text describes.

    Raises:
        ConfigError: a section or a word is unknown.

    Example:
        >>> read_case("""[assets]
        ... A tick=1
        ... [balances]
        ... 0 0.00 0.00 0""").balances
        ('0 0 0 0',)
    '''
    parts = split_sections(text, name)
    run = dict(word.split("=") for line in parts["run"] for word in line)
    scale = int(run.get("money_scale", "2"))
    unit = Decimal(1).scaleb(-scale)
    assets = tuple(read_asset(line) for line in parts["assets"])
    sleeves = int(run.get("sleeves", "1"))
    names = [slot_name(slot, assets) for slot in range(sleeves * len(assets))]
    slots = read_terms(parts["terms"], assets, sleeves, unit)
    tables = Tables(
        assets,
        sleeves,
        to_units(run.get("cash", "0"), unit),
        scale,
        to_units(run.get("gross", "1"), 1 / Decimal(RATE)),
        FillAt[run.get("fill_at", "next_open").upper()],
        Sizing[run.get("sizing", "at_decision").upper()],
        slots,
        flows=read_flows(parts["flows"], unit),
        settlements=np.array([int(bar) for line in parts["settlements"] for bar in line], dtype=np.int64),
        tiers=golden_costs.read_tiers([line for line in parts["tiers"] if "@" not in line[0]], names, assets, slots, unit),
        impacts=golden_costs.read_impacts(parts["impacts"], names, slots),
        controls=read_controls(parts["controls"], assets, unit),
        intrabar=Intrabar[run.get("intrabar", "pessimistic").upper()],
        delays=read_delays(run),
        increments=read_increments(parts["increments"], assets, unit),
        dated=read_dated(parts["dated"], assets, unit),
        pending_days=int(run.get("settles_after", "0")),
        turns=np.array([int(bar) for line in parts["turns"] for bar in line], dtype=np.int64),
    )
    tables = read_tiers_by_date([line for line in parts["tiers"] if "@" in line[0]], tables, unit)
    grid = read_bars(parts["bars"], assets, int(run.get("bars", "0")))
    currencies = read_currencies(parts["currencies"], parts["rates"], assets, len(grid.close), unit)
    tables = replace(tables, currencies=currencies, carry=read_carry(parts, assets, unit, currencies))
    grid = replace(grid, timing=read_timing(parts, assets, grid, run))
    names = [slot_name(slot, assets) for slot in range(tables.slots.shape[1])]
    plan = read_targets(parts["targets"], tables, len(grid.close))
    plan = replace(plan, requests=read_requests(parts["orders"], parts["sessions"], tables, names, len(grid.close)))
    events = sorted((read_event(line, assets) for line in parts["events"]), key=lambda row: row[:3])
    rows = np.array(events, dtype=np.int64).reshape(-1, len(EVENT_FIELDS))
    session = Session(tables, grid, plan, rows, golden_costs.read_tape(parts, tables, len(grid.close)))
    log, balances, lots = (tuple(canonical(line) for line in parts[section]) for section in ("log", "balances", "lots"))
    return Case(session, log, balances, lots, bool(parts["error"]))


def split_sections(text: str, name: str) -> dict[str, list[list[str]]]:
    """The words of each line by section; what follows ``#`` is a remark."""
    parts: dict[str, list[list[str]]] = {section: [] for section in SECTIONS}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0].startswith("["):
            section = words[0].strip("[]")
        if section not in parts:
            raise ConfigError(f"unknown section {section!r}", where=f"{name}, line {number}", do=f"use one of {', '.join(SECTIONS)}")
        if not words[0].startswith("["):
            parts[section].append(words)
    return parts


def read_asset(words: list[str]) -> Asset:
    """``A tick=0.01 lot=1 multiplier=1``."""
    sizes = dict(word.split("=") for word in words[1:])
    tick, lot, multiplier = (Decimal(sizes.get(key, "1")) for key in ("tick", "lot", "multiplier"))
    return Asset(words[0], tick_size=tick, lot_size=lot, multiplier=multiplier)


def read_terms(
    lines: Iterable[list[str]], assets: tuple[Asset, ...], sleeves: int, unit: Decimal
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """``A stop=0.05 fee_rate=0.001``: settings of a slot, ``*`` for all."""
    slots = np.zeros((len(SLOT_FIELDS), sleeves * len(assets)), dtype=np.int64)
    for field, value in PLAIN.items():
        slots[SLOT_FIELDS.index(field)] = value
    for words in lines:
        chosen = [slot for slot in range(slots.shape[1]) if words[0] in ("*", slot_name(slot, assets))]
        if not chosen:
            raise ConfigError(f"unknown slot {words[0]!r}", where="[terms]", do="write an asset, or asset/sleeve")
        for word in words[1:]:
            for field, value in read_setting(word, unit).items():
                slots[SLOT_FIELDS.index(field), chosen] = value
    return slots


def read_setting(word: str, unit: Decimal) -> dict[str, int]:
    """One setting in integers."""
    field, value = word.split("=")
    if field == "fee_lot":
        money = Fraction(value) / Fraction(unit)
        return {"fee_lot_num": money.numerator, "fee_lot_den": money.denominator}
    if field == "kind":
        return {field: int(TargetKind[value.upper()])}
    if field in MONEY:
        return {field: to_units(value, unit)}
    if field in RATES:
        return {field: to_units(value, 1 / Decimal(RATE))}
    return {field: int(value)}


def read_bars(lines: Iterable[list[str]], assets: tuple[Asset, ...], least: int) -> Grid:
    """``0 A open high low close``; there are ``least`` bars or as many as the lines need."""
    columns = {asset.symbol: column for column, asset in enumerate(assets)}
    rows = [(int(words[0]), columns[words[1]], words[2:]) for words in lines]
    bars = max([least, *(row[0] + 1 for row in rows)])
    grid = np.zeros((4, bars, len(assets)), dtype=np.int64)
    for bar, column, prices in rows:
        grid[:, bar, column] = [to_units(price, assets[column].tick_size) for price in prices]
    return Grid(*(np.ascontiguousarray(field) for field in grid))


def read_targets(lines: Iterable[list[str]], tables: Tables, bars: int) -> Plan:
    """``0 A value``: quantity, money or weight by the kind of the slot."""
    names = [slot_name(slot, tables.assets) for slot in range(tables.slots.shape[1])]
    offers = sorted((int(bar), names.index(name), value) for bar, name, value in lines)
    start = np.searchsorted([offer[0] for offer in offers], np.arange(bars + 1))
    values = [to_units(value, target_step(tables, slot)) for _, slot, value in offers]
    return Plan.from_starts(
        start.astype(np.int64), np.array([offer[1] for offer in offers], dtype=np.int64), np.array(values, dtype=np.int64)
    )


def target_step(tables: Tables, slot: int) -> Decimal:
    """The unit of a slot's targets."""
    kind = TargetKind(int(tables.row("kind")[slot]))
    if kind is TargetKind.QUANTITY:
        return tables.assets[slot % len(tables.assets)].lot_size
    return Decimal(1).scaleb(-tables.money_scale) if kind is TargetKind.NOTIONAL else 1 / Decimal(WEIGHT)


def read_flows(lines: Iterable[list[str]], unit: Decimal) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """``2 500`` or ``3 -200``: bar, money in."""
    rows = sorted(((int(bar), to_units(money, unit)) for bar, money in lines), key=lambda row: row[0])
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def slot_name(slot: int, assets: tuple[Asset, ...]) -> str:
    """``A`` in the first sleeve, ``A/1`` in the second, ``account`` for a row that is about no position."""
    if slot == NOWHERE:
        return "account"
    sleeve, column = divmod(slot, len(assets))
    return f"{assets[column].symbol}/{sleeve}" if sleeve else assets[column].symbol


def canonical(words: Iterable[str]) -> str:
    """A line with each number in its shortest form."""
    return " ".join(plain(Decimal(word)) if word.lstrip("-")[:1].isdigit() and "/" not in word else word for word in words)


def plain(number: Decimal) -> str:
    """A number without exponent or trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def outcome_lines(tables: Tables, outcome: Outcome) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Log, balances and final lots in the form of `Case`."""
    log, assets, unit = outcome.log, tables.assets, Decimal(1).scaleb(-tables.money_scale)
    rows = []
    for row in range(log.rows):
        slot = int(log.slot[row])
        asset = assets[slot % len(assets)]
        codes = (Reason(log.reason[row]).name, Status(log.status[row]).name, Detail(log.detail[row]).name)
        asked = unit if log.reason[row] == Reason.TOP_UP else asset.lot_size
        steps = {"requested": asked, "filled": asset.lot_size, "price": asset.tick_size, "notional": unit, "fee": unit}
        numbers = (plain(from_units(int(getattr(log, field)[row]), step)) for field, step in steps.items())
        head = (str(log.bar[row]), str(log.submitted[row]), slot_name(slot, assets), str(log.seq[row]))
        rows.append(" ".join((*head, *(code.lower() for code in codes), *numbers)))
    curves = zip(outcome.equity.tolist(), outcome.cash.tolist(), outcome.gross.tolist(), strict=True)
    balances = [f"{bar} " + " ".join(plain(from_units(money, unit)) for money in curve) for bar, curve in enumerate(curves)]
    held = enumerate(outcome.lots.tolist())
    lots = [f"{slot_name(slot, assets)} {plain(from_units(lot, assets[slot % len(assets)].lot_size))}" for slot, lot in held if lot]
    return tuple(rows), tuple(balances), tuple(lots)


def write_case(session: Session, outcome: Outcome | None, title: str) -> str:
    """A session as text. Without an outcome the case says that the run stops with an error.

    Example:
        >>> from rustybt.reference import simulate
        >>> from rustybt.testing.generators import session
        >>> drawn = session(5)
        >>> case = read_case(write_case(drawn, simulate(*drawn), "seed 5"))
        >>> (case.session.plan.value == drawn.plan.value).all()
        np.True_
    """
    tables, market, plan, events, tape = session
    unit = Decimal(1).scaleb(-tables.money_scale)
    assets, slots = tables.assets, range(tables.slots.shape[1])
    lines = [
        f"# {title}",
        "[run]",
        f"cash={plain(from_units(tables.cash, unit))} money_scale={tables.money_scale} sleeves={tables.sleeves}",
        f"bars={len(market.close)}",
    ]
    lines += [f"gross={plain(Decimal(tables.gross) / RATE)} fill_at={tables.fill_at.name.lower()} sizing={tables.sizing.name.lower()}"]
    if tables.intrabar or any(tables.delays):
        lines += [f"intrabar={tables.intrabar.name.lower()} delays={','.join(map(str, tables.delays))}"]
    lines += [f"settles_after={tables.pending_days}"] if tables.pending_days else []
    lines += [
        "[assets]",
        *(f"{a.symbol} tick={plain(a.tick_size)} lot={plain(a.lot_size)} multiplier={plain(a.multiplier)}" for a in assets),
    ]
    lines += ["[terms]", *(f"{slot_name(slot, assets)} {write_terms(tables, slot, unit)}" for slot in slots), "[bars]"]
    for bar, column in np.argwhere(market.close > 0).tolist():
        prices = (int(field[bar, column]) for field in (market.open, market.high, market.low, market.close))
        lines.append(" ".join((str(bar), assets[column].symbol, *(plain(from_units(p, assets[column].tick_size)) for p in prices))))
    lines += write_timing(market.timing, assets)
    lines.append("[targets]")
    for bar in range(len(market.close)):
        for row in range(int(plan.start[bar]), int(plan.start[bar + 1])):
            slot = int(plan.slot[row])
            lines.append(f"{bar} {slot_name(slot, assets)} {plain(from_units(int(plan.value[row]), target_step(tables, slot)))}")
    lines += write_requests(plan.requests, tables, [slot_name(slot, assets) for slot in slots])
    lines += ["[tiers]", *golden_costs.write_tiers(tables, [slot_name(slot, assets) for slot in slots], unit)]
    lines += ["[impacts]", *golden_costs.write_impacts(tables, [slot_name(slot, assets) for slot in slots])]
    lines += [*golden_costs.write_tape(tape, assets), "[events]"]
    lines += [write_event(row, assets) for row in events.tolist()]
    lines += ["[flows]", *(f"{bar} {plain(from_units(money, unit))}" for bar, money in tables.flows.tolist())]
    lines += ["[settlements]", " ".join(map(str, tables.settlements.tolist()))]
    lines += ["[turns]", " ".join(map(str, tables.turns.tolist()))] if len(tables.turns) else []
    lines += write_controls(tables.controls, assets, unit)
    by_date, tiers_by_date = write_dated(tables, unit)
    lines += ["[increments]", *write_increments(tables.increments, assets, unit), "[dated]", *by_date, "[tiers]", *tiers_by_date]
    lines += write_carry(tables.carry, assets, unit, tables.currencies)
    lines += write_currencies(tables.currencies, assets, unit)
    if outcome is None:
        return "\n".join([*lines, "[error]", "LedgerError", ""])
    log, balances, lots = outcome_lines(tables, outcome)
    return "\n".join([*lines, "[log]", *log, "[balances]", *balances, "[lots]", *lots, ""])


def write_terms(tables: Tables, slot: int, unit: Decimal) -> str:
    """The settings of a slot that are not the plain ones."""
    setting = {field: int(tables.row(field)[slot]) for field in SLOT_FIELDS if not field.startswith(POINTERS)}
    words = [f"kind={TargetKind(setting.pop('kind')).name.lower()}"]
    per_lot = Fraction(setting.pop("fee_lot_num"), setting.pop("fee_lot_den")) * Fraction(unit)
    if per_lot:
        words.append(f"fee_lot={per_lot}")
    for field, value in setting.items():
        if value != PLAIN.get(field, 0):
            in_rates = plain(Decimal(value) / RATE) if field in RATES else str(value)
            words.append(f"{field}={plain(from_units(value, unit)) if field in MONEY else in_rates}")
    return " ".join(words)
