//! How neutral columns stand in the tables of this schema: their types, how they are read, and
//! how an array of them is written.

use crate::db::{OwnedParam, Tx};
use crate::error::DbError;
use std::collections::HashMap;
use store::transfer::{Column, Kind, PageWrite, Position, Row, Table, Value};

/// What the rows of a table are ordered by.
pub(super) fn order(table: &Table) -> Vec<&'static str> {
    match table.name {
        // In the order of the primary key, which is not the neutral one.
        "receipt_map" => vec!["message_id", "link_id"],
        // In the order in which they are applied.
        "parked_receipt" => vec!["at", "n", "process", "link_id", "message_id"],
        _ => table.key().iter().map(|column| column.name).collect(),
    }
}

/// A table's columns with the types that the database has for them.
pub(super) struct Columns {
    table: &'static Table,
    types: HashMap<String, String>,
}

impl Columns {
    /// Asks the database for the types.
    pub(super) async fn of(tx: &Tx, table: &'static Table) -> Result<Self, DbError> {
        let rows = tx
            .query(
                "SELECT attname::text, format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
                 WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                &[&table.name],
            )
            .await?;
        let types = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(Self { table, types })
    }

    fn kind_of(&self, name: &str) -> Result<&str, DbError> {
        let missing = || DbError::Row(format!("the table {} has no {name}", self.table.name));
        self.types.get(name).map(String::as_str).ok_or_else(missing)
    }

    /// The expressions that read the neutral columns.
    pub(super) fn neutral(&self) -> Vec<String> {
        let columns = self.table.columns.iter();
        columns
            .map(|Column { name, kind }| match kind {
                Kind::Int | Kind::Money | Kind::OrAny => format!("\"{name}\"::int8"),
                Kind::Flag => format!("\"{name}\"::int4::int8"),
                // A set fills a signed column to its last bit.
                Kind::Bits => format!("(\"{name}\"::int8 & 4294967295)"),
                Kind::Text | Kind::Exact | Kind::Bytes => format!("\"{name}\""),
            })
            .collect()
    }

    /// The expressions that read where a row stands.
    pub(super) fn positions(&self, order: &[&str]) -> Vec<String> {
        let read = |name: &&str| match self.types.get(*name).map(String::as_str) {
            Some("text" | "bytea") => format!("\"{name}\""),
            _ => format!("\"{name}\"::int8"),
        };
        order.iter().map(read).collect()
    }

    /// A parameter to compare a column with, of the column's own type, so that the index serves.
    pub(super) fn mark(&self, name: &str, place: usize, value: &Value) -> Result<String, DbError> {
        let kind = self.kind_of(name)?;
        Ok(match value {
            Value::Int(_) => format!("${place}::int8::{kind}"),
            _ => format!("${place}::{kind}"),
        })
    }

    /// A row in neutral form, of what [`Columns::neutral`] reads.
    pub(super) fn row(&self, row: &tokio_postgres::Row) -> Result<Row, DbError> {
        let mut values = Vec::with_capacity(self.table.columns.len());
        for (at, column) in self.table.columns.iter().enumerate() {
            let value = match column.kind {
                Kind::Text => text(row.try_get(at)?),
                Kind::Bytes => bytes(row.try_get(at)?),
                Kind::Exact if self.kind_of(column.name)? == "bytea" => exact(row.try_get(at)?)?,
                Kind::Exact => unquoted(row.try_get(at)?)?,
                _ => int(row.try_get(at)?),
            };
            values.push(value);
        }
        Ok(values)
    }

    /// The statement that writes rows, and its parameters. `before` rows of the table were written
    /// already.
    pub(super) fn insert(
        &self,
        rows: &[Row],
        before: i64,
    ) -> Result<(String, Vec<OwnedParam>), DbError> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let (mut arrays, mut aliases) = (Vec::new(), Vec::new());
        let mut params: Vec<OwnedParam> = Vec::new();
        for (at, column) in self.table.columns.iter().enumerate() {
            let kind = self.kind_of(column.name)?;
            let (array, param) = array(rows, at, column, kind)?;
            names.push(format!("\"{}\"", column.name));
            values.push(written(column.kind, at, kind));
            arrays.push(format!("${}::{array}[]", at + 1));
            aliases.push(format!("c{at}"));
            params.push(param);
        }
        if self.table.name == "parked_receipt" {
            names.extend(["n".into(), "process".into()]);
            values.extend([format!("${}::int8 + v.place", params.len() + 1), "0".into()]);
            params.push(Box::new(before));
        }
        let sql = format!(
            "INSERT INTO \"{}\" ({}) SELECT {} FROM unnest({}) WITH ORDINALITY AS v ({}, place)",
            self.table.name,
            names.join(", "),
            values.join(", "),
            arrays.join(", "),
            aliases.join(", "),
        );
        Ok((sql, params))
    }
}

