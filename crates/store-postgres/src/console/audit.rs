//! The audit log: what was changed by whom.

use super::Next;
use crate::db::{Param, Tx};
use crate::error::DbError;
use domain::time::UnixMillis;
use store::adapter::{AuditScan, audit_bound, audit_bound_of, kept_details, owner_no, owner_of};
use store::{Audit, AuditPage, AuditPlace, AuditQuery, NewAudit};
use tokio_postgres::Row;

/// The columns of an entry, in the order in which [`entry`] reads them.
const COLUMNS: &str = "account_id, no, at, actor, address, action, subject, details, outcome";

pub(super) async fn begin(tx: &Tx, entry: &NewAudit) -> Result<AuditPlace, DbError> {
    let owner = owner_no(entry.account);
    let no = Next::lock(tx, owner).await?.next_audit(tx).await?;
    let details = kept_details(&entry.details);
    let params: [Param<'_>; 8] = [
        &owner,
        &no,
        &entry.at.0,
        &entry.actor,
        &entry.address,
        &entry.action,
        &entry.subject,
        &details,
    ];
    tx.execute(
        "INSERT INTO audit_entry (account_id, no, at, actor, address, action, subject, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &params,
    )
    .await?;
    Ok(AuditPlace {
        at: entry.at,
        account: entry.account,
        no: no.cast_unsigned(),
    })
}

pub(super) async fn end(tx: &Tx, place: &AuditPlace, outcome: &str) -> Result<(), DbError> {
    let no = place.no.cast_signed();
    tx.execute(
        "UPDATE audit_entry SET outcome = $4
         WHERE account_id = $1 AND no = $2 AND at = $3 AND outcome IS NULL",
        &[&owner_no(place.account), &no, &place.at.0, &outcome],
    )
    .await
    .map(drop)
}

/// Reads as many rows at a time as there may be entries, and one more: that one says whether there
/// are any. Most queries need no second look.
pub(super) async fn page(tx: &Tx, query: &AuditQuery) -> Result<AuditPage, DbError> {
    let chunk = i64::from(query.limit) + 1;
    let mut scan = AuditScan::new(query);
    loop {
        let before = scan.last().or(query.before);
        let rows = rows(tx, query, before, chunk).await?;
        let ends = (rows.len() as i64) < chunk;
        for row in &rows {
            if !scan.take(entry(row)) {
                return Ok(scan.page());
            }
        }
        if ends {
            return Ok(scan.page());
        }
    }
}

async fn rows(
    tx: &Tx,
    query: &AuditQuery,
    before: Option<AuditPlace>,
    count: i64,
) -> Result<Vec<Row>, DbError> {
    let Some(account) = query.account else {
        let (at, owner, no) = audit_bound(before);
        let sql = format!(
            "SELECT {COLUMNS} FROM audit_entry WHERE (at, account_id, no) < ($1, $2, $3)
             ORDER BY at DESC, account_id DESC, no DESC LIMIT $4"
        );
        return tx.query(&sql, &[&at, &owner, &no, &count]).await;
    };
    let (at, no) = audit_bound_of(account, before);
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_entry WHERE account_id = $1 AND (at, no) < ($2, $3)
         ORDER BY at DESC, no DESC LIMIT $4"
    );
    tx.query(&sql, &[&account.0, &at, &no, &count]).await
}

fn entry(row: &Row) -> Audit {
    let place = AuditPlace {
        at: UnixMillis(row.get(2)),
        account: owner_of(row.get(0)),
        no: row.get::<_, i64>(1).cast_unsigned(),
    };
    let entry = NewAudit {
        account: place.account,
        at: place.at,
        actor: row.get(3),
        address: row.get(4),
        action: row.get(5),
        subject: row.get(6),
        details: row.get(7),
    };
    Audit {
        place,
        entry,
        outcome: row.get(8),
    }
}
