//! What is wrong with patterns and keys, for the doctor: rows that lead nowhere, and patterns that
//! cannot be filled in.
//!
//! Rows are read in pages, and what they lead to is asked for page by page: the tables lie by
//! different keys, so a cluster could not join them.

use super::{COLUMNS, pattern};
use crate::db::{Param, Tx};
use crate::error::DbError;
use domain::pattern::Form;
use std::collections::BTreeSet;
use store::Finding;
use tokio_postgres::Row;

/// Findings about patterns and keys; a store with more needs a person.
const FINDINGS_MAX: usize = 100;

/// Rows that one read goes through.
const ROWS_PER_READ: i64 = 500;

/// Checks all patterns and keys. The caller gives a snapshot.
pub(crate) async fn check(tx: &Tx) -> Result<Vec<Finding>, DbError> {
    let mut found = Findings(Vec::new());
    check_patterns(tx, &mut found).await?;
    check_codes(tx, &mut found).await?;
    check_grants(tx, &mut found).await?;
    check_keys(tx, &mut found).await?;
    check_digests(tx, &mut found).await?;
    Ok(found.0)
}

struct Findings(Vec<Finding>);

impl Findings {
    fn leads_nowhere(&mut self, rule: &'static str, name: &str) {
        self.add(rule, format!("{name} leads to something that is not there"));
    }

    fn add(&mut self, rule: &'static str, what: String) {
        if !self.are_enough() {
            self.0.push(Finding { rule, what });
        }
    }

    fn are_enough(&self) -> bool {
        self.0.len() >= FINDINGS_MAX
    }
}

/// True while there is a page left behind this one.
fn goes_on(rows: &[Row], found: &Findings) -> bool {
    rows.len() as i64 == ROWS_PER_READ && !found.are_enough()
}

async fn check_patterns(tx: &Tx, found: &mut Findings) -> Result<(), DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM pattern p WHERE (p.account_id, p.code) > ($1, $2)
         ORDER BY p.account_id, p.code LIMIT $3"
    );
    let mut after = (i64::MIN, String::new());
    loop {
        let params: [Param<'_>; 3] = [&after.0, &after.1, &ROWS_PER_READ];
        let rows = tx.query(&sql, &params).await?;
        let accounts = accounts(tx, &column(&rows, 0)).await?;
        let codes = code_owners(tx, &column(&rows, 1)).await?;
        for row in &rows {
            after = (row.get(0), row.get(1));
            let name = format!("pattern {}", after.1);
            if !accounts.contains(&after.0) {
                found.leads_nowhere("pattern-owner", &name);
            }
            if !codes.contains(&(after.1.clone(), after.0)) {
                found.add("pattern-code", format!("{name} is not found by its code"));
            }
            let form = pattern(row)
                .map_err(|error| error.to_string())
                .and_then(|pattern| {
                    Form::new(&pattern.text, &pattern.variables).map_err(|error| error.to_string())
                });
            if let Err(error) = form {
                found.add(
                    "pattern-form",
                    format!("{name} cannot be filled in: {error}"),
                );
            }
        }
        if !goes_on(&rows, found) {
            return Ok(());
        }
    }
}

async fn check_codes(tx: &Tx, found: &mut Findings) -> Result<(), DbError> {
    let mut after = String::new();
    loop {
        let rows = tx
            .query(
                "SELECT code, account_id FROM pattern_code WHERE code > $1 ORDER BY code LIMIT $2",
                &[&after, &ROWS_PER_READ],
            )
            .await?;
        let there = tx
            .query(
                "SELECT p.code, p.account_id FROM unnest($1::text[], $2::int8[]) AS v (code, id)
                 JOIN pattern p ON p.account_id = v.id AND p.code = v.code",
                &[&column::<String>(&rows, 0), &column::<i64>(&rows, 1)],
            )
            .await?;
        let there = pairs::<String, i64>(&there);
        for row in &rows {
            let pair: (String, i64) = (row.get(0), row.get(1));
            after.clone_from(&pair.0);
            if !there.contains(&pair) {
                found.leads_nowhere("pattern-code", &format!("the code {after}"));
            }
        }
        if !goes_on(&rows, found) {
            return Ok(());
        }
    }
}

