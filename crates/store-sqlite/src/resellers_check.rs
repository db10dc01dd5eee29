//! What must hold of the tree of accounts and of the credit that moves in it.

use crate::check::Findings;
use crate::error::DbError;
use crate::resellers::ancestors;
use domain::account::ANCESTORS_MAX;
use domain::ids::AccountId;
use domain::ledger::EntryKind;
use rusqlite::{Connection, params};

/// Each transfer is one pair: what leaves one account comes to another, at the same time, and each
/// entry names the other.
pub(crate) fn check_transfers(
    conn: &Connection,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.no, t.other_id, t.other_entry_no FROM ledger_entry e
         LEFT JOIN transfer t ON t.account_id = e.account_id AND t.entry_no = e.no
         LEFT JOIN transfer b ON b.account_id = t.other_id AND b.entry_no = t.other_entry_no
         LEFT JOIN ledger_entry o ON o.account_id = t.other_id AND o.no = t.other_entry_no
         WHERE e.account_id = ?1 AND e.kind = ?2 AND NOT coalesce(
             b.other_id = e.account_id AND b.other_entry_no = e.no AND o.kind = e.kind
             AND o.amount = -e.amount AND o.at = e.at, FALSE)",
    )?;
    let mut rows = statement.query(params![id.0, EntryKind::Transfer as u8])?;
    while let Some(row) = rows.next()? {
        let no: i64 = row.get(0)?;
        let other: (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        findings.expect(false, "transfers", || {
            format!("account {id}: transfer {no} has no counterpart; it names {other:?}")
        });
    }
    let astray: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM transfer t LEFT JOIN ledger_entry e
             ON e.account_id = t.account_id AND e.no = t.entry_no
             WHERE t.account_id = ?1 AND e.kind IS NOT ?2",
        )?
        .query_row(params![id.0, EntryKind::Transfer as u8], |row| row.get(0))?;
    findings.expect(astray == 0, "transfers", || {
        format!("account {id}: {astray} transfers name an entry that is none")
    });
    Ok(())
}

/// The accounts above one exist, and are not too many; its package exists.
pub(crate) fn check_place(
    conn: &Connection,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let (parent, orphan, lost): (Option<i64>, bool, bool) = conn
        .prepare_cached(
            "SELECT a.parent_id, a.parent_id IS NOT NULL AND p.id IS NULL,
                 a.package_id IS NOT NULL AND k.id IS NULL
             FROM account a LEFT JOIN account p ON p.id = a.parent_id
             LEFT JOIN package k ON k.id = a.package_id WHERE a.id = ?1",
        )?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    findings.expect(!lost, "tree", || {
        format!("account {id}: its package does not exist")
    });
    findings.expect(!orphan, "tree", || {
        format!("account {id}: its parent does not exist")
    });
    if !orphan {
        let above = ancestors(conn, parent).map_or(ANCESTORS_MAX + 1, |above| above.len());
        findings.expect(above <= ANCESTORS_MAX, "tree", || {
            format!(
                "account {id}: more than {ANCESTORS_MAX} accounts are above it, or they form a ring"
            )
        });
    }
    Ok(())
}
