//! Bulks, their recipients and their slices. A piece is some bulks, or one large one.

use super::{Findings, Piece, Reading, features, piece};
use crate::db::{Db, Param, Tx};
use crate::error::DbError;
use crate::rows::{BULK_COLUMNS, bulk_no, bulk_row, code, from_int4, int4, progress};
use domain::ids::{AccountId, BulkNo};
use domain::line::RefundBasis;
use domain::status::{Progress, State};
use std::collections::BTreeMap;
use store::adapter::{BulkKey, BulkRow};
use store::{SLICE_RECIPIENTS, StoreError};
use tokio_postgres::Row;

/// Recipients that one read goes through, but for a bulk that has more.
const RECIPIENTS_PER_READ: u32 = 50_000;

/// Bulks that one read goes through.
const BULKS_PER_READ: i64 = 1_000;

/// Recipients that stand alike within a slice, as [`Sums::add`] reads them. What says nothing about
/// counts and money is constant, so that the server can count them together.
const ALIKE: &str = "SELECT r.state, r.reason, NULL::int8, r.parts, r.unit_price, 0::int2,
    r.outstanding, r.accepted, r.delivered, r.failed, NULL::int8, r.account_id, r.bulk_no,
    r.seq / $1, r.operator, count(*) FROM recipient r";
const GROUPED: &str = "GROUP BY r.account_id, r.bulk_no, r.seq / $1, r.operator, r.state, r.reason,
    r.parts, r.unit_price, r.outstanding, r.accepted, r.delivered, r.failed";

/// (slice, operator) → (waiting, attempted).
type SliceCounts = BTreeMap<(u32, u8), (i64, i64)>;

/// Checks all bulks.
pub(super) async fn check(db: &Db, findings: &mut Findings) -> Result<(), StoreError> {
    let mut after = Some((AccountId(i64::MIN), BulkNo(0)));
    while let Some(from) = after
        && !findings.are_enough()
    {
        let page = piece(db, Reading::Page, |tx| async move {
            check_page(&tx, from).await
        });
        let page = page.await?;
        findings.extend(page.findings.0);
        after = page.next;
    }
    Ok(())
}

async fn check_page(tx: &Tx, after: BulkKey) -> Result<Piece<BulkKey>, DbError> {
    let mut findings = Findings::default();
    let bulks = bulks(tx, after).await?;
    let (Some((first, head)), Some((last, _))) = (bulks.first(), bulks.last()) else {
        return Ok(Piece {
            findings,
            next: None,
        });
    };
    let basis: BTreeMap<BulkKey, RefundBasis> = bulks
        .iter()
        .map(|(key, bulk)| (*key, bulk.terms.refund_basis))
        .collect();
    let mut sums = if head.next_seq > RECIPIENTS_PER_READ {
        sums_of_large(tx, *first, head, &basis).await?
    } else {
        sums_between(tx, *first, *last, &basis).await?
    };
    let mut slices = slices_between(tx, *first, *last).await?;
    for (key, bulk) in &bulks {
        let slices = slices.remove(key).unwrap_or_default();
        let sums = sums.remove(key).unwrap_or_default();
        check_bulk(*key, bulk, &sums, &slices, &mut findings);
        features::check_bulk(tx, *key, bulk, &mut findings).await?;
    }
    Ok(Piece {
        findings,
        next: Some(*last),
    })
}

