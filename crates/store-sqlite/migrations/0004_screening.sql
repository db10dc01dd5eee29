-- What is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.

INSERT INTO meta (key, value) VALUES ('lists_version', 1), ('rules_version', 1);

-- A list is the one set of its kind and line that is in force. Ids are never used again, so that
-- whoever remembers a set cannot take another for it.
CREATE TABLE black_set (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,                -- 0 regulator, 1 installation, 2 line
    line_id INTEGER NOT NULL,             -- 0 but for a line's
    state INTEGER NOT NULL,               -- 0 being written, 1 in force, 2 to be removed
    count INTEGER NOT NULL,
    at INTEGER NOT NULL                   -- last change
) STRICT;
CREATE UNIQUE INDEX black_set_in_force ON black_set (kind, line_id) WHERE state = 1;
CREATE INDEX black_set_left ON black_set (state) WHERE state <> 1;

CREATE TABLE black_number (
    set_id INTEGER NOT NULL,
    number INTEGER NOT NULL,              -- national digits
    PRIMARY KEY (set_id, number)
) STRICT, WITHOUT ROWID;

-- The last additions to sets in force, for those who keep a digest of them in memory.
CREATE TABLE black_addition (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    set_id INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT;

CREATE TABLE approval_rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    matches TEXT NOT NULL,                -- JSON, domain::approval::RuleMatch
    scope TEXT NOT NULL,                  -- JSON, domain::approval::RuleScope
    note TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- One for each bulk whose text needed approval, kept after the decision.
CREATE TABLE approval (
    account_id INTEGER NOT NULL,
    bulk_no INTEGER NOT NULL,
    state INTEGER NOT NULL,               -- store::ApprovalState
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    rule_id INTEGER,
    why TEXT NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    reason TEXT,
    -- Slices before this one are due already; NULL when all are, or none is to be.
    release_from INTEGER,
    text TEXT,                            -- only where it is one recipient's own
    PRIMARY KEY (account_id, bulk_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX approval_waiting ON approval (since, account_id, bulk_no) WHERE state = 1;
