"""Section 4 of the rule book: slippage that depends on how much of a bar's volume an order takes, and on the bar's own terms."""

from __future__ import annotations

from .arithmetic import ratio
from .compile import apart, aside
from .limits import BAD, CEIL, RATE, ZERO
from .state import Desk


@aside
def root(number: int) -> int:
    """The least whole number whose square is not below a number from 0 to 10^16, by Newton's method on whole numbers."""
    apart()
    if number < 2:
        return number
    guess, lower = RATE, (RATE + number // RATE) // 2
    while lower < guess:
        guess = lower
        lower = (guess + number // guess) // 2
    return guess if guess * guess == number else guess + 1


@aside
def share_of(desk: Desk, lots: int, place: int) -> int:
    """How much of the volume of a bar so many lots are, in 1e-8, upward; all of it where they are more or it has none."""
    apart()
    volume = desk.volume[place]
    if lots >= volume:
        return RATE
    return ratio(lots, RATE, volume, CEIL)


@aside
def feed_of(desk: Desk, feed: int, place: int) -> int:
    """The number that a feed has for a bar; 0 for feed 0."""
    apart()
    if feed == 0:
        return ZERO
    row = place // desk.assets
    return desk.feed[place + (row * (desk.feeds - 1) + feed - 1) * desk.assets]


@aside
def impact(desk: Desk, model: int, price: int, lots: int, place: int) -> int:
    """How many ticks a price moves against an order of so many lots; BAD where it does not fit."""
    apart()
    rate = desk.impacts_rate[model] + feed_of(desk, desk.impacts_rate_feed[model], place)
    square, plain, sigma = desk.impacts_square[model], desk.impacts_root[model], desk.impacts_sigma[model]
    if square != 0 or plain != 0 or sigma != 0:
        share = share_of(desk, lots, place)
        rooted = root(share * RATE)
        rate += ratio(square, ratio(share, share, RATE, CEIL), RATE, CEIL) + ratio(plain, rooted, RATE, CEIL)
        rate += ratio(ratio(sigma, rooted, RATE, CEIL), feed_of(desk, desk.impacts_sigma_feed[model], place), RATE, CEIL)
    moved = ratio(price, rate, RATE, CEIL)
    if moved == BAD:
        return moved
    return moved + desk.impacts_ticks[model] + feed_of(desk, desk.impacts_ticks_feed[model], place)
