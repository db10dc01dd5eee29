//! Tables of the whole installation that lead to bulks and recipients: the receipt map and the
//! work queue. They may stand on another node of a cluster than what they lead to, so each page is
//! looked up by its keys and not joined.

use super::{Findings, Piece, Reading, piece};
use crate::db::{Db, Param, Tx};
use crate::error::DbError;
use crate::rows::code;
use domain::bulk::BulkStage;
use std::collections::{BTreeSet, HashMap};
use store::StoreError;
use store::adapter::stage;
use tokio_postgres::Row;

/// Rows of the receipt map and of slices that one read goes through.
const ROWS_PER_READ: i64 = 50_000;

/// Every message id leads to a recipient.
pub(super) async fn check_receipt_map(db: &Db, findings: &mut Findings) -> Result<(), StoreError> {
    let mut after = Some((Vec::new(), i64::MIN));
    while let Some(from) = &after
        && !findings.are_enough()
    {
        let page = piece(db, Reading::Page, |tx| async move {
            receipt_page(&tx, from).await
        });
        let page = page.await?;
        findings.extend(page.findings.0);
        after = page.next;
    }
    Ok(())
}

/// Key of the receipt map: message id and link.
type IdKey = (Vec<u8>, i64);

async fn receipt_page(tx: &Tx, after: &IdKey) -> Result<Piece<IdKey>, DbError> {
    let rows = tx
        .query(
            "SELECT message_id, link_id, account_id, bulk_no, seq FROM receipt_map
             WHERE (message_id, link_id) > ($1, $2) ORDER BY message_id, link_id LIMIT $3",
            &[&after.0, &after.1, &ROWS_PER_READ],
        )
        .await?;
    let there = recipients_of(tx, &rows).await?;
    let mut findings = Findings::default();
    for (at, row) in rows.iter().enumerate() {
        let (link, account): (i64, i64) = (row.get(1), row.get(2));
        let (bulk, seq): (i32, i32) = (row.get(3), row.get(4));
        findings.expect(there.contains(&at), "receipt-map", || {
            format!(
                "link {link}: an id leads to account {account}, bulk {bulk}, seq {seq}, which is \
                 not there"
            )
        });
    }
    let next = next(&rows, |row| (row.get(0), row.get(1)));
    Ok(Piece { findings, next })
}

/// Which of these rows of the receipt map lead to a recipient, by their place.
async fn recipients_of(tx: &Tx, rows: &[Row]) -> Result<BTreeSet<usize>, DbError> {
    let accounts: Vec<i64> = rows.iter().map(|row| row.get(2)).collect();
    let bulks: Vec<i32> = rows.iter().map(|row| row.get(3)).collect();
    let seqs: Vec<i32> = rows.iter().map(|row| row.get(4)).collect();
    let found = tx
        .query(
            "SELECT k.n FROM unnest($1::int8[], $2::int4[], $3::int4[]) WITH ORDINALITY
                 AS k (account, bulk, seq, n)
             JOIN recipient r ON r.account_id = k.account AND r.bulk_no = k.bulk AND r.seq = k.seq",
            &[&accounts, &bulks, &seqs],
        )
        .await?;
    // Places count from 1.
    let place = |row: &Row| usize::try_from(row.get::<_, i64>(0) - 1).ok();
    Ok(found.iter().filter_map(place).collect())
}

/// Slices belong to bulks, and only those of acknowledged ones can be claimed.
pub(super) async fn check_slices(db: &Db, findings: &mut Findings) -> Result<(), StoreError> {
    let mut after = Some((i64::MIN, 0, 0, 0));
    while let Some(from) = after
        && !findings.are_enough()
    {
        let page = piece(db, Reading::Page, |tx| async move {
            slice_page(&tx, from).await
        });
        let page = page.await?;
        findings.extend(page.findings.0);
        after = page.next;
    }
    Ok(())
}

/// Key of a slice: account, bulk, slice, operator.
type SliceKey = (i64, i32, i32, i16);

async fn slice_page(tx: &Tx, after: SliceKey) -> Result<Piece<SliceKey>, DbError> {
    let params: [Param<'_>; 5] = [&after.0, &after.1, &after.2, &after.3, &ROWS_PER_READ];
    let rows = tx
        .query(
            "SELECT account_id, bulk_no, slice_no, operator,
             waiting > 0 AND due_at < 9223372036854775807
             FROM slice WHERE (account_id, bulk_no, slice_no, operator) > ($1, $2, $3, $4)
             ORDER BY account_id, bulk_no, slice_no, operator LIMIT $5",
            &params,
        )
        .await?;
    let stages = stages_of(tx, &rows).await?;
    let mut findings = Findings::default();
    for row in &rows {
        let (account, bulk, slice): (i64, i32, i32) = (row.get(0), row.get(1), row.get(2));
        let claimable: bool = row.get(4);
        let stage = stages.get(&(account, bulk)).copied();
        let right = stage.is_some() && (!claimable || stage == Some(BulkStage::Accepted));
        findings.expect(right, "slices", || {
            format!(
                "account {account}, bulk {bulk}: slice {slice} can be claimed, or has no bulk; \
                 stage {stage:?}"
            )
        });
    }
    let next = next(&rows, |row| {
        (row.get(0), row.get(1), row.get(2), row.get(3))
    });
    Ok(Piece { findings, next })
}

/// The stages of the bulks that these slices belong to, as far as there are such bulks.
async fn stages_of(tx: &Tx, rows: &[Row]) -> Result<HashMap<(i64, i32), BulkStage>, DbError> {
    let keys: BTreeSet<(i64, i32)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let (accounts, bulks): (Vec<i64>, Vec<i32>) = keys.into_iter().unzip();
    let found = tx
        .query(
            "SELECT b.account_id, b.bulk_no, b.stage
             FROM unnest($1::int8[], $2::int4[]) AS k (account, bulk)
             JOIN bulk b ON b.account_id = k.account AND b.bulk_no = k.bulk",
            &[&accounts, &bulks],
        )
        .await?;
    let mut stages = HashMap::with_capacity(found.len());
    for row in &found {
        stages.insert((row.get(0), row.get(1)), stage(code(row.get(2))?)?);
    }
    Ok(stages)
}

/// Where the next page begins; `None` where this one was not full.
fn next<K>(rows: &[Row], key: impl Fn(&Row) -> K) -> Option<K> {
    let is_full = i64::try_from(rows.len()) == Ok(ROWS_PER_READ);
    rows.last().filter(|_| is_full).map(key)
}
