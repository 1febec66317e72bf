"""The same work in plain Python, written from the definitions: an oracle for results, and a measure for speed.

One module per kind of work; each function takes and gives plain lists. ``benchmarks.check`` runs them beside RustyBT.
"""
