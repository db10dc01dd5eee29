//! Rows that no rule of the business would make: every kind of value in every column, with the
//! ends of their ranges.

use crate::stores::{assert_same, copy_all, database, file, postgres, rows, sql, sqlite, table};
use std::collections::HashMap;
use store::Store;
use store::transfer::{
    Begun, Column, Kind, PageWrite, Progress, Row, Source, TABLES, Table, Transfer, Value, Written,
};

/// Rows of each table, where a test does not care.
const ROWS: i64 = 7;

/// What the schema says of columns: by table and column the type, and whether it may be empty.
pub struct Schema(HashMap<String, (String, bool)>);

impl Schema {
    pub async fn read() -> Self {
        let url = database();
        postgres(&url).await.close().await;
        let columns = sql(
            &url,
            "SELECT table_name || '.' || column_name || ' ' || udt_name || ' ' || is_nullable
             FROM information_schema.columns WHERE table_schema = 'public'",
        );
        let columns = columns.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, kind, empty) = (words.next()?, words.next()?, words.next()?);
            Some((name.to_owned(), (kind.to_owned(), empty == "YES")))
        });
        Self(columns.collect())
    }

    /// The value of a column in row `n`.
    fn value(&self, table: &Table, at: usize, n: i64) -> Value {
        let column = &table.columns[at];
        let (kind, may_be_empty) = &self.0[&format!("{}.{}", table.name, column.name)];
        if table.name == "recipient" && ["number", "given"].contains(&column.name) {
            return one_of_two(column, n);
        }
        if *may_be_empty && n % 3 == 0 {
            return Value::Null;
        }
        match column.kind {
            Kind::OrAny => Value::Int(n - 1),
            // Ids count up, and the last one has a next one.
            Kind::Int | Kind::Money if at < table.key => Value::Int(n + 1),
            Kind::Int | Kind::Money => Value::Int(number(kind, n)),
            Kind::Flag => Value::Int(n % 2),
            Kind::Bits => Value::Int([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff][n as usize % 5]),
            Kind::Text => Value::Text(words(n, "")),
            Kind::Exact => Value::Text(words(n, "\0")),
            Kind::Bytes => Value::Bytes([b"\x00\xff".as_slice(), &n.to_be_bytes()].concat()),
        }
    }

    /// So many rows of a table.
    pub fn rows(&self, table: &Table, count: i64) -> Vec<Row> {
        let row = |n| {
            let columns = 0..table.columns.len();
            columns.map(|at| self.value(table, at, n)).collect()
        };
        (0..count).map(row).collect()
    }

    /// Some rows of every table.
    pub fn all(&self) -> Vec<(&'static Table, Vec<Row>)> {
        let some = |table: &'static Table| (table, self.rows(table, ROWS));
        TABLES.iter().map(some).collect()
    }
}

/// A recipient has digits or what was given in their place.
fn one_of_two(column: &Column, n: i64) -> Value {
    match (column.name, n % 2) {
        ("number", 0) => Value::Int(9_120_000_000 + n),
        // Digits that are a text stay one.
        ("given", 1) => Value::Text(format!("{n}")),
        _ => Value::Null,
    }
}

/// A number of a column's type: its ends, and others.
fn number(kind: &str, n: i64) -> i64 {
    let (least, most) = match kind {
        "int2" => (i16::MIN.into(), i16::MAX.into()),
        "int4" => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    };
    match n {
        0 => most,
        1 => least,
        n => n % 30_000 - 30,
    }
}

fn words(n: i64, more: &str) -> String {
    let kinds = [
        "سلام، دنیا 🌱",
        "it's \"quoted\" \\ \n\t",
        "<b>&amp;</b>",
        "{\"a\":[1,null]}",
    ];
    format!("{}{more} {n}", kinds[n as usize % kinds.len()])
}

/// Writes rows into an empty store, as a copy would.
pub async fn fill(store: &dyn Transfer, tables: Vec<(&'static Table, Vec<Row>)>) {
    let source = Source {
        place: "made up".into(),
        print: String::new(),
    };
    let begun = store.begin_copy(source).await.expect("an answer");
    assert_eq!(begun, Begun::Fresh);
    let mut from = Progress::start();
    for (table, rows) in tables {
        let to = Progress {
            rows: rows.len() as u64,
            ..Progress::at(table)
        };
        let page = PageWrite {
            table,
            rows,
            from,
            to: to.clone(),
        };
        let again = page.clone();
        let written = store.write_page(page).await.expect("written");
        assert_eq!(written, Written::Done);
        // The same page again changes nothing.
        let written = store.write_page(again).await.expect("an answer");
        assert_eq!(written, Written::Done);
        from = to;
    }
    store.end_copy().await.expect("ended");
}

/// Copies made-up rows over and back.
async fn there_and_back(tables: Vec<(&'static Table, Vec<Row>)>) {
    let ((_one, one), (_other, other)) = (file(), file());
    let (first, last) = (sqlite(&one), sqlite(&other));
    fill(&first, tables.clone()).await;
    for (table, mut given) in tables {
        given.sort();
        assert_eq!(rows(&first, table).await, given, "{}", table.name);
    }
    let between = postgres(&database()).await;
    copy_all(&first, &between).await;
    assert_same(&first, &between).await;
    copy_all(&between, &last).await;
    assert_same(&first, &last).await;
    between.close().await;
}

pub async fn rows_of_every_table_come_over_and_back_to_the_letter() {
    there_and_back(Schema::read().await.all()).await;
}

pub async fn tables_of_many_pages_come_over_and_back() {
    let schema = Schema::read().await;
    let mut tables = Vec::new();
    // Beyond, at and one after the end of a page; keys of numbers, texts and octets.
    for (name, count) in [
        ("account", 2_500),
        ("contact", 10_000),
        ("inbound_answer", 5_001),
        ("ticket_file", 20),
        ("recipient", 12_000),
        ("receipt_map", 7_000),
        ("parked_receipt", 11_000),
        ("idempotency", 5_000),
    ] {
        let table = table(name);
        let mut rows = schema.rows(table, count);
        if name == "parked_receipt" {
            // Most came in the same millisecond.
            rows.iter_mut()
                .for_each(|row| row[4] = Value::Int(1_750_000_000_000));
        }
        tables.push((table, rows));
    }
    there_and_back(tables).await;
}

pub async fn a_text_that_postgres_cannot_hold_comes_over_without_its_nul() {
    let schema = Schema::read().await;
    let bulk = table("bulk");
    let mut rows_given = schema.rows(bulk, 1);
    let at = bulk.columns.len() - 1;
    assert_eq!(bulk.columns[at].name, "text");
    rows_given[0][at] = Value::Text("a\0b".into());
    let (_folder, path) = file();
    let first = sqlite(&path);
    fill(&first, vec![(bulk, rows_given)]).await;
    let target = postgres(&database()).await;
    copy_all(&first, &target).await;
    let found = rows(&target, bulk).await;
    assert_eq!(found[0][at], Value::Text("a\u{fffd}b".into()));
    target.close().await;
}
