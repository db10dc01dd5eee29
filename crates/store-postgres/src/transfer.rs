//! [`store::transfer::Transfer`] for [`PostgresStore`]: the tables of the database in neutral form.
//!
//! Statements are made of the neutral columns and of the types that the schema has for them.

mod columns;

use crate::PostgresStore;
use crate::db::{OwnedParam, Param, Tx};
use crate::error::DbError;
use async_trait::async_trait;
use columns::{Columns, cell, integers, octets, order, position, texts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::StoreError;
use store::transfer::{
    Begun, COUNTERS, Counter, Counters, Page, PageWrite, Position, Progress, Source, TABLES, Table,
    Transfer, Unfinished, Written,
};

/// Tables of the database that are not copied, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("peyk_schema", "the schema of the database itself"),
    ("counter", "its rows are counters"),
    (
        "commit_mark",
        "no command is under way while a store is copied",
    ),
    ("link_status", "links say anew what they do"),
    ("process", "nobody lives while a store is copied"),
    ("lease", "nobody holds a duty while a store is copied"),
    ("store_copy", "how far a copy into this store is"),
    ("console_session", "people sign in again"),
    (
        "account_guard",
        "only says that somebody wrote to an account",
    ),
    ("pattern_code", "written with the patterns"),
    ("api_key_digest", "written with the keys"),
    ("ticket_counter", "written with the tickets"),
];

#[async_trait]
impl Transfer for PostgresStore {
    async fn page(
        &self,
        table: &'static Table,
        after: Option<Position>,
        rows: u32,
    ) -> Result<Page, StoreError> {
        query!(self, page, table, after, rows).await
    }

    async fn count(&self, table: &'static Table) -> Result<u64, StoreError> {
        snapshot!(self, count, table).await
    }

    async fn counters(&self) -> Result<Counters, StoreError> {
        snapshot!(self, counters).await
    }

    async fn unfinished_copy(&self) -> Result<Option<Unfinished>, StoreError> {
        query!(self, unfinished).await
    }

    async fn begin_copy(&self, source: Source) -> Result<Begun, StoreError> {
        command!(self, "begin_copy", begin, source).await
    }

    async fn write_page(&self, page: PageWrite) -> Result<Written, StoreError> {
        command!(self, "copy_page", write_page, page).await
    }

    async fn raise_counters(&self, counters: Counters) -> Result<(), StoreError> {
        command!(self, "raise_counters", raise, counters).await
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        command!(self, "end_copy", end).await?;
        // The planner has not seen a row of it yet. It would find out by itself after a while, and
        // not every engine knows the statement.
        match self.db.connection().await {
            Ok(tx) => {
                if let Err(error) = tx.batch("ANALYZE").await {
                    tracing::debug!(%error, "the tables were not analysed");
                }
            }
            Err(error) => tracing::debug!(%error, "the tables were not analysed"),
        }
        Ok(())
    }
}

async fn page(
    tx: &Tx,
    table: &&'static Table,
    after: &Option<Position>,
    rows: &u32,
) -> Result<Page, DbError> {
    let columns = Columns::of(tx, table).await?;
    let order = order(table);
    let key: Vec<String> = order.iter().map(|name| format!("\"{name}\"")).collect();
    let key = key.join(", ");
    let after = after.as_ref().map_or(&[][..], |position| &position.0);
    let mut params: Vec<OwnedParam> = Vec::with_capacity(after.len() + 1);
    let mut beyond = String::new();
    if !after.is_empty() {
        let mut marks = Vec::with_capacity(after.len());
        for (place, (name, value)) in (1..).zip(order.iter().zip(after)) {
            marks.push(columns.mark(name, place, value)?);
            params.push(cell(value)?);
        }
        beyond = format!("WHERE ({key}) > ({})", marks.join(", "));
    }
    let sql = format!(
        "SELECT {}, {} FROM \"{}\" {beyond} ORDER BY {key} LIMIT ${}",
        columns.neutral().join(", "),
        columns.positions(&order).join(", "),
        table.name,
        params.len() + 1,
    );
    params.push(Box::new(i64::from(*rows)));
    let params: Vec<Param<'_>> = params.iter().map(|param| &**param as Param<'_>).collect();
    let found = tx.query(&sql, &params).await?;
    let last = match found.last() {
        Some(row) => Some(position(row, table.columns.len())?),
        None => None,
    };
    let rows = found.iter().map(|row| columns.row(row));
    Ok(Page {
        rows: rows.collect::<Result<_, _>>()?,
        last,
    })
}

async fn count(tx: &Tx, table: &&'static Table) -> Result<u64, DbError> {
    // A count of a large table reads all of it.
    tx.batch("SET LOCAL statement_timeout = 0").await?;
    let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
    let row = tx.query_one(&sql, &[]).await?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or(0))
}

