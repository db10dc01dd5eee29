-- What is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.
-- Lists and rules are the installation's; whoever changes one holds the counter of its version.

INSERT INTO counter (name, next) VALUES
    ('lists', 1), ('rules', 1), ('list_set', 1), ('list_addition', 1), ('rule', 1);

-- A list is the one set of its kind and line that is in force. Ids are never used again, so that
-- whoever remembers a set cannot take another for it.
CREATE TABLE black_set (
    id int8 PRIMARY KEY,
    kind int8 NOT NULL,                   -- 0 regulator, 1 installation, 2 line
    line_id int8 NOT NULL,                -- 0 but for a line's
    state int8 NOT NULL,                  -- 0 being written, 1 in force, 2 to be removed
    count int8 NOT NULL,
    at int8 NOT NULL,                     -- last change
    -- Of a set that is being removed: its numbers up to this one are gone. Without it each slice
    -- would begin by walking over everything that the slices before it removed.
    gone_to int8 NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX black_set_in_force ON black_set (kind, line_id) WHERE state = 1;
CREATE INDEX black_set_writing ON black_set (kind, line_id) WHERE state = 0;
CREATE INDEX black_set_left ON black_set (state) WHERE state <> 1;

CREATE TABLE black_number (
    set_id int8 NOT NULL,
    number int8 NOT NULL,                 -- national digits
    PRIMARY KEY (set_id, number)
);

-- The last additions to sets in force, for those who keep a digest of them in memory. Their numbers
-- have no gaps, so a gap says that some were forgotten.
CREATE TABLE black_addition (
    no int8 PRIMARY KEY,
    set_id int8 NOT NULL,
    number int8 NOT NULL
);

CREATE TABLE approval_rule (
    id int8 PRIMARY KEY,
    matches text NOT NULL,                -- JSON, domain::approval::RuleMatch
    scope text NOT NULL,                  -- JSON, domain::approval::RuleScope
    note text NOT NULL,
    created_at int8 NOT NULL
);

-- One for each bulk whose text needed approval, kept after the decision.
CREATE TABLE approval (
    account_id int8 NOT NULL,
    bulk_no int8 NOT NULL,
    state int8 NOT NULL,                  -- store::ApprovalState
    since int8 NOT NULL,
    until int8 NOT NULL,
    rule_id int8,
    why text NOT NULL,
    decided_at int8,
    decided_by text,
    reason text,
    -- Slices before this one are due already; NULL when all are, or none is to be.
    release_from int8,
    text text,                            -- only where it is one recipient's own
    PRIMARY KEY (account_id, bulk_no)
);
CREATE INDEX approval_waiting ON approval (since, account_id, bulk_no) WHERE state = 1;
