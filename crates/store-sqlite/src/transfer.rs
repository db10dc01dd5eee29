//! [`store::transfer::Transfer`] for [`SqliteStore`]: the tables of the file in neutral form.

use crate::SqliteStore;
use crate::error::DbError;
use crate::group::Group;
use crate::reader::snapshot;
use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::StoreError;
use store::transfer::{
    Begun, COUNTERS, Column, Counter, Counters, Kind, Page, PageWrite, Position, Progress, Source,
    TABLES, Table, Transfer, Unfinished, Value, Written,
};

/// Tables of the file that are not copied, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("meta", "versions are counters; the rest is the file's own"),
    ("sqlite_sequence", "its values are counters"),
    ("link_status", "links say anew what they do"),
    ("process", "nobody lives while a store is copied"),
    ("lease", "nobody holds a duty while a store is copied"),
    ("store_copy", "how far a copy into this store is"),
    ("console_session", "people sign in again"),
];

#[async_trait]
impl Transfer for SqliteStore {
    async fn page(
        &self,
        table: &'static Table,
        after: Option<Position>,
        rows: u32,
    ) -> Result<Page, StoreError> {
        self.readers
            .run(move |conn| page(conn, table, after.as_ref(), rows))
            .await
    }

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        self.readers
            .run(move |conn| {
                let sql = format!("SELECT count(*) FROM {}", quoted(table.name));
                let rows: i64 = conn.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
                Ok(u64::try_from(rows).unwrap_or(0))
            })
            .await
    }

    async fn counters(&self) -> Result<Counters, StoreError> {
        self.readers
            .run(|conn| {
                snapshot(conn, |conn| {
                    COUNTERS.iter().map(|one| counter(conn, *one)).collect()
                })
            })
            .await
    }

    async fn unfinished_copy(&self) -> Result<Option<Unfinished>, StoreError> {
        self.readers.run(unfinished).await
    }

    async fn begin_copy(&self, source: Source) -> Result<Begun, StoreError> {
        self.writer
            .run("begin_copy", move |group| begin(group.conn, &source))
            .await
    }

    async fn write_page(&self, page: PageWrite) -> Result<Written, StoreError> {
        self.writer
            .run("copy_page", move |group| write_page(group, &page))
            .await
    }

    async fn raise_counters(&self, counters: Counters) -> Result<(), StoreError> {
        self.writer
            .run("raise_counters", move |group| {
                for (counter, next) in COUNTERS.iter().zip(&counters) {
                    raise(group.conn, *counter, *next)?;
                }
                Ok(())
            })
            .await
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        self.writer
            .run("end_copy", |group| {
                group.conn.execute("DELETE FROM store_copy", [])?;
                Ok(())
            })
            .await
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// How a column is read in its neutral form.
fn expression(table: &Table, column: &Column) -> String {
    match (table.name, column.name, column.kind) {
        // One column with two types: digits, or text for no mobile number.
        ("recipient", "number", _) => "iif(typeof(number) = 'integer', number, NULL)".into(),
        ("recipient", "given", _) => "iif(typeof(number) = 'text', number, NULL)".into(),
        (_, name, Kind::OrAny) => format!("coalesce({name}, -1)"),
        (_, name, _) => quoted(name),
    }
}

/// What the rows are ordered by.
fn order(table: &Table) -> Vec<String> {
    match table.name {
        "parked_receipt" => vec!["n".into()],
        _ => table
            .key()
            .iter()
            .map(|column| expression(table, column))
            .collect(),
    }
}

fn page(
    conn: &Connection,
    table: &'static Table,
    after: Option<&Position>,
    rows: u32,
) -> Result<Page, DbError> {
    let order = order(table);
    let columns: Vec<String> = table.columns.iter().map(|c| expression(table, c)).collect();
    let after = after.map_or(&[][..], |position| &position.0);
    let beyond = if after.is_empty() {
        String::new()
    } else {
        let marks = vec!["?"; order.len()].join(", ");
        format!("WHERE ({}) > ({marks})", order.join(", "))
    };
    let sql = format!(
        "SELECT {}, {key} FROM {} {beyond} ORDER BY {key} LIMIT {rows}",
        columns.join(", "),
        quoted(table.name),
        key = order.join(", "),
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut found = statement.query(params_from_iter(after.iter().map(Param)))?;
    let (mut page, mut key) = (Vec::new(), Vec::with_capacity(order.len()));
    while let Some(row) = found.next()? {
        let mut neutral_row = Vec::with_capacity(columns.len());
        for (at, column) in table.columns.iter().enumerate() {
            neutral_row.push(neutral(column.kind, value(row.get_ref(at)?)?)?);
        }
        page.push(neutral_row);
        // Only that of the last row matters, and which row that is shows at the next one.
        key.clear();
        for at in columns.len()..columns.len() + order.len() {
            key.push(value(row.get_ref(at)?)?);
        }
    }
    Ok(Page {
        last: (!page.is_empty()).then_some(Position(key)),
        rows: page,
    })
}

fn value(value: ValueRef<'_>) -> Result<Value, DbError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(DbError::Row("a text is not UTF-8".into())),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(DbError::Row("a column holds a fraction".into())),
    })
}

