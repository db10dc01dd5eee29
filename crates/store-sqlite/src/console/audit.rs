//! The audit log: what was changed by whom.

use super::{Numbered, next_number};
use crate::error::DbError;
use domain::time::UnixMillis;
use rusqlite::{Connection, Row, params};
use store::adapter::{AuditScan, audit_bound, audit_bound_of, kept_details, owner_no, owner_of};
use store::{Audit, AuditPage, AuditPlace, AuditQuery, NewAudit};

/// The columns of an entry, in the order in which [`entry`] reads them.
const COLUMNS: &str = "account_id, no, at, actor, address, action, subject, details, outcome";

pub(super) fn begin(conn: &Connection, entry: &NewAudit) -> Result<AuditPlace, DbError> {
    let owner = owner_no(entry.account);
    let no = next_number(conn, owner, Numbered::Audit)?;
    conn.prepare_cached(
        "INSERT INTO audit_entry (account_id, no, at, actor, address, action, subject, details)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        owner,
        no,
        entry.at.0,
        entry.actor,
        entry.address,
        entry.action,
        entry.subject,
        kept_details(&entry.details),
    ])?;
    Ok(AuditPlace {
        at: entry.at,
        account: entry.account,
        no: no.cast_unsigned(),
    })
}

pub(super) fn end(conn: &Connection, place: AuditPlace, outcome: &str) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE audit_entry SET outcome = ?4
         WHERE account_id = ?1 AND no = ?2 AND at = ?3 AND outcome IS NULL",
    )?
    .execute(params![
        owner_no(place.account),
        place.no.cast_signed(),
        place.at.0,
        outcome
    ])?;
    Ok(())
}

/// Rows are read one by one, and none after the page is complete.
pub(super) fn page(conn: &Connection, query: &AuditQuery) -> Result<AuditPage, DbError> {
    let mut scan = AuditScan::new(query);
    let mut statement;
    let mut rows = match query.account {
        Some(account) => {
            let (at, no) = audit_bound_of(account, query.before);
            statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM audit_entry
                 WHERE account_id = ?1 AND (at, no) < (?2, ?3) ORDER BY at DESC, no DESC"
            ))?;
            statement.query(params![account.0, at, no])?
        }
        None => {
            statement = conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM audit_entry WHERE (at, account_id, no) < (?1, ?2, ?3)
                 ORDER BY at DESC, account_id DESC, no DESC"
            ))?;
            statement.query(audit_bound(query.before))?
        }
    };
    while let Some(row) = rows.next()? {
        if !scan.take(entry(row)?) {
            break;
        }
    }
    Ok(scan.page())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Audit> {
    let place = AuditPlace {
        at: UnixMillis(row.get(2)?),
        account: owner_of(row.get(0)?),
        no: row.get::<_, i64>(1)?.cast_unsigned(),
    };
    let entry = NewAudit {
        account: place.account,
        at: place.at,
        actor: row.get(3)?,
        address: row.get(4)?,
        action: row.get(5)?,
        subject: row.get(6)?,
        details: row.get(7)?,
    };
    Ok(Audit {
        place,
        entry,
        outcome: row.get(8)?,
    })
}
