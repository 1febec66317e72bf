"""Large files that are checked a part at a time, so that memory is bounded by the part and not by the file.

In: plain CSV files (`rustybt.data.text.parts`). Out: `Gathered`, what a panel of them would hold, its rows in a nameless file on the disk.
`part` checks the rows of a part by the same functions as the door, `rows` keeps them and finds them again in order of asset and time,
`gathered` goes through the parts and says what the door would say. Whatever needs all rows at once (events, a calendar, rows of an asset
that are not in order) is left to the door, and so is every error: it names the place.
"""

from rustybt.data.spill.gathered import Gathered, gather

__all__ = ["Gathered", "gather"]
