"""Many plans under one set of rules: a desk is laid out once, and of each run only what a row of a sweep needs is kept.

The numbers of the exits (how far a stop is, not whether there is one) are no part of the rules: they may be others in each run.

`Many` prepares, `run_one` runs a plan inside a compiled loop over many. The runs are those of `simulate` to the last digit: it calls the
same machine code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rustybt.model import Plan, Reason, Status, Tables, Tape
from rustybt.model.panel import Ints

from .arithmetic import value
from .compile import MODE, kernel
from .flags import HAS_CURRENCIES, HAS_DATED
from .limits import whole
from .market import Grid
from .room import lengthen
from .state import CASH, CURVES, ERROR, KEPT, LOGGED, OFFSETS, ORDERS, PLACES, Desk

if MODE == "compiled":
    from .intrinsics import call_run
else:
    call_run = None

FILLED, ACCRUED = whole(Status.FILLED), whole(Status.ACCRUED)
VARIATION, PAYMENT = whole(Reason.VARIATION), whole(Reason.PAYMENT)
AT_EQUITY, AT_CASH, AT_GROSS = (whole(PLACES[name]) for name in CURVES[:3])
AT_OFFERS, AT_BAR, AT_SLOT, AT_VALUE = (whole(PLACES[name]) for name in ("offers", "offer_bar", "offer_slot", "offer_value"))
REACHED, HIGHEST, FILLS, BALANCED = range(4)
"""What `run_one` finds: the bar it reached (all of them, unless something went wrong), highest order number, fills, and
whether the log alone gives the same cash, positions and equity."""
WORD, HALF = 8, 4
EXITS = ("stop", "take", "trail", "max_bars", "cool_down")
"""Settings that may be others in each run of a desk, as long as none of the first four becomes 0 or ceases to be 0: its flags say so."""
ROWS = 2**12
"""Log rows that are set aside at first: most variants trade less, and those that trade more lengthen it for the others too."""


@kernel
def run_one(places: Any, entered: Any, state: Any, log: Any, kept: Any, offers: int, curves: Any, found: Any) -> Any:
    """Run one plan.

    Args:
        places: address of the machine code of `run`, of the table, of the curves of cash and gross; bars, most log rows of a bar.
        entered: the table of the desk; the plan; room for its bars and slots in 32 bits, as the desk takes them.
        state: the desk's blocks of Amounts and Counts, and what is in them before the first bar.
        log: slot, seq, reason, status, filled, notional and fee of the desk's log.
        kept: money, count, lots, last, up, down and order numbers of the desk, and room for lots.
        offers: in the plan.
        curves: equity and cash (bars,), which are written.
        found: (4,), filled here.

    Returns:
        Whether it went as far as it can; False asks for a longer log.
    """
    amounts, counts, amounts_before, counts_before = state
    slot, seq, reason, status, filled, notional, fee = log
    money, count, lots, last, up, down, numbers, rebuilt = kept
    equity, cash = curves
    table, plan, narrow = entered
    bars = places[4]
    found[REACHED] = -1
    for i in range(amounts.size):
        amounts[i] = amounts_before[i]
    for i in range(counts.size):
        counts[i] = counts_before[i]
    opening = money[CASH]
    for i in range(offers):
        narrow[0, i], narrow[1, i] = plan[0, i], plan[1, i]
    table[AT_OFFERS], table[AT_BAR], table[AT_SLOT] = offers, narrow.ctypes.data, narrow.ctypes.data + HALF * narrow.shape[1]
    table[AT_VALUE] = plan.ctypes.data + WORD * 2 * plan.shape[1]
    table[AT_EQUITY], table[AT_CASH], table[AT_GROSS] = equity.ctypes.data, places[2], places[3]
    reached = call_run(places[0], places[1], 0, bars, places[5])
    if count[ERROR] == 0 and 0 <= reached < bars:
        return False
    if count[ERROR] == 0 and reached == bars:
        highest, fills, spent, owed, settled = 0, 0, 0, 0, 0
        for place in range(rebuilt.size):
            rebuilt[place] = 0
        for n in range(count[LOGGED]):
            highest = max(highest, seq[n])
            rebuilt[slot[n]] += filled[n]
            if status[n] == FILLED and filled[n] != 0:
                fills += 1
            if status[n] != ACCRUED:
                spent += notional[n] + fee[n]
            else:
                owed -= notional[n]
            if reason[n] == PAYMENT:
                owed += notional[n]
            if reason[n] == VARIATION:
                settled += notional[n]
        for n in range(count[ORDERS]):
            highest = max(highest, numbers[n])
        worth, same = opening - spent + settled + owed, opening - spent == cash[bars - 1]
        for place in range(lots.size):
            same = same and rebuilt[place] == lots[place]
            asset = place % last.size
            if lots[place] != 0:
                worth += value(lots[place], last[asset], up[asset], down[asset])
        found[REACHED], found[HIGHEST], found[FILLS] = reached, highest, fills
        found[BALANCED] = 1 if same and worth == equity[bars - 1] else 0
    return True


@dataclass
class Many:
    """A desk that runs plan after plan. It serves one thread at a time.

    Args:
        tables: the rules.
        market: bars.
        events: corporate actions.
        tape: what the rules read beside prices.

    Example:
        >>> from rustybt.kernel.example import one_asset
        >>> tables, market, plan, events = one_asset([100, 101, 102], offers={0: 10})
        >>> many = Many(tables, market, events)
        >>> many.can, many.bars
        (True, 3)
    """

    tables: Tables
    market: Grid
    events: Any
    tape: Tape | None = None

    def __post_init__(self) -> None:
        from .simulate import desk_for
        from .tape import tape_of

        bars = len(self.market.open)
        nothing = np.zeros(0, dtype=np.int64)
        desk, bars, self.margin = desk_for(self.tables, self.market, Plan(bars, nothing, nothing, nothing), self.events)
        desk.set(**tape_of(self.tables, self.tape, bars))
        self.desk, self.bars = desk, bars
        lengthen(desk, self.margin + ROWS)
        blocks = _owner(desk.money), _owner(desk.count)
        self.state = (*blocks, *(block.copy() for block in blocks))
        kept = (getattr(desk, name) for name in KEPT if name not in OFFSETS)  # a run begins without orders
        self.whole = all(any(_owner(array) is block for block in blocks) for array in kept if len(array))
        self.cash, self.gross, self.rebuilt = (np.zeros(size, dtype=np.int64) for size in (bars, bars, desk.slots))
        self.exits = np.zeros((len(EXITS), desk.slots), dtype=np.int64)
        if MODE == "compiled":
            self.exits[:] = [getattr(desk, name) for name in EXITS]
            desk.set(**dict(zip(EXITS, self.exits, strict=True)))

    @property
    def can(self) -> bool:
        """Whether these rules can be run this way: compiled, and nothing that a run changes but its state."""
        return MODE == "compiled" and self.whole and self.desk.flags & (HAS_CURRENCIES | HAS_DATED) == 0

    @cached_property
    def entered(self) -> int:
        """Where the machine code for the desk begins."""
        return _address(self.desk)

    def given(self, plan: Ints) -> tuple[Any, ...]:
        """What `run_one` is given first: places, what is entered, state, log, kept. Behind it (exits, slots) `EXITS`, to be written.

        Args:
            plan: (3, width) bar, slot and value of offers; every plan is written here.
        """
        desk = self.desk
        pointers = [desk.table, self.cash, self.gross]
        places = np.array([self.entered, *(array.ctypes.data for array in pointers), self.bars, self.margin], dtype=np.int64)
        log = tuple(getattr(desk, f"log_{name}") for name in ("slot", "seq", "reason", "status", "filled", "notional", "fee"))
        kept = (desk.money, desk.count, desk.lots, desk.last, desk.up, desk.down, desk.order_number, self.rebuilt)
        return places, (desk.table, plan, np.empty((2, plan.shape[1]), dtype=np.int32)), self.state, log, kept, self.exits

    def lengthen(self) -> None:
        """Twice the room for the log."""
        lengthen(self.desk, 2 * self.desk.log_size)


def _owner(array: Any) -> Any:
    """The block that an array is a part of."""
    while array.base is not None:
        array = array.base
    return array


def _address(desk: Desk) -> int:
    """Where the machine code of `rustybt.kernel.step.run` for a desk begins; it is compiled if it has to be."""
    from numba import types

    from . import step
    from .native import type_of_desk

    run: Any = step.run
    kinds = (type_of_desk(desk, None), *(types.int64,) * 3)
    if kinds not in run.overloads:
        run.compile(kinds)
    built = run.overloads[kinds]
    return int(built.library.get_pointer_to_function(built.fndesc.llvm_func_name))
