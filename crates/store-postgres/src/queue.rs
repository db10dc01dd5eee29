//! What one account has waiting in one lane, as far as a claim reads it: slices in the order of
//! the index, and the recipients in them.

use crate::db::{OwnedParam, Tx};
use crate::error::DbError;
use crate::listed::RecentlyListed;
use crate::places::{Place, queries};
use crate::rows::{RecipientRow, from_int4, int4, msisdn, progress};
use crate::texts::Texts;
use crate::work::{NOT_DUE, Query, SliceKey, Work, slice_key, slice_row};
use domain::ids::{AccountId, BulkNo, OperatorId, RecipientKey, Seq};
use domain::msisdn::Msisdn;
use domain::reason::Reason;
use domain::text::ReferenceBits;
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use store::adapter::BulkKey;
use store::{Lane, SLICE_RECIPIENTS};
use tokio_postgres::Row;

/// Lane, urgency and account: what waits together.
pub(crate) type QueueKey = (Lane, bool, i64);

/// Slices that are read of an account at once: urgent bulks have one recipient each, mostly.
const SLICES_READ_URGENT: u32 = 1_024;
const SLICES_READ: u32 = 64;
/// And at least, the first time.
const SLICES_READ_FIRST: u32 = 16;

/// Times that a claim asks for more, where what it read may not leave now.
const ROUNDS_MAX: u32 = 24;

/// Recipients that one claim leaves out at most, about, so that it stays within about 50 ms.
const LEFT_OUT_MAX: usize = 2_000;

/// Pause of a slice whose counters and recipients do not agree, in milliseconds: neither lost nor
/// looked at over and over. `check` reports it.
const DISAGREEING_PAUSE_MILLIS: i64 = 60_000;

/// A recipient that may be claimed.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) key: RecipientKey,
    pub(crate) to: Msisdn,
    pub(crate) text: Arc<str>,
    pub(crate) reference_bits: ReferenceBits,
    pub(crate) expires_at: Option<UnixMillis>,
    /// The reason to leave it out, where it came onto a list meanwhile.
    pub(crate) listed: Option<Reason>,
    /// Nothing is to be asked about it: it was, or a part of it was accepted already.
    looked_up: bool,
    parts: u32,
}

impl Candidate {
    fn is_unsure(&self, recent: &RecentlyListed) -> bool {
        !self.looked_up && recent.may_hold(self.to)
    }
}

struct Slice {
    key: SliceKey,
    /// Where to read on.
    next_seq: u32,
    at_end: bool,
    expired: bool,
    touched: bool,
    /// Of those passed over since their time has not come: the first place, the earliest time.
    passed: Option<(u32, i64)>,
}

impl Slice {
    fn pass(&mut self, seq: u32, at: i64) {
        let (first, earliest) = self.passed.unwrap_or((seq, NOT_DUE));
        self.passed = Some((first.min(seq), earliest.min(at)));
    }
}

/// One account's recipients in one lane that may be claimed.
pub(crate) struct AccountQueue {
    wanted: u32,
    slices: Vec<Slice>,
    candidates: VecDeque<Candidate>,
    /// Parts of the candidates.
    parts: u32,
    /// The last slice that was read: due time, bulk, place.
    last: (i64, i32, i32),
    /// Times that slices were read.
    reads: u32,
    /// True when the index has no more slices that are due.
    at_end: bool,
}

impl AccountQueue {
    fn new(wanted: u32) -> Self {
        Self {
            wanted,
            slices: Vec::new(),
            candidates: VecDeque::new(),
            parts: 0,
            last: (i64::MIN, 0, 0),
            reads: 0,
            at_end: false,
        }
    }

    /// True when nothing that was read is left.
    pub(crate) fn is_used_up(&self) -> bool {
        self.candidates.is_empty()
    }

    /// True when something stood before others that turned out to have run out.
    pub(crate) fn hides_others(&self) -> bool {
        self.slices.iter().any(|slice| slice.expired)
    }

    /// Takes the next one.
    pub(crate) fn next(&mut self) -> Option<Candidate> {
        let next = self.candidates.pop_front()?;
        self.slice_of(next.key).touched = true;
        Some(next)
    }

    /// One that was taken stays where it is after all.
    pub(crate) fn leave(&mut self, key: RecipientKey, now: UnixMillis) {
        self.slice_of(key).pass(key.seq.0, now.0);
    }

