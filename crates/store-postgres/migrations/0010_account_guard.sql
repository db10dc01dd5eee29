-- Where the tables are spread over servers, the lock of an account's row does not order what the
-- others show: each server makes a commit visible for itself. A row of this table lies beside the
-- account's bulks and recipients, and is written by whoever holds the lock, so that the next one
-- waits until the last commit has arrived there too. On one server it stays empty.
CREATE TABLE account_guard (
    account_id int8 PRIMARY KEY,
    turns int8 NOT NULL
) WITH (fillfactor = 50);
