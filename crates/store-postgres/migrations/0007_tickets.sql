-- Tickets: what customers ask the people who run the installation.

CREATE TABLE ticket (
    account_id int8 NOT NULL,
    ticket_no int8 NOT NULL,
    subject text NOT NULL,
    kind int8 NOT NULL,                   -- domain::ticket::Kind
    importance int8 NOT NULL,             -- domain::ticket::Importance
    status int8 NOT NULL,                 -- domain::ticket::Status
    notify bool NOT NULL,
    opened_at int8 NOT NULL,
    changed_at int8 NOT NULL,
    messages int8 NOT NULL,
    files int8 NOT NULL,
    PRIMARY KEY (account_id, ticket_no)
);
-- As small as what is open, however many were closed. 2 is Status::Closed.
CREATE INDEX ticket_open ON ticket (account_id, ticket_no) WHERE status <> 2;

-- Whoever opens a ticket holds the lock of this row, and not that of the account: a file of two
-- megabytes must not hold up what the account sends.
CREATE TABLE ticket_counter (
    account_id int8 PRIMARY KEY,
    next_ticket_no int8 NOT NULL
);

CREATE TABLE ticket_message (
    account_id int8 NOT NULL,
    ticket_no int8 NOT NULL,
    message_no int8 NOT NULL,
    author int8 NOT NULL,                 -- domain::ticket::Author
    text text NOT NULL,
    at int8 NOT NULL,
    file_name text,
    file_kind int8,                       -- domain::ticket::FileKind
    file_bytes int8,
    PRIMARY KEY (account_id, ticket_no, message_no)
);

-- Beside the messages, so that reading those never reads through megabytes.
CREATE TABLE ticket_file (
    account_id int8 NOT NULL,
    ticket_no int8 NOT NULL,
    message_no int8 NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (account_id, ticket_no, message_no)
);