async fn write_page(tx: &Tx, page: &PageWrite) -> Result<Written, DbError> {
    let row = tx
        .query_opt("SELECT at FROM store_copy WHERE one = 1 FOR UPDATE", &[])
        .await?;
    let at: Option<String> = row.map(|row| row.get(0));
    let (from, to) = (to_json(&page.from)?, to_json(&page.to)?);
    if at.as_ref() == Some(&to) {
        return Ok(Written::Done);
    }
    if at != Some(from) {
        return Ok(Written::Moved);
    }
    let columns = Columns::of(tx, page.table).await?;
    let before = i64::try_from(page.rows_before()).unwrap_or(i64::MAX);
    let (sql, params) = columns.insert(&page.rows, before)?;
    let params: Vec<Param<'_>> = params.iter().map(|param| &**param as Param<'_>).collect();
    tx.execute(&sql, &params).await?;
    write_derived(tx, page).await?;
    tx.execute("UPDATE store_copy SET at = $1 WHERE one = 1", &[&to])
        .await?;
    Ok(Written::Done)
}

/// Writes what other tables keep of the same rows.
async fn write_derived(tx: &Tx, page: &PageWrite) -> Result<(), DbError> {
    let accounts = || integers(page, "account_id");
    match page.table.name {
        "pattern" => {
            tx.execute(
                "INSERT INTO pattern_code (code, account_id)
                 SELECT * FROM unnest($1::text[], $2::int8[])",
                &[&texts(page, "code"), &accounts()],
            )
            .await?
        }
        "api_key" => {
            tx.execute(
                "INSERT INTO api_key_digest (digest, account_id, no)
                 SELECT * FROM unnest($1::bytea[], $2::int8[], $3::int8[])",
                &[&octets(page, "digest"), &accounts(), &integers(page, "no")],
            )
            .await?
        }
        "ticket" => {
            tx.execute(
                "INSERT INTO ticket_counter AS c (account_id, next_ticket_no)
                 SELECT v.account_id, max(v.no) + 1 FROM unnest($1::int8[], $2::int8[])
                 AS v (account_id, no) GROUP BY v.account_id
                 ON CONFLICT (account_id) DO UPDATE
                 SET next_ticket_no = greatest(c.next_ticket_no, excluded.next_ticket_no)",
                &[&accounts(), &integers(page, "ticket_no")],
            )
            .await?
        }
        _ => 0,
    };
    Ok(())
}

/// A counter's row in `counter`.
fn name(counter: Counter) -> &'static str {
    match counter {
        Counter::Account => "account",
        Counter::Line => "line",
        Counter::Link => "link",
        Counter::Package => "package",
        Counter::ListSet => "list_set",
        Counter::ListAddition => "list_addition",
        Counter::Rule => "rule",
        Counter::InboundPart => "inbound_part",
        Counter::Inbound => "inbound",
        Counter::CatalogVersion => "catalog",
        Counter::ListsVersion => "lists",
        Counter::RulesVersion => "rules",
        Counter::PatternsVersion => "patterns",
    }
}

async fn counters(tx: &Tx) -> Result<Counters, DbError> {
    let mut counters = Vec::with_capacity(COUNTERS.len());
    for counter in COUNTERS {
        counters.push(tx.counter(name(*counter)).await?);
    }
    Ok(counters)
}

async fn raise(tx: &Tx, counters: &Counters) -> Result<(), DbError> {
    for (counter, next) in COUNTERS.iter().zip(counters) {
        tx.execute(
            "UPDATE counter SET next = greatest(next, $2) WHERE name = $1",
            &[&name(*counter), next],
        )
        .await?;
    }
    Ok(())
}

async fn begin(tx: &Tx, source: &Source) -> Result<Begun, DbError> {
    if let Some(copy) = unfinished(tx).await? {
        return Ok(Begun::Goes(copy));
    }
    for table in TABLES {
        let sql = format!("SELECT 1 FROM \"{}\" LIMIT 1", table.name);
        if tx.query_opt(&sql, &[]).await?.is_some() {
            return Ok(Begun::Occupied(table.name));
        }
    }
    let begun = tx
        .execute(
            "INSERT INTO store_copy (one, source, at) VALUES (1, $1, $2)
             ON CONFLICT (one) DO NOTHING",
            &[&to_json(source)?, &to_json(&Progress::start())?],
        )
        .await?;
    if begun == 1 {
        return Ok(Begun::Fresh);
    }
    // Another process began at this moment.
    match unfinished(tx).await? {
        Some(copy) => Ok(Begun::Goes(copy)),
        None => Err(DbError::Row("a copy began and is gone".into())),
    }
}

async fn unfinished(tx: &Tx) -> Result<Option<Unfinished>, DbError> {
    let row = tx
        .query_opt("SELECT source, at FROM store_copy WHERE one = 1", &[])
        .await?;
    row.map(|row| {
        Ok(Unfinished {
            source: from_json(row.get(0))?,
            at: from_json(row.get(1))?,
        })
    })
    .transpose()
}

async fn end(tx: &Tx) -> Result<(), DbError> {
    tx.execute("DELETE FROM store_copy WHERE one = 1", &[])
        .await
        .map(drop)
}

fn to_json<T: Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Row(error.to_string()))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text)
        .map_err(|error| DbError::Row(format!("what is kept of the copy cannot be read: {error}")))
}
