//! The tables of an installation in neutral form, in the order in which they are copied.
//!
//! Which of its own tables an adapter leaves out, and why, it says itself; a test of each compares
//! both lists with its schema. What is left out everywhere: who lives and who holds which duty,
//! what links are doing, marks of committed commands, and sessions of the console. They begin anew.

/// Rows that a page has unless its table says otherwise.
const PAGE_ROWS: u32 = 5_000;

/// Rows that a page of longer texts has.
const TEXT_PAGE_ROWS: u32 = 1_000;

/// Rows that a page of drafts has, each of up to a quarter of a mebibyte.
const DRAFT_PAGE_ROWS: u32 = 50;

/// Rows that a page of files has, each of up to two mebibytes.
const FILE_PAGE_ROWS: u32 = 8;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, or nothing.
    Int,
    /// An amount of rials, or nothing. Its sum is compared.
    Money,
    /// 0 or 1.
    Flag,
    /// A set of 32 bits as a number that is not negative.
    Bits,
    /// An id, where -1 stands for any.
    OrAny,
    /// A text, or nothing. U+0000 in it comes over as U+FFFD, since not every store can hold it.
    Text,
    /// A text that comes over to the letter, or nothing.
    Exact,
    /// Octets, or nothing.
    Bytes,
}

/// A column in neutral form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, which is that of the column where the adapter has one for it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A table in neutral form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, the same in every store.
    pub name: &'static str,
    /// Its columns, those of the key first.
    pub columns: &'static [Column],
    /// How many columns the key has; 0 where each adapter orders the rows by something of its own.
    pub key: usize,
    /// Rows that a page has.
    pub page_rows: u32,
}

impl Table {
    /// The columns of the key.
    #[must_use]
    pub fn key(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }
}

/// A counter in neutral form, see [`crate::transfer::Counters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Ids of accounts.
    Account,
    /// Ids of lines.
    Line,
    /// Ids of links.
    Link,
    /// Ids of packages.
    Package,
    /// Ids of sets of blocked numbers.
    ListSet,
    /// Numbers of additions to them.
    ListAddition,
    /// Ids of rules about texts.
    Rule,
    /// Places of parts from handsets.
    InboundPart,
    /// Ids of gatherings, and places of messages from handsets that have work. One counter for
    /// both, since a store may count them together.
    Inbound,
    /// The version of lines, links, prices and packages.
    CatalogVersion,
    /// The version of the lists.
    ListsVersion,
    /// The version of the rules.
    RulesVersion,
    /// The version of the patterns.
    PatternsVersion,
}

/// Every counter. Numbers that count within an account stand in rows of that account.
pub const COUNTERS: &[Counter] = &[
    Counter::Account,
    Counter::Line,
    Counter::Link,
    Counter::Package,
    Counter::ListSet,
    Counter::ListAddition,
    Counter::Rule,
    Counter::InboundPart,
    Counter::Inbound,
    Counter::CatalogVersion,
    Counter::ListsVersion,
    Counter::RulesVersion,
    Counter::PatternsVersion,
];

const fn table(name: &'static str, key: usize, columns: &'static [Column]) -> Table {
    Table {
        name,
        columns,
        key,
        page_rows: PAGE_ROWS,
    }
}

