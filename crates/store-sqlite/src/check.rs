//! Checks the invariants on a live store. Each piece is one short read of its own, in which
//! everything that is compared belongs to the same state; memory does not grow with the store.

use crate::approval;
use crate::error::DbError;
use crate::phonebooks;
use crate::reader::snapshot;
use crate::resellers_check;
use crate::rows::{BulkKey, BulkRow, bulk_row, progress, stage};
use crate::statistics;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use domain::ledger::{Balance, EntryKind};
use domain::line::RefundBasis;
use domain::money::Rials;
use domain::status::{Progress, State};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use store::adapter::states_of;
use store::{ApprovalState, Finding, SLICE_RECIPIENTS};

/// Findings after which the check stops: a store with so many needs a person, not a longer list.
const FINDINGS_MAX: usize = 1_000;

/// Recipients that one read goes through, but for a bulk that has more.
const RECIPIENTS_PER_READ: u64 = 50_000;

/// Rows of the receipt map and of slices that one read goes through.
const ROWS_PER_READ: i64 = 50_000;

/// Checks the whole store.
pub(crate) fn check(conn: &Connection) -> Result<Vec<Finding>, DbError> {
    let mut findings = Findings::default();
    check_accounts(conn, &mut findings)?;
    check_bulks(conn, &mut findings)?;
    check_receipt_map(conn, &mut findings)?;
    check_slices(conn, &mut findings)?;
    findings.0.extend(snapshot(conn, crate::patterns::check)?);
    findings.0.extend(snapshot(conn, crate::inbox::check)?);
    findings.0.extend(snapshot(conn, crate::console::check)?);
    for found in phonebooks::check(conn, FINDINGS_MAX)? {
        findings.expect(false, found.rule, || found.what);
    }
    check_approvals(conn, &mut findings)?;
    Ok(findings.0)
}

#[derive(Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn expect(
        &mut self,
        holds: bool,
        rule: &'static str,
        what: impl FnOnce() -> String,
    ) {
        if !holds && self.0.len() < FINDINGS_MAX {
            self.0.push(Finding { rule, what: what() });
        }
    }

    fn are_enough(&self) -> bool {
        self.0.len() >= FINDINGS_MAX
    }
}

fn check_accounts(conn: &Connection, findings: &mut Findings) -> Result<(), DbError> {
    let mut after = i64::MIN;
    while !findings.are_enough() {
        let next = conn
            .prepare_cached("SELECT id FROM account WHERE id > ?1 ORDER BY id LIMIT 1")?
            .query_row([after], |row| row.get(0))
            .optional()?;
        let Some(id) = next else { break };
        after = id;
        snapshot(conn, |conn| {
            check_balance(conn, AccountId(id), findings)?;
            check_reserved(conn, AccountId(id), findings)?;
            check_entries_of_bulks(conn, AccountId(id), findings)?;
            check_statistics(conn, AccountId(id), findings)?;
            resellers_check::check_transfers(conn, AccountId(id), findings)?;
            crate::tickets::check_tickets(conn, AccountId(id), findings)?;
            resellers_check::check_place(conn, AccountId(id), findings)
        })?;
    }
    Ok(())
}

fn check_balance(conn: &Connection, id: AccountId, findings: &mut Findings) -> Result<(), DbError> {
    let (balance, next): (Balance, i64) = conn
        .prepare_cached("SELECT credit, reserved, next_entry_no FROM account WHERE id = ?1")?
        .query_row([id.0], |row| {
            let balance = Balance {
                credit: Rials(row.get(0)?),
                reserved: Rials(row.get(1)?),
            };
            Ok((balance, row.get(2)?))
        })?;
    let mut statement = conn.prepare_cached(
        "SELECT kind, sum(amount), count(*), min(no), max(no) FROM ledger_entry
         WHERE account_id = ?1 GROUP BY kind",
    )?;
    let mut rows = statement.query([id.0])?;
    let (mut sum, mut count, mut first, mut last) = (Balance::default(), 0, i64::MAX, 0);
    while let Some(row) = rows.next()? {
        let after = EntryKind::from_code(row.get(0)?)
            .and_then(|kind| sum.after(kind, Rials(row.get(1).ok()?)));
        findings.expect(after.is_some(), "balance", || {
            format!("account {id}: entries of an unknown kind, or a sum out of its range")
        });
        sum = after.unwrap_or(sum);
        count += row.get::<_, i64>(2)?;
        first = first.min(row.get(3)?);
        last = last.max(row.get(4)?);
    }
    findings.expect(sum == balance, "balance", || {
        format!("account {id}: the balance is {balance:?}, the sum of its entries {sum:?}")
    });
    let complete = next == last + 1 && count == last && (count == 0 || first == 1);
    findings.expect(complete, "entries", || {
        format!("account {id}: {count} entries from {first} to {last}, the next would be {next}")
    });
    Ok(())
}

