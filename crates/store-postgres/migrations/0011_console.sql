-- The console: the people who use it, their sessions and drafts, and what was changed by whom.
-- Account 0 is the staff. Older programs go on: they know nothing of these tables.

-- Numbers are never handed out twice, so they are not those of the rows. Whoever changes people,
-- sessions or the list of drafts of an account holds the lock of this row, and not that of the
-- account: the staff has none, and nobody's sending waits for a person who signs in.
CREATE TABLE console_counter (
    account_id int8 PRIMARY KEY,
    next_user_no int8 NOT NULL,
    next_draft_no int8 NOT NULL,
    next_audit_no int8 NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE console_user (
    account_id int8 NOT NULL,
    user_no int8 NOT NULL,                -- 0: the account itself
    name text NOT NULL,                   -- empty: the account itself
    role text NOT NULL,                   -- domain::user::Role::word
    settings text NOT NULL,               -- JSON, domain::user::UserSettings
    second_factor text,                   -- JSON, domain::user::SecondFactor
    created_at int8 NOT NULL,
    version int8 NOT NULL,
    PRIMARY KEY (account_id, user_no)
);
CREATE UNIQUE INDEX console_user_name ON console_user (account_id, name);

-- What the browser holds is nowhere: only its digest.
CREATE TABLE console_session (
    digest bytea PRIMARY KEY,
    account_id int8 NOT NULL,
    user_no int8 NOT NULL,
    created_at int8 NOT NULL,
    seen_at int8 NOT NULL,
    expires_at int8 NOT NULL,
    address text NOT NULL,
    agent text NOT NULL
);
CREATE INDEX console_session_user ON console_session (account_id, user_no);
CREATE INDEX console_session_end ON console_session (expires_at);

CREATE TABLE console_draft (
    account_id int8 NOT NULL,
    draft_no int8 NOT NULL,
    user_no int8 NOT NULL,
    title text NOT NULL,
    updated_at int8 NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (account_id, draft_no)
);

-- Rows are never deleted, and change once: when the outcome is known.
CREATE TABLE audit_entry (
    account_id int8 NOT NULL,
    no int8 NOT NULL,
    at int8 NOT NULL,
    actor text NOT NULL,
    address text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    details text NOT NULL,
    outcome text,
    PRIMARY KEY (account_id, no)
);
CREATE INDEX audit_entry_at ON audit_entry (at, account_id, no);
CREATE INDEX audit_entry_account ON audit_entry (account_id, at, no);
