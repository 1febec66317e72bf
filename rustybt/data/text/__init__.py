"""CSV files of bars.

`head` finds the types of a file from its first rows, `read` turns large plain files into columns with compiled code (`parse`). Whatever is
not plain is left to Polars, so that both ways give the same rows. To read a new way of writing, add it to `head` and `parse` together.
"""
