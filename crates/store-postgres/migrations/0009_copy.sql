-- A copy of another store into this one that is not finished: at most one row, with `one` = 1.

CREATE TABLE store_copy (
    one int8 PRIMARY KEY,
    source text NOT NULL,                 -- JSON, store::transfer::Source
    at text NOT NULL                      -- JSON, store::transfer::Progress
);
