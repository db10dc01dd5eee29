//! Delivery receipts: matched by link and message id, parked where their message is not known yet.

use crate::error::DbError;
use crate::group::Group;
use crate::rows::{receipt_kind, receipt_kind_code};
use crate::work::Work;
use domain::ids::{AccountId, BulkNo, LinkId, RecipientKey, Seq};
use domain::status::Event;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use store::{NewReceipt, PARKED_RECEIPT_DAYS, ReceiptsRecorded, RecordReceipts};

/// Parked receipts that one sweep removes at most.
const PURGED_PER_SWEEP_MAX: u32 = 1_000;

/// Records receipts.
pub(crate) fn record_receipts(
    group: &mut Group<'_>,
    command: &RecordReceipts,
) -> Result<ReceiptsRecorded, DbError> {
    let mut matched = find(group.conn, command)?;
    let mut recorded = ReceiptsRecorded::default();
    for (receipt, found) in command.receipts.iter().zip(&matched) {
        match found {
            Some(_) => recorded.matched += 1,
            None => {
                park(group, command.link, receipt, command.now)?;
                recorded.parked += 1;
            }
        }
    }
    // Rows that lie together are written together; a stable sort keeps each recipient's order.
    let mut work = Work::new(group.conn, command.now)?;
    matched.sort_by_key(|found| found.map(|(key, _)| key));
    let matched: Vec<(RecipientKey, Event)> = matched.into_iter().flatten().collect();
    for of_one in matched.chunk_by(|a, b| a.0 == b.0) {
        let Some(mut open) = work.open(of_one[0].0)? else {
            continue;
        };
        for (_, event) in of_one {
            work.apply(&mut open, *event)?;
        }
        work.close(open)?;
    }
    work.finish(group)?;
    Ok(recorded)
}

/// The recipient and event of each receipt, in the order in which they came.
fn find(
    conn: &Connection,
    command: &RecordReceipts,
) -> Result<Vec<Option<(RecipientKey, Event)>>, DbError> {
    let mut find = conn.prepare_cached(
        "SELECT account_id, bulk_no, seq, part FROM receipt_map
         WHERE link_id = ?1 AND message_id = ?2",
    )?;
    let mut order: Vec<usize> = (0..command.receipts.len()).collect();
    order.sort_unstable_by_key(|index| &command.receipts[*index].message_id);
    let mut found = vec![None; command.receipts.len()];
    for index in order {
        let receipt = &command.receipts[index];
        found[index] = find
            .query_row(params![command.link.0, &receipt.message_id[..]], |row| {
                let key = RecipientKey {
                    account: AccountId(row.get(0)?),
                    bulk: BulkNo(row.get(1)?),
                    seq: Seq(row.get(2)?),
                };
                let (kind, error) = (receipt.kind, receipt.error);
                Ok((
                    key,
                    Event::Receipt {
                        part: row.get(3)?,
                        kind,
                        error,
                    },
                ))
            })
            .optional()?;
    }
    Ok(found)
}

fn park(
    group: &mut Group<'_>,
    link: LinkId,
    receipt: &NewReceipt,
    now: UnixMillis,
) -> Result<(), DbError> {
    let kind = receipt_kind_code(receipt.kind);
    group
        .conn
        .prepare_cached(
            "INSERT INTO parked_receipt (link_id, message_id, kind, error, at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            link.0,
            &receipt.message_id[..],
            kind,
            receipt.error,
            now.0
        ])?;
    group.has_parked();
    Ok(())
}

/// Takes the receipts that were parked for a message id, in the order in which they came.
pub(crate) fn take_parked(
    conn: &Connection,
    link: LinkId,
    message_id: &[u8],
    part: u8,
) -> Result<Vec<Event>, DbError> {
    let mut events = Vec::new();
    let mut parked = conn.prepare_cached(
        "SELECT kind, error FROM parked_receipt WHERE link_id = ?1 AND message_id = ?2 ORDER BY n",
    )?;
    let mut rows = parked.query(params![link.0, message_id])?;
    while let Some(row) = rows.next()? {
        events.push(Event::Receipt {
            part,
            kind: receipt_kind(row.get(0)?)?,
            error: row.get(1)?,
        });
    }
    if !events.is_empty() {
        conn.prepare_cached("DELETE FROM parked_receipt WHERE link_id = ?1 AND message_id = ?2")?
            .execute(params![link.0, message_id])?;
    }
    Ok(events)
}

/// Removes parked receipts past their time; true when there may be more. Their numbers are in the
/// order of their times, so only the first ones are looked at.
pub(crate) fn purge_parked(conn: &Connection, now: UnixMillis) -> Result<bool, DbError> {
    let before = now.plus_seconds(-PARKED_RECEIPT_DAYS * 24 * 3_600);
    let gone = conn
        .prepare_cached(
            "DELETE FROM parked_receipt WHERE at < ?1
             AND n IN (SELECT n FROM parked_receipt ORDER BY n LIMIT ?2)",
        )?
        .execute(params![before.0, PURGED_PER_SWEEP_MAX])?;
    Ok(gone >= PURGED_PER_SWEEP_MAX as usize)
}