async fn check_grants(tx: &Tx, found: &mut Findings) -> Result<(), DbError> {
    let mut after = (i64::MIN, String::new());
    loop {
        let rows = tx
            .query(
                "SELECT account_id, code FROM pattern_grant WHERE (account_id, code) > ($1, $2)
                 ORDER BY account_id, code LIMIT $3",
                &[&after.0, &after.1, &ROWS_PER_READ],
            )
            .await?;
        let accounts = accounts(tx, &column(&rows, 0)).await?;
        let owners = code_owners(tx, &column(&rows, 1)).await?;
        let codes: BTreeSet<String> = owners.into_iter().map(|(code, _)| code).collect();
        for row in &rows {
            after = (row.get(0), row.get(1));
            if !accounts.contains(&after.0) || !codes.contains(&after.1) {
                let (account, code) = &after;
                let name = format!("the leave of account {account} to use pattern {code}");
                found.leads_nowhere("pattern-grant", &name);
            }
        }
        if !goes_on(&rows, found) {
            return Ok(());
        }
    }
}

async fn check_keys(tx: &Tx, found: &mut Findings) -> Result<(), DbError> {
    let mut after = (i64::MIN, i64::MIN);
    loop {
        let rows = tx
            .query(
                "SELECT account_id, no, digest FROM api_key WHERE (account_id, no) > ($1, $2)
                 ORDER BY account_id, no LIMIT $3",
                &[&after.0, &after.1, &ROWS_PER_READ],
            )
            .await?;
        let accounts = accounts(tx, &column(&rows, 0)).await?;
        let digests: Vec<Vec<u8>> = column(&rows, 2);
        let digests = tx
            .query(
                "SELECT account_id, no, digest FROM api_key_digest
                 WHERE digest = ANY ($1::bytea[])",
                &[&digests],
            )
            .await?;
        let digests: BTreeSet<_> = digests.iter().map(key_row).collect();
        for row in &rows {
            after = (row.get(0), row.get(1));
            let name = format!("API key {}/{}", after.0, after.1);
            if !accounts.contains(&after.0) {
                found.leads_nowhere("key-owner", &name);
            }
            if !digests.contains(&key_row(row)) {
                found.add("key-digest", format!("{name} is not found by its digest"));
            }
        }
        if !goes_on(&rows, found) {
            return Ok(());
        }
    }
}

async fn check_digests(tx: &Tx, found: &mut Findings) -> Result<(), DbError> {
    let mut after: Vec<u8> = Vec::new();
    loop {
        let rows = tx
            .query(
                "SELECT account_id, no, digest FROM api_key_digest WHERE digest > $1
                 ORDER BY digest LIMIT $2",
                &[&after, &ROWS_PER_READ],
            )
            .await?;
        let there = tx
            .query(
                "SELECT k.account_id, k.no, k.digest
                 FROM unnest($1::int8[], $2::int8[]) AS v (id, no)
                 JOIN api_key k ON k.account_id = v.id AND k.no = v.no",
                &[&column::<i64>(&rows, 0), &column::<i64>(&rows, 1)],
            )
            .await?;
        let there: BTreeSet<_> = there.iter().map(key_row).collect();
        for row in &rows {
            let key = key_row(row);
            if !there.contains(&key) {
                let name = format!("a digest of API key {}/{}", key.0, key.1);
                found.leads_nowhere("key-digest", &name);
            }
            after = key.2;
        }
        if !goes_on(&rows, found) {
            return Ok(());
        }
    }
}

fn key_row(row: &Row) -> (i64, i64, Vec<u8>) {
    (row.get(0), row.get(1), row.get(2))
}

/// Those of these accounts that there are.
async fn accounts(tx: &Tx, ids: &[i64]) -> Result<BTreeSet<i64>, DbError> {
    let sql = "SELECT id FROM account WHERE id = ANY ($1::int8[])";
    let rows = tx.query(sql, &[&ids]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Those of these codes that there are, each with its owner.
async fn code_owners(tx: &Tx, codes: &[String]) -> Result<BTreeSet<(String, i64)>, DbError> {
    let sql = "SELECT code, account_id FROM pattern_code WHERE code = ANY ($1::text[])";
    Ok(pairs(&tx.query(sql, &[&codes]).await?))
}

fn column<'a, T: tokio_postgres::types::FromSql<'a>>(rows: &'a [Row], column: usize) -> Vec<T> {
    rows.iter().map(|row| row.get(column)).collect()
}

fn pairs<A, B>(rows: &[Row]) -> BTreeSet<(A, B)>
where
    A: Ord + for<'a> tokio_postgres::types::FromSql<'a>,
    B: Ord + for<'a> tokio_postgres::types::FromSql<'a>,
{
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
