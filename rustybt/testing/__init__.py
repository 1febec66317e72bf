"""What users need to test their own strategies and the rule book: synthetic markets, random sessions, golden cases.

In: a seed and a few numbers, or a text. Out: bars, events, or a `rustybt.model.Panel`; the arguments of ``simulate`` and what must come
out of them. To add a kind of trouble: a trait in `markets.Recipe`; a setting or corner of the rule book: a draw in `rules`. `soak` is a
command. `vendors` are simulated ones. `AnySourceSuite` is what every source of bars has to pass, files too; `SourceSuite` adds what a
vendor can do to it.
"""

from rustybt.testing.anysource import AnySourceSuite, Given
from rustybt.testing.generators import Session, session, sessions
from rustybt.testing.golden import Case, read_case, write_case
from rustybt.testing.markets import Market, Recipe, market, panel
from rustybt.testing.outcomes import differences, identity_breaches, run_or_error
from rustybt.testing.sources import SourceSuite

__all__ = [
    "AnySourceSuite",
    "Case",
    "Given",
    "Market",
    "Recipe",
    "Session",
    "SourceSuite",
    "differences",
    "identity_breaches",
    "market",
    "panel",
    "read_case",
    "run_or_error",
    "session",
    "sessions",
    "write_case",
]
