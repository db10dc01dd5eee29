-- What is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.
CREATE TABLE line_opt_out (
    line_id INTEGER NOT NULL,
    number INTEGER NOT NULL,              -- national digits
    at INTEGER NOT NULL,
    PRIMARY KEY (line_id, number)
) STRICT, WITHOUT ROWID;