const fn pages_of(page_rows: u32, table: Table) -> Table {
    Table { page_rows, ..table }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

const fn int(name: &'static str) -> Column {
    column(name, Kind::Int)
}

const fn money(name: &'static str) -> Column {
    column(name, Kind::Money)
}

const fn flag(name: &'static str) -> Column {
    column(name, Kind::Flag)
}

const fn bits(name: &'static str) -> Column {
    column(name, Kind::Bits)
}

const fn or_any(name: &'static str) -> Column {
    column(name, Kind::OrAny)
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

const fn exact(name: &'static str) -> Column {
    column(name, Kind::Exact)
}

const fn bytes(name: &'static str) -> Column {
    column(name, Kind::Bytes)
}

/// A column that every table of a tenant begins with.
const ACCOUNT: Column = int("account_id");

/// Every table, small ones first: what is wrong with a target shows soon.
pub const TABLES: &[Table] = &[
    ACCOUNTS,
    table("account_person", 1, &[ACCOUNT, text("person")]),
    table("account_day", 2, &[ACCOUNT, int("day"), int("messages")]),
    table(
        "line",
        1,
        &[int("id"), text("number"), text("display"), text("settings")],
    ),
    table("line_grant", 2, &[ACCOUNT, int("line_id")]),
    table("link", 1, &[int("id"), text("name"), text("settings")]),
    table(
        "tariff",
        3,
        &[
            or_any("line_id"),
            or_any("operator"),
            int("alphabet"),
            money("price"),
        ],
    ),
    table("package", 1, &[int("id"), text("name"), text("settings")]),
    PACKAGE_TARIFF,
    table("package_offer", 2, &[ACCOUNT, int("package_id")]),
    PATTERN,
    table(
        "pattern_grant",
        2,
        &[ACCOUNT, text("code"), flag("granted")],
    ),
    API_KEY,
    BLACK_SET,
    table("black_number", 2, &[int("set_id"), int("number")]),
    table(
        "black_addition",
        1,
        &[int("no"), int("set_id"), int("number")],
    ),
    APPROVAL_RULE,
    APPROVAL,
    BOOK,
    table("book_counter", 1, &[ACCOUNT, int("next_book_id")]),
    CONTACT,
    INBOUND_PART,
    table("inbound_seen", 1, &[bytes("digest"), int("at")]),
    INBOUND_GATHERING,
    INBOUND_FRAGMENT,
    INBOX,
    INBOUND_MESSAGE,
    table("inbound_work", 1, &[int("n"), ACCOUNT, int("no")]),
    table("inbound_rule", 2, &[ACCOUNT, int("no"), text("settings")]),
    table(
        "inbound_answer",
        4,
        &[ACCOUNT, text("sender"), int("at"), int("no")],
    ),
    table(
        "callback_queue",
        2,
        &[ACCOUNT, int("target"), int("due_at"), int("failures")],
    ),
    CALLBACK,
    TICKET,
    TICKET_MESSAGE,
    TICKET_FILE,
    CONSOLE_USER,
    CONSOLE_COUNTER,
    CONSOLE_DRAFT,
    AUDIT_ENTRY,
    LEDGER_ENTRY,
    TRANSFER,
    STATISTIC,
    BULK,
    RECIPIENT,
    SLICE,
    RECEIPT_MAP,
    PARKED_RECEIPT,
    table(
        "idempotency",
        2,
        &[ACCOUNT, bytes("key"), int("bulk_no"), int("at")],
    ),
];

#[rustfmt::skip]
const ACCOUNTS: Table = pages_of(TEXT_PAGE_ROWS, table("account", 1, &[
    int("id"), text("name"), text("password_hash"), int("created_at"), int("expires_at"),
    text("settings"), money("credit"), money("reserved"), int("next_bulk_no"),
    int("next_entry_no"), int("parent_id"), int("package_id"),
]));

#[rustfmt::skip]
const PACKAGE_TARIFF: Table = table("package_tariff", 4, &[
    int("package_id"), or_any("line_id"), or_any("operator"), int("alphabet"), money("price"),
]);

#[rustfmt::skip]
const PATTERN: Table = pages_of(TEXT_PAGE_ROWS, table("pattern", 2, &[
    ACCOUNT, text("code"), text("title"), text("text"), text("variables"), int("status"),
    text("note"), int("created_at"),
]));

#[rustfmt::skip]
const API_KEY: Table = table("api_key", 2, &[
    ACCOUNT, int("no"), bytes("digest"), text("title"), text("hint"), text("settings"),
    int("created_at"), int("expires_at"), int("revoked_at"), int("last_used_at"),
]);

#[rustfmt::skip]
const BLACK_SET: Table = table("black_set", 1, &[
    int("id"), int("kind"), int("line_id"), int("state"), int("count"), int("at"),
]);

#[rustfmt::skip]
const APPROVAL_RULE: Table = table("approval_rule", 1, &[
    int("id"), text("matches"), text("scope"), text("note"), int("created_at"),
]);

#[rustfmt::skip]
const APPROVAL: Table = pages_of(TEXT_PAGE_ROWS, table("approval", 2, &[
    ACCOUNT, int("bulk_no"), int("state"), int("since"), int("until"), int("rule_id"),
    text("why"), int("decided_at"), text("decided_by"), text("reason"), int("release_from"),
    text("text"),
]));

#[rustfmt::skip]
const BOOK: Table = table("book", 2, &[
    ACCOUNT, int("book_id"), text("title"), int("created_at"), int("contacts"), text("fields"),
    flag("removed"),
]);

#[rustfmt::skip]
const CONTACT: Table = table("contact", 3, &[
    ACCOUNT, int("book_id"), int("number"), exact("name"), text("fields"),
]);

#[rustfmt::skip]
const INBOUND_PART: Table = table("inbound_part", 1, &[
    int("n"), int("link_id"), int("at"), text("sender"), text("line"), int("data_coding"),
    bytes("payload"), int("reference"), int("part_total"), int("part_no"), int("header_octets"),
    int("disturbed_at"),
]);

#[rustfmt::skip]
const INBOUND_GATHERING: Table = table("inbound_gathering", 1, &[
    int("id"), text("line"), text("sender"), int("reference"), int("part_total"), int("have"),
    int("last_at"), flag("closed"),
]);

#[rustfmt::skip]
const INBOUND_FRAGMENT: Table = table("inbound_fragment", 2, &[
    int("gathering_id"), int("part_no"), int("link_id"), int("at"), int("data_coding"),
    int("header_octets"), bytes("payload"),
]);

#[rustfmt::skip]
const INBOX: Table = table("inbox", 1, &[
    ACCOUNT, int("next_no"), int("next_rule_no"), int("read_through"), int("read_before"),
]);

#[rustfmt::skip]
const INBOUND_MESSAGE: Table = pages_of(TEXT_PAGE_ROWS, table("inbound_message", 2, &[
    ACCOUNT, int("no"), int("unowned"), int("line_id"), int("link_id"), int("at"),
    text("sender"), text("recipient"), int("parts"), int("missing"), text("outcome"),
    exact("text"),
]));

#[rustfmt::skip]
const CALLBACK: Table = table("callback", 3, &[
    ACCOUNT, int("no"), int("target"), int("state"), int("queued_at"), int("attempts"),
    int("last_at"), int("due_at"), int("status"), text("error"),
]);

#[rustfmt::skip]
const TICKET: Table = table("ticket", 2, &[
    ACCOUNT, int("ticket_no"), text("subject"), int("kind"), int("importance"), int("status"),
    flag("notify"), int("opened_at"), int("changed_at"), int("messages"), int("files"),
]);

#[rustfmt::skip]
const TICKET_MESSAGE: Table = pages_of(TEXT_PAGE_ROWS, table("ticket_message", 3, &[
    ACCOUNT, int("ticket_no"), int("message_no"), int("author"), text("text"), int("at"),
    text("file_name"), int("file_kind"), int("file_bytes"),
]));

#[rustfmt::skip]
const TICKET_FILE: Table = pages_of(FILE_PAGE_ROWS, table("ticket_file", 3, &[
    ACCOUNT, int("ticket_no"), int("message_no"), bytes("content"),
]));

#[rustfmt::skip]
const CONSOLE_USER: Table = pages_of(TEXT_PAGE_ROWS, table("console_user", 2, &[
    ACCOUNT, int("user_no"), text("name"), text("role"), text("settings"),
    text("second_factor"), int("created_at"), int("version"),
]));

#[rustfmt::skip]
const CONSOLE_COUNTER: Table = table("console_counter", 1, &[
    ACCOUNT, int("next_user_no"), int("next_draft_no"), int("next_audit_no"),
]);

#[rustfmt::skip]
const CONSOLE_DRAFT: Table = pages_of(DRAFT_PAGE_ROWS, table("console_draft", 2, &[
    ACCOUNT, int("draft_no"), int("user_no"), text("title"), int("updated_at"), text("content"),
]));

#[rustfmt::skip]
const AUDIT_ENTRY: Table = pages_of(TEXT_PAGE_ROWS, table("audit_entry", 2, &[
    ACCOUNT, int("no"), int("at"), text("actor"), text("address"), text("action"),
    text("subject"), text("details"), text("outcome"),
]));

#[rustfmt::skip]
const LEDGER_ENTRY: Table = table("ledger_entry", 2, &[
    ACCOUNT, int("no"), int("kind"), money("amount"), int("bulk_no"), int("at"), text("note"),
]);

#[rustfmt::skip]
const TRANSFER: Table = table("transfer", 2, &[
    ACCOUNT, int("entry_no"), int("other_id"), int("other_entry_no"),
]);

#[rustfmt::skip]
const STATISTIC: Table = table("statistic", 4, &[
    ACCOUNT, int("hour"), int("line_id"), int("operator"), int("unsent"), int("submitted"),
    int("delivered"), int("failed"), int("other"), int("parts"), money("price"),
]);

#[rustfmt::skip]
const BULK: Table = pages_of(TEXT_PAGE_ROWS, table("bulk", 2, &[
    ACCOUNT, int("bulk_no"), int("line_id"), int("stage"), int("terms"), int("report_seconds"),
    flag("urgent"), int("accepted_at"), int("due_at"), int("expires_at"), int("next_seq"),
    money("price"), money("returned"), int("reached"), int("unsent"), int("submitted"),
    int("held"), int("delivered"), int("failed"), int("discarded"), int("cancelled"),
    int("unreported"), int("last_submit_at"), int("sweep_at"), int("sweep_seq"), text("text"),
]));

#[rustfmt::skip]
const RECIPIENT: Table = table("recipient", 3, &[
    ACCOUNT, int("bulk_no"), int("seq"),
    // One of the two: national digits, or what was given in place of a mobile number.
    int("number"), text("given"),
    int("operator"), int("state"), int("reason"), int("detail"), int("parts"),
    money("unit_price"), int("attempts"), bits("outstanding"), bits("accepted"),
    bits("delivered"), bits("failed"), int("not_before"), text("text"), int("link_id"),
]);

#[rustfmt::skip]
const SLICE: Table = table("slice", 4, &[
    ACCOUNT, int("bulk_no"), int("slice_no"), int("operator"), int("line_id"), flag("urgent"),
    int("due_at"), int("waiting"), int("attempted"), int("first_seq"),
]);

#[rustfmt::skip]
const RECEIPT_MAP: Table = table("receipt_map", 2, &[
    int("link_id"), bytes("message_id"), ACCOUNT, int("bulk_no"), int("seq"), int("part"),
]);

/// Read in the order in which the receipts are to be applied, and written in that order.
#[rustfmt::skip]
const PARKED_RECEIPT: Table = table("parked_receipt", 0, &[
    int("link_id"), bytes("message_id"), int("kind"), int("error"), int("at"),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once() {
        let mut tables: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        tables.sort_unstable();
        tables.dedup();
        assert_eq!(tables.len(), TABLES.len());
        for table in TABLES {
            let mut columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(columns.len(), table.columns.len(), "{}", table.name);
            assert!(table.key <= table.columns.len() && table.page_rows > 0);
        }
    }
}
