//! The slices of one account in one lane, and the recipients that are taken from them.

use crate::error::DbError;
use crate::listed::RecentlyListed;
use crate::rows::{Claims, NEVER, RecipientRow, address, progress, unpack_terms};
use crate::work::{SliceKey, SliceRow, save_slice};
use domain::ids::{AccountId, BulkNo, LinkId, OperatorId, RecipientKey, Seq};
use domain::line::Terms;
use domain::msisdn::Msisdn;
use domain::reason::Reason;
use domain::recipient::Address;
use domain::status::Event;
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use store::{ClaimedMessage, Lane, SLICE_RECIPIENTS};

/// Slices that are read from the index at once.
const SLICES_READ: usize = 32;

/// Slices past their validity that one command takes out of the queue.
const EXPIRED_PER_COMMAND_MAX: u32 = 2_000;

/// Octets of texts that are kept between claims.
const TEXT_BYTES_MAX: usize = 4 << 20;

/// Pause of a slice whose counters and recipients do not agree, in milliseconds: neither lost nor
/// looked at over and over. `check` reports it.
const DISAGREEING_PAUSE_MILLIS: i64 = 60_000;

/// What of a bulk a message needs. None of it ever changes.
#[derive(Clone)]
pub(crate) struct BulkText {
    text: Arc<str>,
    reference_bits: ReferenceBits,
    terms: Terms,
    expires_at: Option<UnixMillis>,
}

/// Texts of the bulks that were claimed last.
#[derive(Default)]
pub(crate) struct Texts {
    known: HashMap<(i64, u32), BulkText>,
    order: VecDeque<(i64, u32)>,
    bytes: usize,
}

impl Texts {
    fn keep(&mut self, key: (i64, u32), bulk: &BulkText) {
        if self.known.insert(key, bulk.clone()).is_none() {
            self.order.push_back(key);
            self.bytes += bulk.text.len();
        }
        while self.bytes > TEXT_BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(gone) = self.known.remove(&oldest) {
                self.bytes -= gone.text.len();
            }
        }
    }
}

/// The statements of a claim, prepared once.
pub(crate) struct Reader<'c> {
    conn: &'c Connection,
    now: UnixMillis,
    expired_left: u32,
    slices: CachedStatement<'c>,
    waiting: CachedStatement<'c>,
    bulk: CachedStatement<'c>,
    claims: Claims<'c>,
    /// Waiting recipients who came onto a blacklist: to be left out when the claim is written.
    pub(crate) listed: Vec<(RecipientKey, Reason)>,
    /// Who may be one of them; lent by the writer's memory for the time of the claim.
    pub(crate) recent: RecentlyListed,
}

impl<'c> Reader<'c> {
    pub(crate) fn new(
        conn: &'c Connection,
        now: UnixMillis,
        recent: RecentlyListed,
    ) -> Result<Self, DbError> {
        Ok(Self {
            conn,
            now,
            expired_left: EXPIRED_PER_COMMAND_MAX,
            slices: conn.prepare_cached(
                "SELECT bulk_no, slice_no, due_at, waiting, attempted, first_seq
                 FROM slice INDEXED BY slice_claimable
                 WHERE line_id = ?1 AND operator = ?2 AND urgent = ?3 AND account_id = ?4
                 AND waiting > 0 AND due_at < 9223372036854775807
                 AND (due_at, bulk_no, slice_no) > (?5, ?6, ?7) AND due_at <= ?8
                 ORDER BY due_at, bulk_no, slice_no LIMIT ?9",
            )?,
            waiting: conn.prepare_cached(
                "SELECT seq, number, text, state, reason, detail, parts, unit_price, attempts,
                 outstanding, accepted, delivered, failed, not_before
                 FROM recipient WHERE account_id = ?1 AND bulk_no = ?2 AND seq >= ?3 AND seq < ?4
                 AND state = 0 AND operator = ?5 ORDER BY seq",
            )?,
            bulk: conn.prepare_cached(
                "SELECT terms, expires_at, text FROM bulk WHERE account_id = ?1 AND bulk_no = ?2",
            )?,
            claims: Claims::new(conn)?,
            listed: Vec::new(),
            recent,
        })
    }

