"""Section 10, isolated margin: money of the account that is set aside for a position before it is liquidated."""

from __future__ import annotations

from decimal import Decimal

from rustybt.model.codes import Detail, Reason, Status
from rustybt.model.decimals import LIMIT
from rustybt.reference.account import Account, Position, Row, Terms
from rustybt.reference.currencies import abroad
from rustybt.reference.isolated import Stake, stake_of
from rustybt.reference.orders import Phase, room
from rustybt.reference.rounding import ONE, ZERO, downward, upward


def top_up(account: Account, phase: Phase, terms: Terms, price: Decimal) -> bool:
    """Add to the margin of a position until a price does not end it, as far as free money goes; False where nothing is added."""
    position = account.positions[terms.number]
    stake = stake_of(position, terms)
    if not terms.top_up or stake is None or stake.first == 0:
        return False
    missing = lack(position, terms, stake, price)
    if missing <= 0:
        return False
    wanted = min(upward(missing, stake.first), stake.entered - stake.apart)
    if wanted <= 0:
        return False
    added = min(wanted, abroad(account, terms, max(ZERO, room(account, phase, terms.asset.symbol))))
    if added <= 0:
        return False
    detail = Detail.NONE if added == wanted else Detail.UNAFFORDABLE
    head = (phase.bar, phase.bar, terms.number, 0, Reason.TOP_UP, Status.APPLIED, detail)
    account.log.append(Row(*head, requested=added, price=price))
    position.added += added
    return True


def lack(position: Position, terms: Terms, stake: Stake, price: Decimal) -> Decimal:
    """The least money that moves the price that ends a position beyond another one; nothing where an amount does not fit."""
    asset, unit, most, size = terms.asset, terms.unit, LIMIT * terms.unit, abs(position.quantity)
    rate, worth = terms.margin_maintenance, size * price * asset.multiplier
    if price * asset.lot_size * asset.multiplier * terms.down >= most:
        return ZERO
    if position.quantity > 0:
        found = stake.entered + stake.each - stake.apart - downward(downward(worth, unit) * max(ZERO, ONE - rate), unit)
        return found if downward(worth, unit) < most and abs(found) < most else ZERO
    asked = upward(upward(worth, unit) * (ONE + rate), unit)
    found = asked + stake.each - stake.apart - stake.entered
    return found if max(upward(worth, unit), asked) < most and abs(found) < most else ZERO