/// The next bulks that have as many recipients as one read goes through; at least one.
async fn bulks(tx: &Tx, after: BulkKey) -> Result<Vec<(BulkKey, BulkRow)>, DbError> {
    let sql = format!(
        "SELECT {BULK_COLUMNS}, b.account_id, b.bulk_no FROM bulk b
         WHERE (b.account_id, b.bulk_no) > ($1, $2) ORDER BY b.account_id, b.bulk_no LIMIT $3"
    );
    let params: [Param<'_>; 3] = [&after.0.0, &bulk_no(after), &BULKS_PER_READ];
    let mut bulks: Vec<(BulkKey, BulkRow)> = Vec::new();
    let mut recipients: u32 = 0;
    for row in tx.query(&sql, &params).await? {
        let bulk = bulk_row(&row, 0)?;
        recipients = recipients.saturating_add(bulk.next_seq);
        if recipients > RECIPIENTS_PER_READ && !bulks.is_empty() {
            break;
        }
        bulks.push((key(&row, 23), bulk));
    }
    Ok(bulks)
}

fn key(row: &Row, from: usize) -> BulkKey {
    (
        AccountId(row.get(from)),
        BulkNo(from_int4(row.get(from + 1))),
    )
}

/// What the recipients of a bulk add up to.
#[derive(Default)]
struct Sums {
    recipients: u64,
    states: [u32; State::ALL.len()],
    reached: i64,
    reserved: i64,
    charged: i64,
    refunded: i64,
    odd_parts: u64,
    slices: SliceCounts,
}

impl Sums {
    /// Adds `count` recipients that stand alike.
    fn add(&mut self, slice: (u32, u8), progress: &Progress, basis: RefundBasis, count: u32) {
        let times = i64::from(count);
        let state = progress.state;
        self.recipients += u64::from(count);
        self.states[state as usize] += count;
        if !progress.accepted.is_empty() {
            self.reached += times;
        }
        self.reserved += progress.reserved().0 * times;
        let accepted = progress.unit_price.0 * i64::from(progress.accepted.len()) * times;
        self.charged += accepted;
        let at_delivery = basis == RefundBasis::Delivery;
        if at_delivery && state.is_final() && state != State::Delivered {
            self.refunded += accepted;
        }
        let is_out = state == State::Attempted;
        if progress.outstanding.is_empty() == is_out {
            self.odd_parts += u64::from(count);
        }
        match state {
            State::Waiting => self.slices.entry(slice).or_default().0 += times,
            State::Attempted => self.slices.entry(slice).or_default().1 += times,
            _ => {}
        }
    }
}

type SumsByBulk = BTreeMap<BulkKey, Sums>;

/// Adds rows of [`ALIKE`]. Recipients of a bulk that is not in `basis` are left out.
fn add_all(
    sums: &mut SumsByBulk,
    rows: &[Row],
    basis: &BTreeMap<BulkKey, RefundBasis>,
) -> Result<(), DbError> {
    for row in rows {
        let key = key(row, 11);
        let Some(basis) = basis.get(&key) else {
            continue;
        };
        let slice = (from_int4(row.get(13)), code(row.get(14))?);
        let count = u32::try_from(row.get::<_, i64>(15)).unwrap_or(u32::MAX);
        let sums = sums.entry(key).or_default();
        sums.add(slice, &progress(row, 0)?, *basis, count);
    }
    Ok(())
}

async fn sums_between(
    tx: &Tx,
    first: BulkKey,
    last: BulkKey,
    basis: &BTreeMap<BulkKey, RefundBasis>,
) -> Result<SumsByBulk, DbError> {
    let sql = format!(
        "{ALIKE} WHERE (r.account_id, r.bulk_no) >= ($2, $3)
         AND (r.account_id, r.bulk_no) <= ($4, $5) {GROUPED}"
    );
    let params: [Param<'_>; 5] = [
        &int4(SLICE_RECIPIENTS),
        &first.0.0,
        &bulk_no(first),
        &last.0.0,
        &bulk_no(last),
    ];
    let mut sums = SumsByBulk::default();
    add_all(&mut sums, &tx.query(&sql, &params).await?, basis)?;
    Ok(sums)
}

/// A bulk with more recipients than one read should hold, one part of it after the other.
async fn sums_of_large(
    tx: &Tx,
    key: BulkKey,
    bulk: &BulkRow,
    basis: &BTreeMap<BulkKey, RefundBasis>,
) -> Result<SumsByBulk, DbError> {
    let sql = format!(
        "{ALIKE} WHERE r.account_id = $2 AND r.bulk_no = $3 AND r.seq >= $4 AND r.seq < $5
         {GROUPED}"
    );
    let mut sums = SumsByBulk::default();
    let mut from = 0;
    while from < i32::MAX {
        // What is beyond the last one that the bulk knows of comes with the last part.
        let is_last = from_int4(from).saturating_add(RECIPIENTS_PER_READ) >= bulk.next_seq;
        let until = if is_last {
            i32::MAX
        } else {
            from + int4(RECIPIENTS_PER_READ)
        };
        let slice = int4(SLICE_RECIPIENTS);
        let params: [Param<'_>; 5] = [&slice, &key.0.0, &bulk_no(key), &from, &until];
        add_all(&mut sums, &tx.query(&sql, &params).await?, basis)?;
        from = until;
    }
    Ok(sums)
}

async fn slices_between(
    tx: &Tx,
    first: BulkKey,
    last: BulkKey,
) -> Result<BTreeMap<BulkKey, SliceCounts>, DbError> {
    let params: [Param<'_>; 4] = [&first.0.0, &bulk_no(first), &last.0.0, &bulk_no(last)];
    let rows = tx
        .query(
            "SELECT account_id, bulk_no, slice_no, operator, waiting, attempted FROM slice
             WHERE (account_id, bulk_no) >= ($1, $2) AND (account_id, bulk_no) <= ($3, $4)",
            &params,
        )
        .await?;
    let mut slices: BTreeMap<BulkKey, SliceCounts> = BTreeMap::new();
    for row in &rows {
        let slice = (from_int4(row.get(2)), code(row.get(3))?);
        let counts: (i32, i32) = (row.get(4), row.get(5));
        let of_bulk = slices.entry(key(row, 0)).or_default();
        of_bulk.insert(slice, (counts.0.into(), counts.1.into()));
    }
    Ok(slices)
}

fn check_bulk(
    key: BulkKey,
    bulk: &BulkRow,
    sums: &Sums,
    slices: &SliceCounts,
    findings: &mut Findings,
) {
    let name = format!("account {}, bulk {}", key.0, key.1);
    let written = u64::from(bulk.next_seq);
    findings.expect(sums.recipients == written, "bulk-recipients", || {
        format!(
            "{name}: {} recipients, {written} were written",
            sums.recipients
        )
    });
    let attempted = sums.states[State::Attempted as usize];
    let counts = bulk.counts.report(attempted.into());
    findings.expect(counts.0 == sums.states, "bulk-counts", || {
        format!(
            "{name}: counted {:?}, there are {:?}",
            counts.0, sums.states
        )
    });
    let reached = bulk.reached;
    findings.expect(reached == sums.reached, "bulk-counts", || {
        format!(
            "{name}: {reached} counted as reached, there are {}",
            sums.reached
        )
    });
    check_money(&name, bulk, sums, findings);
    findings.expect(sums.odd_parts == 0, "outstanding", || {
        format!(
            "{name}: {} recipients await answers that cannot be",
            sums.odd_parts
        )
    });
    let is_watched = bulk.sweep_at.is_some() || bulk.counts.open() == 0;
    findings.expect(is_watched, "sweep", || {
        format!("{name}: no sweep will look at it")
    });
    findings.expect(*slices == sums.slices, "slices", || {
        let odd = sums
            .slices
            .iter()
            .find(|(slice, counts)| slices.get(slice) != Some(counts));
        let odd = odd.or_else(|| {
            slices
                .iter()
                .find(|(slice, _)| !sums.slices.contains_key(slice))
        });
        format!("{name}: (slice, operator) → (waiting, attempted) is wrong near {odd:?}")
    });
}

/// The price is what is reserved still, what was charged and what was released, and nothing else.
fn check_money(name: &str, bulk: &BulkRow, sums: &Sums, findings: &mut Findings) {
    let released = bulk.returned.0 - sums.refunded;
    let whole = sums.reserved + sums.charged + released;
    findings.expect(bulk.price.0 == whole && released >= 0, "bulk-money", || {
        format!(
            "{name}: the price is {}, but {} are reserved, {} charged, {released} released",
            bulk.price, sums.reserved, sums.charged
        )
    });
}