    /// True when the search met so much that has run out that this command must end.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.expired_left == 0
    }

    fn text(
        &mut self,
        texts: &mut Texts,
        key: (i64, u32),
        keep: bool,
    ) -> Result<BulkText, DbError> {
        if let Some(known) = texts.known.get(&key) {
            return Ok(known.clone());
        }
        let bulk = self
            .bulk
            .query_row(params![key.0, key.1], |row| {
                let (terms, reference_bits) = unpack_terms(row.get(0)?);
                let expires_at = row.get::<_, Option<i64>>(1)?.map(UnixMillis);
                let text = Arc::from(row.get_ref(2)?.as_str()?);
                Ok(BulkText {
                    text,
                    reference_bits,
                    terms,
                    expires_at,
                })
            })
            .optional()?
            .ok_or_else(|| DbError::Row(format!("slices of bulk {} have no bulk", key.1)))?;
        if keep {
            texts.keep(key, &bulk);
        }
        Ok(bulk)
    }
}

struct Slice {
    key: SliceKey,
    row: SliceRow,
    /// Where to read on.
    next_seq: u32,
    /// Of those passed over since their time has not come: the first place, the earliest time.
    passed: Option<(u32, i64)>,
}

struct Candidate {
    key: RecipientKey,
    to: Msisdn,
    text: Option<Arc<str>>,
    row: RecipientRow,
}

/// The slices of one account in one lane, as far as they were read.
pub(crate) struct AccountQueue {
    lane: Lane,
    urgent: bool,
    account: i64,
    ready: VecDeque<Slice>,
    /// Touched, and to be written at the end.
    done: Vec<Slice>,
    /// The last one read from the index: due time, bulk, slice.
    last: (i64, u32, u32),
    at_end: bool,
}

impl AccountQueue {
    pub(crate) fn new(lane: Lane, urgent: bool, account: i64) -> Self {
        let last = (i64::MIN, 0, 0);
        let (ready, done) = (VecDeque::new(), Vec::new());
        Self {
            lane,
            urgent,
            account,
            ready,
            done,
            last,
            at_end: false,
        }
    }

    /// Claims messages of at most `parts_max` parts (the last one may go over); says how many
    /// parts. Less than `parts_max` means that nothing more is due.
    pub(crate) fn take(
        &mut self,
        reader: &mut Reader<'_>,
        texts: &mut Texts,
        link: LinkId,
        parts_max: u32,
        messages: &mut Vec<ClaimedMessage>,
    ) -> Result<u32, DbError> {
        let mut taken = 0;
        while taken < parts_max && !reader.is_cut_short() {
            if self.ready.is_empty() {
                self.read_slices(reader)?;
            }
            let Some(slice) = self.ready.front_mut() else {
                break;
            };
            let bulk = reader.text(texts, (slice.key.0, slice.key.1), !self.urgent)?;
            let mut used_up = true;
            if bulk.expires_at.is_some_and(|at| at < reader.now) {
                // Nothing of it may leave any more; the sweep ends what waits.
                slice.row.due_at = NEVER;
                reader.expired_left -= 1;
            } else {
                let (parts, at_end) = take_slice(
                    slice,
                    reader,
                    &bulk,
                    self.lane,
                    link,
                    parts_max - taken,
                    messages,
                )?;
                taken += parts;
                used_up = at_end;
            }
            if used_up {
                self.done.extend(self.ready.pop_front());
            }
        }
        Ok(taken)
    }

    /// True when nothing more of it is due.
    pub(crate) fn is_used_up(&self) -> bool {
        self.at_end && self.ready.is_empty()
    }

    fn read_slices(&mut self, reader: &mut Reader<'_>) -> Result<(), DbError> {
        if self.at_end {
            return Ok(());
        }
        let mut rows = reader.slices.query(params![
            self.lane.line.0,
            self.lane.operator.0,
            self.urgent,
            self.account,
            self.last.0,
            self.last.1,
            self.last.2,
            reader.now.0,
            SLICES_READ as i64,
        ])?;
        while let Some(row) = rows.next()? {
            let (bulk, place) = (row.get(0)?, row.get(1)?);
            let first_seq = row.get(5)?;
            let row = SliceRow {
                due_at: row.get(2)?,
                waiting: row.get(3)?,
                attempted: row.get(4)?,
                first_seq,
            };
            self.last = (row.due_at, bulk, place);
            let key = (self.account, bulk, place, self.lane.operator.0);
            self.ready.push_back(Slice {
                key,
                row,
                next_seq: first_seq,
                passed: None,
            });
        }
        self.at_end = self.ready.len() < SLICES_READ;
        Ok(())
    }

    /// Writes the slices that were touched.
    pub(crate) fn save(mut self, conn: &Connection) -> Result<(), DbError> {
        let first = self.ready.pop_front();
        for slice in self.done.into_iter().chain(first) {
            save_slice(conn, slice.key, &slice.row)?;
        }
        Ok(())
    }
}

