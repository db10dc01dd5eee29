-- Messages from handsets: their parts put together, read flags, keyword rules and callbacks.
-- Account 0 stands for the operator of the installation, who keeps what is nobody's.

-- The queue of parts again, with numbers that are never handed out twice, and two more columns.
ALTER TABLE inbound_part RENAME TO inbound_part_first;
CREATE TABLE inbound_part (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    link_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    line TEXT NOT NULL,
    data_coding INTEGER NOT NULL,
    payload BLOB NOT NULL,
    reference INTEGER,
    part_total INTEGER,
    part_no INTEGER,
    header_octets INTEGER NOT NULL DEFAULT 0,
    disturbed_at INTEGER
) STRICT;
INSERT INTO inbound_part (n, link_id, at, sender, line, data_coding, payload, reference,
    part_total, part_no)
    SELECT n, link_id, at, sender, line, data_coding, payload, reference, part_total, part_no
    FROM inbound_part_first ORDER BY n;
DROP TABLE inbound_part_first;

-- Digests of what came lately, to know what the operator sends again.
CREATE TABLE inbound_seen (
    digest BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_seen_at ON inbound_seen (at);

-- Parts of one message that wait for each other. Once closed it takes no further part.
CREATE TABLE inbound_gathering (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    line TEXT NOT NULL,
    sender TEXT NOT NULL,
    reference INTEGER NOT NULL,
    part_total INTEGER NOT NULL,
    have INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX inbound_gathering_open
    ON inbound_gathering (line, sender, reference, part_total) WHERE closed = 0;
CREATE INDEX inbound_gathering_quiet ON inbound_gathering (last_at) WHERE closed = 0;
CREATE INDEX inbound_gathering_closed ON inbound_gathering (id) WHERE closed = 1;

CREATE TABLE inbound_fragment (
    gathering_id INTEGER NOT NULL,
    part_no INTEGER NOT NULL,
    link_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    data_coding INTEGER NOT NULL,
    header_octets INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (gathering_id, part_no)
) STRICT, WITHOUT ROWID;

-- Messages are fetched in the order of their numbers, so one number says what was read. What was
-- fetched last are those after `read_before` up to `read_through`.
CREATE TABLE inbox (
    account_id INTEGER PRIMARY KEY,
    next_no INTEGER NOT NULL DEFAULT 1,
    next_rule_no INTEGER NOT NULL DEFAULT 1,
    read_through INTEGER NOT NULL DEFAULT 0,
    read_before INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE inbound_message (
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL,
    unowned INTEGER,                      -- domain::inbound::Unowned, of account 0
    line_id INTEGER,
    link_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    parts INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    outcome TEXT,                         -- NULL while there is work for it
    text TEXT NOT NULL,
    PRIMARY KEY (account_id, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbound_work (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL
) STRICT;

CREATE TABLE inbound_rule (
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL,
    settings TEXT NOT NULL,               -- JSON
    PRIMARY KEY (account_id, no)
) STRICT, WITHOUT ROWID;

-- Answers that rules sent within the last day, to bound them.
CREATE TABLE inbound_answer (
    account_id INTEGER NOT NULL,
    sender TEXT NOT NULL,
    at INTEGER NOT NULL,
    no INTEGER NOT NULL,
    PRIMARY KEY (account_id, sender, at, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_answer_at ON inbound_answer (at);

-- One row for each URL of an account; target 0 is the account's own, others are numbers of rules.
-- due_at is NULL while nothing waits.
CREATE TABLE callback_queue (
    account_id INTEGER NOT NULL,
    target INTEGER NOT NULL,
    due_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX callback_queue_due ON callback_queue (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE callback (
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL,
    target INTEGER NOT NULL,
    state INTEGER NOT NULL,               -- domain::inbound::callback::CallbackState
    queued_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    last_at INTEGER,
    due_at INTEGER,                       -- of those that stand aside
    status INTEGER,
    error TEXT,
    PRIMARY KEY (account_id, no, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX callback_open ON callback (account_id, target, state, no) WHERE state <= 1;
CREATE INDEX callback_aside ON callback (due_at) WHERE state = 1;
CREATE INDEX callback_ended ON callback (account_id, target, no) WHERE state >= 2;
