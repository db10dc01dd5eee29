-- Several processes on one store: who lives, and who holds which duty.

CREATE TABLE process (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    name TEXT NOT NULL,
    roles INTEGER NOT NULL,               -- bit 0 web, bit 1 dispatch
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- A row stays when its duty is given back, with no holder, so that its epoch never goes back.
CREATE TABLE lease (
    duty INTEGER PRIMARY KEY,             -- a link's id; 0 for the work on messages from handsets
    holder INTEGER,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- The link that has the attempt, or had the last one. NULL where it was claimed before there was
-- this column.
ALTER TABLE recipient ADD COLUMN link_id INTEGER;
