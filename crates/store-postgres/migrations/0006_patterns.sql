-- Patterns (templates with variables) and the API keys that may use them.
INSERT INTO counter (name, next) VALUES ('patterns', 1);

CREATE TABLE pattern (
    account_id int8 NOT NULL,             -- whose it is
    code text NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    variables text NOT NULL,              -- JSON
    status int8 NOT NULL,                 -- domain::pattern::PatternStatus
    note text NOT NULL,
    created_at int8 NOT NULL,
    PRIMARY KEY (account_id, code)
);

-- A code is given once in the installation, and leads to its owner. One row for each pattern.
CREATE TABLE pattern_code (
    code text PRIMARY KEY,
    account_id int8 NOT NULL
);

-- Who may use another's pattern. What was taken back stays, so that its account can be told so.
CREATE TABLE pattern_grant (
    account_id int8 NOT NULL,             -- who may use it
    code text NOT NULL,
    granted bool NOT NULL,
    PRIMARY KEY (account_id, code)
);
CREATE INDEX pattern_grant_code ON pattern_grant (code, account_id);

-- The keys themselves are nowhere: only their digests.
CREATE TABLE api_key (
    account_id int8 NOT NULL,
    no int8 NOT NULL,
    digest bytea NOT NULL,
    title text NOT NULL,
    hint text NOT NULL,
    settings text NOT NULL,               -- JSON
    created_at int8 NOT NULL,
    expires_at int8,
    revoked_at int8,
    last_used_at int8,
    PRIMARY KEY (account_id, no)
);

-- A digest is given once in the installation, and leads to its key. One row for each key.
CREATE TABLE api_key_digest (
    digest bytea PRIMARY KEY,
    account_id int8 NOT NULL,
    no int8 NOT NULL
);
