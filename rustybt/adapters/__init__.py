"""Vendors, one folder each: their real libraries behind our protocols.

In: an address and settings. Out: a `rustybt.model.source.Source`. A library is loaded when its vendor is first used and never before. Every
error of a library becomes one of ours; `failures` holds the sentences. To add a vendor: a folder with ``open_source``, a line in
``rustybt.data.download.registry`` and a subclass of `rustybt.testing.SourceSuite` that runs it against a simulated server.
"""

__all__: list[str] = []