/// Reserved is what may still be charged, and nothing else.
fn check_reserved(
    conn: &Connection,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT r.state, r.reason, r.detail, r.parts, r.unit_price, r.attempts, r.outstanding,
         r.accepted, r.delivered, r.failed, r.not_before
         FROM bulk b JOIN recipient r ON r.account_id = b.account_id AND r.bulk_no = b.bulk_no
         WHERE b.account_id = ?1 AND b.unsent + b.submitted + b.held > 0",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut open = 0;
    while let Some(row) = rows.next()? {
        open += progress(row, 0)?.reserved().0;
    }
    let reserved: i64 = conn
        .prepare_cached("SELECT reserved FROM account WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    findings.expect(reserved == open, "reserved", || {
        format!("account {id}: {reserved} rials are reserved, its recipients may yet cost {open}")
    });
    Ok(())
}

/// Statistics count each recipient of each bulk where it stands.
fn check_statistics(
    conn: &Connection,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let counted = statistics::total(conn, id)?;
    // Bulks count their recipients themselves, which is checked with them.
    let of_bulks: [i64; 5] = conn
        .prepare_cached(
            "SELECT coalesce(sum(unsent), 0), coalesce(sum(submitted + held), 0),
             coalesce(sum(delivered), 0), coalesce(sum(failed), 0),
             coalesce(sum(discarded + cancelled + unreported), 0)
             FROM bulk WHERE account_id = ?1",
        )?
        .query_row([id.0], |row| {
            let mut sums = [0; 5];
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = row.get(at)?;
            }
            Ok(sums)
        })?;
    let of_statistics = states_of(&counted);
    findings.expect(of_statistics == of_bulks, "statistics", || {
        format!(
            "account {id}: (unsent, submitted, delivered, failed, other) are counted as \
             {of_statistics:?}, its bulks have {of_bulks:?}"
        )
    });
    Ok(())
}

fn check_entries_of_bulks(
    conn: &Connection,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT e.bulk_no, e.reserved, e.returned, b.price, b.returned FROM (
             SELECT bulk_no, sum(CASE kind WHEN 1 THEN amount ELSE 0 END) AS reserved,
                 sum(CASE WHEN kind IN (3, 4) THEN amount ELSE 0 END) AS returned
             FROM ledger_entry WHERE account_id = ?1 AND bulk_no IS NOT NULL GROUP BY bulk_no
         ) e LEFT JOIN bulk b ON b.account_id = ?1 AND b.bulk_no = e.bulk_no
         WHERE b.price IS NOT e.reserved OR b.returned IS NOT e.returned",
    )?;
    let mut rows = statement.query([id.0])?;
    while let Some(row) = rows.next()? {
        let bulk: i64 = row.get(0)?;
        let entries: (i64, i64) = (row.get(1)?, row.get(2)?);
        let of_bulk: (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        findings.expect(false, "bulk-entries", || {
            format!(
                "account {id}, bulk {bulk}: entries say (reserved, returned) {entries:?}, \
                 the bulk {of_bulk:?}"
            )
        });
    }
    Ok(())
}

fn check_bulks(conn: &Connection, findings: &mut Findings) -> Result<(), DbError> {
    let mut after = (i64::MIN, 0);
    let mut more = true;
    while more && !findings.are_enough() {
        more = snapshot(conn, |conn| {
            let mut seen = 0;
            while seen < RECIPIENTS_PER_READ {
                let Some((key, row)) = next_bulk(conn, after)? else {
                    return Ok(false);
                };
                after = (key.0.0, key.1.0);
                // One more for the bulk itself, so that empty ones count too.
                seen += 1 + check_bulk(conn, key, &row, findings)?;
            }
            Ok(true)
        })?;
    }
    Ok(())
}

fn next_bulk(conn: &Connection, after: (i64, u32)) -> Result<Option<(BulkKey, BulkRow)>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT line_id, stage, terms, report_seconds, urgent, accepted_at, due_at, expires_at,
         next_seq, price, returned, reached, unsent, submitted, held, delivered, failed, discarded,
         cancelled, unreported, last_submit_at, sweep_at, sweep_seq, account_id, bulk_no
         FROM bulk WHERE (account_id, bulk_no) > (?1, ?2) ORDER BY account_id, bulk_no LIMIT 1",
    )?;
    let mut rows = statement.query(params![after.0, after.1])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let key = (AccountId(row.get(23)?), BulkNo(row.get(24)?));
    Ok(Some((key, bulk_row(row)?)))
}

