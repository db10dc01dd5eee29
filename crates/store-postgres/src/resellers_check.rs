//! What must hold of the tree of accounts and of the credit that moves in it.

use crate::db::Tx;
use crate::error::DbError;
use crate::resellers::ancestors;
use crate::rows::code;
use domain::account::ANCESTORS_MAX;
use domain::ids::AccountId;
use domain::ledger::EntryKind;
use std::collections::HashMap;
use store::Finding;

/// Entries of an account that one read compares with their counterparts.
const ENTRIES_PER_READ: i64 = 10_000;

/// Findings of one account after which its check stops.
const FINDINGS_MAX: usize = 1_000;

/// An entry of the kind transfer, or its counterpart: whose, which, and which other one it names.
struct Entry {
    at: (i64, i64),
    names: Option<(i64, i64)>,
    kind: u8,
    amount: i64,
    time: i64,
}

/// Each transfer is one pair: what leaves one account comes to another, at the same time, and each
/// entry names the other. The caller gives a snapshot.
pub(crate) async fn check_transfers(tx: &Tx, id: AccountId) -> Result<Vec<Finding>, DbError> {
    let mut findings = Vec::new();
    let mut after = i64::MIN;
    while findings.len() < FINDINGS_MAX {
        let entries = entries(tx, id, after).await?;
        let Some(last) = entries.last() else { break };
        after = last.at.1;
        let others = counterparts(tx, &entries).await?;
        for entry in &entries {
            let other = entry.names.and_then(|names| others.get(&names));
            if other.is_some_and(|other| is_pair(entry, other)) {
                continue;
            }
            let (no, other) = (entry.at.1, entry.names);
            findings.push(Finding {
                rule: "transfers",
                what: format!("account {id}: transfer {no} has no counterpart; it names {other:?}"),
            });
        }
    }
    let kind = i16::from(EntryKind::Transfer as u8);
    let astray = tx
        .query_one(
            "SELECT count(*) FROM transfer t WHERE t.account_id = $1 AND (
                 SELECT e.kind FROM ledger_entry e
                 WHERE e.account_id = t.account_id AND e.no = t.entry_no
             ) IS DISTINCT FROM $2",
            &[&id.0, &kind],
        )
        .await?;
    let astray: i64 = astray.get(0);
    if astray > 0 {
        findings.push(Finding {
            rule: "transfers",
            what: format!("account {id}: {astray} transfers name an entry that is none"),
        });
    }
    Ok(findings)
}

fn is_pair(one: &Entry, other: &Entry) -> bool {
    other.names == Some(one.at)
        && other.kind == one.kind
        && Some(other.amount) == one.amount.checked_neg()
        && other.time == one.time
}

/// The next entries of the kind transfer in an account's ledger, with what they name.
async fn entries(tx: &Tx, id: AccountId, after: i64) -> Result<Vec<Entry>, DbError> {
    let kind = EntryKind::Transfer as u8;
    let rows = tx
        .query(
            "SELECT e.no, t.other_id, t.other_entry_no, e.amount, e.at FROM ledger_entry e
             LEFT JOIN LATERAL (
                 SELECT other_id, other_entry_no FROM transfer
                 WHERE account_id = e.account_id AND entry_no = e.no LIMIT 1
             ) AS t ON true
             WHERE e.account_id = $1 AND e.kind = $2 AND e.no > $3 ORDER BY e.no LIMIT $4",
            &[&id.0, &i16::from(kind), &after, &ENTRIES_PER_READ],
        )
        .await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let (other, no): (Option<i64>, Option<i64>) = (row.get(1), row.get(2));
        entries.push(Entry {
            at: (id.0, row.get(0)),
            names: other.zip(no),
            kind,
            amount: row.get(3),
            time: row.get(4),
        });
    }
    Ok(entries)
}

/// What these name, as far as it exists, by account and number.
async fn counterparts(tx: &Tx, entries: &[Entry]) -> Result<HashMap<(i64, i64), Entry>, DbError> {
    let (ids, nos): (Vec<i64>, Vec<i64>) = entries.iter().filter_map(|one| one.names).unzip();
    let rows = tx
        .query(
            "SELECT t.account_id, t.entry_no, t.other_id, t.other_entry_no, e.kind, e.amount, e.at
             FROM unnest($1::int8[], $2::int8[]) AS v (account, no)
             JOIN transfer t ON t.account_id = v.account AND t.entry_no = v.no
             JOIN ledger_entry e ON e.account_id = t.account_id AND e.no = t.entry_no",
            &[&ids, &nos],
        )
        .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let at = (row.get(0), row.get(1));
        let entry = Entry {
            at,
            names: Some((row.get(2), row.get(3))),
            kind: code(row.get(4))?,
            amount: row.get(5),
            time: row.get(6),
        };
        found.insert(at, entry);
    }
    Ok(found)
}

/// The accounts above one exist, and are not too many; its package exists. The caller gives a
/// snapshot.
pub(crate) async fn check_place(tx: &Tx, id: AccountId) -> Result<Vec<Finding>, DbError> {
    let row = tx
        .query_one(
            "SELECT a.parent_id, a.parent_id IS NOT NULL AND p.id IS NULL,
             a.package_id IS NOT NULL AND k.id IS NULL
             FROM account a LEFT JOIN account p ON p.id = a.parent_id
             LEFT JOIN package k ON k.id = a.package_id WHERE a.id = $1",
            &[&id.0],
        )
        .await?;
    let (parent, orphan, lost): (Option<i64>, bool, bool) = (row.get(0), row.get(1), row.get(2));
    let mut findings = Vec::new();
    let mut found = |what| findings.push(Finding { rule: "tree", what });
    if lost {
        found(format!("account {id}: its package does not exist"));
    }
    if orphan {
        found(format!("account {id}: its parent does not exist"));
        return Ok(findings);
    }
    let above = match ancestors(tx, parent).await {
        Ok(above) => above.len(),
        // What is said about the account above that has no parent is said there.
        Err(DbError::Row(_)) => ANCESTORS_MAX + 1,
        Err(error) => return Err(error),
    };
    if above > ANCESTORS_MAX {
        found(format!(
            "account {id}: more than {ANCESTORS_MAX} accounts are above it, or they form a ring"
        ));
    }
    Ok(findings)
}
