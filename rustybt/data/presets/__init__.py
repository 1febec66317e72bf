"""Ticks, lots, multipliers and least notionals of venues as files: what holds, where it is published, for which day it is known.

To add one: a file here, named as users will write it. Sizes are texts, so that they are exact.
"""

FOLDER = __name__
