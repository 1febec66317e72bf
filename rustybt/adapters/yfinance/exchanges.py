"""Yahoo's names for exchanges and kinds of assets."""

from __future__ import annotations

CALENDARS = {
    **dict.fromkeys(("NMS", "NGM", "NCM", "NYQ", "ASE", "PCX", "BTS"), "XNYS"),
    "LSE": "XLON",
    "GER": "XETR",
    "FRA": "XFRA",
    "PAR": "XPAR",
    "AMS": "XAMS",
    "BRU": "XBRU",
    "LIS": "XLIS",
    "MIL": "XMIL",
    "MCE": "XMAD",
    "EBS": "XSWX",
    "STO": "XSTO",
    "CPH": "XCSE",
    "HEL": "XHEL",
    "OSL": "XOSL",
    "TOR": "XTSE",
    "SAO": "BVMF",
    "MEX": "XMEX",
    "JPX": "XTKS",
    "HKG": "XHKG",
    "SHH": "XSHG",
    "SHZ": "XSHG",
    "KSC": "XKRX",
    "TAI": "XTAI",
    "SES": "XSES",
    "ASX": "XASX",
    "NZE": "XNZE",
    "BSE": "XBOM",
    "NSI": "XBOM",
    "JNB": "XJSE",
}
"""Exchange calendars by Yahoo's code; what is not here has none."""
KINDS = {"CRYPTOCURRENCY": "crypto", "CURRENCY": "fx", "FUTURE": "future", "INDEX": "index"}
"""Asset classes by Yahoo's instrument type; the rest are equities."""
