"""How much of its equity a run used, added up while the bars are still in the processor's cache: what `analysis.metrics` would add.

To the same bits: numbers are added in pairs of pairs, down to blocks of 128 in eight lanes, as NumPy does.
"""

from __future__ import annotations

from rustybt.model.usage import BLOCK

from .compile import add_lanes, apart, aside, kernel
from .state import USED, Desk

WHOLE = 128


@aside
def add_up(desk: Desk, t: int) -> None:
    """Add up the blocks of bars that lie before a bar."""
    apart()
    while desk.cursor[USED] < desk.blocks and (desk.cursor[USED] + 1) * BLOCK <= t:
        add_block(desk, desk.cursor[USED])
        desk.cursor[USED] += 1


@kernel
def add_block(desk: Desk, block: int) -> None:
    """Add up one block."""
    first, shares = block * BLOCK, desk.shares
    least, highest, held, most, short = desk.curve_equity[first], desk.curve_equity[first], 0, 0.0, 0
    for i in range(BLOCK):
        least, highest = min(least, desk.curve_equity[first + i]), max(highest, desk.curve_equity[first + i])
        held += 1 if desk.curve_gross[first + i] != 0 else 0
        short += 1 if desk.curve_gross[first + i] > desk.curve_equity[first + i] - desk.curve_cash[first + i] else 0
    desk.block_least[block] = least
    desk.block_highest[block] = highest
    desk.block_held[block] = held
    if least <= 0:  # shares of nothing: they are not asked for
        return
    for i in range(BLOCK):
        shares[i] = desk.curve_gross[first + i] / desk.curve_equity[first + i]
    second, third, fourth = 0.0, 0.0, 0.0  # four at a time: one alone would wait for the one before
    for i in range(0, BLOCK, 4):
        most, second = max(most, shares[i]), max(second, shares[i + 1])
        third, fourth = max(third, shares[i + 2]), max(fourth, shares[i + 3])
    most = max(most, second, third, fourth)
    desk.block_most[block] = most
    desk.block_share[block] = in_pairs(desk)
    desk.block_net[block] = desk.block_share[block]
    if short != 0:  # without shorts both are the same number
        for i in range(BLOCK):
            shares[i] = (desk.curve_equity[first + i] - desk.curve_cash[first + i]) / desk.curve_equity[first + i]
        desk.block_net[block] = in_pairs(desk)


@kernel
def in_pairs(desk: Desk) -> float:
    """The sum of the shares of a block, which are overwritten."""
    shares, lanes, parts = desk.shares, desk.lanes, BLOCK // WHOLE
    for part in range(parts):
        add_lanes(shares, part * WHOLE, WHOLE, lanes)
        low = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
        shares[part] = low + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
    while parts > 1:
        parts = parts // 2
        for i in range(parts):
            shares[i] = shares[2 * i] + shares[2 * i + 1]
    return shares[0]
