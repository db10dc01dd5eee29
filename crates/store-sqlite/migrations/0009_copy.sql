-- A copy of another store into this one that is not finished: at most one row.

CREATE TABLE store_copy (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    source TEXT NOT NULL,                 -- JSON, store::transfer::Source
    at TEXT NOT NULL                      -- JSON, store::transfer::Progress
) STRICT;
