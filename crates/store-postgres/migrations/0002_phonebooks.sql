-- Phonebooks: books of contacts, read and written in slices.

CREATE TABLE book (
    account_id int8 NOT NULL,
    book_id int8 NOT NULL,
    title text NOT NULL,
    created_at int8 NOT NULL,
    contacts int8 NOT NULL DEFAULT 0,
    fields text NOT NULL DEFAULT '[]',    -- JSON array: names of the custom fields
    -- True while its contacts are being deleted: to its account it does not exist any more.
    removed bool NOT NULL DEFAULT false,
    PRIMARY KEY (account_id, book_id)
);
CREATE INDEX book_removed ON book (account_id, book_id) WHERE removed;

-- A number stands in a book once. Texts are JSON, since a text column holds no NUL.
CREATE TABLE contact (
    account_id int8 NOT NULL,
    book_id int8 NOT NULL,
    number int8 NOT NULL,                 -- national digits
    name text,                            -- JSON string; NULL for none
    fields text,                          -- JSON array in the order of the book's; NULL for none
    PRIMARY KEY (account_id, book_id, number)
);

-- An id is never used again, also not after the last book was removed.
CREATE TABLE book_counter (
    account_id int8 PRIMARY KEY,
    next_book_id int8 NOT NULL
);
