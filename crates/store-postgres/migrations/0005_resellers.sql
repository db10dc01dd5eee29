-- The tree of accounts: packages, sub-accounts, and credit that moves between them. The columns of
-- `account`, and `account_day`, stand in the first file.

-- Ids are never used again: clients keep them as access levels.
INSERT INTO counter (name, next) VALUES ('package', 1);

CREATE TABLE package (
    id int8 PRIMARY KEY,
    name text NOT NULL UNIQUE,
    settings text NOT NULL                -- JSON
);

-- As `tariff`, for each package; -1 stands for any line or any operator.
CREATE TABLE package_tariff (
    package_id int8 NOT NULL,
    line_id int8 NOT NULL,
    operator int8 NOT NULL,
    alphabet int8 NOT NULL,               -- 0 GSM 7-bit, 1 UCS-2
    price int8 NOT NULL,
    PRIMARY KEY (package_id, line_id, operator, alphabet)
);

-- Which reseller may hand out which package.
CREATE TABLE package_offer (
    account_id int8 NOT NULL,
    package_id int8 NOT NULL,
    PRIMARY KEY (account_id, package_id)
);
CREATE INDEX package_offer_package ON package_offer (package_id);

-- Whose account it is.
CREATE TABLE account_person (
    account_id int8 PRIMARY KEY,
    person text NOT NULL                  -- JSON
);

-- Each entry of the kind transfer with its counterpart in the other account's ledger.
CREATE TABLE transfer (
    account_id int8 NOT NULL,
    entry_no int8 NOT NULL,
    other_id int8 NOT NULL,
    other_entry_no int8 NOT NULL,
    PRIMARY KEY (account_id, entry_no)
);
