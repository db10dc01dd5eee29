-- Several processes on one store: who lives, and who holds which duty. Times are by the clock of
-- the database.

CREATE TABLE process (
    id int8 PRIMARY KEY,
    host text NOT NULL,
    pid int8 NOT NULL,
    name text NOT NULL,
    roles int8 NOT NULL,                  -- bit 0 web, bit 1 dispatch
    version text NOT NULL,
    started_at int8 NOT NULL,
    seen_at int8 NOT NULL,
    expires_at int8 NOT NULL,
    clock_ahead int8 NOT NULL             -- milliseconds
);

-- A row stays when its duty is given back, with no holder, so that its epoch never goes back.
CREATE TABLE lease (
    duty int8 PRIMARY KEY,                -- a link's id; 0 for the work on messages from handsets
    holder int8,
    epoch int8 NOT NULL,
    expires_at int8 NOT NULL
);
