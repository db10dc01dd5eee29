-- Patterns (templates with variables) and the API keys that may use them.
INSERT INTO meta (key, value) VALUES ('pattern_version', 1);

CREATE TABLE pattern (
    account_id INTEGER NOT NULL,          -- whose it is
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    variables TEXT NOT NULL,              -- JSON
    status INTEGER NOT NULL,              -- domain::pattern::PatternStatus
    note TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, code)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX pattern_code ON pattern (code);

-- Who may use another's pattern. What was taken back stays, so that its account can be told so.
CREATE TABLE pattern_grant (
    account_id INTEGER NOT NULL,          -- who may use it
    code TEXT NOT NULL,
    granted INTEGER NOT NULL,
    PRIMARY KEY (account_id, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX pattern_grant_code ON pattern_grant (code, account_id);

-- The keys themselves are nowhere: only their digests.
CREATE TABLE api_key (
    account_id INTEGER NOT NULL,
    no INTEGER NOT NULL,
    digest BLOB NOT NULL,
    title TEXT NOT NULL,
    hint TEXT NOT NULL,
    settings TEXT NOT NULL,               -- JSON
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (account_id, no)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_key_digest ON api_key (digest);
