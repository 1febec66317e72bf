"""Bits of the ``flags`` of a desk: which parts of the rule book a run uses at all. What they rule out a build leaves out."""

from __future__ import annotations

HAS_FEES, HAS_SLIPPAGE, HAS_LEVELS, HAS_MAX_BARS, HAS_GUARDS, HAS_TIERS, HAS_IMPACT, HAS_CAPS = (1 << bit for bit in range(8))
"""Bits of ``flags``: what the rules of slots use at all. Fees other than a rate; levels = stop, take or trail; guards = any exit;
commissions that fall with what was traded in the month; slippage by the volume of a bar or by feeds; caps on the volume."""
HAS_FLOWS, HAS_CLAIMS, HAS_MARGIN, HAS_SETTLEMENT, HAS_CONTROLS, HAS_WATCH = (1 << bit for bit in range(8, 14))
"""Of the account: deposits and withdrawals, dividends paid later than they are earned, margin, futures marked to cash, controls,
among them some that look at every bar."""
HAS_LATENCY, HAS_BARS, HAS_FINER = (1 << bit for bit in range(14, 17))
"""Of time and access: orders are under way for a time, assets can be barred, there are finer bars."""
HAS_ORDERS = 1 << 17
"""Orders asked for one by one (section 14)."""
HAS_CARRY = 1 << 18
"""Holding costs something over time, or not everything can be borrowed (section 16)."""
HAS_PENDING = 1 << 19
"""Cash from sales is settled later (section 17)."""
HAS_INCREMENTS = 1 << 21
"""Of assets: ticks and lots coarser than their own, or a least notional."""
HAS_DAY_ENDS = 1 << 20
"""Of slots: requested orders are cancelled when a session ends."""
HAS_DATED = 1 << 23
"""Of slots: commissions or margin change (section 18)."""
HAS_CURRENCIES = 1 << 22
"""Of assets: some are quoted in another currency than the account's."""
HAS_MOVES = 1 << 24
"""Controls look at how prices moved (section 12)."""
HAS_ISOLATED = 1 << 25
"""Of slots: the margin of some is set aside for each position by itself (section 10)."""
HAS_TOP_UPS = 1 << 26
"""Of slots: what is set aside for a position is added to before it is used up (section 10)."""
HAS_LIQUIDATION_FEES = 1 << 27
"""Of slots: the venue takes a part of what it liquidates (section 10)."""
EVERY_FLAG = (1 << 28) - 1
"""All of the above."""
