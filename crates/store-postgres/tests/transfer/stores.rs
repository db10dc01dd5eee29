//! Stores to copy from and to, and what the tests ask of them.

use private_postgres::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use store::Store;
use store::transfer::{Copied, Position, Row, TABLES, Table, Transfer, compare, copy};
use store_postgres::transfer::LEFT_OUT;
use store_postgres::{Config, PostgresStore};
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// Opens a file, makes it where there is none.
pub fn sqlite(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// A file in a folder of its own.
pub fn file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("peyk.db");
    (folder, path)
}

/// The address of a new, empty database.
pub fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("transfer_{}_{next}", std::process::id());
    let url = Server::shared().and_then(|server| server.create_database(&name));
    url.unwrap_or_else(|error| panic!("{error}"))
}

/// Runs SQL in a database, beside the store.
pub fn sql(url: &str, sql: &str) -> String {
    let answer = Server::shared().and_then(|server| server.sql(url, sql));
    answer.unwrap_or_else(|error| panic!("{error}"))
}

/// Opens a database.
pub async fn postgres(url: &str) -> PostgresStore {
    let mut config = Config::parse(url).expect("an address");
    // The tests tell the time.
    config.own_clock = false;
    config.connections = 4;
    let opened = PostgresStore::open(&config).await;
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// Copies everything, which must succeed.
pub async fn copy_all(from: &dyn Transfer, to: &dyn Transfer) -> Copied {
    let copied = copy(from, to, "the source", &mut ()).await;
    let copied = copied.unwrap_or_else(|error| panic!("{error}"));
    let unfinished = to.unfinished_copy().await.expect("an answer");
    assert_eq!(unfinished, None, "the target may be served");
    copied
}

/// A table by its name.
pub fn table(name: &str) -> &'static Table {
    let found = TABLES.iter().find(|table| table.name == name);
    found.unwrap_or_else(|| panic!("there is no table {name}"))
}

/// All rows of a table, sorted.
pub async fn rows(store: &dyn Transfer, table: &'static Table) -> Vec<Row> {
    let (mut rows, mut after): (Vec<Row>, Option<Position>) = (Vec::new(), None);
    loop {
        let page = store.page(table, after, 1_000).await.expect("a page");
        after = page.last;
        let count = page.rows.len();
        rows.extend(page.rows);
        if count < 1_000 {
            rows.sort();
            return rows;
        }
    }
}

/// Both stores hold the same: by comparison, and row by row.
pub async fn assert_same(one: &dyn Transfer, other: &dyn Transfer) {
    if let Err(error) = compare(one, other, &mut ()).await {
        panic!("{error}");
    }
    for table in TABLES {
        let (left, right) = (rows(one, table).await, rows(other, table).await);
        assert_eq!(left, right, "{}", table.name);
    }
}

/// The doctor finds nothing.
pub async fn assert_healthy(store: &dyn Store) {
    let findings = store.check().await.expect("an answer");
    assert!(findings.is_empty(), "{findings:?}");
}

/// Columns of tables that are copied which are not, and why.
const COLUMNS_LEFT_OUT: &[(&str, &str)] = &[
    // Receipts are numbered anew in their order.
    ("parked_receipt", "n"),
    ("parked_receipt", "process"),
    // The removal of a set begins anew.
    ("black_set", "gone_to"),
];

pub async fn every_table_and_column_is_copied_or_left_out_for_a_reason() {
    let url = database();
    postgres(&url).await.close().await;
    let schema = sql(
        &url,
        "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public'",
    );
    let mut tables: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (table, column) in schema
        .lines()
        .filter_map(|line| line.trim().split_once('.'))
    {
        tables.entry(table).or_default().insert(column);
    }
    for (table, reason) in LEFT_OUT {
        assert!(!reason.is_empty());
        assert!(tables.remove(table).is_some(), "there is no table {table}");
    }
    for table in TABLES {
        let columns = tables.remove(table.name);
        let mut columns = columns.unwrap_or_else(|| panic!("no table {}", table.name));
        for column in table.columns {
            let name = format!("{}.{}", table.name, column.name);
            assert!(columns.remove(column.name), "there is no {name}");
        }
        columns.retain(|column| !COLUMNS_LEFT_OUT.contains(&(table.name, column)));
        assert!(
            columns.is_empty(),
            "{}: {columns:?} is forgotten",
            table.name
        );
    }
    assert!(tables.is_empty(), "forgotten: {tables:?}");
}
