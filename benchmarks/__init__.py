"""How fast, how small and how exact, measured on this machine: ``python -m benchmarks`` or ``make bench``.

Suites, one module each: `workloads` (seven workloads, our column beside a hand-written pass and vectorbt), `exactness` (exact money
against the same kernel in float), `scale` (time and memory against size) and `latency` (one bar at a time). Every number is taken in a
process of its own (`worker`), the processes of a comparison taking turns, so that ratios mean something on a busy machine. To add a
column, write a module in ``columns/`` with a `prepare` and name it in `columns.COLUMNS`.

This file and what a column's process imports stay free of everything but numpy: other products run in environments of their own.
"""
