-- Keys lead with the account. Hot tables are WITHOUT ROWID, so that a row is found by one descent
-- and rows of a bulk lie together. Times are milliseconds since 1970 UTC, money is whole rials.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('catalog_version', 1);

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    settings TEXT NOT NULL,               -- JSON
    credit INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0,
    next_bulk_no INTEGER NOT NULL DEFAULT 10001,
    next_entry_no INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Never changed and never deleted: the account's sums equal the sums of its entries.
CREATE TABLE ledger_entry (
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL,
    kind INTEGER NOT NULL,                -- domain::ledger::EntryKind
    amount INTEGER NOT NULL,
    bulk_no INTEGER,
    at INTEGER NOT NULL,
    note TEXT,
    PRIMARY KEY (account_id, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE line (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    display TEXT NOT NULL,
    settings TEXT NOT NULL                -- JSON
) STRICT;

CREATE TABLE line_grant (
    account_id INTEGER NOT NULL,
    line_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, line_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL                -- JSON
) STRICT;

CREATE TABLE link_status (
    link_id INTEGER PRIMARY KEY,
    status TEXT NOT NULL                  -- JSON
) STRICT;

-- NULL stands for any line or any operator.
CREATE TABLE tariff (
    line_id INTEGER,
    operator INTEGER,
    alphabet INTEGER NOT NULL,            -- 0 GSM 7-bit, 1 UCS-2
    price INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tariff_key ON tariff (coalesce(line_id, -1), coalesce(operator, -1), alphabet);

-- Recipients are counted by state here. Waiting and attempted ones are counted together in
-- `unsent`, since their split stands in the bulk's slices: a claim need not write this row.
CREATE TABLE bulk (
    account_id INTEGER NOT NULL,
    bulk_no INTEGER NOT NULL,
    line_id INTEGER NOT NULL,
    stage INTEGER NOT NULL,               -- domain::bulk::BulkStage
    terms INTEGER NOT NULL,               -- bit 0 refund basis, bit 1 in doubt, bit 2 16-bit reference, bit 3 masked
    report_seconds INTEGER NOT NULL,
    urgent INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    expires_at INTEGER,
    next_seq INTEGER NOT NULL,
    price INTEGER NOT NULL,               -- reserved in all
    returned INTEGER NOT NULL DEFAULT 0,  -- released and refunded
    reached INTEGER NOT NULL DEFAULT 0,   -- recipients of which a part was accepted
    unsent INTEGER NOT NULL DEFAULT 0,
    submitted INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    discarded INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    unreported INTEGER NOT NULL DEFAULT 0,
    last_submit_at INTEGER,
    -- When something of it may run out, or earlier; NULL when nothing of it is open any more.
    sweep_at INTEGER,
    -- Where a sweep of its report time stopped.
    sweep_seq INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL,                   -- last, so that other columns are read without it
    PRIMARY KEY (account_id, bulk_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_sweep ON bulk (sweep_at) WHERE sweep_at IS NOT NULL;

CREATE TABLE recipient (
    account_id INTEGER NOT NULL,
    bulk_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    number ANY NOT NULL,                  -- national digits, or TEXT for no mobile number
    operator INTEGER NOT NULL,
    state INTEGER NOT NULL,               -- domain::status::State
    reason INTEGER NOT NULL,              -- domain::reason::Reason
    detail INTEGER,
    parts INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    outstanding INTEGER NOT NULL DEFAULT 0, -- sets of parts, one bit each
    accepted INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER,
    text TEXT,                            -- only where each recipient has its own
    PRIMARY KEY (account_id, bulk_no, seq)
) STRICT, WITHOUT ROWID;

-- The work queue: for each 1000 places of a bulk and each operator one row, as long as any of
-- these recipients waits or is attempted. due_at is 9223372036854775807 while nothing of it may
-- be claimed: the bulk is being built, stopped or has run out.
CREATE TABLE slice (
    account_id INTEGER NOT NULL,
    bulk_no INTEGER NOT NULL,
    slice_no INTEGER NOT NULL,
    operator INTEGER NOT NULL,
    line_id INTEGER NOT NULL,
    urgent INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    attempted INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,           -- no recipient before it waits
    PRIMARY KEY (account_id, bulk_no, slice_no, operator)
) STRICT, WITHOUT ROWID;
CREATE INDEX slice_claimable ON slice (line_id, operator, urgent, account_id, due_at)
    WHERE waiting > 0 AND due_at < 9223372036854775807;

-- What is in flight, and so in doubt after a crash: as many rows as the windows hold, however much
-- waits. Without it a start would have to read the whole queue.
CREATE INDEX slice_attempted ON slice (account_id, bulk_no, slice_no, operator)
    WHERE attempted > 0;

-- Kept after the end, so that a doubled receipt still matches and changes nothing.
CREATE TABLE receipt_map (
    link_id INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    account_id INTEGER NOT NULL,
    bulk_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    part INTEGER NOT NULL,
    PRIMARY KEY (link_id, message_id)
) STRICT, WITHOUT ROWID;

-- Receipts that came before their message id; `n` keeps their order.
CREATE TABLE parked_receipt (
    n INTEGER PRIMARY KEY,
    link_id INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    kind INTEGER NOT NULL,                -- domain::status::ReceiptKind, in its order from 0
    error INTEGER,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX parked_receipt_id ON parked_receipt (link_id, message_id);

CREATE TABLE idempotency (
    account_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    bulk_no INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbound_part (
    n INTEGER PRIMARY KEY,
    link_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sender TEXT NOT NULL,
    line TEXT NOT NULL,
    data_coding INTEGER NOT NULL,
    payload BLOB NOT NULL,
    reference INTEGER,
    part_total INTEGER,
    part_no INTEGER
) STRICT;
