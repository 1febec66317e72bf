"""Section 12 of the rule book: value at risk, and the exposure to what moves together."""

from __future__ import annotations

from rustybt.model import Control
from rustybt.model.controls import Response

from .arithmetic import fits, mul_div, ratio, remainder, worth_at
from .compile import apart, aside, kernel
from .exposure import lots_worth, plan
from .journal import fail
from .limits import BAD, CEIL, DOWN, FAR, FLOOR, HALF_EVEN, ONE, RATE, ZERO, whole
from .moves import move_at
from .rates import home
from .safe import is_safe
from .state import EQUITY, GATHERED, MARKED, OVERFLOW, SWING, WEIGHED, Desk

OF_RISK, OF_MOST_RISK, OF_RISK_BARS, OF_RISK_TAIL, OF_GROUP, OF_ABOVE, OF_GROUP_BARS = range(14, 21)
"""Places in ``control_limits``."""
VALUE_AT_RISK = whole(Control.VALUE_AT_RISK)
REDUCE = whole(Response.REDUCE)
COARSE, MOST_COARSE = whole(1_000), whole(10**6)
"""What correlations are made of: moves in 1e-5, at most 10 times the price. Then every sum of 1,000 bars fits."""
SQUARED = RATE * RATE
NOBODY = whole(-1)


@aside
def room_at_risk(desk: Desk, slot: int, control: int, part: int, extra: int) -> int:
    """The most lots by which an order may open or increase under value at risk or the exposure to what moves together."""
    apart()
    if control == VALUE_AT_RISK:
        return room_of_risk(desk, slot, part, extra)
    return room_of_group(desk, slot, part, extra)


# --- value at risk


@aside
def room_of_risk(desk: Desk, slot: int, part: int, extra: int) -> int:
    """How many lots value at risk leaves; an order that does not raise it passes."""
    apart()
    limits = desk.control_limits
    if desk.guard[MARKED] < limits[OF_RISK_BARS]:
        return FAR
    bound = ratio(max(ZERO, desk.money[EQUITY]), limits[OF_RISK], RATE, DOWN)
    if is_safe(desk, slot, extra, bound):
        return FAR
    plan(desk, slot, part)
    count_all(desk, slot)
    held, tail = desk.planned[slot], limits[OF_RISK_TAIL]
    if losing(desk, slot, held + extra, bound) <= tail:
        return FAR
    if losing(desk, slot, held, bound) > tail:
        bound = at_risk(desk, bound)
        if losing(desk, slot, held + extra, bound) <= tail:
            return FAR
    if desk.control_action[VALUE_AT_RISK] != REDUCE:
        return ZERO
    low, high = ZERO, abs(extra)
    while high - low > 1:
        middle = low + (high - low) // 2
        if losing(desk, slot, held + middle if extra > 0 else held - middle, bound) <= tail:
            low = middle
        else:
            high = middle
    return low


@aside
def too_risky(desk: Desk) -> bool:
    """Whether what is held after a bar has more value at risk than the account may have."""
    apart()
    limits = desk.control_limits
    if desk.guard[MARKED] < limits[OF_RISK_BARS]:
        return False
    bound = ratio(max(ZERO, desk.money[EQUITY]), limits[OF_MOST_RISK], RATE, DOWN)
    if is_safe(desk, ZERO, ZERO, bound):
        return False
    for slot in range(desk.slots):
        desk.planned[slot] = desk.lots[slot]
    count_all(desk, NOBODY)
    return losing(desk, ZERO, ZERO, bound) > limits[OF_RISK_TAIL]


@aside
def count_all(desk: Desk, without: int) -> None:
    """What the planned lots of all slots but one would have gained in each of the last bars.

    Within a bar only the slots whose lots are others than before are counted anew: no number depends on it. Where sums might not fit
    all are added up again, in their order, so that the run stops where it would have stopped.
    """
    apart()
    if desk.risk[GATHERED] != desk.guard[MARKED] + 1:
        gather(desk, without)
        return
    for slot in range(desk.slots):
        wanted = ZERO if slot == without else desk.planned[slot]
        if desk.counted[slot] != wanted and not recount(desk, slot, wanted):
            gather(desk, without)
            return


@aside
def recount(desk: Desk, slot: int, wanted: int) -> bool:
    """Count other lots of a slot; False where the sums of all slots might not fit."""
    apart()
    before, after = worth_of(desk, slot, desk.counted[slot]), worth_of(desk, slot, wanted)
    weighed = desk.risk[WEIGHED] - abs(before) + abs(after)
    most = ratio(weighed, desk.risk[SWING], RATE, CEIL) if fits(weighed) else BAD
    if not (fits(most) and fits(most + desk.slots)):
        return False
    if before != 0:
        add(desk, slot, before, -ONE)
    if after != 0:
        add(desk, slot, after, ONE)
    desk.counted[slot] = wanted
    desk.risk[WEIGHED] = weighed
    return True


@aside
def gather(desk: Desk, without: int) -> None:
    """The same from nothing."""
    apart()
    for back in range(desk.control_limits[OF_RISK_BARS]):
        desk.gain[back] = 0
    weighed, swing = ZERO, ZERO
    for slot in range(desk.slots):
        desk.counted[slot] = ZERO if slot == without else desk.planned[slot]
        if desk.counted[slot] != 0:
            worth = worth_of(desk, slot, desk.counted[slot])
            weighed += abs(worth) if fits(weighed) else ZERO
            if not add(desk, slot, worth, ONE):
                fail(desk, OVERFLOW, slot)
                return
    for place in range(desk.assets * desk.window):
        swing = max(swing, abs(desk.moves[place]))
    desk.risk[GATHERED], desk.risk[WEIGHED], desk.risk[SWING] = desk.guard[MARKED] + 1, weighed, swing


