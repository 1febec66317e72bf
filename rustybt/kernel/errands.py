"""What is done between bars: orders and fills from outside. One at a time, by `run` itself, so that the kernel has a single way in.

A second way in would be a second program: linked, optimised and kept beside the first, with most of its rules in it.
"""

from __future__ import annotations

from .compile import apart, aside
from .decisions import ask, recall
from .fills import book_reported
from .levels import arm_all
from .limits import whole
from .requests import request_one
from .state import Desk

ASK, RECALL, BOOK, REQUEST, ARM = (whole(code) for code in range(1, 6))
"""Codes of ``errand``; 0 = there is none."""
SLOT, LOTS, REASON, PRICE, FEE, NUMBER = range(6)
"""Places in ``errand_words``."""


@aside
def do_errand(desk: Desk, t: int) -> None:
    """The errand that the desk holds."""
    apart()
    errand, words = desk.errand, desk.errand_words
    slot, reason = int(words[SLOT]), int(words[REASON])
    if errand == ASK:
        ask(desk, t, slot, words[LOTS], reason)
    elif errand == RECALL:
        recall(desk, t, slot)
    elif errand == BOOK:
        book_reported(desk, t, slot, words[LOTS], words[PRICE], words[FEE], int(words[NUMBER]), reason)
    elif errand == REQUEST:
        request_one(desk, t)
    else:
        arm_all(desk)
