"""Section 12 of the rule book: orders of which a glance says that they cannot put more at risk than may be.

Had every price moved against the account as far as it ever did in the window, all at once, no sum of a bar could be a larger loss. Where
even that is allowed no bar is counted. It takes one pass over positions and orders a bar, then one step an order.
"""

from __future__ import annotations

from .arithmetic import fits, ratio, worth_at
from .compile import apart, aside, kernel
from .limits import CEIL, ONE, RATE, ZERO
from .rates import home
from .state import LAST_SEEN, LOTS_SEEN, MARKED, MOST_LOST, NUMBER, ORDERS, SURVEYED, WORTH_SEEN, Desk

SLACK = 2
"""Money units by which the worth of a sum of lots may lie above the sum of their worths: each is rounded once."""


@aside
def is_safe(desk: Desk, slot: int, change: int, bound: int) -> bool:
    """Whether no bar can have lost more than a bound, whatever of the working orders is filled, and a change of a slot too."""
    apart()
    if desk.risk[SURVEYED] != desk.guard[MARKED] + 1:
        survey(desk)
    take_in(desk)
    before, lots, worth = desk.risk[MOST_LOST], desk.risk[LOTS_SEEN], desk.risk[WORTH_SEEN]
    weigh(desk, slot, change)
    found = desk.risk[MOST_LOST]
    if before >= 0:
        desk.risk[MOST_LOST], desk.risk[LOTS_SEEN], desk.risk[WORTH_SEEN] = before, lots, worth
    return 0 <= found and found <= bound


@aside
def survey(desk: Desk) -> None:
    """How far each price moved at most, and what the positions can have lost."""
    apart()
    for asset in range(desk.assets):
        first, most = asset * desk.window, ZERO
        for place in range(first, first + desk.window):
            most = max(most, abs(desk.moves[place]))
        desk.swings[asset] = most
    desk.risk[SURVEYED], desk.risk[LAST_SEEN] = desk.guard[MARKED] + 1, ZERO
    desk.risk[MOST_LOST], desk.risk[LOTS_SEEN], desk.risk[WORTH_SEEN] = ZERO, ZERO, ZERO
    for slot in range(desk.slots):
        if desk.lots[slot] != 0:
            weigh(desk, slot, desk.lots[slot])


@kernel
def take_in(desk: Desk) -> None:
    """Add the orders that have come since; they stand at the end of the table, in the order of their numbers."""
    k, seen = desk.count[ORDERS] - 1, desk.risk[LAST_SEEN]
    while k >= 0 and (desk.order_number[k] == 0 or desk.order_number[k] > seen):
        if desk.order_number[k] != 0:
            weigh(desk, desk.order_slot[k], desk.order_lots[k])
        k -= 1
    desk.risk[LAST_SEEN] = desk.count[NUMBER]


@aside
def weigh(desk: Desk, slot: int, lots: int) -> None:
    """Add what lots of a slot can have lost; -1 in its place from the first number on that does not fit."""
    apart()
    asset = slot % desk.assets
    worth = home(desk, slot, abs(worth_at(desk, asset, lots, desk.last[asset])) + SLACK, CEIL) + SLACK
    loss = ratio(worth, desk.swings[asset], RATE, CEIL) + ONE if fits(worth) else -ONE
    if desk.risk[MOST_LOST] < 0 or not (fits(worth) and fits(loss) and loss > 0):
        desk.risk[MOST_LOST] = -ONE
        return
    all_lost = desk.risk[MOST_LOST] + loss
    all_lots, all_worth = desk.risk[LOTS_SEEN] + abs(lots), desk.risk[WORTH_SEEN] + worth
    fit = fits(all_lost) and fits(all_lots) and fits(all_worth)
    desk.risk[MOST_LOST] = all_lost if fit else -ONE
    if fit:
        desk.risk[LOTS_SEEN], desk.risk[WORTH_SEEN] = all_lots, all_worth
