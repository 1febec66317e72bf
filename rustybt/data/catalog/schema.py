"""The tables of the catalog, as the steps that made them. A step is never edited; a change is a new one at the end."""

from __future__ import annotations

from rustybt._sqlite import Schema
from rustybt.errors import DataError

FIRST = """
CREATE TABLE snapshots (
    id TEXT PRIMARY KEY,          -- SHA-256 of the content, as in a run's identity
    created TEXT NOT NULL,        -- UTC
    bars INTEGER NOT NULL,        -- rows
    assets INTEGER NOT NULL,
    first TEXT NOT NULL,          -- instants of the first and the last bar
    last TEXT NOT NULL,
    calendar TEXT,                -- null when none was declared
    quarantined INTEGER NOT NULL, -- rows that were set aside
    warnings TEXT NOT NULL        -- JSON list
);
CREATE TABLE versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshots (id),
    created TEXT NOT NULL,
    source TEXT NOT NULL,         -- where the bars came from
    options TEXT NOT NULL         -- JSON: what the door was told
);
CREATE INDEX versions_by_dataset ON versions (dataset, number);
CREATE TABLE files (
    snapshot TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (snapshot, name)
);
CREATE TABLE symbols (
    snapshot TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
    asset TEXT NOT NULL,
    bars INTEGER NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL,
    PRIMARY KEY (snapshot, asset)
);
"""

RUNS = """
CREATE TABLE runs (
    run_id TEXT NOT NULL,
    folder TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    dataset TEXT NOT NULL,
    created TEXT NOT NULL,
    PRIMARY KEY (run_id, folder)
);
"""

REPAIRS = """
CREATE TABLE repairs (
    dataset TEXT NOT NULL,
    snapshot TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,      -- in the order in which they were done
    "check" TEXT NOT NULL,
    asset TEXT,
    ts TEXT,                      -- UTC
    action TEXT NOT NULL,
    "column" TEXT,                -- null where a whole row was changed
    before REAL,
    after REAL,
    PRIMARY KEY (dataset, snapshot, number)
);
"""

ASIDE = """
-- Rows with the same usable bars can come with other rows that are set aside: what was said of an ingest belongs to its version.
ALTER TABLE versions ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';       -- JSON list
ALTER TABLE versions ADD COLUMN quarantined INTEGER NOT NULL DEFAULT 0;    -- rows that were set aside
ALTER TABLE versions ADD COLUMN aside TEXT NOT NULL DEFAULT 'quarantine.parquet'; -- file of the snapshot that holds them
UPDATE versions SET
    warnings = (SELECT warnings FROM snapshots WHERE id = versions.snapshot),
    quarantined = (SELECT quarantined FROM snapshots WHERE id = versions.snapshot);
ALTER TABLE snapshots DROP COLUMN warnings;
ALTER TABLE snapshots DROP COLUMN quarantined;
"""

LOGS = """
-- What was repaired belongs to an ingest, too: another one may give the same bars without it, or with another log.
ALTER TABLE repairs RENAME TO repairs_of_snapshots;
CREATE TABLE repairs (
    version INTEGER NOT NULL REFERENCES versions (number) ON DELETE CASCADE,
    dataset TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    number INTEGER NOT NULL,      -- in the order in which they were done
    "check" TEXT NOT NULL,
    asset TEXT,
    ts TEXT,                      -- UTC
    action TEXT NOT NULL,
    "column" TEXT,                -- null where a whole row was changed
    before REAL,
    after REAL,
    PRIMARY KEY (version, number)
);
INSERT INTO repairs
    SELECT v.number, r.dataset, r.snapshot, r.number, r."check", r.asset, r.ts, r.action, r."column", r.before, r.after
    FROM repairs_of_snapshots r JOIN versions v ON v.dataset = r.dataset AND v.snapshot = r.snapshot;
DROP TABLE repairs_of_snapshots;
"""

CATALOG = Schema(what="catalog", application=0, migrations=(FIRST, RUNS, REPAIRS, ASIDE, LOGS), error=DataError, shared=True)
TABLES = ("snapshots", "versions", "files", "symbols", "runs", "repairs")