@aside
def add(desk: Desk, slot: int, worth: int, side: int) -> bool:
    """Add what so much in a slot would have gained, or take it away; False where a sum does not fit."""
    apart()
    share_of(desk, slot, worth)
    fit = True
    for back in range(desk.control_limits[OF_RISK_BARS]):
        desk.gain[back] += side * desk.share[back]
        fit = fit and fits(desk.gain[back])
    return fit


@aside
def share_of(desk: Desk, slot: int, worth: int) -> None:
    """What so much in a slot would have gained in each of the last bars, the newest first."""
    apart()
    window = desk.window
    first, place = slot % desk.assets * window, (desk.guard[MARKED] - 1) % window
    for back in range(desk.control_limits[OF_RISK_BARS]):
        part = mul_div(worth, desk.moves[first + place], RATE, HALF_EVEN)
        if not fits(part):
            fail(desk, OVERFLOW, slot)
            part = ZERO
        desk.share[back] = part
        place = place - 1 if place > 0 else window - 1


@aside
def losing(desk: Desk, slot: int, lots: int, bound: int) -> int:
    """In how many of the last bars more than a sum would have been lost, with so many lots in a slot."""
    apart()
    share_of(desk, slot, worth_of(desk, slot, lots))
    return beyond_bound(desk, bound)


@kernel
def beyond_bound(desk: Desk, bound: int) -> int:
    """The same with the share that was worked out last."""
    count = ZERO
    for back in range(desk.control_limits[OF_RISK_BARS]):
        if -(desk.gain[back] + desk.share[back]) > bound:
            count += 1
    return count


@aside
def at_risk(desk: Desk, bound: int) -> int:
    """The least sum, more than a bound, that was lost more than in no more bars than may be, with the same share."""
    apart()
    low, high = bound, FAR
    while high - low > 1:
        middle = low + (high - low) // 2
        if beyond_bound(desk, middle) <= desk.control_limits[OF_RISK_TAIL]:
            high = middle
        else:
            low = middle
    return high


@aside
def worth_of(desk: Desk, slot: int, lots: int) -> int:
    """What lots are worth at the last price, in the account's currency; notes it where it does not fit."""
    apart()
    asset = slot % desk.assets
    worth = home(desk, slot, worth_at(desk, asset, lots, desk.last[asset]), HALF_EVEN)
    if not fits(worth):
        fail(desk, OVERFLOW, slot)
        return ZERO
    return worth


# --- what moves together


@aside
def room_of_group(desk: Desk, slot: int, part: int, extra: int) -> int:
    """How many lots the exposure to what moves with an asset leaves."""
    apart()
    limits, assets, total = desk.control_limits, desk.assets, ZERO
    if desk.guard[MARKED] < limits[OF_GROUP_BARS]:
        return FAR
    plan(desk, slot, part)
    for other in range(desk.slots):
        if desk.planned[other] == 0:
            continue
        side = together(desk, slot % assets, other % assets)
        if side == 0:
            continue
        total += side * worth_of(desk, other, desk.planned[other])
        if not fits(total):
            fail(desk, OVERFLOW, other)
            return ZERO
    money = ratio(max(ZERO, desk.money[EQUITY]), limits[OF_GROUP], RATE, DOWN)
    if not fits(money):
        fail(desk, OVERFLOW, slot)
        return ZERO
    return lots_worth(desk, slot % assets, max(ZERO, money + total if extra < 0 else money - total))


@aside
def together(desk: Desk, one: int, other: int) -> int:
    """1 where two assets moved together more than the limit says, -1 where against each other, else 0."""
    apart()
    if one == other:
        return ONE
    bars, x_sum, y_sum, xx, yy, xy = desk.control_limits[OF_GROUP_BARS], ZERO, ZERO, ZERO, ZERO, ZERO
    for back in range(bars):
        x, y = coarse(move_at(desk, one, back)), coarse(move_at(desk, other, back))
        x_sum += x
        y_sum += y
        xx += x * x
        yy += y * y
        xy += x * y
    common = bars * xy - x_sum * y_sum
    if not beyond(common, bars * xx - x_sum * x_sum, bars * yy - y_sum * y_sum, desk.control_limits[OF_ABOVE]):
        return ZERO
    return ONE if common > 0 else NOBODY


@aside
def coarse(move: int) -> int:
    """A move as correlations take it."""
    apart()
    return min(MOST_COARSE, ratio(move, ONE, COARSE, DOWN))


@aside
def beyond(common: int, own: int, others: int, limit: int) -> bool:
    """Whether ``common^2 / (own x others)`` is more than the square of a limit in 1e-8, without a root and without rounding.

    By whole parts and rests of ``common^2 / own`` and ``limit^2 x others / 1e16``.
    """
    apart()
    if own == 0 or others == 0:
        return False
    square = limit * limit
    left, right = ratio(common, common, own, FLOOR), ratio(others, square, SQUARED, FLOOR)
    if left != right:
        return left > right
    left_rest, right_rest = remainder(common, common, own), remainder(others, square, SQUARED)
    scaled = ratio(left_rest, SQUARED, own, FLOOR)
    if scaled != right_rest:
        return scaled > right_rest
    return remainder(left_rest, SQUARED, own) > 0
