"""Shipped to users: random markets and sessions, golden cases, exact comparisons. Nothing here is imported by a run.

In: a seed, a text or Hypothesis. Out: inputs for ``simulate`` and what must come out of them. Import the module you need
(`rustybt.testing.generators`, `rustybt.testing.golden`, `rustybt.testing.outcomes`); a new kind of test material is a new module.
"""
