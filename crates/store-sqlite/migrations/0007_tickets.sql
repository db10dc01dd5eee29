-- Tickets: what customers ask the people who run the installation.

CREATE TABLE ticket (
    account_id INTEGER NOT NULL,
    ticket_no INTEGER NOT NULL,
    subject TEXT NOT NULL,
    kind INTEGER NOT NULL,                -- domain::ticket::Kind
    importance INTEGER NOT NULL,          -- domain::ticket::Importance
    status INTEGER NOT NULL,              -- domain::ticket::Status
    notify INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    files INTEGER NOT NULL,
    PRIMARY KEY (account_id, ticket_no)
) STRICT, WITHOUT ROWID;
-- As small as what is open, however many were closed. 2 is Status::Closed.
CREATE INDEX ticket_open ON ticket (account_id, ticket_no) WHERE status <> 2;

CREATE TABLE ticket_message (
    account_id INTEGER NOT NULL,
    ticket_no INTEGER NOT NULL,
    message_no INTEGER NOT NULL,
    author INTEGER NOT NULL,              -- domain::ticket::Author
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    file_name TEXT,
    file_kind INTEGER,                    -- domain::ticket::FileKind
    file_bytes INTEGER,
    PRIMARY KEY (account_id, ticket_no, message_no)
) STRICT, WITHOUT ROWID;

-- Beside the messages, so that reading those never reads through megabytes.
CREATE TABLE ticket_file (
    account_id INTEGER NOT NULL,
    ticket_no INTEGER NOT NULL,
    message_no INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (account_id, ticket_no, message_no)
) STRICT;