/// (slice, operator) → (waiting, attempted).
type SliceCounts = BTreeMap<(u32, u8), (i64, i64)>;

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
    fn add(&mut self, seq: u32, operator: u8, progress: &Progress, basis: RefundBasis) {
        self.recipients += 1;
        self.states[progress.state as usize] += 1;
        self.reached += i64::from(!progress.accepted.is_empty());
        self.reserved += progress.reserved().0;
        let accepted = progress.unit_price.0 * i64::from(progress.accepted.len());
        self.charged += accepted;
        let (state, at_delivery) = (progress.state, basis == RefundBasis::Delivery);
        if at_delivery && state.is_final() && state != State::Delivered {
            self.refunded += accepted;
        }
        let is_out = state == State::Attempted;
        self.odd_parts += u64::from(progress.outstanding.is_empty() == is_out);
        let slice = (seq / SLICE_RECIPIENTS, operator);
        match state {
            State::Waiting => self.slices.entry(slice).or_default().0 += 1,
            State::Attempted => self.slices.entry(slice).or_default().1 += 1,
            _ => {}
        }
    }
}

fn sum_up(conn: &Connection, key: BulkKey, bulk: &BulkRow) -> Result<Sums, DbError> {
    let mut sums = Sums::default();
    let mut statement = conn.prepare_cached(
        "SELECT seq, operator, state, reason, detail, parts, unit_price, attempts, outstanding,
         accepted, delivered, failed, not_before FROM recipient
         WHERE account_id = ?1 AND bulk_no = ?2",
    )?;
    let mut rows = statement.query(params![key.0.0, key.1.0])?;
    while let Some(row) = rows.next()? {
        sums.add(
            row.get(0)?,
            row.get(1)?,
            &progress(row, 2)?,
            bulk.terms.refund_basis,
        );
    }
    Ok(sums)
}

fn check_bulk(
    conn: &Connection,
    key: BulkKey,
    bulk: &BulkRow,
    findings: &mut Findings,
) -> Result<u64, DbError> {
    let sums = sum_up(conn, key, bulk)?;
    let name = || format!("account {}, bulk {}", key.0, key.1);
    findings.expect(
        sums.recipients == u64::from(bulk.next_seq),
        "bulk-recipients",
        || {
            format!(
                "{}: {} recipients, {} were written",
                name(),
                sums.recipients,
                bulk.next_seq
            )
        },
    );
    let counts = bulk
        .counts
        .report(i64::from(sums.states[State::Attempted as usize]));
    findings.expect(counts.0 == sums.states, "bulk-counts", || {
        format!(
            "{}: counted {:?}, there are {:?}",
            name(),
            counts.0,
            sums.states
        )
    });
    findings.expect(bulk.reached == sums.reached, "bulk-counts", || {
        format!(
            "{}: {} counted as reached, there are {}",
            name(),
            bulk.reached,
            sums.reached
        )
    });
    check_money(key, bulk, &sums, findings);
    findings.expect(sums.odd_parts == 0, "outstanding", || {
        format!(
            "{}: {} recipients await answers that cannot be",
            name(),
            sums.odd_parts
        )
    });
    let is_watched = bulk.sweep_at.is_some() || bulk.counts.open() == 0;
    findings.expect(is_watched, "sweep", || {
        format!("{}: no sweep will look at it", name())
    });
    check_asked(conn, key, bulk, findings)?;
    let slices = slices_of(conn, key)?;
    findings.expect(slices == sums.slices, "slices", || {
        let odd = sums
            .slices
            .iter()
            .find(|(slice, counts)| slices.get(slice) != Some(counts));
        let odd = odd.or_else(|| {
            slices
                .iter()
                .find(|(slice, _)| !sums.slices.contains_key(slice))
        });
        format!(
            "{}: (slice, operator) → (waiting, attempted) is wrong near {odd:?}",
            name()
        )
    });
    Ok(sums.recipients)
}

/// The price is what is reserved still, what was charged and what was released, and nothing else.
fn check_money(key: BulkKey, bulk: &BulkRow, sums: &Sums, findings: &mut Findings) {
    let released = bulk.returned.0 - sums.refunded;
    let whole = sums.reserved + sums.charged + released;
    findings.expect(bulk.price.0 == whole && released >= 0, "bulk-money", || {
        format!(
            "account {}, bulk {}: the price is {}, but {} are reserved, {} charged, {released} released",
            key.0,
            key.1,
            bulk.price,
            sums.reserved,
            sums.charged
        )
    });
}