    fn slice_of(&mut self, key: RecipientKey) -> &mut Slice {
        let (bulk, place) = (key.bulk.0, key.seq.0 / SLICE_RECIPIENTS);
        let at = self
            .slices
            .iter()
            .position(|slice| slice.key.1 == bulk && slice.key.2 == place);
        // Candidates come out of these slices and of no other.
        &mut self.slices[at.unwrap_or(0)]
    }

    /// Whether more has to be read before the claim is decided.
    fn is_short(&self) -> bool {
        let readable = self.slices.iter().any(|slice| !slice.at_end);
        self.parts < self.wanted && (readable || !self.at_end)
    }

    /// Says of each slice from where on it still waits, and until when.
    pub(crate) fn save(mut self, work: &mut Work, now: UnixMillis) {
        let left: BTreeMap<(u32, u32), u32> = self
            .candidates
            .iter()
            .rev()
            .map(|candidate| {
                let seq = candidate.key.seq.0;
                ((candidate.key.bulk.0, seq / SLICE_RECIPIENTS), seq)
            })
            .collect();
        for slice in &mut self.slices {
            let Some(row) = work.slices.get_mut(&slice.key) else {
                continue;
            };
            if slice.expired {
                // Nothing of it may leave any more; the sweep ends what waits.
                row.row.due_at = NOT_DUE;
                row.changed = true;
                continue;
            }
            let untaken = left.get(&(slice.key.1, slice.key.2)).copied();
            if !slice.touched && untaken.is_some() {
                continue;
            }
            let next = untaken.unwrap_or(slice.next_seq);
            row.row.first_seq = slice.passed.map_or(next, |(seq, _)| seq.min(next));
            row.changed = true;
            if untaken.is_none() && slice.at_end && row.row.waiting > 0 {
                row.row.due_at = match slice.passed {
                    Some((_, at)) => at,
                    None => {
                        let (_, bulk, place, _) = slice.key;
                        tracing::error!(
                            bulk,
                            place,
                            "a slice counts more waiting recipients than it has"
                        );
                        row.row.first_seq = place * SLICE_RECIPIENTS;
                        now.plus_millis(DISAGREEING_PAUSE_MILLIS).0
                    }
                };
            }
        }
    }
}

/// Reads what may be claimed, until each queue has as many parts as are wanted of it.
pub(crate) async fn read_queues(
    tx: &Tx,
    work: &mut Work,
    (texts, recent): (&mut Texts, &RecentlyListed),
    wanted: &[(QueueKey, u32)],
    now: UnixMillis,
) -> Result<BTreeMap<QueueKey, AccountQueue>, DbError> {
    let mut queues: BTreeMap<QueueKey, AccountQueue> = wanted
        .iter()
        .map(|(key, parts)| (*key, AccountQueue::new(*parts)))
        .collect();
    texts.shrink();
    let mut left_out = 0;
    for _ in 0..ROUNDS_MAX {
        if !queues.values().any(AccountQueue::is_short) {
            break;
        }
        read_slices(tx, work, &mut queues, now).await?;
        read_bulks(tx, work, texts, &mut queues, now).await?;
        read_recipients(tx, work, texts, &mut queues, now).await?;
        left_out += mark_listed(tx, recent, &mut queues).await?;
        if left_out >= LEFT_OUT_MAX {
            break;
        }
    }
    Ok(queues)
}

/// Marks those who came onto a list that binds their line: they do not count for the claim. Says
/// how many there are now.
async fn mark_listed(
    tx: &Tx,
    recent: &RecentlyListed,
    queues: &mut BTreeMap<QueueKey, AccountQueue>,
) -> Result<usize, DbError> {
    let mut asked = Vec::new();
    for (key, queue) in queues.iter() {
        let unsure = queue.candidates.iter().filter(|one| one.is_unsure(recent));
        asked.extend(unsure.map(|one| (key.0.line, one.to)));
    }
    if asked.is_empty() {
        return Ok(0);
    }
    let mut lists = recent.lists_of(tx, &asked).await?.into_iter();
    let mut marked = 0;
    for queue in queues.values_mut() {
        for one in queue.candidates.iter_mut() {
            if !one.is_unsure(recent) {
                continue;
            }
            one.looked_up = true;
            if let Some(list) = lists.next().flatten() {
                one.listed = Some(list.reason());
                queue.parts = queue.parts.saturating_sub(one.parts);
                marked += 1;
            }
        }
    }
    Ok(marked)
}

