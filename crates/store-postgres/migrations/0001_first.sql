-- Keys lead with the account, so that a cluster can spread the tables by it. Times are
-- milliseconds since 1970 UTC, money is whole rials. Installation-wide tables are few: counters,
-- accounts, lines, links, prices, what is in the work queue, and maps that are looked up by what
-- they lead with. No sequences: numbers come from counters, so they are seen in their order.

CREATE TABLE counter (
    name text PRIMARY KEY,
    next int8 NOT NULL
);
INSERT INTO counter (name, next) VALUES
    ('catalog', 1), ('account', 1), ('line', 1), ('link', 1);

-- Commands that were committed, for whoever lost the answer. Removed after a quarter of an hour.
CREATE TABLE commit_mark (
    process int8 NOT NULL,
    no int8 NOT NULL,
    run int4 NOT NULL,                    -- which attempt at the command it was
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (process, no)
);
CREATE INDEX commit_mark_at ON commit_mark (at);

CREATE TABLE account (
    id int8 PRIMARY KEY,
    name text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at int8 NOT NULL,
    expires_at int8 NOT NULL,
    settings text NOT NULL,               -- JSON
    credit int8 NOT NULL DEFAULT 0,
    reserved int8 NOT NULL DEFAULT 0,
    next_bulk_no int8 NOT NULL DEFAULT 10001,
    next_entry_no int8 NOT NULL DEFAULT 1,
    parent_id int8,
    package_id int8
) WITH (fillfactor = 50);
CREATE INDEX account_parent ON account (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX account_package ON account (package_id) WHERE package_id IS NOT NULL;

-- Never changed and never deleted: the account's sums equal the sums of its entries.
CREATE TABLE ledger_entry (
    account_id int8 NOT NULL,
    no int8 NOT NULL,
    amount int8 NOT NULL,
    at int8 NOT NULL,
    bulk_no int4,
    kind int2 NOT NULL,                   -- domain::ledger::EntryKind
    note text,
    PRIMARY KEY (account_id, no)
);

CREATE TABLE line (
    id int8 PRIMARY KEY,
    number text NOT NULL UNIQUE,
    display text NOT NULL,
    settings text NOT NULL                -- JSON
);

CREATE TABLE line_grant (
    account_id int8 NOT NULL,
    line_id int8 NOT NULL,
    PRIMARY KEY (account_id, line_id)
);

CREATE TABLE link (
    id int8 PRIMARY KEY,
    name text NOT NULL UNIQUE,
    settings text NOT NULL                -- JSON
);

CREATE TABLE link_status (
    link_id int8 PRIMARY KEY,
    status text NOT NULL                  -- JSON
);

-- -1 stands for any line or any operator.
CREATE TABLE tariff (
    line_id int8 NOT NULL,
    operator int8 NOT NULL,
    alphabet int8 NOT NULL,               -- 0 GSM 7-bit, 1 UCS-2
    price int8 NOT NULL,
    PRIMARY KEY (line_id, operator, alphabet)
);

-- Recipients are counted by state here. Waiting and attempted ones are counted together in
-- `unsent`, since their split stands in the bulk's slices: a claim need not write this row.
CREATE TABLE bulk (
    account_id int8 NOT NULL,
    line_id int8 NOT NULL,
    accepted_at int8 NOT NULL,
    due_at int8 NOT NULL,
    expires_at int8,
    price int8 NOT NULL,                  -- reserved in all
    returned int8 NOT NULL DEFAULT 0,     -- released and refunded
    last_submit_at int8,
    -- When something of it may run out, or earlier; NULL when nothing of it is open any more.
    sweep_at int8,
    bulk_no int4 NOT NULL,
    report_seconds int4 NOT NULL,
    next_seq int4 NOT NULL,
    reached int4 NOT NULL DEFAULT 0,      -- recipients of which a part was accepted
    unsent int4 NOT NULL DEFAULT 0,
    submitted int4 NOT NULL DEFAULT 0,
    held int4 NOT NULL DEFAULT 0,
    delivered int4 NOT NULL DEFAULT 0,
    failed int4 NOT NULL DEFAULT 0,
    discarded int4 NOT NULL DEFAULT 0,
    cancelled int4 NOT NULL DEFAULT 0,
    unreported int4 NOT NULL DEFAULT 0,
    sweep_seq int4 NOT NULL DEFAULT 0,    -- where a sweep of its report time stopped
    stage int2 NOT NULL,                  -- domain::bulk::BulkStage
    terms int2 NOT NULL,                  -- store::adapter::pack_terms
    urgent bool NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (account_id, bulk_no)
) WITH (fillfactor = 70);
CREATE INDEX bulk_sweep ON bulk (sweep_at) WHERE sweep_at IS NOT NULL;

CREATE TABLE recipient (
    account_id int8 NOT NULL,
    number int8,                          -- national digits; NULL for no mobile number
    unit_price int8 NOT NULL,
    not_before int8,
    detail int8,
    link_id int8,                         -- the link of the last attempt
    bulk_no int4 NOT NULL,
    seq int4 NOT NULL,
    outstanding int4 NOT NULL DEFAULT 0,  -- sets of parts, one bit each
    accepted int4 NOT NULL DEFAULT 0,
    delivered int4 NOT NULL DEFAULT 0,
    failed int4 NOT NULL DEFAULT 0,
    operator int2 NOT NULL,
    state int2 NOT NULL,                  -- domain::status::State
    reason int2 NOT NULL,                 -- domain::reason::Reason
    parts int2 NOT NULL,
    attempts int2 NOT NULL DEFAULT 0,
    given text,                           -- what was given in place of a mobile number
    text text,                            -- only where each recipient has its own
    PRIMARY KEY (account_id, bulk_no, seq)
) WITH (fillfactor = 60);

-- The work queue: for each 1000 places of a bulk and each operator one row, as long as any of
-- these recipients waits or is attempted. due_at is 9223372036854775807 while nothing of it may
-- be claimed: the bulk is being built, stopped or has run out.
CREATE TABLE slice (
    account_id int8 NOT NULL,
    line_id int8 NOT NULL,
    due_at int8 NOT NULL,
    bulk_no int4 NOT NULL,
    slice_no int4 NOT NULL,
    waiting int4 NOT NULL,
    attempted int4 NOT NULL,
    first_seq int4 NOT NULL,              -- no recipient before it waits
    operator int2 NOT NULL,
    urgent bool NOT NULL,
    PRIMARY KEY (account_id, bulk_no, slice_no, operator)
) WITH (fillfactor = 50);
CREATE INDEX slice_claimable ON slice (line_id, operator, urgent, account_id, due_at, bulk_no, slice_no)
    WHERE waiting > 0 AND due_at < 9223372036854775807;
CREATE INDEX slice_attempted ON slice (account_id, bulk_no, slice_no, operator)
    WHERE attempted > 0;

-- Kept after the end, so that a doubled receipt still matches and changes nothing.
CREATE TABLE receipt_map (
    link_id int8 NOT NULL,
    account_id int8 NOT NULL,
    bulk_no int4 NOT NULL,
    seq int4 NOT NULL,
    part int2 NOT NULL,
    message_id bytea NOT NULL,
    PRIMARY KEY (message_id, link_id)
);

-- Receipts that came before their message id; `at`, `n` keep their order.
CREATE TABLE parked_receipt (
    link_id int8 NOT NULL,
    at int8 NOT NULL,
    n int8 NOT NULL,
    process int8 NOT NULL,
    error int8,
    kind int2 NOT NULL,                   -- store::adapter::receipt_kind_code
    message_id bytea NOT NULL,
    PRIMARY KEY (message_id, link_id, at, n, process)
);
CREATE INDEX parked_receipt_at ON parked_receipt (at);

CREATE TABLE idempotency (
    account_id int8 NOT NULL,
    at int8 NOT NULL,
    bulk_no int4 NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

-- Messages of acknowledged bulks, of accounts that have a limit for the day.
CREATE TABLE account_day (
    account_id int8 NOT NULL,
    day int8 NOT NULL,                    -- domain::schedule::tehran_day
    messages int8 NOT NULL,
    PRIMARY KEY (account_id, day)
);
