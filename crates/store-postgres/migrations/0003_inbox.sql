-- Messages from handsets: their parts put together, read flags, keyword rules and callbacks.
-- Account 0 stands for the operator of the installation, who keeps what is nobody's.
--
-- Parts, digests, gatherings and the list of messages with work are the installation's: nobody
-- knows yet whose they are, or one process goes through those of all accounts.

-- `inbound_part`: places in the queue of parts. `inbound`: ids of gatherings and places in
-- `inbound_work`; who puts messages together holds it.
INSERT INTO counter (name, next) VALUES ('inbound_part', 1), ('inbound', 1);

CREATE TABLE inbound_part (
    n int8 PRIMARY KEY,
    link_id int8 NOT NULL,
    at int8 NOT NULL,
    data_coding int8 NOT NULL,
    reference int8,
    part_total int8,
    part_no int8,
    header_octets int8 NOT NULL,
    disturbed_at int8,
    sender text NOT NULL,
    line text NOT NULL,
    payload bytea NOT NULL
);

-- Digests of what came lately, to know what the operator sends again.
CREATE TABLE inbound_seen (
    digest bytea PRIMARY KEY,
    at int8 NOT NULL
);
CREATE INDEX inbound_seen_at ON inbound_seen (at);

-- Parts of one message that wait for each other. Once closed it takes no further part.
CREATE TABLE inbound_gathering (
    id int8 PRIMARY KEY,
    reference int8 NOT NULL,
    part_total int8 NOT NULL,
    have int8 NOT NULL,
    last_at int8 NOT NULL,
    closed bool NOT NULL,
    line text NOT NULL,
    sender text NOT NULL
);
CREATE UNIQUE INDEX inbound_gathering_open
    ON inbound_gathering (line, sender, reference, part_total) WHERE NOT closed;
CREATE INDEX inbound_gathering_quiet ON inbound_gathering (last_at) WHERE NOT closed;
CREATE INDEX inbound_gathering_closed ON inbound_gathering (id) WHERE closed;

CREATE TABLE inbound_fragment (
    gathering_id int8 NOT NULL,
    part_no int8 NOT NULL,
    link_id int8 NOT NULL,
    at int8 NOT NULL,
    data_coding int8 NOT NULL,
    header_octets int8 NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (gathering_id, part_no)
);

-- Messages are fetched in the order of their numbers, so one number says what was read. What was
-- fetched last are those after `read_before` up to `read_through`.
CREATE TABLE inbox (
    account_id int8 PRIMARY KEY,
    next_no int8 NOT NULL DEFAULT 1,
    next_rule_no int8 NOT NULL DEFAULT 1,
    read_through int8 NOT NULL DEFAULT 0,
    read_before int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE inbound_message (
    account_id int8 NOT NULL,
    no int8 NOT NULL,
    unowned int8,                         -- domain::inbound::Unowned, of account 0
    line_id int8,
    link_id int8 NOT NULL,
    at int8 NOT NULL,
    parts int8 NOT NULL,
    missing int8 NOT NULL,
    sender text NOT NULL,
    recipient text NOT NULL,
    text bytea NOT NULL,                  -- UTF-8; a handset may send U+0000, which text refuses
    outcome text,                         -- NULL while there is work for it
    PRIMARY KEY (account_id, no)
);

CREATE TABLE inbound_work (
    n int8 PRIMARY KEY,
    account_id int8 NOT NULL,
    no int8 NOT NULL
);

CREATE TABLE inbound_rule (
    account_id int8 NOT NULL,
    no int8 NOT NULL,
    settings text NOT NULL,               -- JSON
    PRIMARY KEY (account_id, no)
);

-- Answers that rules sent within the last day, to bound them.
CREATE TABLE inbound_answer (
    account_id int8 NOT NULL,
    at int8 NOT NULL,
    no int8 NOT NULL,
    sender text NOT NULL,
    PRIMARY KEY (account_id, sender, at, no)
);
CREATE INDEX inbound_answer_at ON inbound_answer (at);

-- One row for each URL of an account; target 0 is the account's own, others are numbers of rules.
-- due_at is NULL while nothing waits.
CREATE TABLE callback_queue (
    account_id int8 NOT NULL,
    target int8 NOT NULL,
    due_at int8,
    failures int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, target)
);
CREATE INDEX callback_queue_due ON callback_queue (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE callback (
    account_id int8 NOT NULL,
    no int8 NOT NULL,
    target int8 NOT NULL,
    state int8 NOT NULL,                  -- domain::inbound::callback::CallbackState
    queued_at int8 NOT NULL,
    attempts int8 NOT NULL DEFAULT 0,
    last_at int8,
    due_at int8,                          -- of those that stand aside
    status int8,
    error text,
    PRIMARY KEY (account_id, no, target)
);
CREATE INDEX callback_open ON callback (account_id, target, state, no) WHERE state <= 1;
CREATE INDEX callback_aside ON callback (due_at) WHERE state = 1;
CREATE INDEX callback_ended ON callback (account_id, target, no) WHERE state >= 2;
