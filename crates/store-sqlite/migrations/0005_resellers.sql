-- The tree of accounts: packages, sub-accounts, and credit that moves between them.

-- Ids are never used again: clients keep them as access levels.
CREATE TABLE package (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL                -- JSON
) STRICT;

-- As `tariff`, for each package.
CREATE TABLE package_tariff (
    package_id INTEGER NOT NULL,
    line_id INTEGER,
    operator INTEGER,
    alphabet INTEGER NOT NULL,
    price INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX package_tariff_key
    ON package_tariff (package_id, coalesce(line_id, -1), coalesce(operator, -1), alphabet);

-- Which reseller may hand out which package.
CREATE TABLE package_offer (
    account_id INTEGER NOT NULL,
    package_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, package_id)
) STRICT, WITHOUT ROWID;

-- An account never changes its parent, so there is no ring.
ALTER TABLE account ADD COLUMN parent_id INTEGER;
ALTER TABLE account ADD COLUMN package_id INTEGER;
CREATE INDEX account_parent ON account (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX account_package ON account (package_id) WHERE package_id IS NOT NULL;

-- Whose account it is.
CREATE TABLE account_person (
    account_id INTEGER PRIMARY KEY,
    person TEXT NOT NULL                  -- JSON
) STRICT;

-- Each entry of the kind transfer with its counterpart in the other account's ledger.
CREATE TABLE transfer (
    account_id INTEGER NOT NULL,
    entry_no INTEGER NOT NULL,
    other_id INTEGER NOT NULL,
    other_entry_no INTEGER NOT NULL,
    PRIMARY KEY (account_id, entry_no)
) STRICT, WITHOUT ROWID;

-- Messages of acknowledged bulks, of accounts that have a limit for the day.
CREATE TABLE account_day (
    account_id INTEGER NOT NULL,
    day INTEGER NOT NULL,                 -- domain::schedule::tehran_day
    messages INTEGER NOT NULL,
    PRIMARY KEY (account_id, day)
) STRICT, WITHOUT ROWID;