/// Reads the next slices of queues that have none left to read in.
async fn read_slices(
    tx: &Tx,
    work: &mut Work,
    queues: &mut BTreeMap<QueueKey, AccountQueue>,
    now: UnixMillis,
) -> Result<(), DbError> {
    let dry = |queue: &AccountQueue| {
        queue.is_short() && !queue.at_end && queue.slices.iter().all(|slice| slice.at_end)
    };
    let asked: Vec<QueueKey> = queues
        .iter()
        .filter(|(_, queue)| dry(queue))
        .map(|(key, _)| *key)
        .collect();
    if asked.is_empty() {
        return Ok(());
    }
    let (query, most) = slices_query(tx, &asked, queues, now).await?;
    let rows = tx.query_all(&[query]).await?.pop().unwrap_or_default();
    let mut met: HashMap<QueueKey, u32> = HashMap::new();
    for row in &rows {
        let at = usize::try_from(row.get::<_, i32>(8)).unwrap_or(usize::MAX);
        let Some((key, queue)) = asked
            .get(at)
            .and_then(|key| Some((*key, queues.get_mut(key)?)))
        else {
            continue;
        };
        *met.entry(key).or_default() += 1;
        let slice = slice_key(row)?;
        let found = slice_row(row, 4);
        queue.last = (found.due_at, int4(slice.1), int4(slice.2));
        queue.slices.push(Slice {
            key: slice,
            next_seq: found.first_seq,
            at_end: false,
            expired: false,
            touched: false,
            passed: None,
        });
        work.add_slice(slice, found);
    }
    for (key, most) in asked.into_iter().zip(most) {
        if let Some(queue) = queues.get_mut(&key) {
            queue.reads += 1;
            queue.at_end = met.get(&key).copied().unwrap_or(0) < most;
        }
    }
    Ok(())
}