/// The expression that writes what stands in `v.c{at}` into a column of this type.
fn written(column: Kind, at: usize, kind: &str) -> String {
    match column {
        Kind::Flag => format!("v.c{at} <> 0"),
        Kind::Bits => format!(
            "(CASE WHEN v.c{at} > 2147483647 THEN v.c{at} - 4294967296 ELSE v.c{at} END)::{kind}"
        ),
        Kind::Int | Kind::Money | Kind::OrAny => format!("v.c{at}::{kind}"),
        Kind::Text | Kind::Exact | Kind::Bytes => format!("v.c{at}"),
    }
}

/// One column of rows as an array, and the type of its elements.
fn array(
    rows: &[Row],
    at: usize,
    column: &Column,
    kind: &str,
) -> Result<(&'static str, OwnedParam), DbError> {
    let wrong = |value: &Value| DbError::Row(format!("{value:?} is no {}", column.name));
    Ok(match (column.kind, kind) {
        (Kind::Text | Kind::Exact, "text") => {
            let mut texts: Vec<Option<String>> = Vec::with_capacity(rows.len());
            for row in rows {
                texts.push(match (&row[at], column.kind) {
                    (Value::Null, _) => None,
                    (Value::Text(text), Kind::Exact) => Some(quoted(text)?),
                    (Value::Text(text), _) => Some(text.clone()),
                    (other, _) => return Err(wrong(other)),
                });
            }
            ("text", Box::new(texts))
        }
        (Kind::Bytes | Kind::Exact, _) => {
            let mut octets: Vec<Option<Vec<u8>>> = Vec::with_capacity(rows.len());
            for row in rows {
                octets.push(match &row[at] {
                    Value::Null => None,
                    Value::Text(text) => Some(text.clone().into_bytes()),
                    Value::Bytes(bytes) => Some(bytes.clone()),
                    other @ Value::Int(_) => return Err(wrong(other)),
                });
            }
            ("bytea", Box::new(octets))
        }
        _ => {
            let mut numbers: Vec<Option<i64>> = Vec::with_capacity(rows.len());
            for row in rows {
                numbers.push(match &row[at] {
                    Value::Null => None,
                    Value::Int(number) => Some(*number),
                    other => return Err(wrong(other)),
                });
            }
            ("int8", Box::new(numbers))
        }
    })
}

fn int(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

fn text(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::Text)
}

fn bytes(value: Option<Vec<u8>>) -> Value {
    value.map_or(Value::Null, Value::Bytes)
}

/// A text kept as octets.
fn exact(value: Option<Vec<u8>>) -> Result<Value, DbError> {
    let decoded = value.map(String::from_utf8).transpose();
    decoded
        .map(text)
        .map_err(|_| DbError::Row("a text is not UTF-8".into()))
}

/// A text kept as a JSON string.
fn unquoted(value: Option<&str>) -> Result<Value, DbError> {
    let decoded = value.map(serde_json::from_str).transpose();
    decoded
        .map(text)
        .map_err(|error| DbError::Row(format!("a text is no JSON string: {error}")))
}

fn quoted(text: &str) -> Result<String, DbError> {
    serde_json::to_string(text).map_err(|error| DbError::Row(error.to_string()))
}

/// Where a row stands, of the columns from `from` on.
pub(super) fn position(row: &tokio_postgres::Row, from: usize) -> Result<Position, DbError> {
    let mut values = Vec::with_capacity(row.len() - from);
    for at in from..row.len() {
        values.push(match row.columns()[at].type_().name() {
            "text" => text(row.try_get(at)?),
            "bytea" => bytes(row.try_get(at)?),
            _ => int(row.try_get(at)?),
        });
    }
    Ok(Position(values))
}

/// A part of a position as a parameter.
pub(super) fn cell(value: &Value) -> Result<OwnedParam, DbError> {
    Ok(match value {
        Value::Int(number) => Box::new(*number),
        Value::Text(text) => Box::new(text.clone()),
        Value::Bytes(bytes) => Box::new(bytes.clone()),
        Value::Null => return Err(DbError::Row("a key has nothing in a column".into())),
    })
}

/// A column by its name, of the rows of a page.
fn by_name<'p>(page: &'p PageWrite, name: &'p str) -> impl Iterator<Item = &'p Value> {
    let at = page
        .table
        .columns
        .iter()
        .position(|column| column.name == name);
    page.rows.iter().filter_map(move |row| row.get(at?))
}

pub(super) fn integers(page: &PageWrite, name: &str) -> Vec<Option<i64>> {
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number),
        _ => None,
    };
    by_name(page, name).map(number).collect()
}

pub(super) fn texts(page: &PageWrite, name: &str) -> Vec<Option<String>> {
    let words = |value: &Value| match value {
        Value::Text(words) => Some(words.clone()),
        _ => None,
    };
    by_name(page, name).map(words).collect()
}

pub(super) fn octets(page: &PageWrite, name: &str) -> Vec<Option<Vec<u8>>> {
    let octets = |value: &Value| match value {
        Value::Bytes(octets) => Some(octets.clone()),
        _ => None,
    };
    by_name(page, name).map(octets).collect()
}