fn neutral(kind: Kind, value: Value) -> Result<Value, DbError> {
    Ok(match (kind, value) {
        (Kind::Text, Value::Text(text)) if text.contains('\0') => {
            Value::Text(text.replace('\0', "\u{fffd}"))
        }
        (Kind::Text | Kind::Exact, value @ (Value::Text(_) | Value::Null))
        | (Kind::Bytes, value @ (Value::Bytes(_) | Value::Null)) => value,
        (Kind::Text | Kind::Exact | Kind::Bytes, other) => {
            return Err(DbError::Row(format!("{other:?} is no {kind:?}")));
        }
        (_, value @ (Value::Int(_) | Value::Null)) => value,
        (_, other) => return Err(DbError::Row(format!("{other:?} is no {kind:?}"))),
    })
}

/// A value as a parameter.
struct Param<'a>(&'a Value);

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn write_page(group: &mut Group<'_>, page: &PageWrite) -> Result<Written, DbError> {
    let conn = group.conn;
    let at: Option<String> = conn
        .query_row("SELECT at FROM store_copy", [], |row| row.get(0))
        .optional()?;
    let (from, to) = (to_json(&page.from)?, to_json(&page.to)?);
    if at.as_ref() == Some(&to) {
        return Ok(Written::Done);
    }
    if at != Some(from) {
        return Ok(Written::Moved);
    }
    let mut insert = conn.prepare_cached(&insert_sql(page.table))?;
    for row in &page.rows {
        insert.execute(params_from_iter(row.iter().map(Param)))?;
    }
    conn.execute("UPDATE store_copy SET at = ?1", [to])?;
    Ok(Written::Done)
}

/// The statement that writes a row, with a parameter for each neutral column in its order.
fn insert_sql(table: &Table) -> String {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (place, column) in (1..).zip(table.columns) {
        match (table.name, column.name, column.kind) {
            // It goes into `number` with the column before it.
            ("recipient", "given", _) => continue,
            ("recipient", "number", _) => {
                values.push(format!("coalesce(?{place}, ?{})", place + 1))
            }
            (_, _, Kind::OrAny) => values.push(format!("nullif(?{place}, -1)")),
            _ => values.push(format!("?{place}")),
        }
        names.push(quoted(column.name));
    }
    format!(
        "INSERT INTO {} ({}) VALUES ({})",
        quoted(table.name),
        names.join(", "),
        values.join(", ")
    )
}

