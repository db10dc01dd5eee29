-- Phonebooks: books of contacts, read and written in slices.

CREATE TABLE book (
    account_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    contacts INTEGER NOT NULL DEFAULT 0,
    fields TEXT NOT NULL DEFAULT '[]',    -- JSON array: names of the custom fields
    -- 1 while its contacts are being deleted: to its account it does not exist any more.
    removed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, book_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX book_removed ON book (account_id, book_id) WHERE removed = 1;

-- A number stands in a book once. Contacts of a book lie together in the order of their numbers,
-- so that sending to a book is one scan.
CREATE TABLE contact (
    account_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    number INTEGER NOT NULL,              -- national digits
    name TEXT,
    fields TEXT,                          -- JSON array in the order of the book's; NULL for none
    PRIMARY KEY (account_id, book_id, number)
) STRICT, WITHOUT ROWID;

-- An id is never used again, also not after the last book was removed.
CREATE TABLE book_counter (
    account_id INTEGER PRIMARY KEY,
    next_book_id INTEGER NOT NULL
) STRICT;