fn slices_of(conn: &Connection, key: BulkKey) -> Result<SliceCounts, DbError> {
    let slices = conn
        .prepare_cached(
            "SELECT slice_no, operator, waiting, attempted FROM slice
             WHERE account_id = ?1 AND bulk_no = ?2",
        )?
        .query_map(params![key.0.0, key.1.0], |row| {
            Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)))
        })?
        .collect::<Result<_, _>>()?;
    Ok(slices)
}

/// Every message id leads to a recipient.
fn check_receipt_map(conn: &Connection, findings: &mut Findings) -> Result<(), DbError> {
    let mut after: (i64, Vec<u8>) = (i64::MIN, Vec::new());
    loop {
        let mut statement = conn.prepare_cached(
            "SELECT link_id, message_id, account_id, bulk_no, seq,
             EXISTS (SELECT 1 FROM recipient r WHERE r.account_id = m.account_id
                 AND r.bulk_no = m.bulk_no AND r.seq = m.seq)
             FROM receipt_map m WHERE (link_id, message_id) > (?1, ?2)
             ORDER BY link_id, message_id LIMIT ?3",
        )?;
        let mut rows = statement.query(params![after.0, after.1, ROWS_PER_READ])?;
        let mut seen = 0;
        let mut last = None;
        while let Some(row) = rows.next()? {
            seen += 1;
            if !row.get::<_, bool>(5)? {
                let (link, account): (i64, i64) = (row.get(0)?, row.get(2)?);
                let (bulk, seq): (i64, i64) = (row.get(3)?, row.get(4)?);
                findings.expect(false, "receipt-map", || {
                    format!("link {link}: an id leads to account {account}, bulk {bulk}, seq {seq}, which is not there")
                });
            }
            if seen == ROWS_PER_READ {
                last = Some((row.get(0)?, row.get(1)?));
            }
        }
        match last {
            Some(last) if !findings.are_enough() => after = last,
            _ => return Ok(()),
        }
    }
}

/// Somebody is asked about a bulk that waits for it.
fn check_asked(
    conn: &Connection,
    key: BulkKey,
    bulk: &BulkRow,
    findings: &mut Findings,
) -> Result<(), DbError> {
    if bulk.stage != BulkStage::AwaitingApproval {
        return Ok(());
    }
    let asked = approval::load(conn, key)?.map(|approval| approval.state);
    findings.expect(asked == Some(ApprovalState::Waiting), "approval", || {
        let (account, bulk) = key;
        format!("account {account}, bulk {bulk}: nobody is asked for the approval it waits for")
    });
    Ok(())
}

/// Nobody is asked about a bulk that does not wait for it.
fn check_approvals(conn: &Connection, findings: &mut Findings) -> Result<(), DbError> {
    for key in approval::disagreements(conn, FINDINGS_MAX as u32)? {
        findings.expect(false, "approval", || {
            let (account, bulk) = key;
            format!("account {account}, bulk {bulk}: an approval is asked for, but it does not wait for one")
        });
    }
    Ok(())
}

/// Slices belong to bulks, and only those of acknowledged ones can be claimed.
fn check_slices(conn: &Connection, findings: &mut Findings) -> Result<(), DbError> {
    let mut after: (i64, i64, i64, i64) = (i64::MIN, 0, 0, 0);
    loop {
        let mut statement = conn.prepare_cached(
            "SELECT s.account_id, s.bulk_no, s.slice_no, s.operator,
             s.waiting > 0 AND s.due_at < 9223372036854775807,
             (SELECT stage FROM bulk b WHERE b.account_id = s.account_id AND b.bulk_no = s.bulk_no)
             FROM slice s WHERE (account_id, bulk_no, slice_no, operator) > (?1, ?2, ?3, ?4)
             ORDER BY account_id, bulk_no, slice_no, operator LIMIT ?5",
        )?;
        let mut rows =
            statement.query(params![after.0, after.1, after.2, after.3, ROWS_PER_READ])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            after = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let stage = row.get::<_, Option<u8>>(5)?.map(stage).transpose()?;
            let claimable: bool = row.get(4)?;
            let right = stage.is_some() && (!claimable || stage == Some(BulkStage::Accepted));
            findings.expect(right, "slices", || {
                format!(
                    "account {}, bulk {}: slice {} can be claimed, or has no bulk; stage {stage:?}",
                    after.0, after.1, after.2
                )
            });
        }
        if seen < ROWS_PER_READ || findings.are_enough() {
            return Ok(());
        }
    }
}
