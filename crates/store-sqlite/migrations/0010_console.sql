-- The console: the people who use it, their sessions and drafts, and what was changed by whom.
-- Account 0 is the staff. Older programs go on: they know nothing of these tables.

-- Numbers are never handed out twice, so they are not those of the rows.
CREATE TABLE console_counter (
    account_id INTEGER PRIMARY KEY,
    next_user_no INTEGER NOT NULL,
    next_draft_no INTEGER NOT NULL,
    next_audit_no INTEGER NOT NULL
) STRICT;

CREATE TABLE console_user (
    account_id INTEGER NOT NULL,
    user_no INTEGER NOT NULL,             -- 0: the account itself
    name TEXT NOT NULL,                   -- empty: the account itself
    role TEXT NOT NULL,                   -- domain::user::Role::word
    settings TEXT NOT NULL,               -- JSON, domain::user::UserSettings
    second_factor TEXT,                   -- JSON, domain::user::SecondFactor
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (account_id, user_no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX console_user_name ON console_user (account_id, name);

-- What the browser holds is nowhere: only its digest.
CREATE TABLE console_session (
    digest BLOB PRIMARY KEY,
    account_id INTEGER NOT NULL,
    user_no INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_user ON console_session (account_id, user_no);
CREATE INDEX console_session_end ON console_session (expires_at);

-- The content stands last, so that a list of drafts never reads through it.
CREATE TABLE console_draft (
    account_id INTEGER NOT NULL,
    draft_no INTEGER NOT NULL,
    user_no INTEGER NOT NULL,
    title TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (account_id, draft_no)
) STRICT;

-- Rows are never deleted, and change once: when the outcome is known.
CREATE TABLE audit_entry (
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    outcome TEXT,
    PRIMARY KEY (account_id, no)
) STRICT;
CREATE INDEX audit_entry_at ON audit_entry (at, account_id, no);
CREATE INDEX audit_entry_account ON audit_entry (account_id, at, no);