async fn slices_query(
    tx: &Tx,
    asked: &[QueueKey],
    queues: &BTreeMap<QueueKey, AccountQueue>,
    now: UnixMillis,
) -> Result<(Query, Vec<u32>), DbError> {
    let statement = tx
        .prepare(
            "SELECT s.account_id, s.bulk_no, s.slice_no, s.operator, s.waiting, s.attempted,
             s.due_at, s.first_seq, v.n
             FROM unnest($1::int4[], $2::int8[], $3::int2[], $4::bool[], $5::int8[], $6::int8[],
             $7::int4[], $8::int4[], $9::int8[])
             AS v (n, line_id, operator, urgent, account_id, due_at, bulk_no, slice_no, most)
             CROSS JOIN LATERAL (SELECT * FROM slice c
               WHERE c.line_id = v.line_id AND c.operator = v.operator AND c.urgent = v.urgent
               AND c.account_id = v.account_id AND c.waiting > 0
               AND c.due_at < 9223372036854775807 AND c.due_at <= $10
               AND (c.due_at, c.bulk_no, c.slice_no) > (v.due_at, v.bulk_no, v.slice_no)
               ORDER BY c.due_at, c.bulk_no, c.slice_no LIMIT v.most) AS s
             ORDER BY v.n, s.due_at, s.bulk_no, s.slice_no",
        )
        .await?;
    let (mut lines, mut operators) = (Vec::new(), Vec::<i16>::new());
    let (mut urgent, mut accounts) = (Vec::new(), Vec::new());
    let (mut due, mut bulks, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let (mut most, mut limits) = (Vec::new(), Vec::<i64>::new());
    for key in asked {
        let queue = queues.get(key);
        let last = queue.map_or((i64::MIN, 0, 0), |queue| queue.last);
        let short = queue.map_or(0, |queue| queue.wanted.saturating_sub(queue.parts));
        lines.push(key.0.line.0);
        operators.push(key.0.operator.0.into());
        urgent.push(key.1);
        accounts.push(key.2);
        due.push(last.0);
        bulks.push(last.1);
        places.push(last.2);
        let read = if key.1 {
            SLICES_READ_URGENT
        } else {
            SLICES_READ
        };
        // More each time: what was read before may all have run out.
        let reads = queue.map_or(0, |queue| queue.reads.min(6));
        let short = short.max(SLICES_READ_FIRST << reads).min(read);
        most.push(short);
        limits.push(short.into());
    }
    let numbers: Vec<i32> = (0..).take(asked.len()).collect();
    let params: Vec<OwnedParam> = vec![
        Box::new(numbers),
        Box::new(lines),
        Box::new(operators),
        Box::new(urgent),
        Box::new(accounts),
        Box::new(due),
        Box::new(bulks),
        Box::new(places),
        Box::new(limits),
        Box::new(now.0),
    ];
    Ok(((statement, params), most))
}

/// Reads the bulks of new slices, and marks what has run out.
async fn read_bulks(
    tx: &Tx,
    work: &mut Work,
    texts: &mut Texts,
    queues: &mut BTreeMap<QueueKey, AccountQueue>,
    now: UnixMillis,
) -> Result<(), DbError> {
    let keys: BTreeSet<BulkKey> = queues
        .values()
        .flat_map(|queue| &queue.slices)
        .map(|slice| (AccountId(slice.key.0), BulkNo(slice.key.1)))
        .filter(|key| work.bulk(*key).is_none())
        .collect();
    texts.read(tx, work, keys).await?;
    for slice in queues.values_mut().flat_map(|queue| &mut queue.slices) {
        let bulk = work.bulk((AccountId(slice.key.0), BulkNo(slice.key.1)));
        if bulk.is_some_and(|bulk| bulk.is_expired(now)) && !slice.touched {
            (slice.expired, slice.at_end) = (true, true);
        }
    }
    Ok(())
}

/// Reads waiting recipients of slices, as many as each queue still wants.
async fn read_recipients(
    tx: &Tx,
    work: &mut Work,
    texts: &Texts,
    queues: &mut BTreeMap<QueueKey, AccountQueue>,
    now: UnixMillis,
) -> Result<(), DbError> {
    let mut asked: Vec<(QueueKey, usize, i64)> = Vec::new();
    for (key, queue) in queues.iter() {
        let mut short = i64::from(queue.wanted.saturating_sub(queue.parts));
        for (at, slice) in queue.slices.iter().enumerate() {
            if short <= 0 {
                break;
            }
            if !slice.at_end {
                asked.push((*key, at, short));
                short -= work.slices.get(&slice.key).map_or(0, |row| row.row.waiting);
            }
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let places: Vec<Place> = asked
        .iter()
        .zip(0..)
        .filter_map(|((key, place, most), n)| {
            let slice = queues.get(key)?.slices.get(*place)?;
            Some(Place::of(n, slice.key, slice.next_seq, *most))
        })
        .collect();
    let answers = tx.query_all(&queries(tx, &places).await?).await?;
    let mut met = vec![0_i64; asked.len()];
    for row in answers.iter().flatten() {
        let at = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
        let Some((key, place, _)) = asked.get(at) else {
            continue;
        };
        met[at] += 1;
        if let Some(queue) = queues.get_mut(key) {
            add_candidate(work, texts, queue, *place, row, now)?;
        }
    }
    for ((key, place, most), met) in asked.into_iter().zip(met) {
        if let Some(queue) = queues.get_mut(&key) {
            queue.slices[place].at_end |= met < most;
        }
    }
    Ok(())
}

fn add_candidate(
    work: &mut Work,
    texts: &Texts,
    queue: &mut AccountQueue,
    place: usize,
    row: &Row,
    now: UnixMillis,
) -> Result<(), DbError> {
    let slice = &mut queue.slices[place];
    let (account, bulk, _, operator) = slice.key;
    let seq = from_int4(row.get(1));
    slice.next_seq = seq + 1;
    let progress = progress(row, 4)?;
    if let Some(at) = progress.not_before.filter(|at| *at > now) {
        slice.pass(seq, at.0);
        slice.touched = true;
        return Ok(());
    }
    let bulk_key = (AccountId(account), BulkNo(bulk));
    let (Some(bulk_row), Some(known)) = (work.bulk(bulk_key), texts.get(bulk_key)) else {
        return Err(DbError::Row(format!("slices of bulk {bulk} have no bulk")));
    };
    let number: Option<i64> = row.get(2);
    let to = number.map(msisdn).transpose()?;
    let to = to.ok_or_else(|| DbError::Row("a waiting number is no mobile number".into()))?;
    let text: Option<&str> = row.get(3);
    let key = RecipientKey {
        account: AccountId(account),
        bulk: BulkNo(bulk),
        seq: Seq(seq),
    };
    let parts = u32::from(progress.parts).saturating_sub(progress.accepted.len());
    queue.parts += parts;
    queue.candidates.push_back(Candidate {
        key,
        to,
        text: text.map_or_else(|| Arc::clone(&known.text), Arc::from),
        reference_bits: known.reference_bits,
        expires_at: bulk_row.expires_at,
        listed: None,
        looked_up: !progress.accepted.is_empty(),
        parts,
    });
    let row = RecipientRow {
        operator: OperatorId(operator),
        progress,
    };
    work.add_recipient(key, row);
    Ok(())
}
