"""The tables of reference data, as the steps that made them. A step is never edited; a change is a new one at the end."""

from __future__ import annotations

from rustybt._sqlite import Schema
from rustybt.errors import DataError

FIRST = """
CREATE TABLE revisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    created TEXT NOT NULL,        -- UTC
    source TEXT NOT NULL,         -- where the rows came from
    added INTEGER NOT NULL,       -- rows
    dropped INTEGER NOT NULL
);
CREATE TABLE assets (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,           -- equity, etf, future, ...
    name TEXT,
    root TEXT,                    -- of a future: the chain that it belongs to
    underlying TEXT,
    expiry TEXT,                  -- last trading day, known from the listing on
    listed TEXT,                  -- first session
    delisted TEXT,                -- last session
    known TEXT,                   -- null: from the listing on
    added INTEGER NOT NULL REFERENCES revisions (number),
    dropped INTEGER               -- null: it holds
);
CREATE INDEX assets_by_id ON assets (id);
CREATE INDEX assets_by_root ON assets (root);
CREATE TABLE spells (
    asset TEXT NOT NULL,
    first TEXT,                   -- session from which it holds; null: from the start
    symbol TEXT,                  -- null here and below: as before
    venue TEXT,
    currency TEXT,
    tick_size TEXT,
    lot_size TEXT,
    volume_step TEXT,
    multiplier TEXT,
    min_notional TEXT,
    known TEXT,                   -- null: from first on
    added INTEGER NOT NULL REFERENCES revisions (number),
    dropped INTEGER
);
CREATE INDEX spells_by_asset ON spells (asset);
CREATE INDEX spells_by_symbol ON spells (symbol);
CREATE TABLE events (
    asset TEXT NOT NULL,
    ts INTEGER NOT NULL,          -- UTC microseconds of the ex-date at 00:00
    kind TEXT NOT NULL,
    numerator INTEGER NOT NULL,
    denominator INTEGER NOT NULL,
    other TEXT,
    pay INTEGER,
    cash TEXT,
    price TEXT,
    part TEXT,
    known TEXT,                   -- null: from the ex-date on
    added INTEGER NOT NULL REFERENCES revisions (number),
    dropped INTEGER
);
CREATE INDEX events_by_asset ON events (asset);
CREATE TABLE rates (
    pair TEXT NOT NULL,           -- EUR/USD: what one EUR costs in USD
    ts TEXT NOT NULL,             -- a session, or an instant with its zone
    rate TEXT NOT NULL,
    known TEXT,
    added INTEGER NOT NULL REFERENCES revisions (number),
    dropped INTEGER
);
CREATE INDEX rates_by_pair ON rates (pair, ts);
"""

REFERENCE = Schema(what="reference data", application=0x52425246, migrations=(FIRST,), error=DataError, shared=True)
TABLES = ("revisions", "assets", "spells", "events", "rates")