/// Claims from one slice; says how many parts, and whether its end was reached.
fn take_slice(
    slice: &mut Slice,
    reader: &mut Reader<'_>,
    bulk: &BulkText,
    lane: Lane,
    link: LinkId,
    parts_max: u32,
    messages: &mut Vec<ClaimedMessage>,
) -> Result<(u32, bool), DbError> {
    let (candidates, at_end) = candidates(slice, reader, parts_max)?;
    let mut taken = 0;
    for candidate in candidates {
        let Candidate { key, to, text, row } = candidate;
        if row.progress.accepted.is_empty()
            && let Some(list) = reader.recent.list_of(reader.conn, lane.line, to)?
        {
            let (first, earliest) = slice.passed.unwrap_or((key.seq.0, NEVER));
            slice.passed = Some((first.min(key.seq.0), earliest.min(reader.now.0)));
            reader.listed.push((key, list.reason()));
            // Counted like what has run out, so that no command ends too many.
            reader.expired_left = reader.expired_left.saturating_sub(1);
            continue;
        }
        let decision = row.progress.apply(Event::Claimed, &bulk.terms, reader.now);
        let progress = decision.progress;
        reader.claims.write(key, &progress, link)?;
        slice.row.waiting -= 1;
        slice.row.attempted += 1;
        taken += progress.outstanding.len();
        messages.push(ClaimedMessage {
            link,
            lane,
            key,
            to,
            outstanding: progress.outstanding,
            parts: progress.parts,
            text: text.unwrap_or_else(|| Arc::clone(&bulk.text)),
            reference_bits: bulk.reference_bits,
            expires_at: bulk.expires_at,
        });
    }
    slice.row.first_seq = slice.passed.map_or(slice.next_seq, |(seq, _)| seq);
    if at_end && slice.row.waiting > 0 {
        slice.row.due_at = match slice.passed {
            Some((_, at)) => at,
            None => {
                let (_, bulk, place, _) = slice.key;
                tracing::error!(
                    bulk,
                    place,
                    "a slice counts more waiting recipients than it has"
                );
                slice.row.first_seq = place * SLICE_RECIPIENTS;
                reader.now.plus_millis(DISAGREEING_PAUSE_MILLIS).0
            }
        };
    }
    Ok((taken, at_end))
}

/// Reads waiting recipients until their parts reach `parts_max` or the slice ends.
fn candidates(
    slice: &mut Slice,
    reader: &mut Reader<'_>,
    parts_max: u32,
) -> Result<(Vec<Candidate>, bool), DbError> {
    let (account, bulk, place, operator) = slice.key;
    let end = (i64::from(place) + 1) * i64::from(SLICE_RECIPIENTS);
    let mut found = Vec::new();
    let mut parts = 0;
    let mut met = 0;
    let mut rows = reader
        .waiting
        .query(params![account, bulk, slice.next_seq, end, operator])?;
    while parts < parts_max {
        let Some(row) = rows.next()? else {
            return Ok((found, true));
        };
        let seq: u32 = row.get(0)?;
        slice.next_seq = seq + 1;
        met += 1;
        let progress = progress(row, 3)?;
        if let Some(at) = progress.not_before.filter(|at| *at > reader.now) {
            let (first, earliest) = slice.passed.unwrap_or((seq, NEVER));
            slice.passed = Some((first, earliest.min(at.0)));
            continue;
        }
        parts += u32::from(progress.parts) - progress.accepted.len();
        found.push(Candidate {
            key: RecipientKey {
                account: AccountId(account),
                bulk: BulkNo(bulk),
                seq: Seq(seq),
            },
            to: mobile(row.get_ref(1)?)?,
            text: row
                .get_ref(2)?
                .as_str_or_null()
                .map_err(rusqlite::Error::from)?
                .map(Arc::from),
            row: RecipientRow {
                operator: OperatorId(operator),
                progress,
            },
        });
        // The slice's counter spares reading its remaining rows in search of one more.
        if met >= slice.row.waiting && slice.passed.is_none() {
            return Ok((found, true));
        }
    }
    Ok((found, false))
}

fn mobile(number: ValueRef<'_>) -> Result<Msisdn, DbError> {
    match address(number)? {
        Address::Mobile(number) => Ok(number),
        Address::Invalid(_) | Address::Masked(_) => {
            Err(DbError::Row("a waiting number is no mobile number".into()))
        }
    }
}