/// Where a counter stands.
enum Place {
    /// It is one more than the highest id of this table, whose rows are never deleted.
    Highest(&'static str),
    /// It is one more than what these tables have given out last.
    Sequence(&'static [&'static str]),
    /// It is a value of `meta`.
    Meta(&'static str),
}

fn place(counter: Counter) -> Place {
    match counter {
        Counter::Account => Place::Highest("account"),
        Counter::Line => Place::Highest("line"),
        Counter::Link => Place::Highest("link"),
        Counter::Package => Place::Sequence(&["package"]),
        Counter::ListSet => Place::Sequence(&["black_set"]),
        Counter::ListAddition => Place::Sequence(&["black_addition"]),
        Counter::Rule => Place::Sequence(&["approval_rule"]),
        Counter::InboundPart => Place::Sequence(&["inbound_part"]),
        Counter::Inbound => Place::Sequence(&["inbound_gathering", "inbound_work"]),
        Counter::CatalogVersion => Place::Meta("catalog_version"),
        Counter::ListsVersion => Place::Meta("lists_version"),
        Counter::RulesVersion => Place::Meta("rules_version"),
        Counter::PatternsVersion => Place::Meta("pattern_version"),
    }
}

fn counter(conn: &Connection, counter: Counter) -> Result<i64, DbError> {
    Ok(match place(counter) {
        Place::Highest(table) => {
            let sql = format!("SELECT coalesce(max(id), 0) + 1 FROM {table}");
            conn.query_row(&sql, [], |row| row.get(0))?
        }
        Place::Sequence(tables) => {
            let mut last = 0;
            for table in tables {
                last = last.max(sequence(conn, table)?.unwrap_or(0));
            }
            last + 1
        }
        Place::Meta(key) => {
            let sql = "SELECT value FROM meta WHERE key = ?1";
            conn.query_row(sql, [key], |row| row.get(0))?
        }
    })
}

/// What a table has given out last, if it ever did.
fn sequence(conn: &Connection, table: &str) -> Result<Option<i64>, DbError> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
    Ok(conn.query_row(sql, [table], |row| row.get(0)).optional()?)
}

fn raise(conn: &Connection, counter: Counter, next: i64) -> Result<(), DbError> {
    match place(counter) {
        // The rows themselves carry it.
        Place::Highest(_) => {}
        Place::Sequence(tables) => {
            for table in tables {
                let sql = match sequence(conn, table)? {
                    Some(_) => "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
                    None => "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
                };
                conn.execute(sql, (table, next - 1))?;
            }
        }
        Place::Meta(key) => {
            let sql = "UPDATE meta SET value = max(value, ?2) WHERE key = ?1";
            conn.execute(sql, (key, next))?;
        }
    }
    Ok(())
}

fn begin(conn: &Connection, source: &Source) -> Result<Begun, DbError> {
    if let Some(copy) = unfinished(conn)? {
        return Ok(Begun::Goes(copy));
    }
    for table in TABLES {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", quoted(table.name));
        if conn.prepare(&sql)?.exists([])? {
            return Ok(Begun::Occupied(table.name));
        }
    }
    conn.execute(
        "INSERT INTO store_copy (one, source, at) VALUES (1, ?1, ?2)",
        (to_json(source)?, to_json(&Progress::start())?),
    )?;
    Ok(Begun::Fresh)
}

fn unfinished(conn: &Connection) -> Result<Option<Unfinished>, DbError> {
    let row: Option<(String, String)> = conn
        .query_row("SELECT source, at FROM store_copy", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(source, at)| {
        Ok(Unfinished {
            source: from_json(&source)?,
            at: from_json(&at)?,
        })
    })
    .transpose()
}

fn to_json<T: Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Row(error.to_string()))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text)
        .map_err(|error| DbError::Row(format!("what is kept of the copy cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Columns of tables that are copied which are not, and why.
    const COLUMNS_LEFT_OUT: &[(&str, &str)] = &[
        // Receipts are numbered anew in their order.
        ("parked_receipt", "n"),
    ];

    /// Columns of the file by their tables.
    fn schema() -> BTreeMap<String, BTreeSet<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("peyk.db");
        let conn = crate::connect::open_writer(&path, 1_024).expect("a store");
        let mut columns = conn
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                 WHERE t.type = 'table'",
            )
            .expect("columns");
        let rows = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows.expect("columns") {
            let (table, column) = row.expect("a column");
            tables.entry(table).or_default().insert(column);
        }
        tables
    }

    #[test]
    fn every_table_and_column_is_copied_or_left_out_for_a_reason() {
        let mut tables = schema();
        for (table, reason) in LEFT_OUT {
            assert!(!reason.is_empty());
            assert!(tables.remove(*table).is_some(), "there is no table {table}");
        }
        for table in TABLES {
            let columns = tables.remove(table.name);
            let mut columns = columns.unwrap_or_else(|| panic!("no table {}", table.name));
            for column in table.columns {
                // The other half of `number`.
                if (table.name, column.name) != ("recipient", "given") {
                    let name = format!("{}.{}", table.name, column.name);
                    assert!(columns.remove(column.name), "there is no {name}");
                }
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
}
